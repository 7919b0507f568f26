"""Reading ahead: messages are taken from the server as they come, not when the handler asks.

Servers stop reading while their one message waits for the handler; so that a message's arrival is
noted when it arrives, someone has to read. Back-pressure stays: never more than a number of
messages, or of bytes, is read ahead.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from tracelog.latency.utterance import Arrival


__all__ = ["ReadAhead"]

_MAX_MESSAGES: Final = 32
_MAX_BYTES: Final = 1024 * 1024
_DISCONNECT: Final = "websocket.disconnect"


class ReadAhead:
    """A task that reads a connection's messages ahead of its handler.

    Args:
        receive: The server's.
        note: Called as each message is read; its answer goes along with the message.
        context: What the task runs in: no utterance's, it serves them all.
    """

    def __init__(
        self,
        receive: Callable[[], Awaitable[Any]],
        note: Callable[[], Arrival],
        context: contextvars.Context,
    ) -> None:
        self._receive = receive
        self._note = note
        self._messages: deque[tuple[Any, Arrival]] = deque()
        self._bytes = 0
        self._end: BaseException | None = None
        self._told = False
        self._changed = asyncio.Event()
        self._task = asyncio.create_task(self._read(), name="tracelog-read-ahead", context=context)

    @property
    def holds_disconnect(self) -> bool:
        """The client has left, and the handler hasn't been told."""
        read = self._messages
        return bool(read) and not self._told and read[-1][0]["type"] == _DISCONNECT

    async def next(self) -> tuple[Any, Arrival]:
        """Give the next message, and its arrival, in the order they came."""
        while not self._messages:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        message, arrival = self._messages[0]
        self._told = message["type"] == _DISCONNECT
        if not self._told:  # a disconnect is the last one, however often it is asked for
            self._messages.popleft()
            self._bytes -= _size(message)
            self._changed.set()
        return message, arrival

    async def stop(self) -> None:
        """Read no more."""
        self._task.cancel()
        await asyncio.wait([self._task])
        self._end = asyncio.CancelledError()  # the other one's frames refer to us

    async def _read(self) -> None:
        try:
            while True:
                message = await self._receive()
                self._messages.append((message, self._note()))
                self._bytes += _size(message)
                self._changed.set()
                if message["type"] == _DISCONNECT:
                    return
                await self._until_there_is_room()
        except BaseException as error:  # noqa: BLE001 -- cancelled or not, this is its end
            self._end = error  # the handler's to deal with, at its next receive
            self._changed.set()

    async def _until_there_is_room(self) -> None:
        while len(self._messages) >= _MAX_MESSAGES or self._bytes >= _MAX_BYTES:
            self._changed.clear()
            await self._changed.wait()


def _size(message: Any) -> int:
    """Tell what *message* takes in memory; of text that is more than its length."""
    text = message.get("text")
    return sys.getsizeof(text) if text else len(message.get("bytes") or b"")
