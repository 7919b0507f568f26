"""What the current task is about: its trace, its connection, and what was bound to it.

ONE ContextVar holds one immutable `Context`. Binding replaces it, so a task that inherited the old
one keeps it; the event path reads one attribute. Restored by value, never by token: a token fails
in a generator that is closed elsewhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, Final, ParamSpec, TypeAlias, TypeVar

from tracelog.decorating import decorate
from tracelog.fields import CONNECTION_ID, LEADING, SPAN_ID, TRACE_ID, name_beside
from tracelog.ids import TraceContext, read_parent
from tracelog.redact import REDACTOR


__all__ = [
    "CURRENT",
    "Connection",
    "Context",
    "bind_context",
    "bound_context",
    "clear_context",
    "current_context",
    "current_trace",
    "enter_context",
    "get_context",
    "new_trace",
    "snapshot",
    "unbind_context",
]

_passes = REDACTOR.passes
_RESERVED: Final = frozenset(LEADING) - {TRACE_ID}
_NOTHING: Final = dict.fromkeys(LEADING)

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(slots=True, eq=False, weakref_slot=True)
class Connection:
    """One client connection: HTTP keep-alive or WebSocket.

    Attributes:
        id: Its `connection_id`.
        trace: A WebSocket's own trace, which began with its handshake.
        protocol: Gives the server's protocol, if that has a context of its own and is still there.
        bound: What a WebSocket's handler has bound; None if that is nothing.
    """

    id: str
    trace: TraceContext | None = None
    protocol: Callable[[], Any] | None = None
    bound: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, init=False)
class Context:
    """Everything that records made in one place carry.

    Attributes:
        bound: What `bind_context` was given.
        trace: The W3C trace, if there is one.
        connection: The client connection, if there is one.
        fields: All of these as a line shows them, ids first. Never mutated.
        ledger: To whose time what runs here is charged (`tracelog.latency.ledger`), if to any.
        begun: What `begin` has made; None before its first line.
    """

    bound: Mapping[str, Any]
    trace: TraceContext | None
    connection: Connection | None
    fields: dict[str, Any]
    ledger: Any = None
    begun: dict[str, Any] | None = field(default=None, compare=False, repr=False)

    # One is made for every utterance: what a frozen dataclass has takes three times as long.
    def __init__(
        self,
        bound: Mapping[str, Any],
        trace: TraceContext | None,
        connection: Connection | None,
        fields: dict[str, Any],
        ledger: Any = None,
        begun: dict[str, Any] | None = None,
    ) -> None:
        _set_bound(self, bound)
        _set_trace(self, trace)
        _set_connection(self, connection)
        _set_fields(self, fields)
        _set_ledger(self, ledger)
        _set_begun(self, begun)

    @classmethod
    def make(
        cls,
        bound: Mapping[str, Any],
        trace: TraceContext | None,
        connection: Connection | None,
        ledger: Any = None,
    ) -> Context:
        """Decide here, once, what every record of this context will show."""
        fields: dict[str, Any] = {TRACE_ID: trace.trace_id if trace else None}
        if trace:
            fields[SPAN_ID] = trace.span_id
        if connection:
            fields[CONNECTION_ID] = connection.id
        if _RESERVED.isdisjoint(bound):
            fields.update(bound)  # a caller's own trace_id is shown
        else:  # the other leading keys belong to the record
            for key, value in bound.items():
                fields[name_beside(key, bound) if key in _RESERVED else key] = value
        return cls(bound, trace, connection, fields, ledger)

    def begin(self) -> dict[str, Any] | None:
        """Begin a line, as far as it is known without its own values, and keep that.

        None if it has to be walked, because not all of `bound` are scalars without a secret.
        Thousands of idle connections have contexts without a line: hence not at once.
        """
        if not _passes(self.bound, ""):
            return None

        begun = {**_NOTHING, **self.fields}
        _set_begun(self, begun)
        return begun

    @property
    def connection_id(self) -> str | None:
        """The connection's id, if there is one."""
        return self.connection.id if self.connection else None

    def with_trace(self, trace: TraceContext, ledger: Any) -> Context:
        """Make the same context in another trace, its time charged to *ledger*."""
        if self.trace is None or TRACE_ID in self.bound:
            return Context.make(self.bound, trace, self.connection, ledger)

        # Nearly all of what `make` decides is decided.
        ids = {TRACE_ID: trace.trace_id, SPAN_ID: trace.span_id}
        begun = None if self.begun is None else {**self.begun, **ids}
        fields = {**self.fields, **ids}
        return Context(self.bound, trace, self.connection, fields, ledger, begun)

    def with_bound(self, bound: Mapping[str, Any]) -> Context:
        """Make the same context with other bound values."""
        return Context.make(bound, self.trace, self.connection, self.ledger)


_set_bound, _set_trace, _set_connection, _set_fields, _set_ledger, _set_begun = (
    vars(Context)[name].__set__ for name in Context.__match_args__
)
_EMPTY = Context.make({}, None, None)
_current: ContextVar[Context] = ContextVar("tracelog", default=_EMPTY)
CURRENT: Final = _current  # for whoever looks into other tasks' `contextvars.Context`
# What the current task is about. No functions around these: every line asks.
current_context: Callable[[], Context] = _current.get
# Puts the current task, from here on, into another one.
enter_context: Callable[[Context], object] = _current.set
_get = _current.get
_module = sys.modules.get


def snapshot() -> Context:
    """Tell what a record made now carries, with what others bound through structlog."""
    structlog_contextvars: Any = _module("structlog.contextvars")
    # The var per key that structlog keeps is costly to read: only if anything was ever bound.
    # (Another thread may be importing it just now.)
    if not getattr(structlog_contextvars, "_CONTEXT_VARS", None):
        return _get()

    ours = _get()
    theirs = structlog_contextvars.get_contextvars()
    if ours.trace:
        theirs.pop(TRACE_ID, None)
    return ours.with_bound({**theirs, **ours.bound}) if theirs else ours


def bind_context(**values: Any) -> None:
    """Add *values* to every record that the current task makes from now on.

    Tasks started later inherit them; tasks already running never see them. `trace_id`, a caller's
    own id, is shown in place of the W3C one, which is still the one that is propagated.

    >>> bind_context(user="kim")
    >>> get_context()["user"]
    'kim'
    """
    context = _get()
    _current.set(context.with_bound({**context.bound, **values}))


def unbind_context(*keys: str) -> None:
    """Take *keys* out of the current task's context; a key that isn't there is no error."""
    context = _get()
    _current.set(context.with_bound({k: v for k, v in context.bound.items() if k not in keys}))


def clear_context() -> None:
    """Take out everything that was bound. The trace and the connection stay: nobody bound them."""
    _current.set(_get().with_bound({}))


def get_context() -> Mapping[str, Any]:
    """Tell, read-only, what records made now carry.

    >>> clear_context()
    >>> dict(get_context())
    {}
    """
    fields = snapshot().fields
    if fields[TRACE_ID] is not None:
        return MappingProxyType(fields)

    return MappingProxyType({k: v for k, v in fields.items() if k != TRACE_ID})


def current_trace() -> TraceContext | None:
    """Tell the current trace, under its current span."""
    return _get().trace


def new_trace(parent: TraceContext | str | bytes | None = None) -> TraceContext:
    """Begin a trace here, or continue *parent*'s, for the current task and those it starts later.

    What the task was in before is never adopted: a context can leak from one request into the next
    (https://github.com/python/cpython/issues/140947).

    Args:
        parent: The caller's trace, as a `TraceContext` or as its `traceparent` header, a text or
            bytes. What isn't valid begins a new trace, as W3C Trace Context asks.
    """
    caller = read_parent(parent)
    trace = caller.child() if caller else TraceContext.new()
    context = _get()
    bound = {key: value for key, value in context.bound.items() if key != TRACE_ID}
    _current.set(Context.make(bound, trace, context.connection, context.ledger))
    return trace


class bound_context:  # noqa: N801 -- used like a function, as `contextlib.suppress` is
    """Bind *values* for a `with` block, or for each call of a decorated function.

    Sync and async functions and generators can be decorated. A generator's values are bound while
    it runs, not while it waits for whoever iterates it.

    >>> with bound_context(room="lobby"):
    ...     get_context()["room"]
    'lobby'
    >>> "room" in get_context()
    False
    """

    def __init__(self, **values: Any) -> None:
        self._values = values

    def __enter__(self) -> None:
        context = _get()
        _entered.set((*_entered.get(), (self, context.bound)))
        _current.set(context.with_bound({**context.bound, **self._values}))

    def __exit__(self, *exc_info: object) -> None:
        entries = _entered.get()
        for place in reversed(range(len(entries))):
            block, outer = entries[place]
            if block is self:
                break
        else:  # entered by another task, which closed a generator of its own here
            return

        # Its own keys only: what was bound to others meanwhile stays.
        _entered.set(entries[:place] + entries[place + 1 :])
        context = _get()
        _current.set(context.with_bound(_exchanged(context.bound, outer, self._values)))

    def __call__(self, func: Callable[_P, _R], /) -> Callable[_P, _R]:
        """Decorate *func*."""
        block = partial(bound_context, **self._values)
        return decorate(func, block, lambda: nullcontext(block))


_Entry: TypeAlias = tuple[bound_context, Mapping[str, Any]]
# The blocks that this context is in, each with what was bound outside of it. Here, and not on the
# block, so that nothing of an entry is left once its context has gone.
_entered: ContextVar[tuple[_Entry, ...]] = ContextVar("tracelog.bound_context", default=())


def _exchanged(
    bound: Mapping[str, Any], outer: Mapping[str, Any], keys: Collection[str]
) -> dict[str, Any]:
    """Give *keys* the values they have in *outer*, or none."""
    kept = {key: value for key, value in bound.items() if key not in keys}
    return {**kept, **{key: outer[key] for key in keys if key in outer}}
