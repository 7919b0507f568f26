"""`TraceMiddleware`: a trace for every HTTP request and every WebSocket utterance, and its verdict.

Pure ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html): nothing here knows a framework.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from contextvars import copy_context
from typing import Any, Final, TypeAlias, Unpack

from tracelog.attribution import leave_tail, of_line, stamp
from tracelog.connections import base_of
from tracelog.context import Context, current_context, enter_context
from tracelog.headers import extract, extract_request_id
from tracelog.ids import TraceContext
from tracelog.latency.arrival import make_socket_wait, transport_of
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.closing import (
    Closing,
    closing_of_disconnect,
    closing_of_error,
    closing_of_frames,
)
from tracelog.latency.ledger import Ledger
from tracelog.latency.loop import Mode, watch_if_wanted
from tracelog.latency.policy import Policy, PolicyOptions
from tracelog.latency.readahead import ReadAhead
from tracelog.latency.request import conclude_request
from tracelog.latency.talk import Talk, payload_bytes
from tracelog.latency.utterance import Arrival, Utterance
from tracelog.loops import on_loop


__all__ = ["TraceMiddleware"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

_servers_access = [logging.getLogger(f"{server}.access") for server in ("hypercorn", "uvicorn")]


class TraceMiddleware:
    """Gives every HTTP request and every WebSocket utterance a trace of its own, and its verdict.

    A caller's `traceparent` is continued; ours, and `x-request-id`, are answered. What the task
    was in before is never adopted.

    Args:
        app: The ASGI application.
        access_log: Write a line for each HTTP request, with its duration, in place of uvicorn's or
            hypercorn's; False leaves theirs, and writes none of ours.
        trace_from: Tells the trace that somebody else's tracing has begun here already, such as
            `tracelog.otel.active_trace`: it is used, in place of one of our own.
        watch: How the event loop is watched: "exact", "sampled" (see `tracelog.watch_loop`), or
            None if it isn't.
        clock: For tests.
        policy: From when on an utterance is late, and which get a line: `late_ms`, `budgets` and
            so on, see `tracelog.latency.policy.PolicyOptions`.

    Raises:
        ConfigError: If one of *policy* makes no sense.
    """

    def __init__(
        self,
        app: App,
        *,
        access_log: bool = True,
        trace_from: Callable[[], TraceContext | None] | None = None,
        watch: Mode | None = "exact",
        clock: Clock = SYSTEM_CLOCK,
        **policy: Unpack[PolicyOptions],
    ) -> None:
        self.app = app
        self.policy = Policy.of(policy)
        self.watch = watch
        self.access_log = access_log
        self.trace_from = trace_from
        self.clock = clock
        if access_log:
            for logger in _servers_access:
                logger.addFilter(_has_no_line_of_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI asks."""
        watch_if_wanted(self.watch, self.clock)
        conversation = _CONVERSATIONS.get(scope["type"])
        if conversation is None:
            await self.app(scope, receive, send)
            return

        outside = current_context()
        await conversation(self, scope, receive, send).run()
        # Not if that raised: what is around us in the application may log it, too.
        leave_tail(current_context())
        enter_context(outside)


def _has_no_line_of_ours(record: logging.LogRecord) -> bool:
    """Pass an access line of uvicorn's unless its request has one of ours."""
    return of_line(record.name).trace is None


class _ClientLeftError(OSError):
    """What ASGI asks `send` to raise once the client has left."""


class _Conversation:
    """What HTTP and WebSocket have in common."""

    # Thousands of WebSockets are idle.
    __slots__ = (
        *("_bound", "_clock", "_connection", "_context", "_make_trace", "_middleware", "_protocol"),
        *("_request_id", "_scope", "_server_receive", "_server_send", "_socket_wait", "_trace"),
    )

    def __init__(
        self, middleware: TraceMiddleware, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._middleware = middleware
        self._clock = middleware.clock
        self._scope = scope
        self._server_receive = receive
        self._server_send = send
        self._request_id = extract_request_id(scope["headers"])
        parent = extract(scope["headers"])
        active = middleware.trace_from() if middleware.trace_from is not None else None
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
        return Arrival.now(self._clock, self._socket_wait())

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
        scope = self._scope
        about = {"method": scope["method"], "path": scope["path"]}
        self._utterance: Utterance | None = Utterance(
            *(1, "http", f"{scope['method']} {scope['path']}", self._arrival()),
            policy=self._middleware.policy,
            clock=self._clock,
            about=about,
        )
        self._utterance.context = self._enter(self._utterance.ledger)
        try:
            await self._middleware.app(self._scope, self._server_receive, self._send)
        except BaseException as error:
            stamp(error)
            self._finish(failed=isinstance(error, Exception))
            raise

        self._finish()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            message = {**message, "headers": self._answer(message.get("headers", ()))}
        await self._sent(self._server_send(message))
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
            client=client if self._middleware.access_log else None,
            failed=failed,
        )

    async def _sent(self, sent: Awaitable[None]) -> None:
        """Wait for *sent*; as long as the client takes nothing, that is what takes long."""
        ledger = self._utterance.ledger if self._utterance is not None else None
        waiting = ledger.begin_send() if ledger is not None else 0.0
        try:
            await sent
        finally:
            if ledger is not None:
                ledger.end_send(waiting)


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
            await self._middleware.app(self._scope, self._receive, self._send)
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
            about={"path": self._scope["path"]},
            policy=self._middleware.policy,
            make_trace=self._make_trace,
            clock=self._clock,
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


_CONVERSATIONS: Final[dict[str, type[_HttpConversation | _WebSocketConversation]]] = {
    "http": _HttpConversation,
    "websocket": _WebSocketConversation,
}
