"""What asyncio knows, without loading it to ask."""

from __future__ import annotations

import gc
import sys
from contextvars import Context
from typing import Any


__all__ = ["is_made_for", "on_loop", "running_task", "variables_of"]


def on_loop() -> bool:
    """Tell whether the caller would hold up an event loop by taking its time."""
    asyncio = sys.modules.get("asyncio")  # nobody runs a loop who hasn't loaded it
    running = getattr(asyncio, "_get_running_loop", None)  # another thread may be loading it
    return running is not None and running() is not None


def running_task() -> Any:
    """Tell the asyncio task that the caller is in; None outside of tasks."""
    return sys.modules["asyncio"].current_task() if on_loop() else None


def is_made_for(waiter: Any) -> bool:
    """Tell whether the current task is one that `asyncio.wait_for` has made for the task *waiter*.

    Before Python 3.12 it makes one for each coroutine: what that binds doesn't reach the waiter.
    """
    task = running_task()
    if task is None or task is waiter:
        return False

    release = sys.modules["asyncio"].tasks._release_waiter  # noqa: SLF001 -- asyncio's own callback
    waits_for = getattr(waiter, "_fut_waiter", None)
    callbacks = getattr(task, "_callbacks", None) or ()
    return any(
        getattr(callback, "func", None) is release and waits_for in callback.args
        for callback, _ in callbacks
    )


def variables_of(thing: Any) -> Context | None:
    """Tell the context of a task or a handle, if it has one that can be seen."""
    get_context = getattr(thing, "get_context", None)  # since Python 3.12
    context = get_context() if get_context is not None else getattr(thing, "_context", None)
    if context is None:  # compiled, before Python 3.12: it shows its own first, to the collector
        context = next((o for o in gc.get_referents(thing) if isinstance(o, Context)), None)
    return context if isinstance(context, Context) else None
