"""`TraceMiddleware`: a trace for every HTTP request and every WebSocket utterance, and its verdict.

Pure ASGI (https://asgi.readthedocs.io/en/latest/specs/www.html): nothing here knows a framework.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, Unpack

from tracelog.asgi_http import HttpConversation
from tracelog.asgi_websocket import WebSocketConversation
from tracelog.attribution import leave_tail, of_line
from tracelog.context import current_context, enter_context
from tracelog.conversations import App, Options, Receive, Scope, Send
from tracelog.errors import ConfigError
from tracelog.ids import TraceContext, read_parent
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.loop import (
    Mode,
    check_watch,
    finish_watch,
    watch_if_wanted,
    watch_of_running_loop,
)
from tracelog.latency.policy import Policy, PolicyOptions


__all__ = ["TraceMiddleware"]

_CONVERSATIONS: Final[dict[str, type[HttpConversation | WebSocketConversation]]] = {
    "http": HttpConversation,
    "websocket": WebSocketConversation,
}
_log = logging.getLogger("tracelog.internal")
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
            `tracelog.otel.active_trace`: it is used, in place of one of our own. If it raises,
            that is said once, to `tracelog.internal`, and the request goes on.
        watch: How the event loop is watched: "exact", "sampled" (see `tracelog.watch_loop`), or
            None if it isn't.
        clock: For tests.
        policy: From when on an utterance is late, and which get a line: `late_ms`, `budgets` and
            so on, see `tracelog.latency.policy.PolicyOptions`.

    Raises:
        ConfigError: If *trace_from*, *watch* or one of *policy* makes no sense.
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
        check_watch(watch)
        trace_from = None if trace_from is None else _guarded(trace_from)
        self._options = Options(Policy.of(policy), access_log, trace_from, clock)
        self._watch = watch
        if access_log:
            for logger in _servers_access:
                logger.addFilter(_has_no_line_of_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI asks."""
        watch_if_wanted(self._watch, self._options.clock)
        conversation = _CONVERSATIONS.get(scope["type"])
        if conversation is None:
            try:
                await self.app(scope, receive, send)
            finally:
                finish_watch()  # after a lifespan, a server ends by the signal that it was sent
            return

        outside = current_context()
        await conversation(self.app, self._options, scope, receive, send).run()
        # Not if that raised: what is around us in the application may log it, too.
        inside = current_context()
        leave_tail(inside)
        watch = watch_of_running_loop(self._options.clock)
        if watch is not None and inside.ledger is not None:
            # What went on after the answer, background tasks say, held the loop for this request.
            watch.steps.leave(inside, watch.steps.clock())
        enter_context(outside)


def _guarded(trace_from: Any) -> Callable[[], TraceContext | None]:
    if not callable(trace_from):
        text = f"expected a function, got {trace_from!r}"
        raise ConfigError("trace_from", text, hint="trace_from=tracelog.otel.active_trace")

    told = False

    def ask() -> TraceContext | None:
        nonlocal told
        try:
            return read_parent(trace_from())
        except Exception:  # noqa: BLE001 -- somebody else's tracing may raise anything
            if not told:
                told = True
                _log.exception("trace_from %r failed; requests go on in traces of ours", trace_from)
            return None

    return ask


def _has_no_line_of_ours(record: logging.LogRecord) -> bool:
    """Pass an access line of uvicorn's unless its request has one of ours."""
    return of_line(record.name).trace is None
