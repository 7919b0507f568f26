"""The one line that an utterance ends with."""

from __future__ import annotations

import asyncio
import logging

import pytest

from tracelog.context import Context, bind_context, enter_context
from tracelog.ids import TraceContext
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.findings import Awaited, Findings
from tracelog.latency.holds import Hold
from tracelog.latency.ledger import Ledger
from tracelog.latency.loop import watch_loop
from tracelog.latency.policy import Policy
from tracelog.latency.recorder import FlightRecorder
from tracelog.latency.steps import Step
from tracelog.latency.utterance import Arrival, Before, Turn, Utterance
from tracelog.latency.verdict import conclude


NOON = 1763812800.0
TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
KEPT, NOT_KEPT = "0" * 31 + "1", "f" * 32


@pytest.fixture(autouse=True)
def records(caplog):
    caplog.set_level(logging.DEBUG)
    return lambda: [each for each in caplog.records if each.name == "tracelog.utterance"]


class Time:
    def __init__(self):
        self.now = 50.0
        self.clock = Clock(lambda: NOON, lambda: self.now)


def begin(clock, *, arrival=Arrival(NOON, 50.0), policy=None, trace=TRACE, kind="http", **options):
    utterance = Utterance(
        *(1, kind, "GET /rooms", arrival),
        clock=clock,
        policy=policy or Policy(),
        about={"path": "/rooms"},
        **options,
    )
    enter_context(Context.make({}, trace, None, utterance.ledger))
    return utterance


def handled(seconds=0.1, *, failed=False, **options):
    """Handle an utterance in that many seconds; what `conclude` told."""
    time = Time()
    utterance = begin(time.clock, **options)
    time.now += seconds
    return conclude(utterance, failed=failed)


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.1, logging.INFO), (0.3, logging.WARNING)], ids=["in time", "late"]
)
def test_a_late_verdict_is_a_warning(records, seconds, level):
    """An alert can go by the level alone."""
    handled(seconds)

    [record] = records()
    assert (record.name, record.levelno) == ("tracelog.utterance", level)
    assert record.getMessage() == "utterance"


def test_it_tells_where_the_time_went(records):
    """Keys in the order of a line; the total holds the waits, the moment is before them."""
    handled(0.5, arrival=Arrival(NOON, 49.5, 0.25), before=Before(7, 49.7, Ledger(49.0), ()))

    [record] = records()
    assert list(record.fields.items()) == [
        ("utterance", 1),
        ("total_ms", 1250.0),
        ("socket_ms", 250.0),
        ("queue_ms", 500.0),
        ("late", True),
        ("kind", "http"),
        ("arrived_at", "2025-11-22T11:59:59.750000Z"),
        ("behind", 7),
        ("behind_ms", 450.0),
        (
            "cause",
            "450 ms: waiting for message 7 of the same connection; 300 ms: waiting for the event loop",
        ),
        ("path", "/rooms"),
    ]


def test_it_carries_what_was_bound(records):
    """Until its end, as every line of its context."""
    time = Time()
    utterance = begin(time.clock)
    bind_context(user_id="kim")

    conclude(utterance)

    assert records()[0].user_id == "kim"


def test_the_next_verdict_counts_the_lines_that_a_flight_recorder_leaves_out(records):
    """Of an utterance that was on time, those that another trace would have written at once."""
    time, recorder = Time(), FlightRecorder(keep=0.0)
    utterance = begin(time.clock)
    line = logging.LogRecord("app", logging.INFO, "app.py", 1, "heard", None, None)
    assert recorder.filter(line) is False

    conclude(utterance)

    [record] = records()
    assert record.fields["left_out_lines"] == 1


@pytest.mark.parametrize(
    ("seconds", "late"), [(0.2, True), (0.1999996, True), (0.199, False), (0.0, False)]
)
def test_late_is_at_or_over_the_limit(records, seconds, late):
    """By the total as it is shown: nobody reads 200.0 and `late: false`."""
    total_ms, told = handled(seconds)

    assert told is late
    assert (records()[0].total_ms, records()[0].late) == (total_ms, late)
    assert (total_ms >= 200) == late


def test_a_budget_is_shown_where_it_is_not_the_usual_one(records):
    """By the policy's rules, or the utterance's own."""
    handled(0.1, policy=Policy(budgets=[{"path": "/rooms", "late_ms": 50}]))
    handled(0.1, budget_ms=20)
    handled(0.1)

    assert [record.fields.get("budget_ms") for record in records()] == [50, 20, None]
    assert [record.late for record in records()] == [True, True, False]


def test_a_bound_may_be_all_that_is_known(records):
    """Of a socket that doesn't tell."""
    handled(arrival=Arrival(NOON, 50.0, 0.05, bound=True))

    assert records()[0].socket_bound is True


def test_a_handler_that_raised_is_marked(records):
    """Late or not."""
    handled(failed=True)
    handled()

    assert [record.fields.get("failed") for record in records()] == [True, None]


@pytest.mark.parametrize(
    ("policy", "level"),
    [(Policy(on_time=logging.DEBUG), logging.DEBUG), (Policy(on_time=None), None)],
    ids=["debug", "none"],
)
def test_on_time_is_cheap(records, policy, level):
    """A line at another level, or none; late ones have theirs."""
    handled(0.1, policy=policy)
    handled(0.3, policy=policy)

    assert [record.levelno for record in records()] == [
        *([level] if level else []),
        logging.WARNING,
    ]


def test_a_failure_has_a_line_in_any_case(records):
    """Even where those on time have none."""
    handled(failed=True, policy=Policy(on_time=None))

    assert [record.levelno for record in records()] == [logging.INFO]


def test_what_is_left_out_is_counted(records):
    """On the next line that is written; by trace, so that whole traces are kept or dropped."""
    some = Policy(keep=0.5)

    for trace_id in (NOT_KEPT, NOT_KEPT, KEPT, KEPT):
        handled(policy=some, trace=TraceContext(trace_id, TRACE.span_id))
    handled(0.3, policy=some, trace=TraceContext(NOT_KEPT, TRACE.span_id))

    assert [record.fields.get("left_out") for record in records()] == [2, None, None]


def test_its_loggers_level_is_asked(records, caplog):
    """With WARNING, only what is late is written."""
    caplog.set_level(logging.WARNING)

    handled(0.1)
    handled(0.3)

    assert [record.late for record in records()] == [True]


def test_an_exact_watch_gives_all_boxes(records):
    """They sum to the total: that is what a ledger is."""

    async def main():
        watch = watch_loop()
        await asyncio.sleep(0)
        utterance = begin(SYSTEM_CLOCK, arrival=Arrival.now(SYSTEM_CLOCK), trace=TRACE)
        await asyncio.sleep(0.02)
        utterance.ledger.logging = 0.005
        conclude(utterance)
        watch.stop()

    asyncio.run(main())

    fields = records()[-1].fields
    assert fields["log_ms"] == 5.0  # a part of the code
    boxes = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
    assert sum(fields[box] for box in boxes) == pytest.approx(fields["total_ms"], abs=0.01)
    assert fields["await_ms"] > 15
    assert [wait["what"] for wait in fields["awaits"]] == ["sleep"]


def test_a_sampled_watch_gives_none(records):
    """What isn't known is absent, never wrong."""

    async def main():
        watch = watch_loop(mode="sampled")
        conclude(begin(SYSTEM_CLOCK, arrival=Arrival.now(SYSTEM_CLOCK)))
        watch.stop()

    asyncio.run(main())

    assert not {"loop_ms", "code_ms", "await_ms", "send_ms"} & records()[-1].fields.keys()


def test_it_lists_what_was_found(records):
    """Who held the loop, what was waited for and until whose step, spans; the longest first."""
    time = Time()
    utterance = begin(time.clock)
    found = Findings.of(utterance.ledger)
    lee = Context.make({"user_id": "lee"}, TraceContext("1" * 32, "2" * 16), None)
    found.holds[Hold(0, 0, NOON, lee, "task", "app.py:7 resize", "blocking call")] = 0.05
    found.holds[Hold(0, 0, NOON, None, "task janitor", "app.py:9 clean", "CPU-bound")] = 0.1
    found.own[("app.py:3 parse", "CPU-bound")] = 0.01
    found.who["1" * 32] = lee
    found.others["1" * 32] = 0.02
    found.awaits[Awaited("lock", "app.py:5 work", "1" * 32)] = 0.03
    found.awaits[Awaited("sleep", "app.py:6 work", None)] = 0.04
    found.awaits[Awaited("send", "app.py:8 tell", None, "1" * 32)] = 0.02
    outer = Ledger(50.0, "llm", utterance.ledger)
    inner = Ledger(50.0, "http", outer)
    for span in (inner, outer):
        span.end(50.0, 50.1)
        found.note_span(span)
    time.now += 0.3

    conclude(utterance)

    fields = records()[0].fields
    whose = {"trace_id": "1" * 32, "user_id": "lee"}
    assert fields["blocked_by"] == [
        {"ms": 100.0, "holder": "task janitor", "where": "app.py:9 clean", "kind": "CPU-bound"},
        {"ms": 50.0, **whose, "where": "app.py:7 resize", "kind": "blocking call"},
    ]
    assert fields["held"] == [{"ms": 10.0, "where": "app.py:3 parse", "kind": "CPU-bound"}]
    assert fields["busiest"] == [{"ms": 20.0, **whose}]
    assert fields["awaits"] == [
        {"ms": 40.0, "what": "sleep", "where": "app.py:6 work"},
        {"ms": 30.0, "what": "lock", "where": "app.py:5 work", "until": whose},
        {"ms": 20.0, "what": "send", "where": "app.py:8 tell", "to": whose},
    ]
    assert fields["spans"] == [
        {"name": "http", "within": ["llm"], "count": 1, "total_ms": 100.0, "own_ms": 100.0},
        {"name": "llm", "count": 1, "total_ms": 100.0, "own_ms": 0.0},
    ]
    assert fields["cause"].startswith("100 ms: loop held by task janitor in app.py:9 clean")
    assert utterance.ledger.notes is None


@pytest.mark.parametrize("what", ["GET /rates", None])
def test_a_task_that_an_utterance_left_behind_is_told_as_that(records, what):
    """Whose handler was done before is not who kept others waiting."""
    time = Time()
    utterance = begin(time.clock)
    found = Findings.of(utterance.ledger)
    lees = Ledger(0.0, what) if what else None
    found.who["1" * 32] = Context.make({}, TraceContext("1" * 32, "2" * 16), None, lees)
    found.awaits[Awaited("lock", "app.py:5 work", "1" * 32, after=True)] = 0.03

    conclude(utterance)

    [awaited] = records()[0].fields["awaits"]
    assert awaited["until"].get("what") == (what and f"task after {what}")


def test_the_items_that_its_worker_was_at_are_listed(records):
    """By trace, as far as it waited for them, the longest first."""
    time = Time()
    bob = Context.make(
        {"user_id": "bob"}, TraceContext("1" * 32, "2" * 16), None, Ledger(0, "item")
    )
    carol = Context.make({"user_id": "carol"}, TraceContext("3" * 32, "2" * 16), None)
    nobody = Context.make({}, None, None)
    turns = (
        *(Turn(49.0, 49.6, carol), Turn(49.6, 49.7, bob)),
        *(Turn(49.7, 49.8, nobody), Turn(49.8, 50.0, bob)),
    )
    before = Before(None, 50.0, turns=turns)

    conclude(begin(time.clock, arrival=Arrival(NOON, 49.5), kind="queue", before=before))

    fields = records()[0].fields
    assert fields["behind_ms"] == 500.0
    assert fields["ahead"] == [
        {"ms": 300.0, "trace_id": "1" * 32, "user_id": "bob", "what": "item"},
        {"ms": 100.0, "trace_id": "3" * 32, "user_id": "carol"},
        {"ms": 100.0},
    ]


def test_a_late_one_names_whose_many_short_steps_it_waited_for(records):
    """One that was in time doesn't even ask."""
    lee = Context.make({"user_id": "lee"}, TraceContext("1" * 32, "2" * 16), None)

    async def main(*, late):
        watch = watch_loop()
        arrival = Arrival.now(SYSTEM_CLOCK)
        utterance = begin(SYSTEM_CLOCK, arrival=arrival, budget_ms=0 if late else 60_000)
        now = SYSTEM_CLOCK.monotonic()
        watch.steps.recent.append(Step(now - 0.02, now, lee, None))
        Findings.of(utterance.ledger).note_wait(watch.steps, now - 0.02, now)
        conclude(utterance)
        watch.stop()

    asyncio.run(main(late=True))
    asyncio.run(main(late=False))

    late, in_time = (record.fields for record in records())
    assert late["busiest"] == [{"ms": 20.0, "trace_id": "1" * 32, "user_id": "lee"}]
    assert "busiest" not in in_time


def test_without_a_cause_none_is_named(records):
    """Wrong blame is worse than none."""
    time = Time()
    utterance = begin(time.clock, budget_ms=0)

    conclude(utterance)

    assert records()[0].late
    assert "cause" not in records()[0].fields
