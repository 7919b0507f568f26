"""What asyncio knows, without loading it to ask."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable
from contextvars import Context
from itertools import islice
from typing import Any, Final


__all__ = [
    "awaited_that_waits_for",
    "coroutine_of",
    "in_trio",
    "on_loop",
    "running_task",
    "variables_of",
    "waiter_of",
    "waits_for",
    "waits_for_tasks",
]

_FEW: Final = 64


def on_loop() -> bool:
    """Tell whether the caller would hold up an event loop by taking its time."""
    asyncio = sys.modules.get("asyncio")  # nobody runs a loop who hasn't loaded it
    running = getattr(asyncio, "_get_running_loop", None)  # another thread may be loading it
    return running is not None and running() is not None


def running_task() -> Any:
    """Tell the asyncio task that the caller is in; None outside of tasks."""
    return sys.modules["asyncio"].current_task() if on_loop() else None


def in_trio() -> bool:
    """Tell whether the caller is in a task of trio's, which asyncio's loop may have as a guest."""
    lowlevel = getattr(sys.modules.get("trio"), "lowlevel", None)  # nobody is who hasn't loaded it
    try:
        return lowlevel is not None and lowlevel.current_task() is not None
    except RuntimeError:
        return False


def waits_for(waiter: Any, task: Any) -> bool:
    """Tell whether the task *waiter* is waiting for *task*.

    By itself, or in `gather`, `wait`, `shield`, or `wait_for`, which makes a task of its own before
    Python 3.12.
    """
    future = getattr(waiter, "_fut_waiter", None)
    return future is not None and (
        future is task
        or any(each is future for callback in _callbacks_of(task) for each in _kept_by(callback))
    )


def waits_for_tasks(waiter: Any) -> bool:
    """Tell whether the task *waiter* is waiting for another one, or for all of a `gather`."""
    future = getattr(waiter, "_fut_waiter", None)
    return hasattr(future, "get_coro") or hasattr(future, "_children")


def awaited_that_waits_for(waiter: Any, futures: Iterable[Any]) -> Any:
    """Find the task that waits for one of *futures*, of those that *waiter* gathers or shields.

    Only the first few are looked at, of however many there are.
    """
    awaited = {id(each) for each in futures}
    future = getattr(waiter, "_fut_waiter", None)
    kept = (each for callback in _callbacks_of(future) for each in _kept_by(callback))
    few = islice(getattr(future, "_children", kept), _FEW)
    return next((each for each in few if id(getattr(each, "_fut_waiter", None)) in awaited), None)


def coroutine_of(task: Any) -> Any:
    """Give a task's coroutine; None if it is no task, or was over as soon as it began."""
    get_coro = getattr(task, "get_coro", None)
    # Looked at first: CPython 3.12.1 crashes when it is asked for a coroutine that isn't there.
    if get_coro is None or getattr(task, "_coro", task) is None:
        return None

    return get_coro()


def waiter_of(task: Any) -> Any:
    """Tell a task that is waiting for *task*, likewise; None if there is none."""
    for callback in _callbacks_of(task):
        inner = [each for future in _kept_by(callback) for each in _callbacks_of(future)]
        for each in (callback, *inner):
            owner = getattr(each, "__self__", None)
            if hasattr(owner, "get_coro"):
                return owner

    return None


def _callbacks_of(future: Any) -> list[Any]:
    if not hasattr(type(future), "_asyncio_future_blocking"):  # as `asyncio.isfuture` does
        return []

    return [callback for callback, _ in getattr(future, "_callbacks", None) or ()]


def _kept_by(callback: Any) -> tuple[Any, ...]:
    """List what a callback has: `wait_for` keeps its future in an argument, others in a closure."""
    cells = getattr(callback, "__closure__", None) or ()
    return (*getattr(callback, "args", ()), *gc.get_referents(*cells))


def variables_of(thing: Any) -> Context | None:
    """Tell the context of a task or a handle, if it has one that can be seen."""
    get_context = getattr(thing, "get_context", None)  # since Python 3.12
    context = get_context() if get_context is not None else getattr(thing, "_context", None)
    if context is None:  # compiled, before Python 3.12: it shows its own first, to the collector
        context = next((o for o in gc.get_referents(thing) if isinstance(o, Context)), None)
    return context if isinstance(context, Context) else None
