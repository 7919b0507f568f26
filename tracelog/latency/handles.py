# ruff: noqa: SLF001 -- asyncio's handles have nothing but private parts
"""asyncio's handles, which tell of the step that they are: three kinds, by when they were ready.

Classes of their own for each loop; asyncio's own stay as they are. This is every step's way: what
isn't needed for each of them is elsewhere. And no frame in here keeps its handle: the traceback of
what a task has raised keeps the frame, and the handle keeps the task.
"""

from __future__ import annotations

from asyncio import Handle, Task, TimerHandle
from typing import Any

from tracelog.context import CURRENT, Context
from tracelog.latency.findings import explain
from tracelog.latency.ledger import Ledger
from tracelog.latency.steps import SHORT_S, Steps
from tracelog.loops import awaited_that_waits_for, variables_of, waiter_of


__all__ = [
    "end_step",
    "make_ready",
    "make_soon",
    "make_threadsafe",
    "make_timer",
    "owner_of",
    "task_of",
]

run = Handle._run  # the method that all of them extend


def make_soon(steps: Steps) -> type[Any]:
    """Make the kind for `call_soon`: it is given when it was `ready`, and whose step made it so."""
    clock = steps.clock

    class Soon(Handle):
        """What is called as soon as possible; asyncio's tasks go on by it."""

        __slots__ = ("ready", "waker")

        def _run(self: Any) -> None:
            variables = self._context
            context = variables.get(CURRENT)
            if context is not None and context.ledger is not None:
                began, ledger = steps.began, context.ledger
                if began - ledger.cursor >= ledger.notable:
                    task = task_of(self._callback, self._args, ledger)
                    explain(steps, ledger, task, self.ready, self.waker)
                    del task
                ledger.resume(self.ready, began)
            steps.running = self._callback
            try:
                run(self)
            finally:
                end_step(steps, variables.get(CURRENT), clock())
                del self

    return Soon


def make_threadsafe(steps: Steps, soon: type[Any]) -> type[Any]:
    """Make the kind for `call_soon_threadsafe`, which extends that one."""

    class Threadsafe(soon):  # type: ignore[misc]
        """The same, asked for by another thread: what it passes on was ready at that time."""

        __slots__ = ()

        def _run(self: Any) -> None:
            steps.relay = self.ready
            try:
                super()._run()
            finally:
                steps.relay = None
                del self

    return Threadsafe


def make_timer(steps: Steps) -> type[Any]:
    """Make the kind for `call_at`."""
    clock = steps.clock

    class Timer(TimerHandle):
        """What is called at some time."""

        __slots__ = ()

        def _run(self: Any) -> None:
            variables = self._context
            context = variables.get(CURRENT)
            if context is not None and context.ledger is not None:
                began, ledger, ready = steps.began, context.ledger, self._when
                if began - ledger.cursor >= ledger.notable:
                    task = task_of(self._callback, self._args, ledger)
                    explain(steps, ledger, task, ready, None)
                    del task
                ledger.resume(ready, began)
            steps.running = self._callback
            try:
                run(self)
            finally:
                end_step(steps, variables.get(CURRENT), clock())
                del self

    return Timer


def make_ready(steps: Steps) -> type[Any]:
    """Make the kind for readers and writers."""
    clock = steps.clock

    class Ready(Handle):
        """A socket that can be read or written: nobody's time, in whatever context it was added."""

        __slots__ = ()

        def _run(self: Any) -> None:
            if steps.arrivals:
                steps.relay = steps.arrivals.pop(self, None)
            steps.running = self._callback
            steps.is_nobodys = True
            try:
                run(self)
            finally:
                steps.is_nobodys = False
                steps.relay = None
                end_step(steps, None, clock())
                del self

    return Ready


def end_step(steps: Steps, context: Context | None, now: float) -> None:
    """Note that the current step, which is *context*'s, ends *now*."""
    began = steps.began
    if context is not None and context.ledger is not None:
        context.ledger.ran(began, now)
    if now - began >= SHORT_S:
        steps.end_long(steps.running, context, now)
        now = steps.clock()
    steps.running = None
    steps.began = now


def owner_of(callback: Any) -> Any:
    """Find whose method a callback is."""
    return getattr(callback, "__self__", None)


def task_of(callback: Any, args: Any, ledger: Ledger) -> Any:
    """Find the task of *ledger*'s utterance that a callback goes on with, or is about to let go on.

    That is: its own; the one that waits for a future which it sets, as a timer does, or whoever
    tells that a thread is done; the one that it cancels, when a timeout is over; or one that the
    handler gathers or shields, and that is told of a future after this callback, as by asyncpg.
    """
    owner = owner_of(callback)
    if isinstance(owner, Task):
        return owner

    waiters = map(waiter_of, args or ())
    cancelled = (getattr(owner, name, None) for name in ("_task", "_host_task"))
    awaited = awaited_that_waits_for(ledger.root.task, args or ())
    tasks = (*waiters, *cancelled, awaited)
    return next((task for task in tasks if _is_part(task, ledger)), None)


def _is_part(task: Any, ledger: Ledger) -> bool:
    """Tell whether *task* is of *ledger*'s utterance: others may await the same future."""
    variables = variables_of(task) if isinstance(task, Task) else None
    context = None if variables is None else variables.get(CURRENT)
    return context is not None and context.ledger is not None and context.ledger.root is ledger.root
