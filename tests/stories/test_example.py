"""The example, as the README starts it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect


ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(serve):
    """The example's uvicorn, after two users have talked and left."""
    server = serve(
        *(sys.executable, "-m", "uvicorn", "examples.chat.app:app", "--app-dir", str(ROOT)),
        *("--log-config", str(ROOT / "logging.yaml"), "--fd", "{fd}"),
    )
    asyncio.run(chat(server))
    with httpx.Client(base_url=server.url(""), trust_env=False) as client:
        assert client.get("/rooms").json() == {"lobby": 0}
    server.wait_for(4, event="utterance")
    server.wait_for(2, event="connection")
    return server


async def chat(server):
    async with asyncio.timeout(30):
        async with connect(server.url("/rooms/lobby?user=kim", "ws")) as kim:
            await kim.send("anyone?")
            assert await kim.recv() == "kim: anyone?"
            async with connect(server.url("/rooms/lobby?user=lee", "ws")) as lee:
                await lee.send("hello")
                assert await lee.recv() == await kim.recv() == "lee: hello"
                await lee.send("bye")
                assert await lee.recv() == await kim.recv() == "lee: bye"


def test_every_line_is_ours(server):
    """The service's, uvicorn's and the middleware's lines have one schema."""
    loggers = {line["logger"] for line in server.lines()}

    assert loggers - {"tracelog.hold"} == {  # on a busy machine
        "examples.chat.app",
        "tracelog.access",
        "tracelog.connection",
        "tracelog.utterance",
        "uvicorn.error",
    }


def test_a_users_lines_carry_what_was_bound(server):
    """From the moment it is bound, uvicorn's lines about the connection included."""
    for event, users in {
        "joined": ["kim", "lee"],
        "said": ["kim", "lee", "lee"],
        "left": ["kim", "lee"],
    }.items():
        lines = server.lines(event=event)
        assert sorted(line["user_id"] for line in lines) == users
        assert {line["room"] for line in lines} == {"lobby"}
    connections = {
        (line["connection_id"], line["user_id"]) for line in server.lines() if "user_id" in line
    }
    assert sorted(user for _, user in connections) == ["kim", "lee"]


def test_each_message_has_its_verdict(server):
    """Per user, numbered, and with a trace that the lines of its handling share."""
    verdicts = server.lines(event="utterance", kind="websocket")
    said = {line["trace_id"]: line["user_id"] for line in server.lines(event="said")}

    assert sorted((line["user_id"], line["utterance"]) for line in verdicts) == [
        ("kim", 1),
        ("lee", 1),
        ("lee", 2),
    ]
    assert {line["trace_id"]: line["user_id"] for line in verdicts} == said
    assert {line["path"] for line in verdicts} == {"/rooms/lobby"}


def test_a_request_is_told_once_by_each(server):
    """The handler's line, the access line and the verdict: all of one trace."""
    [listed], [ours] = server.lines(event="rooms listed"), server.lines(event="request")
    [verdict] = server.lines(event="utterance", kind="http")

    assert len({line["trace_id"] for line in (listed, ours, verdict)}) == 1
    assert (ours["path"], ours["status"]) == ("/rooms", 200)
    assert verdict["total_ms"] >= ours["duration_ms"] >= 0
