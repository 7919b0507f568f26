"""The demo's users: a dozen real WebSocket clients, one of whom asks for reports."""

from __future__ import annotations

import asyncio
from typing import Final

from websockets.asyncio.client import connect


__all__ = ["USERS", "drive"]

USERS: Final = (
    *("ada", "ben", "cleo", "dina", "emil", "finn", "gita", "hugo", "ines", "juri", "kim"),
    "nils",  # who asks for reports
)
_PAUSE_S: Final = 0.25
_TEXTS: Final = ("hello", "how are you?", "did you see the game?", "brb", "lunch?")


async def drive(port: int, *, seconds: float) -> int:
    """Let all users talk to the service on *port*; tell how many messages were answered."""
    talks = (_talk(port, user, delay, seconds) for delay, user in enumerate(USERS))
    return sum(await asyncio.gather(*talks))


async def _talk(port: int, user: str, delay: int, seconds: float) -> int:
    answered = 0
    async with connect(f"ws://127.0.0.1:{port}/chat/{user}") as websocket:
        await asyncio.sleep(delay * _PAUSE_S / len(USERS))
        for turn in range(round(seconds / _PAUSE_S)):
            reports = user == USERS[-1] and turn % 4 == 2  # noqa: PLR2004
            await websocket.send("/report 30d" if reports else _TEXTS[turn % len(_TEXTS)])
            await websocket.recv()
            answered += 1
            await asyncio.sleep(_PAUSE_S)
    return answered
