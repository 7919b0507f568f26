"""The websockets library: real servers and real clients."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from io import StringIO

import pytest
from websockets.asyncio.client import connect as plain_connect
from websockets.asyncio.server import serve as plain_serve
from websockets.exceptions import ConnectionClosed

from tracelog import outside_tasks
from tracelog.config import configure_logging
from tracelog.context import bind_context, current_trace, new_trace
from tracelog.errors import ConfigError
from tracelog.latency.utterance import Clock
from tracelog.websockets import ServerConnection, connect, serve


log = logging.getLogger("app")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Time:
    def __init__(self):
        self.now = 1000.0
        self.clock = Clock(lambda: self.now, lambda: self.now)


@pytest.fixture(autouse=True)
def _released():
    yield
    outside_tasks.release()


@pytest.fixture
def lines():
    stream = StringIO()
    configure_logging(format="json", sink=stream, level="INFO", env_file=None)

    def read(**wanted):
        found = map(json.loads, stream.getvalue().splitlines())
        # A busy machine may hold a loop at any time.
        told = (line for line in found if line["logger"] != "tracelog.hold")
        return [line for line in told if wanted.items() <= line.items()]

    return read


def run(handler, talk, **options):
    """Serve *handler*, and let a client *talk*; both have ended when this returns."""

    async def story():
        async with serve(handler, "127.0.0.1", 0, **options) as server:
            port = server.sockets[0].getsockname()[1]
            await talk(f"ws://127.0.0.1:{port}/chat")
            server.close()
            await server.wait_closed()

    asyncio.run(story())


async def echo(websocket):
    async for message in websocket:
        bind_context(user_id="kim")
        log.info("heard")
        await websocket.send(message)


async def say_two(url):
    async with plain_connect(url) as client:
        for message in ("grüße", b"\0\1"):
            await client.send(message)
            await client.recv()


def test_each_message_has_a_trace_and_a_verdict(lines):
    """All of one connection; what was bound stays with it."""
    run(echo, say_two)

    heard, verdicts = lines(event="heard"), lines(event="utterance")
    assert [line["trace_id"] for line in heard] == [line["trace_id"] for line in verdicts]
    assert len({line["trace_id"] for line in verdicts}) == 2
    assert [line["utterance"] for line in verdicts] == [1, 2]
    assert {line["user_id"] for line in verdicts} == {"kim"}
    assert {line["path"] for line in verdicts} == {"/chat"}
    assert len({line["connection_id"] for line in heard + verdicts}) == 1


def test_the_connection_is_told_at_its_end(lines):
    """Who closed it, and what was said."""
    run(echo, say_two)

    [line] = lines(event="connection")
    assert (line["close_code"], line["closed_by"]) == (1000, "client")
    assert (line["received"], line["received_bytes"]) == (2, 9)
    assert (line["sent"], line["sent_bytes"]) == (2, 9)


@pytest.mark.parametrize("followed", [True, False])
def test_the_librarys_own_lines_have_the_connection(lines, followed):
    """Those that no task makes need contexts for connections."""
    if not followed:
        outside_tasks.release()

    run(echo, say_two)

    [opened] = lines(event="connection open")
    [ended] = lines(event="connection")
    assert (opened["trace_id"], opened["connection_id"]) == (
        ended["trace_id"],
        ended["connection_id"],
    )


def test_a_callers_trace_is_continued_and_answered(lines):
    """By its `traceparent`; what a `process_response` of the application's does counts, too."""
    answers = []

    async def respond(_connection, _request, response):
        response.headers["x-app"] = "yes"

    async def talk(url):
        async with plain_connect(url, additional_headers={"traceparent": PARENT}) as client:
            answers.append(client.response.headers)

    run(echo, talk, process_response=respond)

    [line] = lines(event="connection")
    assert line["trace_id"] == PARENT.split("-")[1]
    assert answers[0]["traceparent"].split("-")[1:3] == [line["trace_id"], line["span_id"]]
    assert answers[0]["x-app"] == "yes"


def test_a_plain_process_response_is_called(lines):
    """A function will do, as with websockets."""
    answers = []

    def respond(_connection, _request, response):
        response.headers["x-app"] = "yes"

    async def talk(url):
        async with plain_connect(url) as client:
            answers.append(client.response.headers["x-app"])

    run(echo, talk, process_response=respond)

    assert answers == ["yes"]


def test_a_client_sends_its_trace(lines):
    """The server's lines are of the client's trace; other headers go along."""
    traces = []

    async def talk(url):
        traces.append(new_trace())
        async with connect(url, additional_headers={"x-app": "yes"}) as client:
            traces.append(client.request.headers["x-app"])

    run(echo, talk)

    [line] = lines(event="connection")
    assert line["trace_id"] == traces[0].trace_id
    assert traces[1] == "yes"


def test_a_failing_handler_is_told_with_its_trace(lines):
    """websockets' own line about it comes after ours, and is of the same message."""

    async def fail(websocket):
        await websocket.recv()
        raise ValueError("bad")

    async def talk(url):
        async with plain_connect(url) as client:
            await client.send("x")
            with pytest.raises(ConnectionClosed):
                await client.recv()

    run(fail, talk)

    [verdict], [ended] = lines(event="utterance"), lines(event="connection")
    [theirs] = lines(event="connection handler failed")
    assert verdict["failed"] is True
    assert theirs["trace_id"] == ended["trace_id"] or theirs["trace_id"] == verdict["trace_id"]
    assert (ended["close_code"], ended["closed_by"]) == (1011, "server")


@pytest.mark.alone
def test_a_message_that_waited_is_late(lines):
    """From when it came, not from when the handler asked for it."""
    time = Time()
    said = asyncio.Event()

    async def slow(websocket):
        await websocket.recv()
        await said.wait()
        time.now += 0.5
        await websocket.recv()

    async def talk(url):
        async with plain_connect(url) as client:
            await client.send("one")
            await client.send("two")
            while len(connections[0]._arrivals) < 1:
                await asyncio.sleep(0)
            said.set()
            await client.wait_closed()

    connections = []

    def make(*args, **options):
        connections.append(ServerConnection(*args, **options))
        return connections[-1]

    run(slow, talk, clock=time.clock, late_ms=300, create_connection=make)

    first, second = lines(event="utterance")
    assert (first["total_ms"], second["total_ms"], second["queue_ms"]) == (500.0, 500.0, 500.0)
    assert (first["late"], second["late"]) == (True, True)


def test_a_streamed_message_is_one_utterance(lines):
    """Its frames are counted as one."""

    async def stream(websocket):
        parts.extend([part async for part in websocket.recv_streaming()])
        await websocket.send(iter(["a", "b"]))

    async def talk(url):
        async with plain_connect(url) as client:
            await client.send(iter(["one", "two"]))
            answers.append(await client.recv())

    parts, answers = [], []
    run(stream, talk)

    [verdict] = lines(event="utterance")
    [ended] = lines(event="connection")
    assert ("".join(parts), answers, verdict["utterance"]) == ("onetwo", ["ab"], 1)
    assert (ended["close_code"], ended["closed_by"]) == (1000, "server")


def test_a_lost_connection_is_the_networks(lines):
    """No close frame came."""

    async def talk(url):
        client = await plain_connect(url)
        client.transport.abort()
        await client.wait_closed()

    run(echo, talk)

    [line] = lines(event="connection")
    assert (line["close_code"], line["closed_by"]) == (1006, "network")


def test_nothing_of_a_connection_is_left(lines):
    """The task that served it goes on as it was, and has no trace."""
    run(echo, say_two)

    assert current_trace() is None


def test_without_the_library_the_error_names_the_extra(tmp_path):
    """Whoever imports it knows what to install."""
    code = "import sys; sys.modules['websockets'] = None\nimport tracelog.websockets"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    assert "pip install 'tracelog[web]'" in done.stderr


def test_without_our_serve_a_connection_is_websockets_own(lines):
    """Nothing is accounted for, and nothing is in the way."""

    async def stream_back(websocket):
        parts = [part async for part in websocket.recv_streaming()]
        await websocket.send("".join(parts) + await websocket.recv())

    async def story():
        async with plain_serve(
            stream_back, "127.0.0.1", 0, create_connection=ServerConnection
        ) as server:
            port = server.sockets[0].getsockname()[1]
            async with plain_connect(f"ws://127.0.0.1:{port}") as client:
                await client.send("a")
                await client.send("b")
                return await client.recv()

    assert asyncio.run(story()) == "ab"
    assert lines(event="connection") == []


def test_a_trace_that_the_caller_has_put_there_stays(lines):
    """Two of that header would count as none."""

    async def talk(url):
        new_trace()
        async with connect(url, additional_headers={"traceparent": PARENT}):
            pass

    run(echo, talk)

    [line] = lines(event="connection")
    assert line["trace_id"] == PARENT.split("-")[1]


def test_after_a_streamed_message_the_next_is_on_time(lines):
    """Each message has one arrival, whole or in frames."""
    time = Time()

    async def handle(websocket):
        async for _frame in websocket.recv_streaming():
            pass
        await websocket.send("go on")
        await websocket.recv()

    async def talk(url):
        async with plain_connect(url) as client:
            await client.send(iter(["one", "two"]))
            await client.recv()
            time.now += 60
            await client.send("plain")
            await client.wait_closed()

    run(handle, talk, clock=time.clock)

    assert [line["total_ms"] for line in lines(event="utterance")] == [0.0, 0.0]


def test_a_watch_that_there_is_not_is_refused_at_once():
    """And not by each handshake."""
    with pytest.raises(ConfigError, match="watch: expected 'exact', 'sampled' or None, got 'fast'"):
        serve(None, watch="fast")
