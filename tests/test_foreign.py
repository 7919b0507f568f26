"""`logging.getLogger`'s loggers on our short way: what a caller can see is as before."""

from __future__ import annotations

import io
import json
import logging
import sys
import traceback
import warnings

import pytest

from tracelog.context import bind_context
from tracelog.delivery import delivery_stats
from tracelog.foreign import Logger, install_logger_class
from tracelog.handlers import StreamHandler
from tracelog.json_formatter import JsonFormatter


class Kept(logging.Handler):
    """Keeps the records that it is given."""

    def __init__(self, level=0):
        super().__init__(level)
        self.records = []

    def emit(self, record):
        self.records.append(record)


class Named(dict):
    """A mapping of another kind."""


@pytest.fixture(autouse=True)
def _no_class():
    before = logging.getLoggerClass()
    yield
    logging.setLoggerClass(before)


@pytest.fixture
def logger():
    logger = Logger("app", logging.DEBUG)
    logger.parent = logging.root
    return logger


@pytest.fixture
def kept(logger):
    handler = Kept()
    logger.addHandler(handler)
    return handler.records


@pytest.fixture
def lines(logger):
    """What our own handlers write, and theirs alone: the short way."""
    stream = io.StringIO()
    handler = StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger.addHandler(handler)
    logger.propagate = False
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def both(call, cls=Logger):
    """What a handler of the standard library's sees of *call*, on its logger and on ours."""
    records = []
    for make in (logging.Logger, cls):
        logger, handler = make("app"), Kept()
        logger.addHandler(handler)
        call(logger)
        records.append(handler.records)
    return records


def attributes(record):
    """What there is to see, but for the moment."""
    passing = ("created", "msecs", "relativeCreated", "trace_id")
    return {key: value for key, value in vars(record).items() if key not in passing}


def fail():
    raise ValueError("bad")


def with_exception(call):
    def wrapped(logger):
        try:
            fail()
        except ValueError:
            call(logger)

    return wrapped


def helper(logger, **options):
    logger.info("hello", **options)


# One by one


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda logger: logger.info("hello"), id="plain"),
        pytest.param(lambda logger: logger.debug("hello"), id="debug"),
        pytest.param(lambda logger: logger.log(33, "hello"), id="a level without a name"),
        pytest.param(lambda logger: logger.critical("%s of %d", "one", 2), id="args"),
        pytest.param(lambda logger: logger.info("%(a)s", {"a": 1}), id="a dict of args"),
        pytest.param(lambda logger: logger.info("%(a)s", Named(a=1)), id="a mapping of args"),
        pytest.param(lambda logger: logger.info("%s", {}), id="an empty dict as arg"),
        pytest.param(lambda logger: logger.info("%s %s", {"a": 1}, 2), id="a dict among args"),
        pytest.param(lambda logger: logger.info("%s", [1, 2]), id="a list as arg"),
        pytest.param(lambda logger: logger.info("100 %"), id="a percent sign, no args"),
        pytest.param(lambda logger: logger.info(ValueError), id="no text"),
        pytest.param(lambda logger: logger.info(None), id="nothing"),
        pytest.param(lambda logger: logger.info("x", extra={"room": "lobby"}), id="extra"),
        pytest.param(lambda logger: logger.info("x", extra={}), id="no extra"),
        pytest.param(lambda logger: logger.info("x", extra={"event": 1}), id="extra event"),
        pytest.param(lambda logger: logger.info("x", extra={"extra": {"a": 1}}), id="extra extra"),
        pytest.param(
            lambda logger: logger.info("x", extra={"stacklevel": 2}), id="extra stacklevel"
        ),
        pytest.param(lambda logger: helper(logger), id="caller"),
        pytest.param(lambda logger: helper(logger, stacklevel=2), id="stacklevel"),
        pytest.param(lambda logger: helper(logger, stack_info=True), id="stack_info"),
        pytest.param(
            lambda logger: helper(logger, stack_info=True, stacklevel=2), id="stack, level"
        ),
        pytest.param(lambda logger: logger.info("x", exc_info=None), id="exc_info, None"),
        pytest.param(lambda logger: logger.info("x", exc_info=True), id="exc_info, no exception"),
        pytest.param(lambda logger: logger.exception("x", extra={"a": 1}), id="exception, none"),
    ],
)
def test_a_handler_sees_what_it_saw(call):
    """Each attribute of a record is what the standard library's logger would have made it."""
    [theirs], [ours] = both(call)

    assert attributes(ours) == attributes(theirs)
    assert ours.getMessage() == theirs.getMessage()
    assert isinstance(ours, logging.LogRecord)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda logger: logger.exception("x"), id="exception"),
        pytest.param(lambda logger: logger.info("x", exc_info=True), id="true"),
        pytest.param(lambda logger: logger.info("x", exc_info=sys.exception()), id="instance"),
        pytest.param(lambda logger: logger.info("x", exc_info=sys.exc_info()), id="tuple"),
    ],
)
def test_a_handler_sees_the_exception(call):
    """The three parts of `sys.exc_info()`, and the caller beside them."""
    [theirs], [ours] = both(with_exception(call))

    for record in (theirs, ours):
        kind, value, trace = record.exc_info
        assert (kind, str(value)) == (ValueError, "bad")
        assert traceback.extract_tb(trace)[-1].name == "fail"
    assert (ours.funcName, ours.lineno) == (theirs.funcName, theirs.lineno)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        pytest.param(
            lambda logger: logger.info("x", room="lobby"), TypeError, id="unknown keyword"
        ),
        pytest.param(lambda logger: logger.log("info", "x"), TypeError, id="a level's name"),
        pytest.param(lambda logger: logger.info("x", extra=["a"]), TypeError, id="extra, a list"),
    ],
)
def test_what_was_an_error_is_one(call, error):
    """A call that is wrong is wrong as before."""
    for logger in (logging.Logger("app"), Logger("app")):
        with pytest.raises(error):
            call(logger)


@pytest.mark.parametrize("key", ["message", "asctime", "name", "msg", "levelname"])
def test_an_extra_that_was_an_error_is_none(logger, kept, lines, key):
    """The one difference: a colliding name isn't worth an exception; the record's own value stays."""
    with pytest.raises(KeyError):
        logging.Logger("app").info("x", extra={key: "mine", "room": "lobby"})

    logger.info("x", extra={key: "mine", "room": "lobby"})

    assert (kept[0].getMessage(), kept[0].name, kept[0].room) == ("x", "app", "lobby")
    assert "lobby" in lines()[0].values()


def test_the_callers_extra_is_left_as_it_is(logger, kept, lines):
    """It may be a constant that many calls share."""
    extra = {"room": "lobby", "websocket": None, "color_message": "x"}

    logger.info("x", extra=extra)

    assert extra == {"room": "lobby", "websocket": None, "color_message": "x"}


def test_what_others_put_there_for_their_own_handlers_is_no_field(logger, lines):
    """uvicorn's coloured message is the message once more; websockets' connection is told by its id."""

    class Connection:
        id = "1234"

    logger.info(
        "x", extra={"color_message": "\x1b[1mx", "websocket": Connection(), "room": "lobby"}
    )

    [line] = lines()
    assert (line["room"], line["websocket"]) == ("lobby", "1234")
    assert "color_message" not in line


# The short way


def test_our_handlers_write_the_line_that_they_wrote(logger, lines):
    """Message, fields and context are those that a whole record gives."""
    bind_context(user_id="kim")
    logger.warning("%s of %d", "one", 2, extra={"room": "lobby"})

    [line] = lines()
    del line["timestamp"]
    assert line == {
        "level": "warning",
        "logger": "app",
        "event": "one of 2",
        "trace_id": None,
        "user_id": "kim",
        "room": "lobby",
    }


def test_named_arguments_are_understood(logger, lines):
    """`"%(name)s"` with a dict, which hypercorn's access lines use."""
    logger.info("%(method)s %(path)s", {"method": "GET", "path": "/"})

    assert [line["event"] for line in lines()] == ["GET /"]


# Filters, levels, handlers


def test_filters_are_asked(logger, kept):
    """Of the logger and of its handlers; they see a whole record, and may change it."""

    def allow(record):
        record.region = "eu"
        return record.funcName == "test_filters_are_asked" and record.room != "attic"

    logger.addFilter(allow)
    logger.info("x", extra={"room": "attic"})
    logger.info("x", extra={"room": "lobby"})
    logger.handlers[0].addFilter(lambda record: False)
    logger.info("x", extra={"room": "lobby"})

    assert [(record.room, record.region) for record in kept] == [("lobby", "eu")]


@pytest.mark.parametrize("exc_info", [False, True])
def test_a_disabled_logger_is_silent(logger, kept, exc_info):
    """By itself, by its level, or by `logging.disable`."""
    logger.disabled = True
    logger.error("x", exc_info=exc_info)
    logger.disabled = False
    logger.setLevel(logging.CRITICAL)
    logger.error("x", exc_info=exc_info)
    logger.setLevel(logging.DEBUG)
    logging.disable(logging.ERROR)
    logger.error("x", exc_info=exc_info)

    assert kept == []


def test_handlers_of_parents_are_asked(logger, kept):
    """As far as `propagate` goes, and by their own levels."""
    above = Kept(logging.ERROR)
    logging.root.addHandler(above)

    logger.warning("one")
    logger.error("two")
    logger.propagate = False
    logger.error("three")

    assert [record.msg for record in kept] == ["one", "two", "three"]
    assert [record.msg for record in above.records] == ["two"]


def test_without_handlers_there_is_the_last_resort(logger, capsys, monkeypatch):
    """A warning that nobody handles goes to stderr."""
    logger.parent = None
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(sys.stderr))

    logger.warning("hello %s", "kim")

    assert capsys.readouterr().err == "hello kim\n"


def test_warnings_find_their_way(lines, monkeypatch, logger):
    """`captureWarnings` logs through whatever logger there is."""
    monkeypatch.setitem(logging.root.manager.loggerDict, "py.warnings", logger)
    logging.captureWarnings(True)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)

    assert "DeprecationWarning: old" in lines()[0]["event"]


# Whoever changes logging


@pytest.mark.parametrize("name", ["callHandlers", "handle", "makeRecord"])
@pytest.mark.parametrize("exc_info", [False, True])
def test_a_step_that_is_patched_is_taken(logger, lines, monkeypatch, name, exc_info):
    """Sentry patches `callHandlers`, others `makeRecord`: on the class, at any time."""
    seen = []
    stock = getattr(logging.Logger, name)

    def patched(self, *args, **kwargs):
        seen.append(self.name)
        return stock(self, *args, **kwargs)

    monkeypatch.setattr(logging.Logger, name, patched)
    logger.info("x", exc_info=exc_info)
    monkeypatch.undo()
    logger.info("y", exc_info=exc_info)

    assert seen == ["app"]
    assert [line["event"] for line in lines()] == ["x", "y"]


@pytest.mark.parametrize("name", ["handle", "makeRecord"])
def test_a_step_that_a_subclass_overrides_is_taken(name):
    """A class that an application makes of `logging.getLoggerClass()` is no stranger to its records."""
    seen = []

    def override(self, *args, **kwargs):
        seen.append(self.name)
        return getattr(logging.Logger, name)(self, *args, **kwargs)

    Mine = type("Mine", (Logger,), {name: override})
    [theirs], [ours] = both(lambda logger: logger.info("x"), Mine)

    assert seen == ["app"]
    assert attributes(ours) == attributes(theirs)


def test_a_record_factory_is_used(logger, kept):
    """Its attributes reach every handler."""
    factory = logging.getLogRecordFactory()

    def make(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.region = "eu"
        return record

    logging.setLogRecordFactory(make)
    logger.info("x")

    assert kept[0].region == "eu"


# Installing


def test_loggers_are_ours_from_then_on():
    """Those that were there before stay as they are."""
    logging.setLoggerClass(logging.Logger)
    before = logging.getLogger("tests.foreign.before")

    install_logger_class()

    assert type(logging.getLogger("tests.foreign.after")) is Logger
    assert type(logging.getLogger("tests.foreign.before")) is logging.Logger
    assert logging.getLogger("tests.foreign.before") is before


def test_a_class_of_the_applications_is_left_alone():
    """Whoever chose a logger class keeps it."""

    class Theirs(logging.Logger):
        """An application's."""

    logging.setLoggerClass(Theirs)

    install_logger_class()

    assert logging.getLoggerClass() is Theirs


def test_installing_twice_is_installing_once():
    """`configure_logging` may be called again at any time."""
    logging.setLoggerClass(logging.Logger)

    install_logger_class()
    install_logger_class()

    assert logging.getLoggerClass() is Logger


def raising(*_args):
    raise ValueError("secret")


@pytest.mark.parametrize("more", [{}, {"exc_info": ValueError()}], ids=["short way", "long way"])
@pytest.mark.parametrize("what", ["filter", "handler"])
def test_what_is_on_a_logger_may_raise(logger, kept, what, more):
    """The line is lost and counted, and whoever logs goes on."""
    broken = Kept()
    broken.handle = raising
    logger.filters = [raising] if what == "filter" else []
    logger.addHandler(broken)
    before = delivery_stats().dropped

    logger.info("hello", **more)

    assert len(kept) == (what == "handler")
    assert delivery_stats().dropped - before == 1
