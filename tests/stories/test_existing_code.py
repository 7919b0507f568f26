"""Code that knows nothing of tracelog keeps working, and its lines are in our schema."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import logging.handlers
import pickle
import queue
import sys
import threading
import warnings

import pytest

import tracelog


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def lines(stream):
    tracelog.configure_logging(sink=stream, format="json", level="DEBUG")
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def shown(line):
    """What a line says, but for its time."""
    return {key: value for key, value in line.items() if key != "timestamp"}


class Kept(logging.Handler):
    """A third party's handler."""

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


def test_arguments_and_extra(lines):
    """`logging.getLogger(...).info("x %s", 1, extra=...)` is a line with its fields."""
    logging.getLogger("app.chat").info("x %s", 1, extra={"room": "lobby"})

    assert shown(lines()[0]) == {
        "level": "info",
        "logger": "app.chat",
        "event": "x 1",
        "trace_id": None,
        "room": "lobby",
    }


def test_the_modules_own_functions(lines):
    """`logging.warning` and its like are lines of the root logger."""
    logging.warning("careful")

    assert (lines()[0]["logger"], lines()[0]["event"]) == ("root", "careful")


def test_a_mapping_as_argument(lines):
    """`%(name)s` with a dict works as it always did."""
    logging.getLogger("app").info("%(user)s says %(text)s", {"user": "kim", "text": "hi"})

    assert lines()[0]["event"] == "kim says hi"


def test_exceptions_are_structured_once(lines):
    """`logging.exception` shows type, message and frames, and the text isn't there again."""
    try:
        {}["room"]
    except KeyError:
        logging.getLogger("app").exception("no room")

    [line] = lines()
    [entry] = line["exception"]
    assert (line["level"], line["event"]) == ("error", "no room")
    assert (entry["type"], entry["message"]) == ("KeyError", "'room'")
    assert entry["frames"][-1]["function"] == "test_exceptions_are_structured_once"
    assert not line.keys() & {"exc_info", "exc_text", "stack"}


def test_stacks_and_callers(stream):
    """stack_info and stacklevel point where they always pointed: at the line that logs."""
    config = {
        "version": 1,
        "formatters": {"json": {"()": "tracelog.JsonFormatter", "caller": True}},
        "handlers": {"out": {"class": "tracelog.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["out"]},
    }
    tracelog.configure_logging(config, sink=stream)
    logger = logging.getLogger("made.after.configuring")

    def helper():
        logger.warning("hello", stacklevel=2, stack_info=True)

    logger.warning("hello")
    tracelog.get_logger("made.after.configuring").warning("hello")
    helper()

    callers = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["caller"].rpartition(" ")[2] for line in callers] == [
        "test_stacks_and_callers"
    ] * 3
    assert callers[2]["stack"].endswith("helper()")


def test_the_message_cannot_be_replaced(lines):
    """`extra={"message": …}`, which a stock logger refuses, replaces no message."""
    logger = logging.getLogger("made.after.configuring")

    try:
        logger.info("hello", extra={"message": "other"})
    except KeyError:
        logger.info("hello")

    assert lines()[0]["event"] == "hello"


def test_warnings(lines):
    """Captured warnings are lines of py.warnings."""
    logging.captureWarnings(True)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        logging.captureWarnings(False)
        logging.captureWarnings(True)

        warnings.warn("old way", DeprecationWarning, stacklevel=1)

    [line] = lines()
    assert (line["level"], line["logger"]) == ("warning", "py.warnings")
    assert "DeprecationWarning: old way" in line["event"]


def test_hierarchy_and_propagation(lines):
    """A level on a parent counts for its children; `propagate = False` keeps lines from the root."""
    logging.getLogger("app").setLevel(logging.ERROR)
    logging.getLogger("quiet").propagate = False

    logging.getLogger("app.chat.rooms").warning("too quiet")
    logging.getLogger("app.chat.rooms").error("loud")
    logging.getLogger("quiet").addHandler(logging.NullHandler())
    logging.getLogger("quiet").error("kept away")

    assert [line["event"] for line in lines()] == ["loud"]


def test_a_basic_config_of_others_changes_nothing(lines, capfd):
    """A library that calls basicConfig later neither doubles nor takes our lines."""
    logging.basicConfig(level=logging.ERROR, format="%(message)s")

    logging.getLogger("app").info("hello")

    assert [line["event"] for line in lines()] == ["hello"]
    assert capfd.readouterr().err == ""


def test_a_basic_config_before_ours_makes_way(stream, capfd):
    """The handler that it left would show every line twice."""
    logging.root.handlers.clear()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    tracelog.configure_logging(sink=stream, format="json")

    logging.getLogger("app").info("hello")

    assert json.loads(stream.getvalue())["event"] == "hello"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "make", [logging.getLogger, tracelog.get_logger], ids=["foreign", "native"]
)
@pytest.mark.parametrize("name", ["", "app"], ids=["on the root", "on the logger"])
def test_third_party_handlers_see_whole_records(lines, make, name):
    """A handler on the same loggers gets records as `logging` makes them."""
    kept = Kept()
    logging.getLogger(name).addHandler(kept)

    make("app").warning("hello %s", "kim")

    [record] = kept.records
    assert record.getMessage() == "hello kim"
    assert record.funcName == "test_third_party_handlers_see_whole_records"
    assert logging.Formatter("%(levelname)s %(module)s %(message)s").format(record) == (
        "WARNING test_existing_code hello kim"
    )
    assert lines()[0]["event"] == "hello kim"


def test_a_logger_adapter(lines):
    """LoggerAdapter's extra arrives as fields."""
    logging.LoggerAdapter(logging.getLogger("app"), {"room": "lobby"}).info("hello")

    assert lines()[0]["room"] == "lobby"


def test_a_logger_class_of_the_applications(stream):
    """An application that has its own logger class, or record factory, keeps it."""

    class Mine(logging.Logger):
        def makeRecord(self, *args, **kwargs):
            record = super().makeRecord(*args, **kwargs)
            record.region = "eu"
            return record

    before = logging.getLoggerClass()
    logging.setLoggerClass(Mine)
    try:
        tracelog.configure_logging(sink=stream, format="json")
        logging.getLogger("of.my.class").info("hello")
    finally:
        logging.setLoggerClass(before)

    assert json.loads(stream.getvalue())["region"] == "eu"


# A queue in between


def log_one_of_each():
    logger = logging.getLogger("app.queued")
    with tracelog.bound_context(user="kim"):
        logger.info("hello %s", "kim", extra={"room": "lobby"})
        try:
            raise ValueError("bad")
        except ValueError:
            logger.exception("failed %d", 7)
        tracelog.get_logger("app.queued").info("native %s", "kim", room="lobby")
        try:
            raise ValueError("bad")
        except ValueError:
            tracelog.get_logger("app.queued").exception("native failed")


def assert_as_without_a_queue(lines):
    assert [line["event"] for line in lines] == [
        "hello kim",
        "failed 7",
        "native kim",
        "native failed",
    ]
    assert [line["user"] for line in lines] == ["kim"] * 4
    assert [line.get("room") for line in lines] == ["lobby", None, "lobby", None]
    for line in lines[1::2]:
        [entry] = line["exception"]
        assert (entry["type"], entry["message"]) == ("ValueError", "bad")
        assert entry["frames"][-1]["function"] == "log_one_of_each"
    assert all(list(line)[-1] == "exception" for line in lines[1::2])


def test_a_queue_handler_in_between(stream):
    """A stock QueueHandler with our filter: exceptions stay structured, and the context is the caller's."""
    out = tracelog.StreamHandler(stream)
    out.setFormatter(tracelog.JsonFormatter())
    waiting = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(waiting)
    handler.addFilter(tracelog.ContextFilter())
    listener = logging.handlers.QueueListener(waiting, out)
    logger = logging.getLogger("app.queued")
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)

    listener.start()
    thread = threading.Thread(target=log_one_of_each)
    thread.start()
    thread.join()
    listener.stop()

    assert_as_without_a_queue([json.loads(line) for line in stream.getvalue().splitlines()])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="dictConfig knows no queues before 3.12")
@pytest.mark.parametrize("configure", [logging.config.dictConfig, tracelog.configure_logging])
def test_a_queue_handler_by_configuration(configure, tmp_path):
    """The same from a dictConfig, as Python 3.12 and later have it."""
    configure(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "filters": {"context": {"()": "tracelog.ContextFilter"}},
            "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
            "handlers": {
                "file": {
                    "class": "tracelog.FileHandler",
                    "filename": str(tmp_path / "app.log"),
                    "formatter": "json",
                },
                "queue": {
                    "class": "logging.handlers.QueueHandler",
                    "handlers": ["file"],
                    "filters": ["context"],
                },
            },
            "root": {"level": "DEBUG", "handlers": ["queue"]},
        }
    )
    [handler] = [h for h in logging.root.handlers if isinstance(h, logging.handlers.QueueHandler)]

    handler.listener.start()
    log_one_of_each()
    handler.listener.stop()

    text = (tmp_path / "app.log").read_text()
    assert_as_without_a_queue([json.loads(line) for line in text.splitlines()])


def test_a_socket_in_between(stream):
    """A record that was pickled by a stock SocketHandler keeps its traceback, as text."""
    sender = logging.handlers.SocketHandler("localhost", 1)
    out = tracelog.StreamHandler(stream)
    out.setFormatter(tracelog.JsonFormatter())
    try:
        raise ValueError("bad")
    except ValueError:
        record = logging.LogRecord("app", logging.ERROR, "", 1, "hello", (), sys.exc_info())

    out.handle(logging.makeLogRecord(pickle.loads(sender.makePickle(record)[4:])))

    line = json.loads(stream.getvalue())
    assert line["event"] == "hello"
    assert line["exception"].endswith("ValueError: bad")
