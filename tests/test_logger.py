"""`get_logger`: structlog's bound loggers, over the standard library's."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref

import pytest
import structlog
from structlog.testing import capture_logs

import tracelog
from tracelog.logger import BoundLogger, get_logger


LEVELS = ["trace", "debug", "info", "warning", "error", "critical"]
NUMBERS = dict(zip(LEVELS, [5, 10, 20, 30, 40, 50], strict=True))


@pytest.fixture(autouse=True)
def all_levels(caplog):
    caplog.set_level(1)


@pytest.fixture
def many_loggers(monkeypatch):
    # As if an application had made up a name for each connection already.
    monkeypatch.setattr("tracelog.logger._MAX_REGISTERED", 0)


def seen(caplog):
    return [(record.name, record.levelno, record.getMessage()) for record in caplog.records]


# Levels


@pytest.mark.parametrize("method", LEVELS)
def test_each_level_has_a_method(caplog, method):
    """The method's name is the level's name."""
    getattr(get_logger("app"), method)("hello %s", "kim", room="lobby")

    assert seen(caplog) == [("app", NUMBERS[method], "hello kim")]
    assert caplog.records[0].room == "lobby"


@pytest.mark.parametrize(
    ("alias", "method"), [("warn", "warning"), ("fatal", "critical"), ("msg", "info")]
)
def test_aliases_mean_the_same(alias, method):
    """structlog's and logging's other names for a level are the same methods."""
    assert getattr(BoundLogger, alias) is getattr(BoundLogger, method)


def test_exception_is_an_error_with_the_exception_at_hand(caplog):
    """`log.exception` in an except block shows what was caught."""
    try:
        raise ValueError("bad")
    except ValueError:
        get_logger("app").exception("hello")

    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info[0] is ValueError


def test_the_exception_at_hand_is_the_callers(caplog):
    """In the first call at a level, too, which looks up more than later ones."""
    log = get_logger("app")
    for _ in range(2):
        try:
            raise ValueError  # noqa: TRY301 -- what is at hand
        except ValueError:
            log.debug("hello", exc_info=True)

    assert [record.exc_info[0] for record in caplog.records] == [ValueError, ValueError]


def test_exception_takes_another_exc_info(caplog):
    """What the caller passed counts more than what is being handled."""
    get_logger("app").exception("hello", exc_info=KeyError("k"))

    assert caplog.records[0].exc_info[0] is KeyError


@pytest.mark.parametrize(
    ("level", "number"),
    [
        pytest.param(logging.WARNING, 30, id="number"),
        pytest.param("warning", 30, id="name"),
        pytest.param("TRACE", 5, id="our own"),
        pytest.param(33, 33, id="number without a name"),
        pytest.param("loud", 20, id="unknown name is info"),
    ],
)
def test_log_takes_a_level(caplog, level, number):
    """`log.log` takes a number or a name; it never raises for a name that nobody knows."""
    get_logger("app").log(level, "hello %s", "kim", room="lobby")

    assert seen(caplog) == [("app", number, "hello kim")]


@pytest.mark.parametrize("method", LEVELS)
def test_levels_that_are_off_make_no_record(caplog, method):
    """First asked of logging, then remembered; a change of level is seen at once."""
    log = get_logger("app")
    for level in (NUMBERS[method] + 1, NUMBERS[method]):
        logging.getLogger("app").setLevel(level)

        getattr(log, method)("once")
        getattr(log, method)("twice")

    assert seen(caplog) == [("app", NUMBERS[method], "once"), ("app", NUMBERS[method], "twice")]


def test_levels_are_those_of_the_standard_logger():
    """`isEnabledFor` and `setLevel` ask and change the logger of that name, for everyone."""
    log = get_logger("app")

    log.setLevel("ERROR")

    assert logging.getLogger("app").level == logging.ERROR
    assert log.isEnabledFor(logging.ERROR)
    assert not log.isEnabledFor(logging.WARNING)


# Binding


def test_bound_values_are_fields(caplog):
    """What was bound is on every event; what is said at the call counts more."""
    log = get_logger("app", room="lobby").bind(user="kim")

    log.info("hello", room="attic")
    log.info("bye")

    assert [(r.room, r.user) for r in caplog.records] == [("attic", "kim"), ("lobby", "kim")]


def test_binding_makes_another_logger():
    """bind, unbind and try_unbind leave the logger that they are called on as it is."""
    log = get_logger("app", room="lobby")

    loggers = [log.bind(n=1), log.unbind("room"), log.try_unbind("room", "nothing")]

    assert [structlog.get_context(each) for each in loggers] == [
        {"room": "lobby", "n": 1},
        {},
        {},
    ]
    assert structlog.get_context(log) == {"room": "lobby"}
    assert {type(each) for each in loggers} == {BoundLogger}
    with pytest.raises(KeyError):
        log.unbind("nothing")


def test_new_begins_with_nothing_bound():
    """What was bound before is gone, and what is given is bound, as structlog has it."""
    log = get_logger("app", room="lobby").new(n=1)

    assert structlog.get_context(log) == {"n": 1}


def test_a_bound_logger_follows_levels(caplog):
    """A logger that was made by `bind` is as quiet as the one it came from."""
    log = get_logger("app").bind(room="lobby")
    logging.getLogger("app").setLevel(logging.ERROR)

    log.info("hello")
    log.info("hello")

    assert caplog.records == []


# Names


def test_a_logger_has_the_name_of_its_standard_logger():
    """None, and the empty name, are the root logger."""
    assert get_logger("app.chat").name == "app.chat"
    assert get_logger().name == get_logger("").name == "root"


def test_the_front_door_is_this_one():
    """`tracelog.get_logger` is what this module makes."""
    assert type(tracelog.get_logger("app")) is BoundLogger


def test_structlogs_own_front_door_gives_our_loggers(caplog):
    """Once tracelog is in use, `structlog.get_logger` gives the same loggers."""
    get_logger("app")

    structlog.get_logger("app").info("hello", room="lobby")

    assert seen(caplog) == [("app", logging.INFO, "hello")]
    assert caplog.records[0].room == "lobby"


def test_the_users_structlog_configuration_is_left_alone():
    """Whoever has configured structlog keeps what they configured."""
    structlog.configure(processors=[], wrapper_class=structlog.stdlib.BoundLogger)

    get_logger("app")

    assert structlog.get_config()["wrapper_class"] is structlog.stdlib.BoundLogger


# Names past the ones that are registered


@pytest.mark.usefixtures("many_loggers")
def test_made_up_names_are_not_kept():
    """A name a connection must not fill the registry of `logging`, which forgets nothing."""
    log = get_logger("connection.c-1")

    gone = weakref.ref(log._logger)
    del log
    gc.collect()

    assert gone() is None
    assert "connection.c-1" not in logging.root.manager.loggerDict


@pytest.mark.usefixtures("many_loggers")
def test_made_up_names_log_as_any_other(caplog):
    """Their lines have their name, and go to the handlers of the nearest logger that is known."""
    logging.getLogger("connection").setLevel(logging.WARNING)
    log = get_logger("connection.c-1", room="lobby")

    log.info("too quiet")
    log.warning("hello")

    assert seen(caplog) == [("connection.c-1", logging.WARNING, "hello")]


@pytest.mark.usefixtures("many_loggers")
def test_made_up_names_follow_loggers_that_come_later(caplog):
    """A logger of that name, or above it, that somebody configures later counts."""
    log = get_logger("connection.c-1")
    log.info("before")
    logging.getLogger("connection.c-1").setLevel(logging.ERROR)

    log.info("after")
    log.setLevel("INFO")
    log.info("set")

    assert [record.getMessage() for record in caplog.records] == ["before", "set"]


@pytest.mark.usefixtures("many_loggers")
def test_a_placeholder_is_no_logger(caplog):
    """`logging` notes the names above a logger without making loggers of them."""
    logging.getLogger("made.up.deep")
    log = get_logger("made.up")

    log.info("hello")

    assert seen(caplog) == [("made.up", logging.INFO, "hello")]


@pytest.mark.usefixtures("many_loggers")
def test_a_logger_may_take_the_place_of_a_placeholder(caplog):
    """Then it counts, although `logging` knows no more names than before."""
    logging.getLogger("made.up.deep")
    log = get_logger("made.up.other")
    log.info("before")

    logging.getLogger("made.up").setLevel(logging.ERROR)
    log.info("after")

    assert [record.getMessage() for record in caplog.records] == ["before"]


@pytest.mark.usefixtures("many_loggers")
def test_names_that_are_known_are_used():
    """A logger that is registered is never doubled."""
    known = logging.getLogger("known")

    assert get_logger("known")._logger is known


# structlog's tests


def test_captured_events_are_structlogs():
    """`capture_logs` sees what it would of structlog's own loggers, and no record is made."""
    log = get_logger("app", room="lobby")

    with capture_logs() as events:
        log.info("hello %s", "kim", n=1)
        log.error("bad")

    assert events == [
        {
            "event": "hello %s",
            "positional_args": ("kim",),
            "n": 1,
            "room": "lobby",
            "log_level": "info",
        },
        {"event": "bad", "room": "lobby", "log_level": "error"},
    ]


@pytest.mark.parametrize("method", LEVELS)
def test_captured_levels_are_those_of_the_methods(caplog, method):
    """Levels that are off are captured too: structlog's tests know nothing of them."""
    log = get_logger("app")
    logging.getLogger("app").setLevel(100)
    getattr(log, method)("remembered as off")

    with capture_logs() as events:
        getattr(log, method)("hello")

    assert events == [{"event": "hello", "log_level": method}]
    assert caplog.records == []


def test_what_was_a_record_before_is_captured_now(caplog):
    """The chain of now counts, not that of the first call."""
    log = get_logger("app")
    log.info("before")

    with capture_logs() as events:
        log.info("hello")

    assert events == [{"event": "hello", "log_level": "info"}]
    assert [record.getMessage() for record in caplog.records] == ["before"]


def test_exceptions_are_captured_as_structlog_captures_them():
    """`exc_info` stays what the caller passed."""
    with capture_logs() as events:
        get_logger("app").exception("bad")

    assert events == [{"event": "bad", "exc_info": True, "log_level": "error"}]


# Nothing raises


class Broken:
    """Raises from whatever is done to it."""

    def __bool__(self):
        raise ValueError("neither true nor false")

    __str__ = __repr__ = __eq__ = __hash__ = __bool__


@pytest.mark.parametrize("key", ["exc_info", "stack_info", "stacklevel", "extra", "event", "room"])
def test_no_value_of_a_field_raises(caplog, key):
    """Whatever is passed to a logger, the line after the call is reached."""
    get_logger("app").info("hello", **{key: Broken()})

    assert seen(caplog) == [("app", logging.INFO, "hello")]


@pytest.mark.parametrize("level", [None, 2.5, Broken(), b"info"])
def test_no_level_raises(caplog, level):
    """A level that is none counts as INFO."""
    get_logger("app").log(level, "hello")

    assert seen(caplog) == [("app", logging.INFO, "hello")]


# What structlog's loggers over `logging` offer besides


def test_it_is_one_of_structlogs(caplog):
    """What structlog passes on to the standard library's logger is passed on."""
    log = get_logger("app").bind(room="lobby")

    assert isinstance(log, structlog.stdlib.BoundLogger)
    assert (log.name, log.level, log.getEffectiveLevel()) == ("app", 0, 1)
    assert log.handlers == logging.getLogger("app").handlers


def test_an_awaited_event_is_one_of_the_callers(caplog):
    """structlog's methods for coroutines log in a thread, with the caller's context."""

    async def main():
        tracelog.bind_context(user="kim")
        await get_logger("app").ainfo("hello %s", "kim", room="lobby")

    asyncio.run(main())

    assert seen(caplog)[-1] == ("app", 20, "hello kim")
    assert (caplog.records[-1].room, caplog.records[-1].user) == ("lobby", "kim")
