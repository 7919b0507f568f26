# ruff: noqa: SLF001 -- asyncio's loop has no other parts to take hold of
"""asyncio's own event loop tells of its steps: its methods are shadowed, on this one object only.

No class of asyncio's is changed, and what is undone leaves nothing behind.
"""

from __future__ import annotations

from asyncio import AbstractEventLoop, BaseEventLoop, Handle, TimerHandle
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Callable
from contextvars import Context as Variables
from selectors import BaseSelector
from typing import Any, Final

from tracelog.context import current_context
from tracelog.latency.arrival import last_data_s
from tracelog.latency.handles import make_ready, make_soon, make_threadsafe, make_timer
from tracelog.latency.ledger import NOTABLE_S
from tracelog.latency.shadows import shadow
from tracelog.latency.steps import Steps


__all__ = ["hook", "is_known"]

_OVERRIDDEN: Final = (
    *("call_soon", "call_soon_threadsafe", "call_at", "time"),
    *("_add_reader", "_add_writer", "_process_events"),
)
_EXPECTED: Final = ("_ready", "_scheduled", "_write_to_self", "_check_closed")


def is_known(loop: AbstractEventLoop) -> bool:
    """Tell whether *loop* is asyncio's own kind, and nobody has changed what we build on."""
    return (
        isinstance(loop, BaseSelectorEventLoop)
        and type(loop).call_soon is BaseEventLoop.call_soon
        and type(loop).call_at is BaseEventLoop.call_at
        and type(loop).time is BaseEventLoop.time
        and all(hasattr(loop, name) for name in _EXPECTED)
        and isinstance(getattr(loop, "_selector", None), BaseSelector)
        and vars(loop).keys().isdisjoint(_OVERRIDDEN)
    )


def hook(loop: Any, steps: Steps) -> Callable[[], None]:
    """Let *loop* tell *steps*; gives what undoes it."""
    soon, timer, ready = make_soon(steps), make_timer(steps), make_ready(steps)
    ours = {
        **_soon_methods(loop, steps, soon, make_threadsafe(steps, soon)),
        **_timer_methods(loop, timer),
        **_reader_methods(loop, ready),
        "_process_events": _make_process_events(loop, steps),
    }
    undo = shadow(loop, ours)
    _convert(loop, {Handle: ready, TimerHandle: timer})

    def unhook() -> None:
        undo()
        if not loop.is_closed():  # which leaves it no handle, and no selector
            _convert(loop, {ready: Handle, timer: TimerHandle})

    return unhook


def _soon_methods(loop: Any, steps: Steps, soon: Any, threadsafe: Any) -> dict[str, Any]:
    clock, append = steps.clock, loop._ready.append

    def call_soon(callback: Any, *args: Any, context: Variables | None = None) -> Handle:
        loop._check_closed()
        if loop._debug:
            loop._check_thread()
            loop._check_callback(callback, "call_soon")
        handle: Any = soon(callback, args, loop, context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        handle.ready = steps.relay or clock()
        handle.waker = None if steps.is_nobodys else current_context()
        append(handle)
        return handle  # type: ignore[no-any-return]

    def call_soon_threadsafe(callback: Any, *args: Any, context: Variables | None = None) -> Handle:
        loop._check_closed()
        if loop._debug:
            loop._check_callback(callback, "call_soon_threadsafe")
        handle: Any = threadsafe(callback, args, loop, context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        handle.ready = clock()
        handle.waker = current_context()
        append(handle)
        loop._write_to_self()
        return handle  # type: ignore[no-any-return]

    return {"call_soon": call_soon, "call_soon_threadsafe": call_soon_threadsafe}


def _timer_methods(loop: Any, timer: type[Any]) -> dict[str, Any]:
    plain = loop.call_at

    def call_at(when: float, callback: Any, *args: Any, context: Variables | None = None) -> Any:
        handle = plain(when, callback, *args, context=context)
        if handle._source_traceback:
            del handle._source_traceback[-1]
        handle.__class__ = timer
        return handle

    return {"call_at": call_at}


def _reader_methods(loop: Any, ready: type[Any]) -> dict[str, Any]:
    def shadow(plain: Callable[..., Any]) -> Callable[..., Any]:
        def add(fd: Any, callback: Any, *args: Any) -> Any:
            handle = plain(fd, callback, *args)
            handle.__class__ = ready
            return handle

        return add

    return {name: shadow(getattr(loop, name)) for name in ("_add_reader", "_add_writer")}


def _make_process_events(loop: Any, steps: Steps) -> Callable[[Any], None]:
    plain = loop._process_events

    def process_events(events: Any) -> None:
        before = steps.polled
        if steps.poll() >= NOTABLE_S and events:
            # What is there now may have come at any time since the last look: the kernel knows.
            steps.arrivals = _arrivals(events, before, steps.polled)
        plain(events)

    return process_events


def _arrivals(events: Any, before: float, now: float) -> dict[Handle, float]:
    """Tell, by its reader, when data came to each socket that is readable and can tell."""
    waits = {key.data[0]: last_data_s(key.fd) for key, _ in events if key.data[0] is not None}
    return {reader: max(before, now - wait) for reader, wait in waits.items() if wait}


def _convert(loop: Any, kinds: dict[type[Any], type[Any]]) -> None:
    """Turn handles that are there already into those of the other kind."""
    handles = [*loop._scheduled]
    keys = loop._selector.get_map() if loop._selector is not None else None  # it was closed
    for key in (keys or {}).values():
        handles += [handle for handle in key.data or () if handle is not None]
    for handle in handles:
        kind = kinds.get(type(handle))
        if kind is not None:
            handle.__class__ = kind
