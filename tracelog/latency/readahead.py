"""Reading ahead: messages are taken from the server as they come, not when the handler asks.

Servers stop reading while their one message waits for the handler; so that a message's arrival is
noted when it arrives, someone has to read. Back-pressure stays: never more than a number of
messages, or of bytes, is read ahead.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
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

    # Thousands of them are idle: no dict, and lists, where a deque or an Event takes 600 bytes.
    __slots__ = (
        *("__weakref__", "_bytes", "_end", "_messages", "_note"),
        *("_receive", "_task", "_told", "_waiters"),
    )

    def __init__(
        self,
        receive: Callable[[], Awaitable[Any]],
        note: Callable[[], Arrival],
        context: contextvars.Context,
    ) -> None:
        self._receive = receive
        self._note = note
        self._messages: list[tuple[Any, Arrival]] = []
        self._bytes = 0
        self._end: BaseException | None = None
        self._told = False
        self._waiters: list[asyncio.Future[None]] = []
        self._task = asyncio.create_task(self._read(), name="tracelog-read-ahead", context=context)

    @property
    def unread_disconnect(self) -> Any:
        """What says that the client has left, if the handler hasn't been told; None if not."""
        last = self._messages[-1][0] if self._messages and not self._told else None
        return last if last is not None and last["type"] == _DISCONNECT else None

    async def next(self) -> tuple[Any, Arrival]:
        """Give the next message, and its arrival, in the order they came."""
        while not self._messages:
            if self._end is not None:
                raise self._end
            await self._change()
        message, arrival = self._messages[0]
        self._told = message["type"] == _DISCONNECT
        if not self._told:  # a disconnect is the last one, however often it is asked for
            del self._messages[0]
            self._bytes -= _size(message)
            self._tell()
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
                self._tell()
                if message["type"] == _DISCONNECT:
                    return
                await self._until_there_is_room()
        except BaseException as error:  # noqa: BLE001 -- cancelled or not, this is its end
            self._end = error  # the handler's to deal with, at its next receive
            self._tell()

    async def _until_there_is_room(self) -> None:
        while len(self._messages) >= _MAX_MESSAGES or self._bytes >= _MAX_BYTES:
            await self._change()

    async def _change(self) -> None:
        """Wait until a message has come, or was taken, or the end is there."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        finally:
            self._waiters.remove(waiter)

    def _tell(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def _size(message: Any) -> int:
    """Tell what *message* takes in memory; of text that is more than its length."""
    text = message.get("text")
    return sys.getsizeof(text) if text else len(message.get("bytes") or b"")
