"""Whose a line is: which trace and connection caused it, where the current context doesn't tell.

In this order: the stamp on the line's exception; the current context; for the loggers of servers,
the request that just ended in this task; then the connection. A server logs an exception, or the
access, after the middleware has restored what was there before; a protocol's callback runs in no
task at all.
"""

from __future__ import annotations

from typing import Any, Final
from weakref import WeakKeyDictionary

from tracelog.context import Context, snapshot
from tracelog.loops import running_task


__all__ = ["is_servers", "leave_tail", "of_exception", "of_line", "stamp"]

_STAMP: Final = "__tracelog_context__"
_SERVERS: Final = frozenset(
    {"_granian", "aiohttp", "granian", "gunicorn", "hypercorn", "uvicorn", "websockets"}
)

# What a task has just been about. It goes with the task: nobody else can mistake it for theirs.
_tails: WeakKeyDictionary[Any, Context] = WeakKeyDictionary()


def is_servers(logger: str) -> bool:
    """Tell whether *logger* is one of a server's own."""
    return logger.partition(".")[0] in _SERVERS


class _Stamp:
    """A context, on an exception; in another process there is nothing of it."""

    __slots__ = ("context",)

    def __init__(self, context: Context) -> None:
        self.context = context

    def __reduce__(self) -> Any:
        return type(None), ()


def stamp(error: BaseException) -> None:
    """Note on *error*, which is about to leave a request, what the request was about."""
    error.__dict__[_STAMP] = _Stamp(snapshot())


def leave_tail(context: Context) -> None:
    """Note that *context*, which the current task is about to leave, may get a few more lines."""
    task = running_task()
    if task is not None:
        _tails[task] = context


def of_exception(error: BaseException | None, current: Context) -> Context:
    """Tell whose a line about *error* is, made in *current*."""
    if error is None:
        return current

    found = _stamped(error)
    if current.trace is None:
        found = found or _stamped(error.__cause__ or error.__context__)
    elif found and current.connection and found.connection is not current.connection:
        found = None  # one exception, raised for several: a pool's, of a connection that failed
    return found or current


def _stamped(error: BaseException | None) -> Context | None:
    found = error and error.__dict__.get(_STAMP)
    return found.context if isinstance(found, _Stamp) else None


def of_line(logger: str) -> Context:
    """Tell whose a line of *logger* is, made now."""
    current = snapshot()
    if current.trace is not None or not is_servers(logger):
        return current

    task = running_task()
    tail = _tails.get(task) if task is not None else None
    if tail is not None:
        return tail

    connection = current.connection
    if connection is None or connection.trace is None:
        return current

    return Context.make(current.bound, connection.trace, connection)
