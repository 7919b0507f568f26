"""Fifty users at once: no line of one names another."""

from __future__ import annotations

import asyncio
from collections import defaultdict

import pytest
from websockets.asyncio.client import connect


USERS, MESSAGES = 50, 10
# Begun, looked up, in a thread, answered, and the verdict.
EACH = 5


async def converse(server, user, ready):
    async with connect(server.url(f"/talk/{user}", "ws")) as client:
        await ready.wait()
        for number in range(MESSAGES):
            await client.send(f"work {'x' * number}")
        for number in range(MESSAGES):
            await client.recv()


@pytest.fixture(scope="module")
def lines(serve_talk):
    """What fifty users left who all spoke at the same time."""
    server = serve_talk()

    async def main():
        ready = asyncio.Barrier(USERS)
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            for number in range(USERS):
                group.create_task(converse(server, f"user-{number}", ready))

    asyncio.run(main())
    server.wait_for(USERS, event="left")
    # Whether somebody held the loop for long depends on the machine.
    return [line for line in server.lines() if line["event"] != "loop held"]


def test_every_line_of_a_user_is_there(lines):
    """In the handler, in its tasks and threads: each line is known to be the user's."""
    counted = defaultdict(int)
    for line in lines:
        if "user_id" in line and line["event"] not in ("connection", "left"):
            counted[line["user_id"]] += 1

    assert counted == {f"user-{number}": EACH * MESSAGES for number in range(USERS)}


def test_a_users_lines_carry_the_users_connection(lines):
    """Each user has one connection, and each connection one user."""
    pairs = {(line["user_id"], line["connection_id"]) for line in lines if "user_id" in line}

    users, connections = zip(*pairs, strict=True)

    assert len(pairs) == len(set(users)) == len(set(connections)) == USERS


def test_a_trace_is_of_one_connection(lines):
    """No trace leaks from one connection into another; each message has its own."""
    connections, numbers = defaultdict(set), defaultdict(set)
    for line in lines:
        if line["trace_id"] is not None:
            connections[line["trace_id"]].add(line["connection_id"])
        if line["event"] == "utterance":
            numbers[line["trace_id"]].add(line["utterance"])

    assert {len(found) for found in connections.values()} == {1}
    assert len(numbers) == USERS * MESSAGES
    assert {len(found) for found in numbers.values()} == {1}


def test_what_a_task_binds_stays_in_it(lines):
    """A task that a message started binds for itself; the message's other lines don't have it."""
    with_text = {line["event"] for line in lines if "text" in line}

    assert with_text == {"looked up", "in a thread"}  # the thread's is an argument
