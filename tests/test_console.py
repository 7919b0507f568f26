"""Lines for eyes."""

from __future__ import annotations

import asyncio
import logging
import logging.config
import logging.handlers
import queue
import re
import time
from copy import copy

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tracelog.console import ConsoleFormatter
from tracelog.context import Connection, Context, current_context, enter_context
from tracelog.errors import ConfigError
from tracelog.ids import TraceContext
from tracelog.layout import HOLDS, VERDICTS
from tracelog.records import ContextFilter, Event


NOON = 1795348800.123456  # 2026-11-22 12:00:00 UTC
KIM = TraceContext("9e3779b97f4a7c15f39cc0605cedc834", "00f067aa0ba902b7")
LEE = TraceContext("3c6ef372fe94f82be73980c0b9db9068", "00f067aa0ba902b7")
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Unprintable:
    def __str__(self):
        raise RuntimeError("no")


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """The console shows local time; here it is UTC's."""
    monkeypatch.setattr(time, "localtime", time.gmtime)


def make_formatter(**options):
    return ConsoleFormatter(**{"colors": False, "env_file": None, **options})


def make_record(msg="message handled", level=logging.INFO, name="app.chat", at=0.0, **attributes):
    return logging.makeLogRecord(
        {
            "name": name,
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": msg,
            "created": NOON + at,
            **attributes,
        }
    )


def enter(trace=None, connection_id=None, **bound):
    enter_context(Context.make(bound, trace, connection_id and Connection(connection_id)))


def caught(error):
    namespace = {"error": error}
    try:
        exec(compile("raise error", "<app>", "exec"), namespace)
    except BaseException as raised:  # noqa: BLE001
        raised.__traceback__ = raised.__traceback__.tb_next
        return type(raised), raised, raised.__traceback__


def write_screen(formatter):
    """What a chat service logs in its first second."""
    lines = []

    def write(*args, **attributes):
        lines.append(formatter.format(make_record(*args, at=len(lines) / 10, **attributes)))

    enter()
    write("Started server process [4711]", name="uvicorn.error")
    write("listening", port=8000)
    enter(KIM, "c-7f3a90d2", user_id="kim")
    write("connection open", path="/ws/lobby", client="127.0.0.1:53122")
    enter(LEE, "c-1b22c0aa", user_id="lee")
    write("message received", logging.DEBUG, size=512, kind="text")
    write("frame", 5, opcode=1, fin=True)
    enter(KIM, "c-7f3a90d2", user_id="kim")
    write("message handled", room="lobby", duration_ms=3.217)
    enter(LEE, "c-1b22c0aa", user_id="lee")
    write("pool exhausted, waiting for a connection", logging.WARNING, "app.db", acquire_ms=1204.8)
    write("utterance", logging.WARNING, late=True, queue_ms=304.2, total_ms=1523.9)
    write("reply failed", logging.ERROR, "app.services.chat.rooms", room="general talk")
    write("disk full", logging.CRITICAL, "websockets.server", free=0)
    return "\n".join(lines)


# -- The screen ------------------------------------------------------------------------------------

SCREEN = """\
12:00:00.123 info           uvicorn.error     Started server process [4711]
12:00:00.223 info           app.chat          listening                  port=8000
12:00:00.323 info  9e3779b9 app.chat          connection open            user_id=kim path=/ws/lobby client=127.0.0.1:53122 c-7f3a90d2
12:00:00.423 debug 3c6ef372 app.chat          message received           user_id=lee size=512 kind=text c-1b22c0aa
12:00:00.523 trace 3c6ef372 app.chat          frame                      user_id=lee opcode=1 fin=true c-1b22c0aa
12:00:00.623 info  9e3779b9 app.chat          message handled            user_id=kim room=lobby duration=3.22ms c-7f3a90d2
12:00:00.723 warn  3c6ef372 app.db            pool exhausted, waiting for a connection user_id=lee acquire=1.2s c-1b22c0aa
12:00:00.823 warn  3c6ef372 app.chat          utterance                  user_id=lee late=true queue=304ms total=1.52s c-1b22c0aa
12:00:00.923 error 3c6ef372 chat.rooms        reply failed               user_id=lee room="general talk" c-1b22c0aa
12:00:01.023 crit  3c6ef372 websockets.server disk full                  user_id=lee free=0 c-1b22c0aa"""


def test_dict_config_may_name_it_as_a_class():
    """What it then gives by position is about texts of the standard library's."""
    draft = {"class": "tracelog.ConsoleFormatter", "format": "%(message)s"}

    made = logging.config.DictConfigurator({}).configure_formatter(draft)

    assert type(made) is ConsoleFormatter


def test_the_screen():
    """Time, level, trace, logger, event in columns; then the fields, and the connection."""
    assert write_screen(make_formatter()) == SCREEN


def test_colours_only_add_to_the_screen():
    """A coloured line says what the plain one says."""
    colored = write_screen(make_formatter(colors=True))

    assert [line.rstrip() for line in ANSI.sub("", colored).split("\n")] == SCREEN.split("\n")


def test_a_coloured_line():
    """Grey time, logger and connection, the level's colour, the trace's own, a bold event."""
    enter(KIM, "c-7f3a90d2", user_id="kim")

    line = make_formatter(colors=True).format(make_record(level=logging.WARNING))

    assert line.replace("\x1b[", "<").replace("<0m", ">") == (
        "<38;5;244m12:00:00.123> <1;38;5;166mwarn > <38;5;28m9e3779b9> "
        "<38;5;244mapp.chat         > <1mmessage handled           > "
        "<38;5;31muser_id=>kim <38;5;244mc-7f3a90d2>"
    )


def test_a_narrow_terminal_gets_no_columns(monkeypatch):
    """Below 120 columns nothing is padded: every character counts."""
    monkeypatch.setenv("COLUMNS", "80")
    formatter = make_formatter()
    formatter.on_terminal(True)

    outside = formatter.format(make_record(size=1))
    enter(KIM)
    inside = formatter.format(make_record(size=1))

    assert outside == "12:00:00.123 info  app.chat message handled size=1"
    assert inside == "12:00:00.123 info  9e3779b9 app.chat message handled size=1"


def test_a_resized_terminal_is_noticed(monkeypatch):
    """Within a second the lines fit it."""
    monkeypatch.setenv("COLUMNS", "80")
    formatter = make_formatter()
    formatter.on_terminal(True)
    narrow = formatter.format(make_record(size=1))

    monkeypatch.setenv("COLUMNS", "140")
    same_second = formatter.format(make_record(size=1, at=0.5))
    next_second = formatter.format(make_record(size=1, at=1))

    assert len(narrow) == len(same_second) == 50
    assert next_second == (
        "12:00:01.123 info           app.chat          message handled            size=1"
    )


# -- Whether there are colours ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "terminal", "colored"),
    [
        pytest.param({}, True, True, id="terminal"),
        pytest.param({}, False, False, id="pipe"),
        pytest.param({"NO_COLOR": "1"}, True, False, id="NO_COLOR"),
        pytest.param({"FORCE_COLOR": "1"}, False, True, id="FORCE_COLOR"),
        pytest.param({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False, id="both"),
    ],
)
def test_colours_as_the_environment_and_the_terminal_ask(
    environment, terminal, colored, monkeypatch
):
    """Terminals get colours and pipes none, unless NO_COLOR or FORCE_COLOR say otherwise."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    formatter = ConsoleFormatter()

    formatter.on_terminal(terminal)

    assert ("\x1b" in formatter.format(make_record())) is colored


@pytest.mark.parametrize("colors", [True, False])
def test_colours_as_the_caller_asks(colors, monkeypatch):
    """The argument wins over the environment and the terminal."""
    monkeypatch.setenv("NO_COLOR" if colors else "FORCE_COLOR", "1")
    formatter = make_formatter(colors=colors)

    formatter.on_terminal(not colors)

    assert ("\x1b" in formatter.format(make_record())) is colors


def test_colours_as_an_env_file_asks(tmp_path):
    """NO_COLOR and FORCE_COLOR may stand there, too."""
    file = tmp_path / "settings.env"
    file.write_text("FORCE_COLOR=1\n")

    assert "\x1b" in ConsoleFormatter(env_file=str(file)).format(make_record())


def test_a_copy_is_told_of_a_terminal_of_its_own():
    """Handlers share a formatter and copy it: the terminal of one isn't that of the other."""
    formatter = ConsoleFormatter(env_file=None)
    other = copy(formatter)

    other.on_terminal(True)

    assert "\x1b" in other.format(make_record())
    assert "\x1b" not in formatter.format(make_record())


# -- The parts of a line ---------------------------------------------------------------------------


def fields_part(**attributes):
    """What a line says behind its event."""
    return make_formatter().format(make_record("event", **attributes)).partition("event")[2].strip()


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("app", "app", id="short"),
        pytest.param("app.services.chat.rooms", "chat.rooms", id="too long"),
        pytest.param("a_module_with_a_long_name", "a_module_with_a_long_name", id="one long part"),
        pytest.param("app\x1b[2J", r"app\x1b[2J", id="controls"),
    ],
)
def test_loggers_are_shown_by_their_last_parts(name, shown):
    """As many as fit the column."""
    line = make_formatter().format(make_record("event", name=name))

    assert line == f"12:00:00.123 info           {shown.ljust(17)} event"


def test_a_level_of_the_application_s_own():
    """Any level is shown, in the column's width."""
    logging.addLevelName(25, "NOTICE")
    try:
        line = make_formatter().format(make_record("event", 25))
    finally:
        del logging._levelToName[25], logging._nameToLevel["NOTICE"]

    assert line == "12:00:00.123 notic          app.chat          event"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param({"total_ms": 1523.9}, "total=1.52s", id="float"),
        pytest.param({"total_ms": 15}, "total=15ms", id="int"),
        pytest.param({"total_ms": "15"}, "total_ms=15", id="text"),
        pytest.param({"total_ms": True}, "total_ms=true", id="true"),
        pytest.param({"total_ms": float("nan")}, "total_ms=nan", id="not a number"),
        pytest.param({"total_ms": float("inf")}, "total_ms=inf", id="infinity"),
        pytest.param({"total_ms": 10**400}, f"total_ms={10**400}", id="huge"),
    ],
)
def test_durations_are_readable(fields, shown):
    """Numbers of milliseconds get a unit; what is no duration stays as it is."""
    assert fields_part(**fields) == shown


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param({"caller": "kim"}, "caller=kim", id="caller"),
        pytest.param({"exception": ["a"]}, 'exception=["a"]', id="exception, no text"),
        pytest.param({"stack": 3}, "stack=3", id="stack, no text"),
        pytest.param({"logger": 3, "event": "e"}, "logger_=3 event_=e", id="leading keys"),
        pytest.param({"a\x1b": 1}, r"a\x1b=1", id="controls in a key"),
    ],
)
def test_no_field_is_lost(fields, shown):
    """Fields that are named like something of ours are shown beside it."""
    assert fields_part(**fields) == shown


def test_keys_that_are_no_text():
    """`extra` may have any."""
    record = make_record("event")
    record.__dict__[1] = "one"

    assert make_formatter().format(record).endswith("event                      1=one")


def test_the_number_of_fields_is_bounded():
    """Two hundred, with those that lead, say enough."""
    shown = fields_part(**{f"key_{number}": number for number in range(300)})

    assert shown.endswith(" key_194=194")


def test_a_caller_s_own_trace_id_is_shortened_too():
    """Eight characters, padded if there are fewer."""
    formatter = make_formatter()

    enter(trace_id="request-1234")
    long = formatter.format(make_record("event"))
    enter(trace_id="r-1")
    short = formatter.format(make_record("event"))

    assert long == "12:00:00.123 info  request- app.chat          event"
    assert short == "12:00:00.123 info  r-1      app.chat          event"


def test_milliseconds_are_those_of_the_json_line():
    """Rounded to microseconds first: a time isn't 1 ms less here than there."""
    line = make_formatter().format(make_record(at=0.0005439999))

    assert line.startswith("12:00:00.124 ")


# -- Processors ------------------------------------------------------------------------------------


def test_processors_change_what_is_shown():
    """structlog processors run on every event, and may put anything in it."""

    def change(_logger, _method, event):
        return {**event, "level": 20, "logger": None, "event": Unprintable(), "region": "eu"}

    line = make_formatter(processors=[change]).format(make_record())

    assert line == (
        "12:00:00.123 20             None              <unprintable Unprintable object> region=eu"
    )


def test_a_dropped_event_is_no_line():
    """A processor that raises DropEvent silences it."""

    def drop(_logger, _method, _event):
        raise structlog.DropEvent

    assert make_formatter(processors=[drop]).encode(make_record()) == b""


def test_a_processor_that_is_not_there():
    """Set-up raises, early."""
    with pytest.raises(ConfigError):
        make_formatter(processors=["nowhere.to.be.found"])


# -- What stands below a line ----------------------------------------------------------------------


def test_a_stack_is_indented_below():
    """`stack_info` is many lines; none of them looks like a record's."""
    record = make_record("event", stack_info="Stack:\n  here\x1b[2J\n12:00:00.000 info  forged")

    assert make_formatter().format(record) == (
        "12:00:00.123 info           app.chat          event\n"
        "    Stack:\n"
        "      here\\x1b[2J\n"
        "    12:00:00.000 info  forged"
    )


def test_an_exception_that_is_text_by_now_is_indented_below():
    """A handler behind a pipe or a queue has but the text."""
    record = make_record("event", exc_text="Traceback:\nValueError: no")

    assert make_formatter().format(record) == (
        "12:00:00.123 info           app.chat          event\n    Traceback:\n    ValueError: no"
    )


def test_an_exception_that_came_through_a_queue():
    """Behind a QueueHandler the traceback is gone; type and message are shown still."""
    handler = logging.handlers.QueueHandler(queue.SimpleQueue())
    handler.addFilter(ContextFilter())
    handler.handle(make_record("event %d", args=(1,), exc_info=caught(ValueError("no"))))

    line = make_formatter().format(handler.queue.get())

    assert line == ("12:00:00.123 info           app.chat          event 1\n    ValueError: no")


def test_a_traceback_is_drawn_below():
    """By rich, after the stack if there is one."""
    record = make_record("event", exc_info=caught(ValueError("no")), stack_info="Stack:\n  here")

    assert make_formatter().format(record) == (
        "12:00:00.123 info           app.chat          event\n"
        "    Stack:\n"
        "      here\n"
        f"╭{' Traceback (most recent call last) '.center(118, '─')}╮\n"
        f"│ in <module>:1{' ' * 103} │\n"
        f"╰{'─' * 118}╯\n"
        "ValueError: no"
    )


def test_no_traceback_is_drawn_on_a_loop():
    """There it takes milliseconds from everybody: the sink's thread gets the work."""
    formatter = make_formatter()
    record = make_record("event", exc_info=caught(ValueError("no")))

    async def main():
        return formatter.encode(record), formatter.encode(make_record("event"))

    later, at_once = asyncio.run(main())

    assert isinstance(at_once, bytes)
    assert callable(later)
    assert later() == formatter.encode(record)


# -- Laws ------------------------------------------------------------------------------------------

texts = st.text(st.characters())
values = st.recursive(
    st.none() | st.integers() | st.floats() | texts | st.binary() | st.builds(Unprintable),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)


@given(values, texts, st.dictionaries(texts, values, max_size=4), values, st.booleans())
def test_any_record_is_one_line(msg, name, fields, bound, colors):
    """Never raises; whatever data hold, they begin no line and send nothing but colours."""
    enter(KIM, "c-1", bound=bound)
    record = make_record(msg, name=name)
    record.__dict__.update({f"field_{key}": value for key, value in fields.items()})

    written = make_formatter(colors=colors).encode(record)

    line = ANSI.sub("", written.decode()) if colors else written.decode()
    assert line.startswith("12:00:00.123 info  9e3779b9 ")
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", line.removesuffix("\n"))
    assert line.endswith("\n")


# Verdicts


def verdict(**fields):
    return make_formatter().format(make_record("utterance", name="tracelog.utterance", **fields))


def test_a_verdict_says_nothing_twice():
    """Waits of nothing are left out; its arrival is local."""
    line = verdict(
        utterance=3,
        total_ms=330.0,
        socket_ms=0.02,
        queue_ms=280.0,
        client_ms=None,
        late=False,
        kind="websocket",
        arrived_at="2023-11-14T22:13:20.480999Z",
    )

    assert " ".join(line.split()[2:]) == (
        "utterance utterance 3 total=330ms queue=280ms client_ms=null "
        "kind=websocket arrived_at=22:13:20.480"
    )


def test_a_late_verdict_says_why_first():
    """In a sentence; the facts behind it are for programs, and boxes of nothing for nobody."""
    line = verdict(
        late=True,
        total_ms=289.163,
        socket_ms=284.0,
        loop_ms=0.573,
        await_ms=3.994,
        cause="283 ms: loop held by nils",
        blocked_by=[{"ms": 282.857, "user_id": "nils"}],
        awaits=[{"ms": 3.9}],
        path="/chat",
    )

    assert " ".join(line.split()[2:]) == (
        "utterance late utterance, 283 ms: loop held by nils total=289ms "
        "socket=284ms await=3.99ms path=/chat"
    )


@pytest.mark.parametrize(
    "arrived_at",
    ["noon", None, 5, "9999-12-31T23:59:59-23:59"],
    ids=["text", "None", "number", "far"],
)
def test_a_verdict_that_a_processor_changed_is_shown_as_it_is(arrived_at):
    """Whatever stands in it now, or doesn't."""
    assert verdict(arrived_at=arrived_at).split()[4].startswith("arrived_at=")
    assert verdict().split()[2:] == ["utterance", "utterance"]


def test_a_hold_says_what_it_cost():
    """In its text, where `delayed` and `delayed_ms` would be two fields of one name."""
    record = make_record(
        "loop held",
        name="tracelog.hold",
        held_ms=251.0,
        where="a.py:6 f",
        delayed=2,
        delayed_ms=431,
    )

    line = make_formatter().format(record)

    assert line.split("tracelog.hold ")[1].strip() == (
        "loop held 251ms in a.py:6 f, 2 delayed by 431ms in all"
    )


def test_secrets_are_masked():
    """By name, in text, in what was bound; in the traceback, drawn or written, and in the stack."""
    error = ValueError("postgresql://app:hunter2@db/x")
    error.add_note("token=hunter2")
    enter(KIM, api_key="hunter2")
    drawn = make_formatter(secret_keys=["room"]).format(
        make_record("password=hunter2", exc_info=caught(error), room="hunter2", n=1)
    )
    written = make_formatter().format(
        make_record(exc_text="password: hunter2", stack_info="token=hunter2", secret=["hunter2"])
    )

    assert "hunter2" not in drawn + written
    assert drawn.count("[redacted]") == 5
    assert written.count("[redacted]") == 4
    assert " n=1" in drawn


def test_a_bare_event_is_written_as_its_record_is():
    """The short way leads where the long one does; verdicts and levels of others' take that one."""
    enter(KIM, "c-1", user_id="kim")
    context = current_context()
    context.begin()
    formatter = make_formatter()
    bare = (NOON, "app.chat", logging.INFO, "hello", {"room": "lobby", "n": 1}, context)

    line = formatter.line_of(bare)

    assert line == formatter.encode(Event.of(bare))
    assert formatter.line_of((NOON, VERDICTS, *bare[2:])) == b""
    assert formatter.line_of((NOON, HOLDS, *bare[2:])) == b""
    assert formatter.line_of((*bare[:2], 25, *bare[3:])) == b""


@pytest.mark.parametrize("options", [{"secret_keys": ["room"]}, {"processors": [lambda *a: a[2]]}])
def test_what_looks_at_events_needs_their_records(options):
    """Names of one's own and processors have no short way."""
    assert make_formatter(**options).line_of is None


def test_format_may_be_overridden():
    """A subclass writes the line, around ours or in its place; what is dropped stays so."""

    class Mine(ConsoleFormatter):
        def format(self, record):
            line = super().format(record)
            return line and f"> {line}"

    def drop(_logger, _method, _event):
        raise structlog.DropEvent

    mine = Mine(colors=False, env_file=None)
    dropping = Mine(env_file=None, processors=[drop])

    assert mine.encode(make_record()) == f"> {make_formatter().format(make_record())}\n".encode()
    assert mine.line_of is None
    assert dropping.encode(make_record()) == b""
