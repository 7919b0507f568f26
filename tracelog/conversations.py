"""What HTTP requests and WebSockets over ASGI have in common: their trace, and whose they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tracelog.connections import base_of
from tracelog.context import Context, enter_context
from tracelog.headers import extract, extract_request_id
from tracelog.ids import TraceContext
from tracelog.latency.arrival import make_socket_wait, transport_of
from tracelog.latency.clock import Clock
from tracelog.latency.ledger import Ledger
from tracelog.latency.policy import Policy
from tracelog.latency.utterance import Arrival


__all__ = ["App", "Conversation", "Message", "Options", "Receive", "Scope", "Send"]

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


class Conversation:
    """One request, or one WebSocket."""

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
