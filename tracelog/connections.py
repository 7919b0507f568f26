"""Server connections: an id and a `contextvars.Context` for each, in which its protocol runs.

A protocol's callbacks run in whatever context its reader was registered in: the listener's, or,
since a task that resumes reading registers it anew, the last request's
(https://github.com/python/cpython/issues/140947). Here they run in their connection's own: a copy
of what was there when the client connected, with the connection's id.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import Context as VarContext
from contextvars import copy_context
from dataclasses import dataclass
from functools import wraps
from typing import Any, Final
from weakref import WeakKeyDictionary, ref

from tracelog.context import Connection, Context, current_context, enter_context
from tracelog.ids import make_connection_id
from tracelog.patches import Target


__all__ = ["TARGETS", "base_of", "context_of_protocol", "context_of_transport"]

_ATTRIBUTE: Final = "_tracelog"  # of a protocol: its `_Base`


@dataclass(frozen=True, slots=True)
class _Base:
    """What everything on a connection begins with.

    Attributes:
        variables: What the protocol's callbacks run in copies of.
        bound: What was bound when the client connected.
        connection: The connection.
    """

    variables: VarContext
    bound: Mapping[str, Any]
    connection: Connection


def context_of_protocol(protocol: Any) -> VarContext | None:
    """Tell the context that *protocol*'s callbacks run in, if it is one of its own."""
    base = getattr(protocol, _ATTRIBUTE, None)
    return None if base is None else base.variables


# Where the server's protocols have no context of their own, the requests of one connection share
# its id all the same, for as long as the server keeps it open.
_others: WeakKeyDictionary[Any, Connection] = WeakKeyDictionary()


def base_of(transport: Any) -> tuple[Mapping[str, Any], Connection]:
    """Tell what is bound to begin with on *transport*, nothing leaked, and its connection."""
    base = _base_of_transport(transport)
    if base is not None:
        return base.bound, base.connection

    # Somebody in between hides the transport. What began in a callback of a protocol that has a
    # context of its own can't have leaked from another connection.
    current = current_context()
    if current.connection is not None and current.connection.protocol is not None:
        return current.bound, current.connection

    connection = Connection(make_connection_id())
    with suppress(TypeError):  # the server shows no transport
        connection = _others.setdefault(transport, connection)
    return {}, connection


def context_of_transport(transport: Any) -> Context | None:
    """Tell who is at the other end of one of asyncio's transports, as far as that is known here."""
    get_protocol = getattr(transport, "get_protocol", None)
    protocol = None if get_protocol is None else get_protocol()
    app = getattr(protocol, "_app_protocol", protocol)  # behind the one that speaks TLS
    base = getattr(app, _ATTRIBUTE, None)
    connection = None if base is None else base.connection
    with suppress(TypeError):  # of somebody's own kind, which can't be looked up
        connection = connection or _others.get(transport)
    if connection is None:
        return None

    bound = connection.bound or ({} if base is None else base.bound)
    return Context.make(bound, connection.trace, connection)


def _base_of_transport(transport: Any) -> _Base | None:
    get_protocol = getattr(transport, "get_protocol", None)
    return None if get_protocol is None else getattr(get_protocol(), _ATTRIBUTE, None)


def _begin(protocol: Any, transport: Any) -> VarContext:
    """Give *protocol* its context: a new one, or, after an upgrade, that of the one before."""
    base = _base_of_transport(transport) or _new_base()
    base.connection.protocol = ref(protocol)
    setattr(protocol, _ATTRIBUTE, base)
    return base.variables


def _new_base() -> _Base:
    # A copy, never an empty one: the application may have set variables before it served.
    variables = copy_context()
    bound = current_context().bound
    connection = Connection(make_connection_id())
    variables.run(enter_context, Context.make(bound, None, connection))
    return _Base(variables, bound, connection)


def _wrap_connection_made(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def connection_made(self: Any, transport: Any) -> Any:
        return _begin(self, transport).copy().run(original, self, transport)

    return connection_made


def _wrap_callback(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def callback(self: Any, *args: Any) -> Any:
        variables = context_of_protocol(self)
        if variables is None:  # connected before we were there
            return original(self, *args)

        # In a copy: nothing leaks into the next, and one callback may come from within another.
        return variables.copy().run(original, self, *args)

    return callback


_REQUIRED: Final = {"connection_made": 1, "data_received": 1, "connection_lost": 1}
_WRAPS: Final = {
    "connection_made": _wrap_connection_made,
    **dict.fromkeys(
        (
            # asyncio.Protocol's
            *("connection_lost", "data_received", "eof_received"),
            *("pause_writing", "resume_writing"),
            # Timers, and what a request's task calls at its end
            *("keepalive_timeout", "on_response_complete", "send_keepalive_ping"),
            *("shutdown", "timeout_keep_alive_handler"),
        ),
        _wrap_callback,
    ),
}

TARGETS: Final = tuple(
    Target(module, name, _REQUIRED, _WRAPS)
    for module, name in (
        ("uvicorn.protocols.http.h11_impl", "H11Protocol"),
        ("uvicorn.protocols.http.httptools_impl", "HttpToolsProtocol"),
        ("uvicorn.protocols.websockets.websockets_impl", "WebSocketProtocol"),
        ("uvicorn.protocols.websockets.websockets_sansio_impl", "WebSocketsSansIOProtocol"),
        ("uvicorn.protocols.websockets.wsproto_impl", "WSProtocol"),
        ("websockets.asyncio.server", "ServerConnection"),
    )
)
