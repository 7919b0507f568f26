"""What an utterance said under its breath: forgotten if it ends on time, written if not."""

from __future__ import annotations

import io
import json
import logging
import threading
import weakref

import pytest

import tracelog
from tracelog.context import current_context
from tracelog.errors import ConfigError
from tracelog.gate import let, read_rules
from tracelog.latency import verdict
from tracelog.latency.clock import Clock
from tracelog.latency.recorder import FlightRecorder


LATE, ON_TIME = 0, 60_000  # milliseconds of budget
KEPT, NOT_KEPT = "0" * 16 + "0" * 15 + "1", "1" * 16 + "f" * 16


@pytest.fixture(autouse=True)
def _nothing_left_out():
    """No verdict of another test's has left out anything."""
    for key in verdict._left_out:
        verdict._left_out[key] = 0


class Lines:
    """A stream, and the lines on it."""

    def __init__(self):
        self.stream = io.StringIO()

    def __iter__(self):
        return map(json.loads, self.stream.getvalue().splitlines())

    def events(self):
        return [line["event"] for line in self]

    def replayed(self):
        return [line for line in self if "replayed" in line]


def configure(*, handler="tracelog.StreamHandler", more=None, formatter=None, **options):
    """Configure logging with a recorder on a handler; give the handler's lines."""
    lines = Lines()
    tracelog.configure_logging(
        {
            "version": 1,
            "filters": {
                "context": {"()": tracelog.ContextFilter},
                "recorder": {"()": tracelog.FlightRecorder, **options},
            },
            "formatters": {"json": {"()": tracelog.JsonFormatter, **(formatter or {})}},
            "handlers": {
                "out": {
                    "class": handler,
                    "stream": lines.stream,
                    "formatter": "json",
                    "filters": ["context", "recorder"],
                },
                **(more or {}),
            },
            "root": {"level": "DEBUG", "handlers": ["out", *(more or {})]},
        }
    )
    return lines


def without_pytests_handlers(monkeypatch):
    """Nobody but the recorder sees a record: pytest's own handlers format and keep each."""
    monkeypatch.setattr(logging.root, "handlers", logging.root.handlers[:1])


def plain_logger(name):
    """A logger as it is if it was made before tracelog was configured."""
    logger = logging.Logger(name)
    logger.parent = logging.root
    return logger


def test_an_utterance_on_time_leaves_nothing_of_it():
    """Lines below the recorder's level aren't written, and nothing holds them any more."""
    lines = configure()

    with tracelog.utterance(budget_ms=ON_TIME):
        tracelog.get_logger("app").debug("looked up")
        tracelog.get_logger("app").info("handled")
        ledger = current_context().ledger

    assert lines.events() == ["handled", "utterance"]
    assert ledger.flights is None


def test_a_late_one_is_written_in_order_before_its_verdict():
    """Each line is marked, and has the time at which it was logged."""
    lines = configure()
    log = tracelog.get_logger("app")

    with tracelog.utterance(budget_ms=LATE, user_id="kim"):
        log.debug("first", room="lobby")
        log.info("second")
        log.debug("third %d", 3)

    assert lines.events() == ["second", "first", "third 3", "utterance"]
    assert [line["event"] for line in lines.replayed()] == ["first", "third 3"]
    assert all(line["replayed"] is True and line["user_id"] == "kim" for line in lines.replayed())
    times = {line["event"]: line["timestamp"] for line in lines}
    assert times["first"] < times["second"] < times["third 3"] < times["utterance"]


def test_a_failed_one_is_written():
    """However fast it was."""
    lines = configure()

    with pytest.raises(KeyError), tracelog.utterance(budget_ms=ON_TIME):
        tracelog.get_logger("app").debug("looked up")
        raise KeyError

    assert lines.events() == ["looked up", "utterance"]


def test_outside_of_utterances_the_level_decides():
    """What nobody will ask for isn't kept; neither is what comes after an utterance's end."""
    lines = configure(level="WARNING")
    log = tracelog.get_logger("app")

    log.info("before")
    with tracelog.utterance(budget_ms=ON_TIME):
        say_later = tracelog.carry(log.info)
    say_later("too late")
    log.warning("after")

    assert lines.events() == ["after"]


@pytest.mark.parametrize("make", [logging.getLogger, plain_logger], ids=["ours", "logging's"])
def test_lines_of_other_libraries_are_kept(make):
    """Whatever class their loggers have; `extra` is there, and the context they were made in."""
    lines = configure()
    log = make("library")

    with tracelog.utterance(budget_ms=LATE, user_id="kim"):
        log.debug("sent %(size)d", {"size": 3}, extra={"peers": ["a"]})

    [line] = lines.replayed()
    assert (line["event"], line["peers"], line["user_id"]) == ("sent 3", ["a"], "kim")


@pytest.mark.parametrize(
    ("options", "left"),
    [({"records": 2}, ["line 3", "line 4"]), ({"bytes": 1_500}, ["line 3", "line 4"])],
    ids=["records", "bytes"],
)
def test_the_latest_lines_are_kept(options, left):
    """What there is no room for goes, the oldest first; the first line that remains counts them."""
    lines = configure(**options)

    with tracelog.utterance(budget_ms=LATE):
        for number in range(5):
            tracelog.get_logger("app").debug(f"line {number}")

    assert [line["event"] for line in lines.replayed()] == left
    assert [line.get("left_out_lines") for line in lines.replayed()] == [3, None]


def test_old_lines_go(monkeypatch):
    """What is older than `seconds` when the utterance ends is of no interest."""
    lines = configure(seconds=60)
    moments = iter([1_000.0, 1_100.0])
    monkeypatch.setattr("tracelog.emit._time", lambda: next(moments, 1_100.0))
    monkeypatch.setattr("tracelog.latency.recorder.SYSTEM_CLOCK", Clock(wall=lambda: 1_159.0))

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("old")
        tracelog.get_logger("app").debug("young")

    assert [line["event"] for line in lines.replayed()] == ["young"]


@pytest.mark.parametrize("make", [logging.getLogger, plain_logger], ids=["ours", "logging's"])
def test_a_line_is_what_it_was_when_it_was_logged(make):
    """Containers that change before the utterance ends are shown as they were."""
    lines = configure()
    members, seats = ["kim"], {"kim": [1]}

    with tracelog.utterance(budget_ms=LATE):
        make("app").debug("members %s", members, extra={"seats": seats})
        members.append("lee")
        seats["kim"].append(2)

    [line] = lines.replayed()
    assert (line["event"], line["seats"]) == ("members ['kim']", {"kim": [1]})


def test_no_value_is_formatted_before_it_is_written(monkeypatch):
    """That is what makes a line cheap that nobody needs."""
    formatted = []

    class Costly:
        def __str__(self):
            formatted.append(1)
            return "costly"

    lines = configure()
    without_pytests_handlers(monkeypatch)
    for budget in (ON_TIME, LATE):
        assert formatted == []
        with tracelog.utterance(budget_ms=budget):
            tracelog.get_logger("app").debug("got %s", Costly())

    assert [line["event"] for line in lines.replayed()] == ["got costly"]


def test_an_exception_is_written_down_at_once(monkeypatch):
    """A traceback keeps frames alive, and whatever is in them; that would be without bound."""

    class Held:
        pass

    def fail():
        held = Held()
        kept.append(weakref.ref(held))
        raise ValueError("no room")

    lines = configure()
    without_pytests_handlers(monkeypatch)
    kept = []
    with tracelog.utterance(budget_ms=LATE):
        try:
            fail()
        except ValueError:
            tracelog.get_logger("app").debug("failed", exc_info=True)
        assert kept[0]() is None

    [line] = lines.replayed()
    assert line["exception"][0]["message"] == "no room"


def test_one_recorder_on_two_handlers():
    """Both write each line, once."""
    second = Lines()
    out = {"class": "tracelog.StreamHandler", "stream": second.stream, "formatter": "json"}
    first = configure(more={"second": {**out, "filters": ["recorder"]}})

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")
        tracelog.get_logger("app").debug("found")

    for lines in (first, second):
        assert lines.events() == ["looked up", "found", "utterance"]


def test_a_handler_without_one_has_its_lines_already():
    """It wrote them when they were logged, unmarked, and gets none again."""
    second = Lines()
    out = {"class": "tracelog.StreamHandler", "stream": second.stream, "formatter": "json"}
    configure(more={"second": out})

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")

    assert second.events() == ["looked up", "utterance"]
    assert second.replayed() == []


def test_two_recorders_are_two():
    """Each keeps what is below its own level, on its own handler."""
    second = Lines()
    out = {"class": "tracelog.StreamHandler", "stream": second.stream, "formatter": "json"}
    first = configure(more={"second": out})
    logging.root.handlers[1].addFilter(FlightRecorder(level="WARNING"))

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").info("handled")
        tracelog.get_logger("app").debug("looked up")

    assert first.events() == ["handled", "looked up", "utterance"]
    assert [line["event"] for line in second.replayed()] == ["handled", "looked up"]


def test_the_standard_librarys_handlers_may_have_one():
    """It is an ordinary filter, and their records are whole."""
    lines = configure(handler="logging.StreamHandler")

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up", room="lobby")

    [line] = lines.replayed()
    assert (line["event"], line["room"]) == ("looked up", "lobby")


@pytest.mark.parametrize(
    "formatter", [{"caller": True}, {"fmt": "%(funcName)s"}], ids=["caller", "fmt"]
)
def test_the_caller_is_the_one_of_the_call(formatter):
    """A formatter that shows where a line was made shows that, and not where it was written."""
    lines = configure(formatter=formatter)

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")

    [line] = lines.replayed()
    shown = line.get("caller") or line["funcName"]
    assert shown.endswith("test_the_caller_is_the_one_of_the_call")


def test_a_handlers_own_level_counts():
    """Whoever raises it meanwhile wants no such lines."""
    lines = configure()

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")
        logging.root.handlers[0].setLevel("INFO")

    assert lines.events() == ["utterance"]


def test_a_logger_that_does_not_propagate_is_where_lines_end():
    """They take the way that they would have taken."""
    lines = configure()
    logging.getLogger("app").propagate = True

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app.chat").debug("looked up")
        logging.getLogger("app").propagate = False

    assert lines.events() == ["utterance"]


def test_a_configuration_that_is_replaced_hands_its_lines_over():
    """To the handlers that record now; there may be none."""
    configure()

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")
        lines = configure()

    assert [line["event"] for line in lines.replayed()] == ["looked up"]
    assert lines.events() == ["looked up", "utterance"]

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")
        tracelog.configure_logging(sink=lines.stream, format="json")

    assert lines.events() == ["looked up", "utterance", "utterance"]


def test_a_filter_that_fails_loses_one_line():
    """The utterance ends as it would have, and the loss is counted."""

    def fail(record):
        if hasattr(record, "replayed"):
            raise RuntimeError
        return True

    configure(handler="logging.StreamHandler")
    logging.root.handlers[0].addFilter(fail)
    dropped = tracelog.delivery_stats().dropped

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("looked up")

    assert tracelog.delivery_stats().dropped == dropped + 1


def test_a_value_that_fails_loses_its_line():
    """Nothing that an event holds makes a call raise."""

    class Strange:
        def __sizeof__(self):
            raise RuntimeError

    lines = configure()
    dropped = tracelog.delivery_stats().dropped

    with tracelog.utterance(budget_ms=LATE):
        tracelog.get_logger("app").debug("strange", value=Strange())

    assert lines.replayed() == []
    assert tracelog.delivery_stats().dropped == dropped + 1


def test_a_flow_that_is_debugged_is_written_at_once():
    """Where a rule has lowered the level, lines aren't kept: somebody is looking."""
    lines = configure()
    let("me", read_rules([{"user_id": "kim"}], where="rules"))

    for user in ("kim", "lee"):
        with tracelog.utterance(budget_ms=ON_TIME, user_id=user):
            tracelog.get_logger("app").debug(user)
        with tracelog.bound_context(user_id=user):
            tracelog.get_logger("app").debug(f"{user}, outside")
    let("me")

    assert lines.events() == ["kim", "utterance", "kim, outside", "utterance"]


def test_threads_may_add_to_it():
    """What an executor's threads say belongs to the utterance that has asked them."""
    lines = configure()

    with tracelog.utterance(budget_ms=LATE):
        thread = threading.Thread(target=tracelog.carry(tracelog.get_logger("app").debug), args="x")
        thread.start()
        thread.join()

    assert [line["event"] for line in lines.replayed()] == ["x"]


def utter(trace_id, budget_ms):
    parent = tracelog.TraceContext(trace_id, "1" * 16)
    with tracelog.utterance(budget_ms=budget_ms, parent=parent):
        tracelog.get_logger("app").debug("looked up")
        tracelog.get_logger("app").info("handled")
        tracelog.get_logger("app").warning("strange")


def test_only_a_share_of_the_traces_is_written():
    """Of all others, warnings are; what was left out is counted on the next verdict."""
    lines = configure(keep=0.5)

    utter(NOT_KEPT, ON_TIME)
    utter(KEPT, ON_TIME)

    assert lines.events() == ["strange", "utterance", "handled", "strange", "utterance"]
    assert [line.get("left_out_lines") for line in lines] == [None, 1, None, None, None]


def test_late_traces_are_written_whole():
    """Whether they are of that share or not."""
    lines = configure(keep=0.5)

    utter(NOT_KEPT, LATE)

    assert lines.events() == ["strange", "looked up", "handled", "utterance"]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"level": "LOUD"}, "level"),
        ({"records": 0}, "records"),
        ({"bytes": "many"}, "bytes"),
        ({"seconds": True}, "seconds"),
        ({"keep": 2}, "keep"),
        ({"keep": "some"}, "keep"),
    ],
    ids=["level", "records", "bytes", "seconds", "keep", "no number"],
)
def test_an_option_that_makes_no_sense_is_refused(options, where):
    """When it is made, not when something goes wrong."""
    with pytest.raises(ConfigError) as error:
        FlightRecorder(**options)

    assert error.value.where == where
