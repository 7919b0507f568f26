"""From an event to the handlers that are to see it."""

from __future__ import annotations

import asyncio
import errno
import io
import logging
import threading
import sys
import weakref
from types import SimpleNamespace

import pytest

from tracelog.context import Context, bind_context
from tracelog.delivery import delivery_stats
from tracelog.emit import emit, nearest
from tracelog.handlers import StreamHandler
from tracelog.json_formatter import JsonFormatter
from tracelog.latency.ledger import Ledger
from tracelog.logger import get_logger
from tracelog.records import Event, message_of


class Kept(logging.Handler):
    """Keeps the records that it is given."""

    def __init__(self, level=0):
        super().__init__(level)
        self.records = []

    def emit(self, record):
        self.records.append(record)


@pytest.fixture
def logger():
    logger = logging.getLogger("emitting")
    logger.propagate = False
    return logger


@pytest.fixture
def kept(logger):
    handler = Kept()
    logger.addHandler(handler)
    return handler.records


@pytest.fixture
def lost():
    before = delivery_stats().dropped
    return lambda: delivery_stats().dropped - before


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


# Handlers


def test_a_handler_that_logs_does_not_hear_itself(logger, kept):
    """Every handler but the one that is speaking gets what it says."""

    class Echo(logging.Handler):
        def emit(self, record):
            log.info("echo of %s", record.getMessage())

    logger.addHandler(Echo())
    logger.setLevel(logging.INFO)
    log = get_logger("emitting")

    log.info("hello")
    log.info("bye")

    said = [record.getMessage() for record in kept]
    assert said == ["hello", "echo of hello", "bye", "echo of bye"]


def test_every_handler_up_to_the_root_sees_the_event(logger):
    """Handlers of parents are asked too, as far as `propagate` goes, each by its own level."""
    child = logging.getLogger("emitting.child")
    handlers = [Kept(), Kept(logging.ERROR), Kept()]
    child.addHandler(handlers[0])
    logger.addHandler(handlers[1])
    logging.root.addHandler(handlers[2])

    emit(child, logging.WARNING, "one", (), {})
    emit(child, logging.ERROR, "two", (), {})
    logger.propagate = True
    emit(child, logging.CRITICAL, "three", (), {})

    assert [[record.msg for record in handler.records] for handler in handlers] == [
        ["one", "two", "three"],
        ["two", "three"],
        ["three"],
    ]


def test_our_handlers_see_no_whole_record(logger, monkeypatch):
    """Finding the caller is costly, and our formatters rarely need it."""
    completed = []
    monkeypatch.setattr(Event, "complete", completed.append)
    stream = io.StringIO()
    ours = StreamHandler(stream)
    ours.setFormatter(JsonFormatter())
    logger.handlers = [ours]

    emit(logger, logging.INFO, "hello", (), {"room": "lobby"})

    assert '"event":"hello"' in stream.getvalue()
    assert completed == []


def test_a_logger_without_handlers_has_the_last_resort(logger, capfd, monkeypatch):
    """As with `logging`: a warning that nobody handles goes to stderr."""
    monkeypatch.setattr(logging, "lastResort", logging.StreamHandler(sys.stderr))
    logger.handlers.clear()  # pytest's own

    emit(logger, logging.WARNING, "hello %s", ("kim",), {})

    assert capfd.readouterr().err == "hello kim\n"


def test_filters_of_a_logger_are_asked(logger, kept):
    """A filter on the logger sees a whole record, may change it, and may refuse it."""

    def allow(record):
        record.region = "eu"
        return record.lineno > 0 and record.room != "attic"

    logger.addFilter(allow)

    emit(logger, logging.INFO, "hello", (), {"room": "attic"})
    emit(logger, logging.INFO, "hello", (), {"room": "lobby"})

    assert [(record.room, record.region) for record in kept] == [("lobby", "eu")]


def leave_kept_only(logger):
    # pytest's own handlers, which it adds, raise what `logging` would report.
    logger.handlers = [handler for handler in logger.handlers if isinstance(handler, Kept)]


class Named(dict):
    """A mapping whose own code raises."""

    def __len__(self):
        raise RuntimeError("not my day")


class Anybody:
    """Something that a weak proxy can refer to."""


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        pytest.param({"name": "kim"}, "hello kim", id="mapping"),
        pytest.param({}, "hello %(name)s ({},)", id="empty mapping"),
        pytest.param(7, "hello %(name)s (7,)", id="number"),
        pytest.param(Named(name="kim"), "hello %(name)s ({'name': 'kim'},)", id="raises"),
    ],
)
def test_a_mapping_alone_fills_names(logger, kept, argument, message):
    """As with `logging`; but nothing that an argument's own code does reaches the caller."""
    leave_kept_only(logger)

    emit(logger, logging.INFO, "hello %(name)s", (argument,), {})

    assert message_of(kept[0]) == message


def test_a_dead_proxy_is_an_argument_too(logger, kept):
    """Even to ask for its type raises."""
    leave_kept_only(logger)
    dead = weakref.proxy(Anybody())

    emit(logger, logging.INFO, "hello %s", (dead,), {})

    assert message_of(kept[0]).startswith("hello %s (<weakproxy")


def test_a_disabled_logger_emits_nothing(logger, kept):
    """Even if it was disabled after its level was asked."""
    logger.disabled = True

    emit(logger, logging.INFO, "hello", (), {})

    assert kept == []


# Keywords that mean something


@pytest.mark.parametrize("given", ["exception", "tuple", "true"])
def test_exc_info_is_the_exception(logger, kept, given):
    """True in an except block, a tuple of three, or the exception itself."""
    try:
        raise ValueError("bad")
    except ValueError as error:
        value = {"exception": error, "tuple": sys.exc_info(), "true": True}[given]
        emit(logger, logging.INFO, "hello", (), {"exc_info": value})

    [record] = kept
    assert (record.exc_info[0], str(record.exc_info[1])) == (ValueError, "bad")
    assert record.exc_info[2] is not None
    assert record.fields == {}


@pytest.mark.parametrize("value", [None, False, (), (None, None, None), True])
def test_exc_info_without_an_exception_is_nothing(logger, kept, value):
    """There is no exception then, and no field either."""
    emit(logger, logging.INFO, "hello", (), {"exc_info": value})

    assert (kept[0].exc_info, kept[0].fields) == (None, {})


def test_stack_info_is_the_stack_of_the_caller(logger, kept):
    """It ends at the line that logged."""
    get_logger("emitting").warning("hello", stack_info=True)

    [record] = kept
    assert record.stack_info.startswith("Stack (most recent call last):\n")
    assert record.stack_info.endswith('get_logger("emitting").warning("hello", stack_info=True)')
    assert record.fields == {}


def test_no_stack_info_is_none(logger, kept):
    """False asks for no stack."""
    emit(logger, logging.INFO, "hello", (), {"stack_info": False})

    assert (kept[0].stack_info, kept[0].fields) == (None, {})


def test_stacklevel_points_at_a_caller_further_up(logger, kept):
    """A helper that logs for others shows their line, in record and stack alike."""

    def helper():
        emit(logger, logging.INFO, "hello", (), {"stacklevel": 2, "stack_info": True})

    helper()

    [record] = kept
    assert record.funcName == "test_stacklevel_points_at_a_caller_further_up"
    assert record.stack_info.endswith("\n    helper()")
    assert record.fields == {}


@pytest.mark.parametrize("level", [1, 0, -3])
def test_a_stacklevel_below_two_is_the_caller(logger, kept, level):
    """As with `logging`."""
    emit(logger, logging.INFO, "hello", (), {"stacklevel": level})

    assert kept[0].funcName == "test_a_stacklevel_below_two_is_the_caller"


def test_extra_is_fields(logger, kept):
    """Code that moves over from `logging` needs no change."""
    emit(logger, logging.INFO, "hello", (), {"n": 1, "extra": {"room": "lobby", 5: "five"}})

    assert kept[0].fields == {"n": 1, "room": "lobby", "5": "five"}


def test_an_event_may_come_as_keyword(logger, kept):
    """`log.info(event="hello")` is `log.info("hello")`; beside another one it is a field."""
    emit(logger, logging.INFO, None, (), {"event": "hello"})
    emit(logger, logging.INFO, "hello", (), {"event": "other"})

    assert [(record.msg, record.fields) for record in kept] == [
        ("hello", {}),
        ("hello", {"event": "other"}),
    ]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("exc_info", "ValueError"),
        ("stack_info", "here"),
        ("stacklevel", "deep"),
        ("extra", ["room"]),
    ],
)
def test_what_has_no_meaning_is_a_field(logger, kept, key, value):
    """A value that `logging` could make nothing of isn't lost."""
    emit(logger, logging.INFO, "hello", (), {key: value, "n": 1})

    assert kept[0].fields == {"n": 1, key: value}


def test_a_record_is_made_in_the_callers_context(logger, kept):
    """What is bound when the event happens is what the record shows, whoever reads it later."""
    bind_context(user="kim")
    emit(logger, logging.INFO, "hello", (), {})
    bind_context(user="lee")

    assert (kept[0].user, kept[0].context.fields["user"]) == ("kim", "kim")


def test_a_record_factory_of_the_applications_is_used(logger, kept):
    """Its attributes reach every handler."""
    factory = logging.getLogRecordFactory()

    def make(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.region = "eu"
        return record

    logging.setLogRecordFactory(make)

    emit(logger, logging.INFO, "hello", (), {})

    assert kept[0].region == "eu"


# What isn't ours, and raises


def raising(*_args, **_kwargs):
    raise ValueError("secret")


def test_a_filter_that_raises_costs_the_line_only(monkeypatch, logger, kept, lost):
    """Whoever logs isn't troubled by what others put on the logger."""
    monkeypatch.setattr(logger, "filters", [raising])

    emit(logger, logging.INFO, "hello", (), {})

    assert (kept, lost()) == ([], 1)


@pytest.mark.parametrize("more", [{}, {"exc_info": ValueError()}], ids=["plain", "exception"])
def test_a_handler_that_raises_costs_its_own_line_only(logger, lost, more):
    """The handlers after it get the event."""
    broken, whole = Kept(), Kept()
    broken.handle = raising
    logger.handlers = [broken, whole]

    emit(logger, logging.INFO, "hello", (), more)

    assert ([record.msg for record in whole.records], lost()) == (["hello"], 1)


class Hostile:
    """Nothing can be asked of it."""

    __class__ = property(raising)
    __bool__ = __eq__ = raising
    __hash__ = None


def test_a_value_that_means_something_may_raise(logger, kept):
    """It means nothing then, and stays a field."""
    value = Hostile()

    emit(logger, logging.INFO, "hello", (), {"exc_info": value})

    assert kept[0].fields["exc_info"] is value


def test_a_record_factory_that_raises_costs_nothing(kept, lost):
    """The record is one of the standard library's."""
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(raising)
    try:
        emit(logging.getLogger("emitting"), logging.INFO, "hello", (), {"room": "lobby"})
    finally:
        logging.setLogRecordFactory(before)

    [record] = kept
    assert (record.getMessage(), record.room, lost()) == ("hello", "lobby", 0)


def test_our_handlers_get_a_record_of_what_needs_one(logger):
    """A list as a value, or a format of the standard library's."""
    streams = [io.StringIO(), io.StringIO()]
    logger.handlers = [StreamHandler(stream) for stream in streams]
    logger.handlers[0].setFormatter(JsonFormatter())

    emit(logger, logging.INFO, "hello", (), {"rooms": ["lobby"]})

    assert '"rooms":["lobby"]' in streams[0].getvalue()
    assert streams[1].getvalue() == "hello\n"


def test_an_utterance_is_told_what_its_lines_cost():
    """In its own thread: what another one logs for it keeps nobody waiting."""
    ledger = Ledger(0.0)
    context = Context.make({}, None, None, ledger)
    logger = logging.getLogger("app")

    thread = threading.Thread(target=emit, args=(logger, logging.INFO, "x", (), {}, context))
    thread.start()
    thread.join()
    by_another_thread = ledger.logging
    emit(logger, logging.INFO, "x", (), {}, context)

    assert by_another_thread == 0.0 < ledger.logging


def test_without_a_clock_a_line_is_of_1970(logger, kept, monkeypatch):
    """A line without its time is better than none."""

    def fail():
        raise OSError(errno.EINVAL, "no clock")

    monkeypatch.setattr("tracelog.emit._time", fail)

    emit(logger, logging.INFO, "hello", (), {})

    assert kept[0].created == 0.0


def test_the_nearest_logger_is_its_own_or_one_above():
    """A placeholder is none: nobody has asked for it, only for one below."""
    below = logging.getLogger("test_emit_nearest.a.b")
    top = logging.getLogger("test_emit_nearest")

    assert nearest("test_emit_nearest.a.b") is below
    assert nearest("test_emit_nearest.a.c") is top
    assert nearest("test_emit_elsewhere.a") is nearest("") is logging.root
