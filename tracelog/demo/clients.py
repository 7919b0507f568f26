"""The demo's users: a dozen real WebSocket clients, one of whom asks for reports."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack
from typing import Final

from websockets.asyncio.client import ClientConnection, connect


__all__ = ["USERS", "drive"]

USERS: Final = (
    *("ada", "ben", "cleo", "dina", "emil", "finn", "gita", "hugo", "ines", "juri", "kim"),
    "nils",  # who asks for reports
)
_PAUSE_S: Final = 0.25
_TEXTS: Final = ("hello", "how are you?", "did you see the game?", "brb", "lunch?")


async def drive(port: int, *, seconds: float) -> int:
    """Let all users talk to the service on *port*; tell how many messages were answered."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_connect(port, user)) for user in USERS]
        start = asyncio.get_running_loop().time()
        talks = (
            _talk(client, user, start + number * _PAUSE_S / len(USERS), round(seconds / _PAUSE_S))
            for number, (client, user) in enumerate(zip(clients, USERS, strict=True))
        )
        return sum(await asyncio.gather(*talks))


def _connect(port: int, user: str) -> connect:
    # A socket that is connected is taken as it is: no proxy of the environment's comes between.
    sock = socket.create_connection(("127.0.0.1", port))
    return connect(f"ws://127.0.0.1:{port}/chat/{user}", sock=sock)


async def _talk(client: ClientConnection, user: str, start: float, turns: int) -> int:
    clock = asyncio.get_running_loop().time
    for turn in range(turns):
        # By the clock, not by the last answer: after a hold they would all speak in unison.
        await asyncio.sleep(start + turn * _PAUSE_S - clock())
        reports = user == USERS[-1] and turn % 4 == 2  # noqa: PLR2004
        await client.send("/report 30d" if reports else _TEXTS[turn % len(_TEXTS)])
        await client.recv()
    return turns
