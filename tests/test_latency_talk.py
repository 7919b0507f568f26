"""One WebSocket from its handshake to its end."""

from __future__ import annotations

import asyncio
import json
from contextvars import copy_context
from io import StringIO

import pytest

from tracelog.config import configure_logging
from tracelog.context import Connection, Context, bind_context, current_context, enter_context
from tracelog.ids import TraceContext
from tracelog.latency.awaits import await_of
from tracelog.latency.clock import Clock
from tracelog.latency.closing import Closing
from tracelog.latency.ledger import Ledger
from tracelog.latency.policy import Policy
from tracelog.latency.talk import Talk, payload_bytes
from tracelog.latency.utterance import Arrival


NORMAL = Closing(1000, "client", "normal closure")


class Time:
    def __init__(self):
        self.now = 1000.0
        self.clock = Clock(lambda: self.now, lambda: self.now)

    def passes(self, seconds):
        self.now += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def talk(time):
    context = Context.make({"room": "lobby"}, TraceContext.new(), Connection("c-1"))
    enter_context(context)
    return Talk(context, about={"path": "/chat"}, policy=Policy(), clock=time.clock)


@pytest.fixture
def lines():
    stream = StringIO()
    configure_logging(format="json", sink=stream, level="INFO", env_file=None)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def hear(talk, time, took, **end):
    talk.hear(Arrival.now(time.clock), 10)
    time.passes(took)
    talk.end_utterance(**end)


@pytest.mark.parametrize(
    ("data", "size"),
    [("hello", 5), ("grüß", 6), ("\ud800", 1), (b"hello", 5), (memoryview(b"hi"), 2), (["a"], 0)],
    ids=["ASCII", "text", "half a character", "bytes", "a view", "in parts"],
)
def test_a_message_is_as_large_as_it_is_in_utf_8(data, size):
    """What comes in parts is no message yet."""
    assert payload_bytes(data) == size


def test_each_utterance_has_its_trace_and_its_verdict(talk, time, lines):
    """Numbered from 1; what was bound stays with the connection."""
    handshake = current_context().trace
    hear(talk, time, 0.1)
    bind_context(user_id="kim")
    hear(talk, time, 0.3, failed=True)
    talk.end_utterance()

    first, second = lines()
    assert len({handshake.trace_id, first["trace_id"], second["trace_id"]}) == 3
    assert (first["utterance"], first["total_ms"], first["level"]) == (1, 100.0, "info")
    assert (second["utterance"], second["total_ms"], second["level"]) == (2, 300.0, "warning")
    assert ("failed" in first, second["failed"]) == (False, True)
    assert (second["user_id"], second["room"], second["path"]) == ("kim", "lobby", "/chat")


def test_one_that_waited_for_the_one_before_says_so(talk, time, lines):
    """Both came at once: the second one's time runs while the first is handled."""
    arrivals = [Arrival.now(time.clock), Arrival.now(time.clock)]
    for arrival in arrivals:
        talk.hear(arrival, 10)
        time.passes(0.3)
        talk.end_utterance()

    first, second = lines()
    assert "behind" not in first
    assert (second["behind"], second["behind_ms"], second["queue_ms"]) == (1, 300.0, 300.0)


def test_a_client_that_takes_nothing_is_waited_for(talk, time):
    """That is a box of its own; outside of utterances nobody's time runs."""

    async def sent():
        time.passes(0.2)
        talk._utterance.ledger.waiting += 0.2

    async def nothing():
        pass

    asyncio.run(talk.send(nothing()))
    talk.hear(Arrival.now(time.clock), 10)
    asyncio.run(talk.send(sent()))

    ledger = talk._utterance.ledger
    assert (ledger.send, ledger.waiting) == (0.2, 0.0)


def test_whoever_tells_another_client_something_waits_for_that(talk, time):
    """Its own utterance does; what this one's does meanwhile is its own affair."""
    bind_context(user_id="bob")
    hear(talk, time, 0.1)

    async def main():
        others = Ledger(time.now, "message 1")
        enter_context(Context.make({"user_id": "kim"}, TraceContext.new(), None, others))
        task = asyncio.create_task(talk.send(asyncio.Event().wait()))
        await asyncio.sleep(0)
        found = await_of(task)
        task.cancel()
        await asyncio.wait([task])
        return found, others.sending

    found, sending = asyncio.run(main())

    assert (found.what, sending) == ("send", 0)
    assert (found.to.connection_id, found.to.bound["user_id"]) == ("c-1", "bob")


def test_the_whole_is_told_at_the_end(talk, time, lines):
    """How it was closed, what came and went, and how long its utterances took."""
    handshake = current_context().trace
    for took in (0.1, 0.1, 0.3):
        hear(talk, time, took)
        talk.say(5)
    talk.listen()
    time.passes(1)

    talk.end(NORMAL)

    *_, line = lines()
    assert line["p50_ms"] == pytest.approx(100, rel=0.03)
    assert line["p95_ms"] == line["p99_ms"] == pytest.approx(300, rel=0.03)
    for key in ("timestamp", "span_id", "p50_ms", "p95_ms", "p99_ms"):
        del line[key]
    assert line == {
        "level": "info",
        "logger": "tracelog.connection",
        "event": "connection",
        "trace_id": handshake.trace_id,
        "connection_id": "c-1",
        "room": "lobby",
        "close_code": 1000,
        "closed_by": "client",
        "close_reason": "normal closure",
        "duration_ms": 1500.0,
        "received": 3,
        "received_bytes": 30,
        "sent": 3,
        "sent_bytes": 15,
        "late_utterances": 1,
        "max_ms": 300.0,
        "path": "/chat",
    }


def test_an_idle_connection_has_no_percentiles(talk, lines):
    """Nothing was said: nothing took any time."""
    talk.end(NORMAL)

    [line] = lines()
    assert (line["received"], line["late_utterances"]) == (0, 0)
    assert not {"p50_ms", "p95_ms", "p99_ms", "max_ms"} & line.keys()


def test_what_was_bound_is_known_of_the_connection(talk, time):
    """For steps that are nobody's task: they read from its socket, and that is all."""
    connection = current_context().connection
    hear(talk, time, 0.1)
    assert connection.bound is None
    bind_context(user_id="kim")

    talk.listen()

    assert connection.bound == {"room": "lobby", "user_id": "kim"}


def test_a_talk_without_a_connection_keeps_what_was_bound(time):
    """A test's, say."""
    enter_context(Context.make({}, TraceContext.new(), None))
    talk = Talk(current_context(), about={}, policy=Policy(), clock=time.clock)
    bind_context(user_id="kim")

    talk.listen()

    assert current_context().bound == {"user_id": "kim"}


def test_what_another_connection_bound_is_left_behind(talk, time, lines):
    """A task may have come by a stranger's context."""
    enter_context(Context.make({"user_id": "lee"}, None, Connection("c-2")))

    hear(talk, time, 0.1)

    [line] = lines()
    assert (line["connection_id"], line["room"]) == ("c-1", "lobby")
    assert "user_id" not in line


def test_a_task_that_hears_for_the_handler_takes_it_along(time, lines):
    """While the handler waits for it; with what each of them has bound. They may share a context."""

    async def handle(context):
        enter_context(context)
        talk = Talk(context, about={}, policy=Policy(), clock=time.clock)

        async def hear():
            bind_context(by="the task")
            talk.hear(Arrival.now(time.clock), 10)
            return current_context().trace

        bind_context(by="the handler")
        apart = await asyncio.create_task(hear())
        assert current_context().trace == apart
        assert current_context().bound["by"] == "the handler"
        shared = await asyncio.create_task(hear(), context=here)
        assert current_context().trace == shared != apart

    here = copy_context()

    async def main():
        context = Context.make({}, TraceContext.new(), Connection("c-1"))
        await asyncio.create_task(handle(context), context=here)

    asyncio.run(main())


def test_a_level_that_is_off_costs_no_line(talk, lines):
    """As for every logger."""
    configure_logging(format="json", level="WARNING", env_file=None)

    talk.end(NORMAL)

    assert lines() == []
