"""One ASGI conversation, an HTTP request or a WebSocket: its trace, and its utterances.

What `TraceMiddleware` does with each; nothing here knows a framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import copy_context
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from tracelog.attribution import stamp
from tracelog.connections import base_of
from tracelog.context import Context, enter_context
from tracelog.headers import extract, extract_request_id
from tracelog.ids import TraceContext
from tracelog.latency.arrival import make_socket_wait, transport_of
from tracelog.latency.awaits import send_back
from tracelog.latency.clock import Clock
from tracelog.latency.closing import (
    Closing,
    closing_of_disconnect,
    closing_of_error,
    closing_of_frames,
)
from tracelog.latency.ledger import Ledger
from tracelog.latency.policy import Policy
from tracelog.latency.readahead import ReadAhead
from tracelog.latency.request import conclude_request
from tracelog.latency.talk import Talk, payload_bytes
from tracelog.latency.utterance import Arrival, Utterance
from tracelog.loops import on_loop


__all__ = ["CONVERSATIONS", "App", "Options", "Receive", "Scope", "Send"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Options:
    """What `TraceMiddleware` was told.

    Attributes:
        policy: From when on an utterance is late, and which get a line.
        access_log: Write a line for each HTTP request.
        trace_from: Tells the trace that somebody else's tracing has begun here already.
        clock: Tells the time.
    """

    policy: Policy
    access_log: bool
    trace_from: Callable[[], TraceContext | None] | None
    clock: Clock


class _ClientLeftError(OSError):
    """What ASGI asks `send` to raise once the client has left."""


class _Conversation:
    """What HTTP and WebSocket have in common."""

    # Thousands of WebSockets are idle.
    __slots__ = (
        *("_app", "_bound", "_connection", "_context", "_make_trace", "_options", "_protocol"),
        *("_request_id", "_scope", "_server_receive", "_server_send", "_socket_wait", "_trace"),
    )

    def __init__(
        self, app: App, options: Options, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._app = app
        self._options = options
        self._scope = scope
        self._server_receive = receive
        self._server_send = send
        self._request_id = extract_request_id(scope["headers"])
        parent = extract(scope["headers"])
        active = options.trace_from() if options.trace_from is not None else None
        self._make_trace = active.child if active else TraceContext.new  # of an utterance
        self._trace = active or (parent.child() if parent else TraceContext.new())
        bound, self._connection = base_of(transport_of(receive))
        protocol = self._connection.protocol
        self._protocol = protocol() if protocol is not None else getattr(receive, "__self__", None)
        self._socket_wait = make_socket_wait(getattr(self._protocol, "transport", None))
        if self._request_id:
            bound = {**bound, "request_id": self._request_id}
        self._bound = bound
        self._context = self._enter()

    def _enter(self, ledger: Ledger | None = None) -> Context:
        # Fresh, whatever was there: a context can leak from one request into the next.
        context = Context.make(self._bound, self._trace, self._connection, ledger)
        enter_context(context)
        return context

    def _arrival(self) -> Arrival:
        return Arrival.now(self._options.clock, self._socket_wait)

    def _answer(self, headers: Iterable[Any]) -> list[Any]:
        headers = list(headers)
        answered = {_lower(name) for name, _ in headers}
        ours = {
            b"traceparent": str(self._trace),
            b"x-request-id": self._request_id or self._trace.trace_id,
        }
        headers += [(k, v.encode("latin-1")) for k, v in ours.items() if k not in answered]
        return headers


def _lower(name: Any) -> bytes:
    """Read a header's name; some servers take a text, too."""
    return name.lower().encode() if isinstance(name, str) else bytes(name).lower()


class _HttpConversation(_Conversation):
    """One request: one utterance, which ends when the last of its response is out."""

    __slots__ = ("_status", "_utterance")

    async def run(self) -> None:
        """Let the application answer."""
        self._status = 500  # what a server answers for an application that raised before it did
        method, path = self._scope["method"], self._scope["path"]
        self._utterance: Utterance | None = Utterance(
            *(1, "http", f"{method} {path}", self._arrival()),
            policy=self._options.policy,
            clock=self._options.clock,
            about={"method": method, "path": path},
        )
        self._utterance.context = self._enter(self._utterance.ledger)
        try:
            await self._app(self._scope, self._server_receive, self._send)
        except BaseException as error:
            stamp(error)
            self._finish(failed=isinstance(error, Exception))
            raise

        self._finish()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._answer(message.get("headers", ()))}
        utterance, sent = self._utterance, self._server_send(message)
        await (sent if utterance is None else send_back(utterance.ledger, sent))
        # What an application does after its answer (background tasks) keeps nobody waiting.
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._finish()

    def _finish(self, *, failed: bool = False) -> None:
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return

        client = ":".join(map(str, self._scope.get("client") or ()))
        conclude_request(
            *(utterance, self._status),
            client=client if self._options.access_log else None,
            failed=failed,
        )


@lru_cache(1024)
def _about(path: str) -> dict[str, Any]:
    """Make what all verdicts of a WebSocket show: one for all that have the same path."""
    return {"path": path}


class _WebSocketConversation(_Conversation):
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


CONVERSATIONS: Final[dict[str, type[_HttpConversation | _WebSocketConversation]]] = {
    "http": _HttpConversation,
    "websocket": _WebSocketConversation,
}
