"""One WebSocket over ASGI: an utterance for each message, and the connection as a whole."""

from __future__ import annotations

from contextvars import copy_context
from functools import lru_cache
from typing import Any

from tracelog.attribution import stamp
from tracelog.context import enter_context
from tracelog.conversations import Conversation, Message
from tracelog.latency.closing import (
    Closing,
    closing_of_disconnect,
    closing_of_error,
    closing_of_frames,
)
from tracelog.latency.readahead import ReadAhead
from tracelog.latency.talk import Talk, payload_bytes
from tracelog.loops import on_loop


__all__ = ["WebSocketConversation"]


class _ClientLeftError(OSError):
    """What ASGI asks `send` to raise once the client has left."""


@lru_cache(1024)
def _about(path: str) -> dict[str, Any]:
    """Make what all verdicts of a WebSocket show: one for all that have the same path."""
    return {"path": path}


class WebSocketConversation(Conversation):
    """One connection: an utterance for each message, which ends when the next is asked for."""

    __slots__ = ("_closed", "_closing", "_messages", "_talk")

    async def run(self) -> None:
        """Let the application talk."""
        self._messages: ReadAhead | None = None
        self._talk: Talk | None = None
        self._closing: Closing | None = None
        self._closed = False  # by the application
        self._connection.trace = self._trace  # for lines of the server that no task makes
        error: BaseException | None = None
        try:
            await self._app(self._scope, self._receive, self._send)
        except _ClientLeftError as left:
            error = left  # servers don't complain about their own one either
        except BaseException as raised:
            stamp(raised)  # here, in the utterance that failed
            error = raised
            raise
        finally:
            await self._end(error)

    async def _end(self, error: BaseException | None) -> None:
        if self._talk is None or self._messages is None:
            return

        self._talk.end_utterance(failed=isinstance(error, Exception))
        self._note_departure()
        frames = closing_of_frames(getattr(self._protocol, "conn", self._protocol))
        self._talk.end(frames or self._closing or closing_of_error(error))
        await self._messages.stop()

    def _note_departure(self) -> None:
        """Note that the client has left, if that was read and nobody has asked for it yet."""
        unread = self._messages.unread_disconnect if self._messages is not None else None
        if unread is not None and self._closing is None:
            self._closing = closing_of_disconnect(unread)

    async def _receive(self) -> Message:
        if self._talk is None or self._messages is None:
            return await self._server_receive()  # the handshake; or a loop that isn't asyncio's

        self._talk.end_utterance()
        self._talk.listen()  # to no utterance, until there is the next
        message, arrival = await self._messages.next()
        if message["type"] == "websocket.receive":
            self._talk.hear(arrival, payload_bytes(message.get("text") or message.get("bytes")))
        else:
            self._closing = self._closing or closing_of_disconnect(message)
        return message  # type: ignore[no-any-return]

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "websocket.accept":
            message = {**message, "headers": self._answer(message.get("headers", ()))}
        elif kind == "websocket.close":
            self._note_departure()
            closing = Closing.make(message.get("code", 1000), "server", message.get("reason"))
            self._closing = self._closing or closing
        sent = self._send_or_leave(message)
        await (sent if self._talk is None else self._talk.send(sent))
        self._closed = self._closed or kind == "websocket.close"
        if kind == "websocket.accept":
            self._begin()
        elif kind == "websocket.send" and self._talk is not None:
            self._talk.say(payload_bytes(message.get("text") or message.get("bytes")))

    def _begin(self) -> None:
        if self._talk is not None or not on_loop():
            return

        self._talk = Talk(
            self._context,
            about=_about(self._scope["path"]),
            policy=self._options.policy,
            make_trace=self._make_trace,
            clock=self._options.clock,
        )
        context = copy_context()
        context.run(enter_context, self._context)
        self._messages = ReadAhead(self._server_receive, self._arrival, context)

    async def _send_or_leave(self, message: Message) -> None:
        try:
            await self._server_send(message)
        except RuntimeError as error:
            # uvicorn, over websockets' legacy API, calls it a bug to send after a disconnect. We
            # read it ahead; the handler couldn't know.
            left = self._messages is not None and self._messages.unread_disconnect is not None
            if self._closed or not left:
                raise
            if message["type"] != "websocket.close":
                raise _ClientLeftError("the client has left") from error
