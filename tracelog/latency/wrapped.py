"""Other event loops tell of their steps, too: uvloop, by nothing but its public methods.

What they call is wrapped. They don't tell when they poll, nor what reads their sockets: a pause
between two steps counts as waiting for something to do.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context as Variables
from typing import Any, Final

from tracelog.context import current_context
from tracelog.latency.findings import explain
from tracelog.latency.handles import end_step
from tracelog.latency.shadows import shadow
from tracelog.latency.steps import Steps


__all__ = ["is_wrappable", "wrap"]

_PAUSE_S: Final = 0.001
_WRAPPED: Final = ("call_soon", "call_soon_threadsafe", "call_later")  # call_at calls that


def is_wrappable(loop: Any) -> bool:
    """Tell whether *loop* is uvloop's, and nobody has wrapped it before us."""
    module = type(loop).__module__.partition(".")[0]
    return module == "uvloop" and vars(loop).keys().isdisjoint(_WRAPPED)


def wrap(loop: Any, steps: Steps) -> Callable[[], None]:
    """Let *loop* tell *steps*; gives what undoes it."""
    run = _make_runner(steps)
    return shadow(loop, {**_soon_methods(loop, steps, run), **_timer_methods(loop, steps, run)})


def _soon_methods(loop: Any, steps: Steps, run: Callable[..., None]) -> dict[str, Any]:
    clock, soon, threadsafe = steps.clock, loop.call_soon, loop.call_soon_threadsafe

    def call_soon(callback: Any, *args: Any, context: Variables | None = None) -> Any:
        ready = steps.relay or clock()
        # Between two steps it reads sockets, in the contexts of whoever has opened them.
        waker = None if steps.running is None else current_context()
        return soon(run, callback, args, ready, waker, context=context)

    def call_soon_threadsafe(callback: Any, *args: Any, context: Variables | None = None) -> Any:
        return threadsafe(relay, callback, args, clock(), current_context(), context=context)

    def relay(callback: Any, args: Any, ready: float, waker: Any) -> None:
        steps.relay = ready
        try:
            run(callback, args, ready, waker)
        finally:
            steps.relay = None
            callback = args = None

    return {"call_soon": call_soon, "call_soon_threadsafe": call_soon_threadsafe}


def _timer_methods(loop: Any, steps: Steps, run: Callable[..., None]) -> dict[str, Any]:
    clock, later = steps.clock, loop.call_later

    def call_later(delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return later(delay, run, callback, args, clock() + delay, None, context=context)

    return {"call_later": call_later}


def _make_runner(steps: Steps) -> Callable[..., None]:
    clock = steps.clock

    def _run_step(callback: Any, args: Any, ready: float, waker: Any) -> None:
        now = clock()
        if now - steps.began > _PAUSE_S:
            steps.busy_since = now
        steps.began = now
        ledger = current_context().ledger
        if ledger is not None:
            if now - ledger.cursor >= ledger.notable:
                explain(steps, ledger, callback, args, ready, waker)
            ledger.resume(ready, now)
        steps.running = callback
        try:
            callback(*args)
        finally:
            end_step(steps, current_context(), clock())
            callback = args = None  # an exception's traceback keeps this frame

    return _run_step
