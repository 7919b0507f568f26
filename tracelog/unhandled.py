"""What asyncio reports about a task or a connection, reported in that one's own context.

asyncio calls its exception handler wherever it notices: "Task exception was never retrieved" in the
context of whoever made the garbage collector run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context as VarContext
from contextvars import copy_context
from functools import wraps
from typing import Any, Final

from tracelog.connections import context_of_protocol
from tracelog.context import Context, enter_context
from tracelog.loops import variables_of
from tracelog.patches import Target


__all__ = ["TARGETS"]

_NOBODY: Final = Context.make({}, None, None)


def _wrap_call_exception_handler(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def call_exception_handler(self: Any, context: dict[str, Any]) -> Any:
        return _context_for(context).run(original, self, context)

    return call_exception_handler


def _context_for(report: dict[str, Any]) -> VarContext:
    """Tell where to report: a copy, for the original may be running."""
    context = context_of_protocol(report.get("protocol"))
    things = [report[key] for key in ("task", "future", "handle") if key in report]
    for thing in things:
        # A future has no context; those of its callbacks are others'.
        context = context or (None if _is_bare_future(thing) else variables_of(thing))
    if context is not None:
        return context.copy()

    current = copy_context()
    if things:  # a future that somebody made, somewhere: not the one who is collecting it
        current.run(enter_context, _NOBODY)
    return current


def _is_bare_future(thing: Any) -> bool:
    return asyncio.isfuture(thing) and not isinstance(thing, asyncio.Task)


TARGETS: Final = tuple(
    Target(
        module,
        name,
        {"call_exception_handler": 1},
        {"call_exception_handler": _wrap_call_exception_handler},
    )
    for module, name in (("asyncio.base_events", "BaseEventLoop"), ("uvloop", "Loop"))
)
