"""Who was late is told truly, on every WebSocket implementation and loop that uvicorn has."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import datetime
from itertools import count

import pytest
from websockets.asyncio.client import connect


pytestmark = pytest.mark.alone

# uvicorn is going to drop the implementation on websockets' legacy API.
DEPRECATED = "ignore:The `websockets` implementation"
HOLD_MS = 400
FLOOD, MESSAGE = 600, 64 * 1024  # what the kernel's buffers hold is a fraction of this
HALF = FLOOD * MESSAGE // 2

names = (f"user-{number}" for number in count())


@pytest.fixture(
    scope="module",
    params=[
        (ws, loop)
        for ws in ("websockets-sansio", "websockets", "wsproto")
        for loop in ("asyncio", "uvloop")
    ],
    ids="-".join,
)
def server(request, serve_talk):
    ws, loop = request.param
    return serve_talk("--ws", ws, "--loop", loop, PYTHONWARNINGS=DEPRECATED)


def talking(server, story, users):
    """Run *story* with that many connected users; each is a name and a connection."""

    async def main():
        async with asyncio.timeout(30), AsyncExitStack() as stack:
            connected = []
            for _ in range(users):
                user = next(names)
                url = server.url(f"/talk/{user}", "ws")
                client = connect(url, compression=None, max_size=None)
                connected.append((user, await stack.enter_async_context(client)))
            await story(*connected)
            return [user for user, _ in connected]

    return asyncio.run(main())


def verdicts(server, user, number):
    return server.wait_for(number, event="utterance", user_id=user)


def test_a_message_that_waited_for_another_users_hold_shows_the_wait(server):
    """Nobody could read it meanwhile, and still its verdict tells when it came and how long it lay."""
    sent = []

    async def story(blocker, victim):
        await blocker[1].send(f"hold {HOLD_MS}")
        assert await blocker[1].recv() == "holding"
        sent.append(time.time())
        await victim[1].send("hello")
        sent.append(time.time())
        assert await victim[1].recv() == "hello"
        assert await blocker[1].recv() == "held"

    blocker, victim = talking(server, story, users=2)

    [held], [late] = verdicts(server, blocker, 1), verdicts(server, victim, 1)
    arrived = datetime.fromisoformat(late["arrived_at"]).timestamp()
    assert HOLD_MS <= held["total_ms"] < 2000
    assert HOLD_MS / 2 <= late["total_ms"] < 2000
    assert late["socket_ms"] + late["queue_ms"] > 0.9 * late["total_ms"] - 50
    assert sent[0] - 0.05 <= arrived <= sent[1] + 0.1
    assert (late["late"], late["level"]) == (True, "warning")
    assert late["trace_id"] != held["trace_id"]


def test_a_message_that_waited_for_its_own_connection_was_queued(server):
    """One message after the other: while the first is handled, the second one's time runs."""

    async def story(user, other):
        await user[1].send(f"wait {user[0]}")
        assert await user[1].recv() == "waiting"
        await user[1].send("hello")
        await other[1].send("hold 100")
        assert [await other[1].recv() for _ in range(2)] == ["holding", "held"]
        await other[1].send(f"open {user[0]}")
        assert [await user[1].recv() for _ in range(2)] == ["waited", "hello"]

    user, _ = talking(server, story, users=2)

    first, second = verdicts(server, user, 2)
    assert first["queue_ms"] < first["total_ms"]
    assert 80 < second["queue_ms"] + second["socket_ms"] <= second["total_ms"] < 5000


def test_messages_keep_their_order(server):
    """Two hundred at once are handled, and counted, in the order in which they were sent."""
    texts = [f"message-{number}" for number in range(200)]

    async def story(user):
        for text in texts:
            await user[1].send(text)
        assert [await user[1].recv() for _ in texts] == texts

    [user] = talking(server, story, users=1)

    ended = verdicts(server, user, len(texts))
    assert [line["utterance"] for line in ended] == list(range(1, 201))
    assert len({line["trace_id"] for line in ended}) == len(texts)


def test_a_ping_is_answered_while_messages_wait(server):
    """Somebody reads, even if the handler doesn't: keepalive doesn't take a busy user for a lost one."""

    async def story(user, other):
        await user[1].send(f"wait {user[0]}")
        assert await user[1].recv() == "waiting"
        for text in ("a", "b", "c"):
            await user[1].send(text)

        await (await user[1].ping())

        await other[1].send(f"open {user[0]}")
        assert [await user[1].recv() for _ in range(4)] == ["waited", "a", "b", "c"]

    talking(server, story, users=2)


def test_a_flood_is_held_back(server):
    """Reading ahead has bounds: a client that sends faster than it is handled has to wait."""
    sent = 0

    async def flood(client):
        nonlocal sent
        for _ in range(FLOOD):
            await client.send("x" * MESSAGE)
            sent += 1

    async def stall(flooding):
        before = -1
        while before != sent:
            before = sent
            await asyncio.wait([flooding], timeout=0.2)

    async def story(user, other):
        await user[1].send(f"wait {user[0]}")
        assert await user[1].recv() == "waiting"
        flooding = asyncio.create_task(flood(user[1]))
        await stall(flooding)
        assert 0 < sent * MESSAGE < HALF

        await other[1].send(f"open {user[0]}")
        assert await user[1].recv() == "waited"
        for _ in range(FLOOD):
            assert len(await user[1].recv()) == MESSAGE
        await flooding

    talking(server, story, users=2)


def test_a_client_that_leaves_meanwhile_is_a_disconnect(server):
    """The message that is being handled gets its verdict, and the handler hears that the user left."""

    async def story(user, other):
        await user[1].send(f"wait {user[0]}")
        assert await user[1].recv() == "waiting"
        user[1].transport.abort()
        await user[1].wait_closed()
        await other[1].send(f"open {user[0]}")
        assert await other[1].recv() == "opened"

    user, _ = talking(server, story, users=2)

    [left] = server.wait_for(1, event="left", user_id=user)
    [ended] = verdicts(server, user, 1)
    assert left["code"] in (1005, 1006)
    assert ended["connection_id"] == left["connection_id"]
    assert server.lines(level="error") == []


def test_a_client_that_leaves_between_messages_is_a_disconnect(server):
    """However abruptly: what can't be known of a closed socket is no error."""

    async def story(user):
        await user[1].send("hello")
        assert await user[1].recv() == "hello"
        user[1].transport.abort()
        await user[1].wait_closed()

    [user] = talking(server, story, users=1)

    [left] = server.wait_for(1, event="left", user_id=user)
    [ended] = verdicts(server, user, 1)
    assert left["code"] in (1005, 1006)
    assert left["trace_id"] != ended["trace_id"]
    assert server.lines(level="error") == []


def test_large_messages_pass(server):
    """A message beyond the bounds of reading ahead is read all the same."""
    large = 4 * 1024 * 1024

    async def story(user):
        for size in (large, large, 1):
            await user[1].send("measure " + "x" * size)
        assert [await user[1].recv() for _ in range(3)] == [str(large), str(large), "1"]

    [user] = talking(server, story, users=1)

    assert [line["utterance"] for line in verdicts(server, user, 3)] == [1, 2, 3]
