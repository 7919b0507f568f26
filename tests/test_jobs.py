"""A job's context, into its message and back; on a clock that stands still."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.context import (
    Connection,
    Context,
    bind_context,
    current_context,
    current_trace,
    enter_context,
    get_context,
    new_trace,
)
from tracelog.handlers import StreamHandler
from tracelog.ids import TraceContext
from tracelog.jobs import Jobs
from tracelog.json_formatter import JsonFormatter
from tracelog.latency.utterance import Clock


NOON = 1763812800.0  # 2025-11-22T12:00:00Z
TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", state="vendor=1")
HEADER = str(TRACE)
NOTHING = Context.make({}, None, None)


class Time:
    """Stands still, until somebody lets it pass."""

    def __init__(self):
        self.passed = 0.0
        self.clock = Clock(wall=lambda: NOON + self.passed, monotonic=lambda: 100 + self.passed)

    def passes(self, seconds):
        self.passed += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def lines():
    """Tell the lines so far."""
    stream = io.StringIO()
    handler = StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def within(context, work, *args):
    """Do *work* where *context* is current, and nowhere else."""
    outside = current_context()
    enter_context(context)
    try:
        return work(*args)
    finally:
        enter_context(outside)


def packed(jobs, bound=(), trace=TRACE, connection_id=None, headers=()):
    """Tell what a message carries that was sent from there."""
    message = dict(headers)
    connection = connection_id and Connection(connection_id)
    within(Context.make(dict(bound), trace, connection), jobs.pack, message)
    return message


# the message


def test_a_message_carries_the_trace(time):
    """Under the names that W3C gave it, so that others can read it, too."""
    message = packed(Jobs("queue", clock=time.clock))

    assert message["traceparent"] == HEADER
    assert message["tracestate"] == "vendor=1"


def test_of_what_is_bound_only_what_was_named_travels(time):
    """A token or a password that is bound for the lines of one process stays there."""
    jobs = Jobs("queue", keys=("user_id", "room"), clock=time.clock)

    message = packed(jobs, bound={"user_id": 7, "token": "hunter2"}, connection_id="c-7f3a90d2")

    assert json.loads(message["tracelog"]) == {
        "connection_id": "c-7f3a90d2",
        "bound": {"user_id": 7},
        "sent_at": NOON,
    }


def test_by_default_nothing_that_is_bound_travels(time):
    """Whoever names no key sends no value."""
    message = packed(Jobs("queue", clock=time.clock), bound={"user_id": 7})

    assert json.loads(message["tracelog"])["bound"] == {}


def test_one_key_may_be_named_as_it_is():
    """A tuple of one is easily written without its comma."""
    message = packed(Jobs("queue", keys="user_id"), bound={"user_id": 7})

    assert json.loads(message["tracelog"])["bound"] == {"user_id": 7}


def test_what_others_bound_travels_too(time):
    """Keys of structlog.contextvars can be named like any other."""
    import structlog

    message = {}
    with structlog.contextvars.bound_contextvars(user_id="kim"):
        Jobs("queue", keys="user_id", clock=time.clock).pack(message)

    assert json.loads(message["tracelog"])["bound"] == {"user_id": "kim"}


def test_outside_of_a_trace_a_message_begins_none(time):
    """Its worker will."""
    message = packed(Jobs("queue", clock=time.clock), trace=None)

    assert message.keys() == {"tracelog"}


def test_a_message_that_is_sent_on_outside_of_its_job_stays_in_its_trace(time):
    """Libraries send a message again, for a retry, from threads that are in no trace."""
    jobs = Jobs("queue", keys="user_id", clock=time.clock)
    message = packed(jobs, bound={"user_id": 7}, connection_id="c-7f3a90d2")
    time.passes(60)

    again = packed(jobs, trace=None, headers=message)

    assert again["traceparent"] == HEADER
    assert json.loads(again["tracelog"]) == {
        "connection_id": "c-7f3a90d2",
        "bound": {"user_id": 7},
        "sent_at": NOON + 60,
    }


def test_a_message_that_is_sent_on_within_a_job_goes_on_from_there(time):
    """Nothing of the trace before stays behind, its state least of all."""
    jobs = Jobs("queue", clock=time.clock)
    other = TraceContext("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")

    again = packed(jobs, trace=other, headers=packed(jobs))

    assert again["traceparent"] == str(other)
    assert "tracestate" not in again


def test_a_message_does_not_grow_with_what_is_bound():
    """A value may be anything, of any length: its beginning travels."""
    values = {"a": "x" * 100_000, "b": list(range(10_000)), "c": object(), "d": "\ud800"}

    message = packed(Jobs("queue", keys=values.keys()), bound=values)

    assert len(message["tracelog"]) < 8192
    assert json.loads(message["tracelog"])["bound"]["a"].startswith("x" * 512)


# the job


def test_a_job_runs_in_the_trace_of_its_message(time):
    """The same trace, under a span of the job's own."""
    jobs = Jobs("queue", clock=time.clock)

    jobs.begin("greet", "1", packed(jobs))

    assert current_trace().trace_id == TRACE.trace_id
    assert current_trace().state == "vendor=1"
    assert current_trace().span_id != TRACE.span_id


def test_a_job_has_what_travelled(time):
    """Connection and named keys are on its lines."""
    jobs = Jobs("queue", keys=("user_id", "room"), clock=time.clock)

    jobs.begin("greet", "1", packed(jobs, bound={"user_id": 7}, connection_id="c-7f3a90d2"))

    context = dict(get_context())
    assert (context["user_id"], context["connection_id"]) == (7, "c-7f3a90d2")
    assert "room" not in context


def test_a_caller_s_own_trace_id_travels_if_it_is_named(time):
    """It is shown on the worker's lines as it was on the caller's."""
    jobs = Jobs("queue", keys="trace_id", clock=time.clock)

    jobs.begin("greet", "1", packed(jobs, bound={"trace_id": "req-123"}))

    assert get_context()["trace_id"] == "req-123"
    assert current_trace().trace_id == TRACE.trace_id


def test_a_worker_binds_only_keys_that_it_names(time):
    """A message can't put anything else onto the worker's lines."""
    message = packed(Jobs("queue", keys="user_id"), bound={"user_id": 7})
    jobs = Jobs("queue", keys="room", clock=time.clock)

    jobs.begin("greet", "1", message)

    assert "user_id" not in get_context()


def test_a_message_without_a_trace_begins_one(time):
    """A job that a person or a timer started is a trace of its own."""
    jobs = Jobs("queue", clock=time.clock)

    jobs.begin("greet", "1")

    assert re.fullmatch("[0-9a-f]{32}", current_trace().trace_id)


def test_a_job_has_nothing_of_what_was_there_before(time):
    """A worker thread may be left in any state: jobs begin fresh."""
    jobs = Jobs("queue", clock=time.clock)
    before = new_trace()
    bind_context(user_id="leaked")

    jobs.begin("greet", "1")

    assert current_trace().trace_id != before.trace_id
    assert "user_id" not in get_context()


def test_after_a_job_everything_is_as_it_was(time):
    """By value: what the job bound, entered and left makes no difference."""
    jobs = Jobs("queue", clock=time.clock)
    new_trace()
    bind_context(worker="w-1")
    before = current_context()
    jobs.begin("greet", "1", packed(jobs))
    new_trace()
    bind_context(user_id="kim")

    jobs.end("1", "success")

    assert current_context() is before


def test_jobs_may_run_within_jobs(time, lines):
    """A library that is told to run a task at once runs it in the middle of another."""
    jobs = Jobs("queue", clock=time.clock)
    jobs.begin("outer", "1")
    outer = current_trace()
    jobs.begin("inner", "2")

    jobs.end("2", "success")
    between = current_trace()
    jobs.end("1", "success")

    assert between == outer
    assert current_context() == NOTHING
    assert [line["task"] for line in lines()] == ["inner", "outer"]


# its line


def test_a_job_ends_with_a_line(time, lines):
    """It tells which task it was, how long it took and waited, and how it ended."""
    jobs = Jobs("queue", keys="user_id", clock=time.clock)
    message = packed(jobs, bound={"user_id": 7}, connection_id="c-7f3a90d2")
    time.passes(1.5)
    jobs.begin("greet", "1", message)
    span_id = current_trace().span_id
    time.passes(0.25)

    jobs.end("1", "success")

    [line] = lines()
    assert line == {
        "timestamp": line["timestamp"],
        "level": "info",
        "logger": "tracelog.queue",
        "event": "job",
        "trace_id": TRACE.trace_id,
        "span_id": span_id,
        "connection_id": "c-7f3a90d2",
        "user_id": 7,
        "task": "greet",
        "job_id": "1",
        "outcome": "success",
        "duration_ms": 250.0,
        "wait_ms": 1500.0,
    }


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        pytest.param("success", "info", id="success"),
        pytest.param("retry", "info", id="retry"),
        pytest.param("failure", "warning", id="failure"),
        pytest.param("skipped", "warning", id="what only one library knows"),
    ],
)
def test_what_did_not_succeed_is_a_warning(outcome, level, time, lines):
    """The error itself is on the library's own line, once."""
    jobs = Jobs("queue", clock=time.clock)
    jobs.begin("greet", "1")

    jobs.end("1", outcome)

    assert [(line["level"], line["outcome"]) for line in lines()] == [(level, outcome)]


def test_a_line_that_is_off_is_not_made(time, lines):
    """The logger's level decides, as everywhere; the context is restored all the same."""
    logging.getLogger("tracelog.queue").setLevel(logging.WARNING)
    jobs = Jobs("queue", clock=time.clock)
    jobs.begin("greet", "1")

    jobs.end("1", "success")

    assert lines() == []
    assert current_context() == NOTHING


def wait_of(jobs, message, lines, **options):
    jobs.begin("greet", "1", message, **options)
    jobs.end("1", "success")
    return lines()[-1].get("wait_ms", "untold")


def test_a_clock_that_is_ahead_makes_no_wait_negative(time, lines):
    """Two machines never agree on the time: a job doesn't start before it was sent."""
    jobs = Jobs("queue", clock=time.clock)
    time.passes(5)
    message = packed(jobs)
    time.passes(-5)

    assert wait_of(jobs, message, lines) == 0.0


def test_a_delay_that_was_asked_for_is_no_wait(time, lines):
    """A job that was to run in an hour, and does, wasn't late."""
    jobs = Jobs("queue", clock=time.clock)
    message = packed(jobs)
    time.passes(3601)

    assert wait_of(jobs, message, lines, due=NOON + 3600) == 1000.0


def test_what_the_library_tells_will_do(time, lines):
    """A message of a sender without tracelog may still say when it was sent."""
    jobs = Jobs("queue", clock=time.clock)
    time.passes(2)

    assert wait_of(jobs, {}, lines, due=NOON) == 2000.0


@pytest.mark.parametrize("sent_at", ["null", '"noon"', "1", "-1.0", "0.0", "NaN", "true", "[]"])
def test_what_is_no_moment_tells_no_wait(sent_at, time, lines):
    """A line without `wait_ms` is better than a wrong one."""
    jobs = Jobs("queue", clock=time.clock)

    assert wait_of(jobs, {"tracelog": f'{{"sent_at": {sent_at}}}'}, lines) == "untold"


def test_a_job_that_never_began_does_not_end(time, lines):
    """Whoever connects while a job is running sees its end alone, or another library's."""
    jobs, others = Jobs("queue", clock=time.clock), Jobs("other", clock=time.clock)
    jobs.end("1", "success")
    jobs.begin("greet", "1")
    running = current_context()

    jobs.end("2", "success")
    others.end("1", "success")

    assert lines() == []
    assert current_context() is running


# anything


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"tracelog": "{"}, id="no JSON"),
        pytest.param({"tracelog": "[]"}, id="no object"),
        pytest.param({"tracelog": "[" * 50_000}, id="a tower"),
        pytest.param({"tracelog": " " * 100_000}, id="too long"),
        pytest.param({"tracelog": 7}, id="no text"),
        pytest.param({"tracelog": '{"bound": [], "connection_id": 7}'}, id="other types"),
        pytest.param({"tracelog": '{"connection_id": "<script>"}'}, id="an unsound connection"),
        pytest.param({"traceparent": "nonsense"}, id="no trace"),
        pytest.param({"traceparent": None, "tracestate": None}, id="no headers"),
    ],
)
def test_a_message_of_no_use_is_one_of_a_stranger(headers, time):
    """A job runs whatever its message tells."""
    jobs = Jobs("queue", keys="user_id", clock=time.clock)

    jobs.begin("greet", "1", headers)

    assert get_context().keys() == {"trace_id", "span_id"}


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
told = st.dictionaries(st.sampled_from(["bound", "connection_id", "sent_at"]), anything)


@given(
    st.dictionaries(st.sampled_from(["traceparent", "tracestate", "tracelog"]), anything)
    | told.map(lambda entry: {"tracelog": json.dumps(entry)})
)
def test_reading_a_message_never_raises(headers):
    """Whatever a peer sends, the worker works."""
    jobs = Jobs("queue", keys="user_id")

    jobs.begin("greet", "1", headers)
    jobs.pack(dict(headers))
    jobs.end("1", "success")

    assert current_context() == NOTHING


@given(anything)
def test_what_one_side_binds_the_other_has(value):
    """A value comes out as JSON shows it."""
    jobs = Jobs("queue", keys="user_id")
    message = packed(jobs, bound={"user_id": value})

    bound = json.loads(message["tracelog"])["bound"]
    jobs.begin("greet", "1", message)
    shown = get_context().get("user_id")
    jobs.end("1", "success")

    assert shown == bound.get("user_id")
