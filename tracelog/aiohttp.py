"""aiohttp: a trace for every request that its server gets and for every one that its client makes.

>>> from aiohttp import web
>>> app = web.Application(middlewares=[trace_middleware])

>>> async def main():
...     async with aiohttp.ClientSession(trace_configs=[make_trace_config()]) as session:
...         await session.get("https://example.org/")

A client's line, `call`, is at DEBUG on the logger `tracelog.aiohttp`; it shows neither passwords
nor query. Its duration ends with the response's headers, those after redirects.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import TypeAlias, Unpack

from tracelog.calls import Call
from tracelog.connections import base_of
from tracelog.context import Context, enter_context
from tracelog.extras import extra
from tracelog.headers import extract, extract_request_id
from tracelog.ids import TraceContext
from tracelog.latency.arrival import make_socket_wait
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.loop import Mode, check_watch, watch_if_wanted
from tracelog.latency.policy import Policy, PolicyOptions
from tracelog.latency.request import conclude_request
from tracelog.latency.utterance import Arrival, Utterance


with extra("aiohttp"):
    import aiohttp
    from aiohttp import web


__all__ = ["make_trace_config", "make_trace_middleware", "trace_middleware"]

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware: TypeAlias = Callable[[web.Request, Handler], Awaitable[web.StreamResponse]]

_log = logging.getLogger("tracelog.aiohttp")


def make_trace_middleware(
    *,
    access_log: bool = True,
    watch: Mode | None = "exact",
    clock: Clock = SYSTEM_CLOCK,
    **policy: Unpack[PolicyOptions],
) -> Middleware:
    """Build a middleware that gives every request a trace of its own, and its verdict.

    A caller's `traceparent` is continued; ours, and `x-request-id`, are answered, unless the
    handler has begun the response itself, as streams and WebSockets do. A WebSocket's lines carry
    the trace of its handshake. Put it first: what is before it, it doesn't see.

    Args:
        access_log: Write a line for each request, with its duration.
        watch: How the event loop is watched: "exact", "sampled" (see `tracelog.watch_loop`), or
            None if it isn't.
        clock: For tests.
        policy: From when on a request is late, and which get a line: `late_ms`, `budgets` and so
            on, see `tracelog.latency.policy.PolicyOptions`.

    Raises:
        ConfigError: If *watch* or one of *policy* makes no sense.
    """
    check_watch(watch)
    options = _Options(Policy.of(policy), access_log, clock)

    @web.middleware
    async def trace_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        watch_if_wanted(watch, clock)
        exchange = _Exchange(request, options)
        exchange.enter()
        try:
            response = await handler(request)
        except BaseException as error:
            exchange.end(error)
            raise

        exchange.end(response)
        return response

    return trace_middleware


@dataclass(frozen=True, slots=True)
class _Options:
    policy: Policy
    access_log: bool
    clock: Clock


class _Exchange:
    """One request: one utterance, which ends when its response is out."""

    def __init__(self, request: web.Request, options: _Options) -> None:
        self._request = request
        self._options = options
        self._transport = transport = request.transport
        clock = options.clock
        arrival = Arrival.now(clock, make_socket_wait(transport))
        self._utterance = Utterance(
            *(1, "http", f"{request.method} {request.path}", arrival),
            policy=options.policy,
            clock=clock,
            about={"method": request.method, "path": request.path},
        )
        self._request_id = extract_request_id(request.headers)
        parent = extract(request.headers)
        self._trace = parent.child() if parent else TraceContext.new()

    def enter(self) -> None:
        bound, connection = base_of(self._transport)
        if self._request_id:
            bound = {**bound, "request_id": self._request_id}
        # Fresh, whatever was there: a context can leak from one request into the next.
        context = Context.make(bound, self._trace, connection, self._utterance.ledger)
        self._utterance.context = context
        enter_context(context)

    def end(self, result: object) -> None:
        """Answer the trace; the lines come when the response, or the error, has been sent."""
        if isinstance(result, web.StreamResponse) and not result.prepared:
            result.headers.setdefault("traceparent", str(self._trace))
            result.headers.setdefault("x-request-id", self._request_id or self._trace.trace_id)
        task = asyncio.current_task()
        if task is not None and not self._is_websocket(result):
            # The server sends it in this same task, which is the request's own: nothing is to be
            # restored when it ends, and its lines about it carry the trace.
            task.add_done_callback(partial(self._write, _status_of(result), self._client()))

    def _is_websocket(self, result: object) -> bool:
        if isinstance(result, web.StreamResponse):
            return isinstance(result, web.WebSocketResponse)

        return self._request.headers.get("upgrade", "").lower() == "websocket"

    def _client(self) -> str:
        transport = self._transport
        peer = transport.get_extra_info("peername") if transport is not None else None
        return ":".join(map(str, peer[:2])) if isinstance(peer, tuple) else ""

    def _write(self, status: int, client: str | None, _task: object) -> None:
        client = client if self._options.access_log else None
        conclude_request(self._utterance, status, client=client)


trace_middleware = make_trace_middleware()


def _status_of(result: object) -> int:
    if isinstance(result, web.StreamResponse):
        return result.status

    return 504 if isinstance(result, TimeoutError) else 500  # as the server is going to answer


def make_trace_config(*, clock: Clock = SYSTEM_CLOCK) -> aiohttp.TraceConfig:
    """Build what lets a `ClientSession` send `traceparent` and `tracestate` with each request.

    Each request is a span of its own in the current trace. A `traceparent` that the caller has set
    stays as it is. Outside of a trace nothing is added.

    Args:
        clock: For tests.
    """

    async def begin(
        _session: aiohttp.ClientSession,
        request: SimpleNamespace,
        params: aiohttp.TraceRequestStartParams,
    ) -> None:
        request.call = Call.begin(params.method, params.url, params.headers, clock)

    config = aiohttp.TraceConfig()
    config.on_request_start.append(begin)
    config.on_request_end.append(_end_call)
    config.on_request_exception.append(_fail_call)
    return config


async def _end_call(
    _session: aiohttp.ClientSession,
    request: SimpleNamespace,
    params: aiohttp.TraceRequestEndParams,
) -> None:
    request.call.end(_log, status=params.response.status)


async def _fail_call(
    _session: aiohttp.ClientSession,
    request: SimpleNamespace,
    params: aiohttp.TraceRequestExceptionParams,
) -> None:
    request.call.end(_log, error=params.exception)
