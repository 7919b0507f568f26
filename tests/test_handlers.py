"""Handlers: the standard library's, over sinks that are never waited for."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import stat
import subprocess
import sys

import pytest

import tracelog
from tracelog.context import bound_context, current_context
from tracelog.delivery import delivery_stats
from tracelog.errors import ConfigError
from tracelog.handlers import FileHandler, LineFormatter, RotatingFileHandler, StreamHandler
from tracelog.json_formatter import JsonFormatter
from tracelog.logger import get_logger
from tracelog.records import ContextFilter


PATIENCE_S = 30


class Upper(logging.Formatter):
    """Makes finished lines, and is told whether they are read on a terminal."""

    told: bool | None = None

    def on_terminal(self, terminal):
        self.told = terminal

    def encode(self, record):
        return f"{record.msg}".upper().encode() + b"\n"


class Never(logging.Formatter):
    """Drops every event."""

    def encode(self, record):
        return b""


class Later(logging.Formatter):
    """Makes lines that the sink's thread is to finish."""

    def encode(self, record):
        return lambda: f"{record.msg}\n".encode()


class Failing(logging.Formatter):
    """Raises, whatever it is given."""

    def format(self, record):
        raise RuntimeError("not my day")


def make_record(msg="hello", **extra):
    record = logging.LogRecord("app", logging.INFO, "app.py", 7, msg, (), None, "handle")
    record.__dict__.update(extra)
    return record


def make_handler(formatter=None, *filters):
    handler = StreamHandler(io.StringIO())
    handler.setFormatter(formatter)
    for each in filters:
        handler.addFilter(each)
    return handler


def written(handler):
    return handler.stream.getvalue()


# Formatters


@pytest.mark.parametrize(
    ("formatter", "text"),
    [
        pytest.param(None, "hello\n", id="none"),
        pytest.param(logging.Formatter("%(levelname)s %(message)s"), "INFO hello\n", id="stock"),
        pytest.param(Upper(), "HELLO\n", id="of finished lines"),
        pytest.param(Never(), "", id="that drops"),
    ],
)
def test_any_formatter_will_do(formatter, text):
    """Ours make finished lines; any other makes text."""
    handler = make_handler(formatter)

    assert handler.handle(make_record()) is True

    assert written(handler) == text


def test_a_line_may_be_finished_later():
    """By the sink's thread, which `flush` waits for."""
    handler = make_handler(Later())

    handler.handle(make_record())
    handler.flush()

    assert written(handler) == "hello\n"


def test_emit_writes_without_filters():
    """For handlers that call it, as MemoryHandler's targets are."""
    handler = make_handler(Upper(), lambda record: False)

    handler.emit(make_record())
    handler.setFormatter(Never())
    handler.emit(make_record("dropped"))

    assert written(handler) == "HELLO\n"


class Overriding(StreamHandler):
    """Sees every record before it is written."""

    def __init__(self):
        super().__init__(io.StringIO())
        self.seen = []

    def emit(self, record):
        self.seen.append(record.getMessage())
        super().emit(record)


@pytest.mark.parametrize("formatter", [None, tracelog.JsonFormatter()], ids=["none", "ours"])
def test_a_subclass_may_override_emit(formatter):
    """As one of the standard library's may: what it passes on is written, once."""
    handler = Overriding()
    handler.setFormatter(formatter)
    logger = logging.getLogger("overridden")
    logger.addHandler(handler)

    logger.warning("hello %s", "kim")
    get_logger("overridden").warning("hello", room="lobby")

    assert handler.seen == ["hello kim", "hello"]
    assert written(handler).count("hello") == written(handler).count("\n") == 2


def test_a_subclass_may_override_format():
    """Even if its formatter makes finished lines."""

    class Shouting(StreamHandler):
        def format(self, record):
            return f"{record.msg}!"

    handler = Shouting(io.StringIO())
    handler.setFormatter(Upper())

    handler.handle(make_record())

    assert written(handler) == "hello!\n"


def test_ours_are_formatters_of_finished_lines():
    """So their lines need no second step."""
    for formatter in (tracelog.Formatter(), tracelog.JsonFormatter(), tracelog.ConsoleFormatter()):
        assert isinstance(formatter, LineFormatter)
    assert not isinstance(logging.Formatter(), LineFormatter)


def test_a_stock_formatter_sees_whole_native_events():
    """Their caller, level and fields, as in any record."""
    handler = make_handler(logging.Formatter("%(levelname)s %(filename)s %(room)s %(message)s"))
    logging.getLogger("app").addHandler(handler)

    get_logger("app").warning("hello", room="lobby")

    assert written(handler) == "WARNING test_handlers.py lobby hello\n"


def test_a_formatter_that_fails_costs_its_line_only():
    """Nothing raises into whoever logs; the loss is counted."""
    before = delivery_stats().dropped
    handler = make_handler(Failing())

    assert handler.handle(make_record()) is True

    assert delivery_stats().dropped - before == 1


# Filters


@pytest.mark.parametrize("make", [make_record, None], ids=["foreign", "native"])
def test_the_context_is_there_for_a_stock_formatter(make):
    """ContextFilter makes %(trace_id)s work with any formatter, on native and foreign records."""
    formatter = logging.Formatter("%(trace_id)s %(user)s %(message)s")
    handler = make_handler(formatter, ContextFilter())
    logging.getLogger("app").addHandler(handler)

    with bound_context(user="kim", trace_id="req-1"):
        if make:
            handler.handle(make())
        else:
            get_logger("app").error("hello")

    assert written(handler) == "req-1 kim hello\n"


def test_filters_decide():
    """A record that one of them refuses isn't written, and False is told, as `logging` does."""
    handler = make_handler(Upper(), lambda record: record.msg != "secret")

    results = [handler.handle(make_record(msg)) for msg in ("hello", "secret")]

    assert results == [True, False]
    assert written(handler) == "HELLO\n"


def test_filters_see_whole_native_events():
    """They may ask for any attribute, and for fields."""
    handler = make_handler(Upper(), lambda record: record.lineno and record.room == "lobby")
    logging.getLogger("app").addHandler(handler)

    for room in ("attic", "lobby"):
        get_logger("app").error(room, room=room)

    assert written(handler) == "LOBBY\n"


class Halves:
    """A filter that knows of native events that aren't complete."""

    halves = True

    def __init__(self, refused="secret"):
        self.complete = []
        self.refused = refused

    def filter(self, record):
        self.complete.append("pathname" in vars(record))
        return record.msg != self.refused


class Whole(Upper):
    """Makes finished lines, of whole records or of halves."""

    def __init__(self, whole):
        super().__init__()
        self.whole = whole


@pytest.mark.parametrize(
    ("formatter", "others", "complete"),
    [
        (Whole(whole=False), [], False),
        (Whole(whole=False), [ContextFilter()], False),
        (Whole(whole=False), [lambda record: True], True),
        (Whole(whole=True), [], True),
        (Upper(), [], True),
        (logging.Formatter("%(message)s"), [], True),
    ],
    ids=["halves", "context", "another", "needed", "unknown", "stock"],
)
def test_a_filter_that_takes_halves_may_get_them(formatter, others, complete):
    """Completing an event costs more than formatting it; any other filter may need it, though."""
    ours = Halves()
    handler = make_handler(formatter, ours, *others)
    logging.getLogger("app").addHandler(handler)

    for event in ("secret", "hello"):
        get_logger("app").error(event)

    assert ours.complete == [complete, complete]
    assert written(handler).lower() == "hello\n"


def test_a_removed_filter_decides_nothing():
    """Filters come and go while the handler is in use."""

    def refuse(record):
        return False

    handler = make_handler(Upper(), refuse)

    handler.removeFilter(refuse)
    handler.handle(make_record())

    assert written(handler) == "HELLO\n"


def test_a_filter_that_fails_costs_its_line_only():
    """Nothing raises into whoever logs."""
    before = delivery_stats().dropped
    handler = make_handler(Upper(), lambda record: record.no_such_attribute)

    handler.handle(make_record())

    assert written(handler) == ""
    assert delivery_stats().dropped - before == 1


# Streams


def test_a_stream_handler_writes_to_stdout_by_default(capfd):
    """As services do."""
    handler = StreamHandler()

    handler.handle(make_record())

    assert capfd.readouterr().out == "hello\n"


class Terminal(io.StringIO):
    """Says that somebody reads it."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "terminal"),
    [
        pytest.param(Terminal(), True, id="terminal"),
        pytest.param(io.StringIO(), False, id="no terminal"),
        pytest.param(object(), False, id="no stream"),
    ],
)
def test_a_formatter_is_told_about_the_terminal(stream, terminal):
    """It may choose colours then."""
    handler = StreamHandler(stream)

    handler.setFormatter(Upper())

    assert handler.formatter.told is terminal


@pytest.mark.parametrize("terminal_first", [True, False])
def test_a_formatter_may_serve_a_terminal_and_a_file(terminal_first):
    """As one that a YAML file names twice: each handler has its own copy, told on its own."""
    terminal, file = StreamHandler(Terminal()), StreamHandler(io.StringIO())
    formatter = tracelog.Formatter()

    for handler in [terminal, file] if terminal_first else [file, terminal]:
        handler.setFormatter(formatter)
        handler.handle(make_record())
    for handler in (terminal, file):
        handler.handle(make_record())

    assert written(file).count('"event":"hello"') == 2
    assert written(terminal).count("\x1b[1mhello") == 2


def test_a_closed_stream_is_no_terminal():
    """Asking a closed stream raises nothing."""
    stream = io.StringIO()
    handler = StreamHandler(stream)
    stream.close()

    assert handler.terminal is False


def test_a_real_terminal_is_one():
    """Lines arrive there as on any stream."""
    master, slave = pty.openpty()
    with os.fdopen(slave, "w") as stream:
        handler = StreamHandler(stream)
        handler.handle(make_record())

        assert handler.terminal is True
        assert os.read(master, 100) == b"hello\r\n"
    os.close(master)


# Files


def test_a_file_is_appended_to(tmp_path):
    """It is made if it isn't there, readable by its group; what is in it stays."""
    path = tmp_path / "app.log"
    old_mask = os.umask(0)

    FileHandler(path).handle(make_record("one"))
    FileHandler(str(path)).handle(make_record("two"))
    os.umask(old_mask)

    assert path.read_text() == "one\ntwo\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_is_where_it_was_named(tmp_path, monkeypatch):
    """A later change of the working directory doesn't move it."""
    handler = FileHandler("app.log")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")

    handler.handle(make_record())

    assert handler.baseFilename == str(tmp_path / "app.log")
    assert (tmp_path / "app.log").read_text() == "hello\n"
    assert not handler.terminal


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    """When the handler is made, not when the first line is lost."""
    with pytest.raises(FileNotFoundError):
        FileHandler(tmp_path / "nowhere" / "app.log")


@pytest.mark.parametrize("cls", [FileHandler, RotatingFileHandler])
def test_what_loggings_handlers_take_is_taken(tmp_path, cls):
    """A configuration that was written for them may say what ours do anyway."""
    path = tmp_path / "app.log"

    cls(path, "at", encoding="UTF8", delay=True, errors="strict").handle(make_record("é"))

    assert path.read_text("utf-8") == "é\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        pytest.param({"mode": "w"}, "mode: .* end of the file, and 'w'", id="afresh"),
        pytest.param({"encoding": "latin-1"}, "as UTF-8, not as 'latin-1'", id="encoding"),
        pytest.param({"encoding": "utf-9"}, "encoding: .* 'utf-9'", id="no encoding"),
        pytest.param({"encoding": 8}, "as UTF-8, not as 8\n  Try: encoding: utf-8", id="number"),
    ],
)
def test_what_ours_do_otherwise_is_refused(tmp_path, options, said):
    """Lines are added, as UTF-8; whoever asks for something else is told, and nothing is made."""
    with pytest.raises(ConfigError, match=said):
        RotatingFileHandler(tmp_path / "app.log", **options)

    assert not list(tmp_path.iterdir())


def test_a_file_on_a_full_disk_keeps_lines_for_later(gained):
    """/dev/full refuses every byte; nobody is kept waiting."""
    handler = FileHandler("/dev/full")

    handler.handle(make_record())
    full = not handler._sink.flush(PATIENCE_S)
    os.dup2(os.open(os.devnull, os.O_WRONLY), handler._sink._descriptor)  # room comes back

    assert full
    assert handler._sink.flush(PATIENCE_S)
    assert gained() == (1, 1, 0)


FULL_STDOUT = """
import logging, os
from tracelog.handlers import FileHandler
handler = FileHandler("/dev/stdout")
record = logging.LogRecord("app", 20, "", 1, "x" * 999, (), None)
for _ in range(1000):
    handler.handle(record)
os._exit(7)
"""


def test_a_pipe_by_name_blocks_nobody():
    """`filename: /dev/stdout` is a pipe in a container, and its reader may not read."""
    with subprocess.Popen([sys.executable, "-c", FULL_STDOUT], stdout=subprocess.PIPE) as process:
        assert process.wait(PATIENCE_S) == 7


def test_closing_a_handler_costs_no_line(tmp_path):
    """A thread may be about to write to a handler that a reconfiguration has just closed."""
    handler = FileHandler(tmp_path / "app.log")

    handler.close()
    handler.handle(make_record())

    assert (tmp_path / "app.log").read_text() == "hello\n"


def contents(path):
    return {each.name: each.read_text() for each in path.iterdir() if each.suffix != ".lock"}


def test_a_full_file_is_renamed(tmp_path):
    """As its handler was told; a line that its formatter finishes later fills it, too."""
    handler = RotatingFileHandler(tmp_path / "app.log", maxBytes=8, backupCount=2)
    handler.setFormatter(Later())

    for text in ("one", "two", "three"):
        handler.handle(make_record(text))
        handler.flush()

    assert contents(tmp_path) == {"app.log": "three\n", "app.log.1": "one\ntwo\n"}


@pytest.mark.parametrize("options", [{}, {"maxBytes": 5}, {"backupCount": 3}])
def test_without_both_numbers_nothing_rotates(tmp_path, options):
    """As with the standard library's."""
    handler = RotatingFileHandler(tmp_path / "app.log", **options)

    for _ in range(3):
        handler.handle(make_record())

    assert contents(tmp_path) == {"app.log": "hello\n" * 3}


# Losses


@pytest.mark.parametrize(
    ("formatter", "said"),
    [
        (None, "lines lost\n"),
        (logging.Formatter("%(name)s %(lost)s"), "tracelog.delivery 2\n"),
        (JsonFormatter(), '"event":"lines lost","trace_id":null,"lost":2}\n'),
    ],
    ids=["none", "stock", "ours"],
)
def test_what_was_lost_is_said_in_the_log(formatter, said):
    """By the formatter of its lines; it is nobody's line, whoever's is the next one."""
    handler = make_handler(formatter)
    handler._sink.lose(OSError(), 2)

    with bound_context(user_id="kim"):
        handler.handle(make_record(lost=None))

    assert said in written(handler)
    assert "kim" not in written(handler).partition("\n")[0]


def test_what_a_repr_logs_waits(tmp_path):
    """The line that it is part of comes first; both are whole."""
    tracelog.configure_logging(sink=tmp_path / "app.log", format="json")

    class Chatty:
        def __repr__(self):
            get_logger("app").info("from repr", parts=[1])
            return "chatty"

    get_logger("app").info("outer", value=Chatty())

    events = [json.loads(line)["event"] for line in (tmp_path / "app.log").read_text().splitlines()]
    assert events == ["outer", "from repr"]


def test_no_memory_for_an_event_without_a_record_costs_the_line_only(tmp_path):
    """What is raised on the short way stays there, too."""

    class Exhausted(JsonFormatter):
        """Has no memory left for a line."""

        def __init__(self):
            super().__init__()
            self.line_of = self.fail

        def fail(self, bare):
            raise MemoryError

    handler = FileHandler(tmp_path / "out")
    handler.setFormatter(Exhausted())
    before = delivery_stats().dropped

    context = current_context()
    context.begin()
    bare = (0.0, "app", logging.INFO, "hello", {}, context)

    taken = handler.take(bare)

    assert (taken, delivery_stats().dropped - before) == (True, 1)


def test_a_format_of_the_standard_librarys_needs_a_record(tmp_path):
    """So does a filter: it may look at everything, and change it."""
    handler = FileHandler(tmp_path / "out")
    context = current_context()
    context.begin()
    bare = (0.0, "app", logging.INFO, "hello", {}, context)

    formatted = handler.take(bare)
    handler.setFormatter(JsonFormatter())
    ours = handler.take(bare)
    handler.addFilter(logging.Filter())
    filtered = handler.take(bare)

    assert (formatted, ours, filtered) == (False, True, False)
