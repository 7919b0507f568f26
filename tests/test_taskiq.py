"""taskiq, over its own broker in memory."""

from __future__ import annotations

import asyncio
import io
import json

import pytest
from taskiq import InMemoryBroker, SimpleRetryMiddleware
from taskiq.exceptions import NoResultError

import tracelog
from tracelog.context import bind_context, bound_context, current_context, get_context, new_trace
from tracelog.latency.utterance import Clock
from tracelog.taskiq import TraceMiddleware


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
NOON = 1763812800.0


@pytest.fixture
def lines():
    """Tell the lines so far; those with *wanted* in them."""
    stream = io.StringIO()
    tracelog.configure_logging(sink=stream, format="json")

    def lines(**wanted):
        found = map(json.loads, stream.getvalue().splitlines())
        return [line for line in found if wanted.items() <= line.items()]

    return lines


def run(main, *middleware, **options):
    """Run *main* with a broker that has *middleware*."""

    async def running():
        broker = InMemoryBroker(**options).with_middlewares(*middleware)
        await broker.startup()
        try:
            return await main(broker)
        finally:
            await broker.shutdown()

    return asyncio.run(running())


def seeing(broker, work=None):
    """Make a task that does *work*, and a list of what it saw."""
    seen = []

    @broker.task("greet")
    async def greet(*args):
        seen.append(dict(get_context()))
        if work:
            work(*args)

    return greet, seen


def boom():
    raise ValueError("no such room")


def test_a_task_runs_in_the_trace_of_its_sender(lines):
    """The same trace, a span of its own, and what was named of what was bound."""

    async def main(broker):
        greet, seen = seeing(broker)
        sent = new_trace(TRACEPARENT)
        with bound_context(user_id="kim", token="hunter2"):
            await greet.kiq()
        new_trace()
        await broker.wait_all()
        return sent, seen

    sent, [context] = run(main, TraceMiddleware(keys=("user_id",)))

    assert (context["trace_id"], context["user_id"]) == (TRACE_ID, "kim")
    assert context["span_id"] != sent.span_id
    assert "token" not in context


def test_each_run_ends_with_a_line(lines):
    """Task, id, times and outcome."""

    async def main(broker):
        greet, _ = seeing(broker)
        task = await greet.kiq()
        await task.wait_result()
        return task.task_id

    clock = Clock(wall=lambda: NOON, monotonic=lambda: 7.0)
    task_id = run(main, TraceMiddleware(clock=clock))

    [line] = lines(logger="tracelog.taskiq")
    assert line["level"] == "info"
    assert {key: line[key] for key in ("task", "job_id", "outcome", "duration_ms", "wait_ms")} == {
        "task": "greet",
        "job_id": task_id,
        "outcome": "success",
        "duration_ms": 0.0,
        "wait_ms": 0.0,
    }


def test_the_library_s_own_line_about_an_error_has_the_trace(lines):
    """An exception that escapes is written by taskiq, once, and can be found by its trace."""

    async def main(broker):
        greet, _ = seeing(broker, boom)
        new_trace(TRACEPARENT)
        await greet.kiq()
        new_trace()
        await broker.wait_all()

    run(main, TraceMiddleware())

    [error] = lines(level="error")
    assert (error["logger"], error["trace_id"]) == ("taskiq.receiver.receiver", TRACE_ID)
    assert error["exception"][0]["message"] == "no such room"
    [line] = lines(logger="tracelog.taskiq")
    assert (line["level"], line["outcome"], line["trace_id"]) == ("warning", "failure", TRACE_ID)


@pytest.mark.parametrize("fails", [False, True])
def test_a_broker_that_runs_tasks_in_place_leaves_no_trace_of_them(fails):
    """The caller goes on in its own context, also where a task failed."""

    async def main(broker):
        def work():
            bind_context(user_id="kim")
            if fails:
                boom()

        greet, seen = seeing(broker, work)
        new_trace()
        before = current_context()
        await greet.kiq()
        await greet.kiq()
        assert current_context() is before
        return seen

    contexts = run(main, TraceMiddleware(), await_inplace=True)

    assert len({context["span_id"] for context in contexts}) == 2
    assert not any("user_id" in context for context in contexts)


def test_a_task_that_is_no_coroutine_is_in_the_trace_too():
    """It runs in a thread."""

    async def main(broker):
        @broker.task
        def greet():
            return get_context()["trace_id"]

        new_trace(TRACEPARENT)
        result = await (await greet.kiq()).wait_result()
        return result.return_value

    assert run(main, TraceMiddleware()) == TRACE_ID


def test_a_retry_stays_in_its_trace(lines):
    """Each run is one of the same trace, with what travelled."""

    async def main(broker):
        def work():
            if len(seen) < 3:
                boom()

        greet, seen = seeing(broker, work)
        new_trace(TRACEPARENT)
        with bound_context(user_id="kim"):
            await greet.kicker().with_labels(retry_on_error=True).kiq()
        new_trace()
        while len(seen) < 3:
            await broker.wait_all()
        await broker.wait_all()
        return seen

    contexts = run(main, TraceMiddleware(keys="user_id"), SimpleRetryMiddleware())

    assert {(each["trace_id"], each["user_id"]) for each in contexts} == {(TRACE_ID, "kim")}
    assert len({each["span_id"] for each in contexts}) == 3


def test_a_task_without_a_result_succeeds_or_not(lines):
    """`NoResultError` is an error to taskiq, and to us."""

    async def main(broker):
        def work():
            raise NoResultError

        greet, _ = seeing(broker, work)
        await greet.kiq()
        await broker.wait_all()

    run(main, TraceMiddleware())

    [line] = lines(logger="tracelog.taskiq")
    assert line["outcome"] == "failure"


def test_a_task_that_is_cancelled_is_told(lines):
    """taskiq catches the cancellation, too."""

    async def main(broker):
        def work():
            raise asyncio.CancelledError

        greet, _ = seeing(broker, work)
        await greet.kiq()
        await broker.wait_all()

    run(main, TraceMiddleware())

    [line] = lines(logger="tracelog.taskiq")
    assert (line["level"], line["outcome"]) == ("warning", "cancelled")
