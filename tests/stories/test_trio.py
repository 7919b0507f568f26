"""Story: trio, and anyio on trio. Spans and totals are there; what only asyncio's loop tells isn't."""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial

import anyio
import hypercorn.trio
import pytest
import trio
from hypercorn.config import Config

from tracelog.asgi import TraceMiddleware
from tracelog.context import current_trace, get_context
from tracelog.latency.loop import watch_loop
from tracelog.latency.spans import span, utterance


LOOP_BOXES = {"loop_ms", "code_ms", "await_ms", "send_ms", "log_ms"}
FINDINGS = {"blocked_by", "held", "busiest", "awaits", "cause"}


@pytest.fixture(autouse=True)
def lines(caplog):
    """What was written to the loggers of spans and utterances: the fields of each line."""
    caplog.set_level(logging.DEBUG, "tracelog")
    return lambda event: [each.fields for each in caplog.records if each.getMessage() == event]


@pytest.fixture(params=["trio", "anyio on trio"])
def run(request):
    """Run an async function, on trio."""
    if request.param == "trio":
        return trio.run

    return lambda main: anyio.run(main, backend="trio")


def as_guest(main):
    """Run *main* on trio as the guest of an event loop that is watched."""

    async def host():
        loop, watch = asyncio.get_running_loop(), watch_loop()
        ended = loop.create_future()
        trio.lowlevel.start_guest_run(
            main,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=ended.set_result,
            host_uses_signal_set_wakeup_fd=True,
        )
        outcome = await ended
        watch.stop()
        return outcome.unwrap()

    return asyncio.run(host())


def test_spans_nest_by_task(lines, run):
    """A span is a child of the one around it, in the trace of both; siblings don't see each other."""

    async def main():
        with span("page") as page:
            async with trio.open_nursery() as nursery:
                for name in ("title", "menu"):
                    nursery.start_soon(part, name, page)
            assert current_trace() is page
        assert current_trace() is None

    meeting = trio.Event()

    async def part(name, page):
        with span(name) as here:
            meeting.set() if name == "menu" else await meeting.wait()
            await trio.lowlevel.checkpoint()
            assert current_trace() is here
            assert (here.trace_id, here.span_id == page.span_id) == (page.trace_id, False)

    run(main)

    *parts, page = lines("span")
    assert {each["name"] for each in parts} == {"title", "menu"}
    assert page["name"] == "page"
    # They overlap: the page's own time is what is left without either.
    assert page["own_ms"] <= page["total_ms"] - max(each["total_ms"] for each in parts) + 0.01


def test_an_utterance_has_its_total_and_its_spans(lines, run):
    """From its beginning to its end, whatever the tasks that it starts do; no loop box is shown."""

    async def main():
        with utterance(user_id="kim", budget_ms=0):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(query)
                nursery.start_soon(query)

    async def query():
        with span("query"):
            assert get_context()["user_id"] == "kim"
            await trio.sleep(0.02)

    began = time.monotonic()
    run(main)
    most_ms = (time.monotonic() - began) * 1000

    [verdict] = lines("utterance")
    [queries] = verdict["spans"]
    assert (queries["name"], queries["count"]) == ("query", 2)
    assert 20 <= verdict["total_ms"] <= most_ms
    assert queries["total_ms"] >= 40
    assert verdict["late"] is True
    assert LOOP_BOXES.isdisjoint(verdict)


@pytest.mark.parametrize("start", [trio.run, as_guest])
def test_nobody_is_blamed(lines, start):
    """Who held the loop isn't known: no cause is given, and no box is guessed."""

    async def main():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold)
            nursery.start_soon(wait)

    async def hold():
        with utterance(user_id="bob", budget_ms=0):
            await trio.lowlevel.checkpoint()
            time.sleep(0.06)

    async def wait():
        with utterance(user_id="kim", budget_ms=0):
            await trio.lowlevel.checkpoint()
            await trio.lowlevel.checkpoint()

    start(main)

    verdicts = lines("utterance")
    assert len(verdicts) == 2
    for verdict in verdicts:
        assert verdict["late"] is True
        assert (LOOP_BOXES | FINDINGS).isdisjoint(verdict)


def test_a_callback_of_the_host_is_no_guest(lines):
    """Beside a guest, asyncio's own utterances have their boxes, in callbacks and in tasks."""

    def callback():
        with utterance():
            pass

    async def task():
        callback()

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_soon(callback)
        hosts = loop.create_task(task())
        while not hosts.done():
            await trio.lowlevel.checkpoint()

    as_guest(main)

    assert [LOOP_BOXES - {"log_ms"} <= each.keys() for each in lines("utterance")] == [True, True]


def test_a_server_on_trio(lines):
    """hypercorn: a request has its trace and its total; its lines are on the access log."""

    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{what}.complete"})
            return

        with span("query"):
            await trio.sleep(0.01)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def ask(address):
        stream = await trio.open_tcp_stream(*address)
        async with stream:
            await stream.send_all(b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return b"".join([part async for part in stream])

    async def main():
        config, over = Config(), trio.Event()
        config.bind = ["127.0.0.1:0"]
        config.errorlog = None
        serve = partial(hypercorn.trio.serve, shutdown_trigger=over.wait)
        async with trio.open_nursery() as nursery:
            urls = await nursery.start(serve, TraceMiddleware(app), config)
            host, _, port = urls[0].removeprefix("http://").partition(":")
            answer = await ask((host, int(port)))
            over.set()
        return answer

    answer = trio.run(main)

    [verdict] = lines("utterance")
    assert answer.startswith(b"HTTP/1.1 204")
    assert b"traceparent: " in answer
    assert (verdict["kind"], verdict["path"], verdict["status"]) == ("http", "/x", 204)
    assert verdict["total_ms"] >= 10
    assert [each["name"] for each in verdict["spans"]] == ["query"]
    assert (LOOP_BOXES | FINDINGS).isdisjoint(verdict)
