"""`carry`: the context of here and now, for a function that runs elsewhere or later.

Threads, executors, callbacks and finalizers run in a copy of it. Another process has it as ids: a
carried function pickles, and is in the same trace wherever it is unpickled, whatever that process
has inherited.
"""

from __future__ import annotations

import inspect
import pickle
import sys
import types
from collections.abc import Callable, Coroutine, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context as Variables
from contextvars import copy_context
from functools import update_wrapper
from typing import Any, ParamSpec, TypeVar

from tracelog.context import Connection, Context, enter_context, snapshot
from tracelog.headers import extract, inject


__all__ = ["ContextThreadPoolExecutor", "carry"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def carry(func: Callable[_P, _R], /) -> Callable[_P, _R]:
    """Make a function that runs *func* in a copy of the context of now.

    A fresh copy for each call: it may be called often, by several threads at once, and what *func*
    binds stays with that call. So does what a carried coroutine function binds, whoever awaits it.
    A generator runs in the context of whoever iterates it.

    >>> from tracelog.context import bind_context, clear_context, get_context
    >>> bind_context(user="kim")
    >>> later = carry(get_context)
    >>> clear_context()
    >>> later()["user"]
    'kim'

    It pickles if *func* does, for a process pool or `multiprocessing`: with the trace, the
    connection's id, and the bound values that pickle.
    """
    if not callable(func):
        raise TypeError(
            f"expected a function, got {func!r}\n  Try: tracelog.carry(work), without calling it"
        )

    carried: Callable[_P, _R] = _carry(func, copy_context())
    return carried


def _carry(func: Callable[..., Any], variables: Variables) -> Callable[..., Any]:
    # A carried coroutine function is no function either: its class tells.
    asks = inspect.iscoroutinefunction
    is_coroutine = asks(func) or asks(type(func).__call__)
    return (_CarriedCoroutine if is_coroutine else _Carried)(func, variables)


class _Carried:
    """A function and the context variables it runs with."""

    def __init__(self, func: Callable[..., Any], variables: Variables) -> None:
        update_wrapper(self, func)
        self._func = func
        self._variables = variables

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._variables.copy().run(self._func, *args, **kwargs)

    def __reduce__(self) -> Any:
        return _revive, (self._func, *self._variables.copy().run(_explicit))

    def __repr__(self) -> str:
        return f"tracelog.carry({self._func!r})"


# Before 3.12 a callable object can't say it; frameworks look at its `__call__`, too.
_mark_coroutine: Callable[[Any], Any] = getattr(inspect, "markcoroutinefunction", bool)


class _CarriedCoroutine(_Carried):
    """The same for a coroutine function: its body is carried, not only its call."""

    def __init__(self, func: Callable[..., Any], variables: Variables) -> None:
        super().__init__(func, variables)
        _mark_coroutine(self)

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        variables = self._variables.copy()
        return await _steps(variables.run(self._func, *args, **kwargs), variables)


@types.coroutine
def _steps(coroutine: Coroutine[Any, Any, Any], variables: Variables) -> Generator[Any, Any, Any]:
    """Do what `await` does, each step with *variables*: the task's own are its own in between."""
    step, given = coroutine.send, None
    while True:
        try:
            awaited = variables.run(step, given)
        except StopIteration as end:
            return end.value
        try:
            step, given = coroutine.send, (yield awaited)
        except BaseException as error:  # noqa: BLE001 -- whatever was thrown is passed on
            step, given = coroutine.throw, error


def _explicit() -> tuple[dict[str, str], str | None, dict[str, bytes]]:
    """Tell the current context in a form that every process can read."""
    context = snapshot()
    return dict(inject()), context.connection_id, dict(_pickled(context.bound))


def _pickled(bound: Mapping[str, Any]) -> Generator[tuple[str, bytes], None, None]:
    """Pickle each value by itself: one that fails, here or there, takes no other with it."""
    for key, value in bound.items():
        try:
            yield key, pickle.dumps(value)
        except Exception:  # noqa: BLE001, S112 -- a value's own code may raise anything
            continue


def _unpickled(bound: Mapping[str, bytes]) -> Generator[tuple[str, Any], None, None]:
    for key, value in bound.items():
        try:
            yield key, pickle.loads(value)  # noqa: S301 -- within what pickle is reading already
        except Exception:  # noqa: BLE001, S112 -- the same
            continue


def _revive(
    func: Callable[..., Any],
    headers: dict[str, str],
    connection_id: str | None,
    bound: dict[str, bytes],
) -> Callable[..., Any]:
    """Carry *func* in another process."""
    # What others keep in variables of their own may have been set up for this process.
    variables = copy_context()
    connection = Connection(connection_id) if connection_id else None
    variables.run(_enter, Context.make(dict(_unpickled(bound)), extract(headers), connection))
    return _carry(func, variables)


def _enter(context: Context) -> None:
    """Put the current task into *context*, and out of what a fork has left of structlog's."""
    # Asked for by name: another thread may be in the middle of loading it.
    clear = getattr(sys.modules.get("structlog.contextvars"), "clear_contextvars", None)
    if clear is not None:
        clear()
    enter_context(context)


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose threads work in the context of whoever gave them the work.

    As an event loop's default executor, `loop.set_default_executor(ContextThreadPoolExecutor())`,
    it does so for every `loop.run_in_executor(None, ...)`.
    """

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]:
        """Have *fn* called in a thread, in a copy of the context of now; `map` does the same."""
        submit: Callable[..., Future[_R]] = super().submit
        return submit(copy_context().run, fn, *args, **kwargs)
