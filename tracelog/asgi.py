"""`TraceMiddleware`: a trace for every HTTP request and every WebSocket utterance, and its verdict.

Pure ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html): nothing here knows a framework.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import copy_context
from typing import Any, Final, TypeAlias
from weakref import WeakKeyDictionary

from tracelog.context import Context, current_context, enter_context
from tracelog.emit import emit
from tracelog.fields import DURATION_MS, EVENT_REQUEST
from tracelog.headers import extract, extract_request_id
from tracelog.ids import TraceContext, make_connection_id
from tracelog.latency.arrival import make_socket_wait, transport_of
from tracelog.latency.readahead import ReadAhead
from tracelog.latency.utterance import SYSTEM_CLOCK, Arrival, Clock, Utterance
from tracelog.latency.verdict import write_verdict
from tracelog.loops import on_loop


__all__ = ["TraceMiddleware"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_LATE_MS: Final = 200.0

_access = logging.getLogger("tracelog.access")


class TraceMiddleware:
    """Gives every HTTP request and every WebSocket utterance a trace of its own, and its verdict.

    A caller's `traceparent` is continued; ours, and `x-request-id`, are answered. What the task
    was in before is never adopted.

    Args:
        app: The ASGI application.
        late_ms: From how many milliseconds on, arrival to end, an utterance is late: its verdict
            is a warning then. 200 by default.
        access_log: Write a line for each HTTP request, with its duration.
        clock: For tests.
    """

    def __init__(
        self,
        app: App,
        *,
        late_ms: float = _LATE_MS,
        access_log: bool = True,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.app = app
        self.late_ms = late_ms
        self.access_log = access_log
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI asks."""
        conversation = _CONVERSATIONS.get(scope["type"])
        if conversation is None:
            await self.app(scope, receive, send)
            return

        outside = current_context()
        await conversation(self, scope, receive, send).run()
        # Not in a `finally`: the server's line about an exception is to carry the trace, too.
        enter_context(outside)


# The requests of one connection share its id, for as long as the server keeps it open.
_connection_ids: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def _connection_id_of(transport: Any) -> str:
    try:
        return _connection_ids.setdefault(transport, make_connection_id())
    except TypeError:  # the server shows none
        return make_connection_id()


class _ClientLeftError(OSError):
    """What ASGI asks `send` to raise once the client has left."""


class _Conversation:
    """What HTTP and WebSocket have in common."""

    def __init__(
        self, middleware: TraceMiddleware, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._middleware = middleware
        self._clock = middleware.clock
        self._scope = scope
        self._server_receive = receive
        self._server_send = send
        transport = transport_of(receive)
        self._socket_wait = make_socket_wait(transport)
        self._utterance: Utterance | None = None
        self._parent = extract(scope["headers"])
        self._request_id = extract_request_id(scope["headers"])
        self._connection_id = _connection_id_of(transport)
        self._trace = self._parent.child() if self._parent else TraceContext.new()
        bound = {"request_id": self._request_id} if self._request_id else {}
        # Fresh, whatever was there: a context can leak from one request into the next.
        enter_context(Context.make(bound, self._trace, self._connection_id))

    def _arrival(self) -> Arrival:
        return Arrival.now(self._clock, self._socket_wait())

    def _answer(self, headers: Iterable[Any]) -> list[Any]:
        headers = list(headers)
        answered = {bytes(name).lower() for name, _ in headers}
        ours = {
            b"traceparent": str(self._trace),
            b"x-request-id": self._request_id or self._trace.trace_id,
        }
        headers += [(k, v.encode("latin-1")) for k, v in ours.items() if k not in answered]
        return headers

    def _end(self, about: dict[str, Any]) -> None:
        """End the current utterance, if there is one."""
        utterance, self._utterance = self._utterance, None
        if utterance is not None:
            ended = self._clock.monotonic()
            write_verdict(utterance, ended, late_ms=self._middleware.late_ms, about=about)


class _HttpConversation(_Conversation):
    """One request: one utterance, which ends when the last of its response is out."""

    _status = 500  # what a server answers for an application that raised before it did

    async def run(self) -> None:
        """Let the application answer."""
        arrival = self._arrival()
        self._utterance = Utterance(1, "http", arrival, self._clock.monotonic())
        try:
            await self._middleware.app(self._scope, self._server_receive, self._send)
        finally:
            self._finish()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._answer(message.get("headers", ()))}
        await self._server_send(message)
        # What an application does after its answer (background tasks) keeps nobody waiting.
        if message["type"] == "http.response.body" and not message.get("more_body"):
            self._finish()

    def _finish(self) -> None:
        utterance = self._utterance
        if utterance is None:
            return

        about = {
            "method": self._scope["method"],
            "path": self._scope["path"],
            "status": self._status,
        }
        if self._middleware.access_log and _access.isEnabledFor(logging.INFO):
            duration = (self._clock.monotonic() - utterance.started) * 1000
            client = ":".join(map(str, self._scope.get("client") or ()))
            fields = {**about, DURATION_MS: round(duration, 3), "client": client}
            emit(_access, logging.INFO, EVENT_REQUEST, (), fields)
        self._end(about)


class _WebSocketConversation(_Conversation):
    """One connection: an utterance for each message, which ends when the next is asked for."""

    _messages: ReadAhead | None = None
    _number = 0
    _closed = False

    async def run(self) -> None:
        """Let the application talk."""
        try:
            await self._middleware.app(self._scope, self._receive, self._send)
        except _ClientLeftError:
            pass  # servers don't complain about their own one either
        finally:
            self._end_message()
            if self._messages is not None:
                await self._messages.stop()

    async def _receive(self) -> Message:
        self._end_message()
        if self._messages is None:
            return await self._server_receive()  # the handshake; or a loop that isn't asyncio's

        message, arrival = await self._messages.next()
        if message["type"] == "websocket.receive":
            self._number += 1
            started = self._clock.monotonic()
            self._utterance = Utterance(self._number, "websocket", arrival, started)
            self._enter(TraceContext.new())
        else:
            self._enter(self._trace)  # the connection's own: no utterance asked for what follows
        return message  # type: ignore[no-any-return]

    async def _send(self, message: Message) -> None:
        if message["type"] == "websocket.accept":
            message = {**message, "headers": self._answer(message.get("headers", ()))}
        await self._send_or_leave(message)
        self._closed = self._closed or message["type"] == "websocket.close"
        if message["type"] == "websocket.accept" and self._messages is None and on_loop():
            context = copy_context()
            context.run(enter_context, Context.make({}, None, self._connection_id))
            self._messages = ReadAhead(self._server_receive, self._arrival, context)

    async def _send_or_leave(self, message: Message) -> None:
        try:
            await self._server_send(message)
        except RuntimeError as error:
            # uvicorn, over websockets' legacy API, calls it a bug to send after a disconnect. We
            # read it ahead; the handler couldn't know.
            if self._closed or self._messages is None or not self._messages.holds_disconnect:
                raise
            if message["type"] != "websocket.close":
                raise _ClientLeftError("the client has left") from error

    def _enter(self, trace: TraceContext) -> None:
        """Go on in *trace*; what the application bound stays with the connection."""
        context = current_context()
        bound = context.bound if context.connection_id == self._connection_id else {}
        enter_context(Context.make(bound, trace, self._connection_id))

    def _end_message(self) -> None:
        self._end({"path": self._scope["path"]})


_CONVERSATIONS: Final[dict[str, type[_HttpConversation | _WebSocketConversation]]] = {
    "http": _HttpConversation,
    "websocket": _WebSocketConversation,
}
