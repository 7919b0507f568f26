# ruff: noqa: SLF001 -- asyncio's handles have nothing but private parts
"""asyncio's handles, which tell of the step that they are: three kinds, by when they were ready.

Classes of their own for each loop; asyncio's own stay as they are. This is every step's way: what
isn't needed for each of them is elsewhere. And no frame in here keeps its handle: the traceback of
what a task has raised keeps the frame, and the handle keeps the task.
"""

from __future__ import annotations

from asyncio import Handle, TimerHandle
from typing import Any

from tracelog.context import CURRENT, Context
from tracelog.latency.findings import explain
from tracelog.latency.steps import SHORT_S, Steps


__all__ = ["end_step", "make_ready", "make_soon", "make_threadsafe", "make_timer"]

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
                    explain(steps, ledger, self._callback, self._args, self.ready, self.waker)
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
                    explain(steps, ledger, self._callback, self._args, ready, None)
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
