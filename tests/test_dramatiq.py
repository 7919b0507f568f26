"""dramatiq, over its own broker for tests, with real worker threads."""

from __future__ import annotations

import io
import json

import dramatiq
import pytest
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, AsyncIO, Pipelines, Retries

import tracelog
from tracelog.context import bind_context, bound_context, current_context, get_context, new_trace
from tracelog.dramatiq import TraceMiddleware
from tracelog.latency.utterance import Clock


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


class Queue:
    """A broker, one worker thread of it, and what its actors saw."""

    def __init__(self, *middleware):
        self.broker = StubBroker(middleware=[*middleware], fail_fast_default=False)
        self.seen = []

    def actor(self, work=lambda: None, **options):
        def run(*args):
            self.seen.append(dict(get_context()))
            return work(*args)

        return dramatiq.actor(broker=self.broker, actor_name="greet", **options)(run)

    def work(self):
        """Do what was sent."""
        worker = dramatiq.Worker(self.broker, worker_timeout=10, worker_threads=1)
        worker.start()
        try:
            self.broker.join("default")
            worker.join()
        finally:
            worker.stop()


def boom():
    raise ValueError("no such room")


def test_an_actor_runs_in_the_trace_of_its_sender(lines):
    """The same trace, a span of its own, and what was named of what was bound."""
    queue = Queue(TraceMiddleware(keys=("user_id",)))
    greet = queue.actor()
    sent = new_trace(TRACEPARENT)
    with bound_context(user_id="kim", token="hunter2"):
        greet.send()

    queue.work()

    [context] = queue.seen
    assert (context["trace_id"], context["user_id"]) == (TRACE_ID, "kim")
    assert context["span_id"] != sent.span_id
    assert "token" not in context


def test_each_run_ends_with_a_line(lines):
    """Task, id, times and outcome; a message tells when it was made, whoever made it."""
    queue = Queue(TraceMiddleware(clock=Clock(wall=lambda: NOON + 2, monotonic=lambda: 7.0)))
    message = queue.actor().message()

    queue.broker.enqueue(message.copy(message_timestamp=int((NOON + 1) * 1000)))
    queue.work()

    [line] = lines(logger="tracelog.dramatiq")
    assert line["level"] == "info"
    assert {key: line[key] for key in ("task", "job_id", "outcome", "duration_ms", "wait_ms")} == {
        "task": "greet",
        "job_id": message.message_id,
        "outcome": "success",
        "duration_ms": 0.0,
        "wait_ms": 0.0,  # sent on just now, by `enqueue`
    }


def test_a_message_of_a_stranger_tells_when_it_was_made(lines):
    """Also without tracelog where it was sent, the wait is known."""
    queue = Queue()
    message = queue.actor().message()
    queue.broker.enqueue(message.copy(message_timestamp=int((NOON + 1) * 1000)))
    queue.broker.add_middleware(TraceMiddleware(clock=Clock(wall=lambda: NOON + 2)))

    queue.work()

    [line] = lines(logger="tracelog.dramatiq")
    assert line["wait_ms"] == 1000.0
    assert line["trace_id"]


def test_the_library_s_own_line_about_an_error_has_the_trace(lines):
    """An exception that escapes is written by dramatiq, once, and can be found by its trace."""
    queue = Queue(TraceMiddleware())
    greet = queue.actor(boom)
    new_trace(TRACEPARENT)
    greet.send()

    queue.work()

    [error] = lines(level="error")
    assert (error["logger"], error["trace_id"]) == ("dramatiq.worker.WorkerThread", TRACE_ID)
    assert error["exception"][0]["message"] == "no such room"
    [line] = lines(logger="tracelog.dramatiq")
    assert (line["level"], line["outcome"], line["trace_id"]) == ("warning", "failure", TRACE_ID)


def test_an_actor_is_bound_to_nothing_of_the_one_before(lines):
    """One thread runs them all: what one binds, or fails with, the next doesn't have."""
    queue = Queue(TraceMiddleware())

    def work(user_id):
        bind_context(user_id=user_id)
        raise ValueError(user_id)

    greet = queue.actor(work)
    for user_id in ("kim", "lee"):
        new_trace()
        greet.send(user_id)

    queue.work()

    assert len({context["trace_id"] for context in queue.seen}) == 2
    assert not any("user_id" in context for context in queue.seen)


@pytest.mark.parametrize("position", ["first", "last"])
def test_a_retry_stays_in_its_trace(position, lines):
    """Wherever ours is among the middleware, each run is one of the same trace."""
    ours, theirs = TraceMiddleware(keys="user_id"), Retries(min_backoff=1, max_backoff=1)
    queue = Queue(*((ours, theirs) if position == "first" else (theirs, ours)))

    def work():
        if len(queue.seen) < 3:
            raise ValueError("not yet")

    greet = queue.actor(work)
    new_trace(TRACEPARENT)
    with bound_context(user_id="kim"):
        greet.send()
    new_trace()

    queue.work()

    assert {(each["trace_id"], each["user_id"]) for each in queue.seen} == {(TRACE_ID, "kim")}
    assert len({each["span_id"] for each in queue.seen}) == 3
    outcomes = [line["outcome"] for line in lines(logger="tracelog.dramatiq")]
    assert outcomes == ["failure", "failure", "success"]


def test_what_an_actor_asks_for_is_no_failure(lines):
    """`raise Retry` says that it is to be run again."""
    queue = Queue(TraceMiddleware())

    def work():
        raise dramatiq.errors.Retry("later")

    queue.actor(work).send()
    queue.work()

    [line] = lines(logger="tracelog.dramatiq")
    assert (line["level"], line["outcome"]) == ("info", "retry")


def test_what_comes_after_in_a_pipeline_is_in_its_trace():
    """What dramatiq sends when a message is done goes on where that was."""
    queue = Queue(TraceMiddleware(), Pipelines())
    greet = queue.actor()
    new_trace(TRACEPARENT)

    messages = [greet.message(), greet.message_with_options(pipe_ignore=True)]
    dramatiq.pipeline(messages, broker=queue.broker).run()
    new_trace()
    queue.work()

    assert [context["trace_id"] for context in queue.seen] == [TRACE_ID, TRACE_ID]


def test_a_message_that_is_refused_is_told(lines):
    """A message that is too old is skipped by dramatiq; its context is left all the same."""
    queue = Queue(TraceMiddleware(), AgeLimit(max_age=1))
    message = queue.actor().message()

    queue.broker.enqueue(message.copy(message_timestamp=0))
    queue.work()

    assert queue.seen == []
    [line] = lines(logger="tracelog.dramatiq")
    assert (line["level"], line["outcome"]) == ("warning", "skipped")


def test_an_async_actor_runs_in_the_trace_too():
    """It runs on a loop in another thread."""
    queue = Queue(TraceMiddleware(), AsyncIO())
    seen = []

    @dramatiq.actor(broker=queue.broker)
    async def greet():
        seen.append(get_context()["trace_id"])

    new_trace(TRACEPARENT)
    greet.send()
    queue.work()

    assert seen == [TRACE_ID]


def test_sending_changes_nothing_for_the_sender():
    """Whoever sends goes on in the context it was in."""
    queue = Queue(TraceMiddleware())
    greet = queue.actor()
    new_trace(TRACEPARENT)
    before = current_context()

    greet.send()

    assert current_context() is before
