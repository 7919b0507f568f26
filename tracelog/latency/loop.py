"""Watching an event loop: who holds it, and for whom.

Exact: the loop tells of each of its steps. Sampled: nothing is put on the loop but a heartbeat; who
holds it is seen from another thread.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, Protocol, TypeAlias

from tracelog.connections import context_of_transport
from tracelog.context import Context
from tracelog.errors import ConfigError
from tracelog.latency import watchdog
from tracelog.latency.callbacks import owner_of
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.eager import time_eager_tasks
from tracelog.latency.executors import time_jobs
from tracelog.latency.findings import Findings
from tracelog.latency.heartbeat import Heartbeat
from tracelog.latency.holds import Hold, kind_of, name_of_step, place_of_step
from tracelog.latency.hooks import hook, is_known
from tracelog.latency.ledger import Ledger
from tracelog.latency.pauses import Pauses
from tracelog.latency.samples import Sampler, Seen
from tracelog.latency.steps import Steps
from tracelog.latency.wrapped import is_wrappable, wrap
from tracelog.loops import on_loop


__all__ = [
    "LoopWatch",
    "Mode",
    "Open",
    "check_watch",
    "finish_watch",
    "watch_if_wanted",
    "watch_loop",
    "watch_of_running_loop",
]

Mode: TypeAlias = Literal["exact", "sampled"]

_ATTRIBUTE: Final = "_tracelog_watch"  # of a loop: its watch
_HOLD_MS: Final = 50.0
_TOLD_AFTER_S: Final = 0.5  # whom a hold has delayed is known a little later
_STILL_EVERY_S: Final = 0.1
_MAX_UNTOLD: Final = 256
_MAX_WARNINGS: Final = 64
_SAME_TIME_S: Final = 1.0  # a loop whose time is its own, such as a test's, can't be timed
_log = logging.getLogger("tracelog.internal")
_running_loop = asyncio._get_running_loop  # noqa: SLF001 -- the public one raises without a loop


class Open(Protocol):
    """An utterance that hasn't ended."""

    def check(self, now: float) -> None:
        """Say so if it has been going on for very long. Called in another thread."""


def watch_loop(*, mode: Mode = "exact", hold_ms: float = _HOLD_MS) -> LoopWatch:
    """Account for the running event loop's time, until `stop()`, or until it is closed.

    A loop that is watched already stays as it is. `TraceMiddleware` does this for you.

    Args:
        mode: "exact" puts methods on this one loop, which then tells of each step; "sampled" puts
            none, and tells who held the loop, but not how long everybody else waited for it.
        hold_ms: From how many milliseconds on a step is a hold, and gets a line of its own.

    Raises:
        RuntimeError: If no event loop is running here.
        ValueError: If there is no such mode.
    """
    if mode not in {"exact", "sampled"}:
        raise ValueError(f"expected 'exact' or 'sampled', got {mode!r}\n  Try: watch_loop()")

    loop = asyncio.get_running_loop()
    existing = _watch_of(loop)
    if existing is not None:
        return existing

    watch = LoopWatch(loop, mode=mode, hold_ms=hold_ms)
    watch.start()
    return watch


def check_watch(mode: Mode | None) -> None:
    """Refuse, where it is set, what `watch_if_wanted` would refuse of every request.

    Raises:
        ConfigError: If there is no such mode.
    """
    if mode not in {"exact", "sampled", None}:
        text = f"expected 'exact', 'sampled' or None, got {mode!r}"
        raise ConfigError("watch", text, hint="watch='sampled'")


def watch_if_wanted(mode: Mode | None, clock: Clock) -> None:
    """Watch the loop that runs here, if one does, unless *mode* is None, or time is a test's."""
    if mode is not None and on_loop() and clock.monotonic is SYSTEM_CLOCK.monotonic:
        watch_loop(mode=mode)


def finish_watch() -> None:
    """Write what is still to be told of the loop that runs here: its process is about to end."""
    watch = watch_of_running_loop()
    if watch is not None:
        watch.finish()


def watch_of_running_loop(clock: Clock = SYSTEM_CLOCK) -> LoopWatch | None:
    """Tell who watches the loop that runs here, if one does, by this *clock*."""
    watch: LoopWatch | None = getattr(_running_loop(), _ATTRIBUTE, None)
    return watch if watch is not None and watch.steps.clock is clock.monotonic else None


def _watch_of(loop: Any) -> LoopWatch | None:
    """Tell who watches *loop*, if anybody does."""
    return getattr(loop, _ATTRIBUTE, None)


class LoopWatch:
    """One event loop, watched.

    Attributes:
        loop: The loop.
        exact: It tells of each of its steps.
        steps: What it does.
        open: The utterances on it that haven't ended.
    """

    def __init__(self, loop: Any, *, mode: Mode = "exact", hold_ms: float = _HOLD_MS) -> None:
        self.loop = loop
        self._mode = mode
        self.exact = False
        self.steps = Steps(SYSTEM_CLOCK.monotonic, hold_s=hold_ms / 1000, make_hold=self._make_hold)
        self.open: dict[int, Open] = {}
        self._hold_s = hold_ms / 1000
        self._sampler = Sampler()
        self._pauses = Pauses()
        self._untold: deque[Hold] = deque(maxlen=_MAX_UNTOLD)
        self._undo: list[Callable[[], None]] = []
        self._checked = 0.0

    def start(self) -> None:
        """Begin."""
        setattr(self.loop, _ATTRIBUTE, self)
        hooks = _hooks_for(self.loop) if self._mode == "exact" else None
        self.exact = hooks is not None
        if hooks is not None:
            self._undo.append(hooks(self.loop, self.steps))
            self._undo.append(time_eager_tasks(self.loop, self.steps))
        elif abs(self.loop.time() - self.steps.clock()) < _SAME_TIME_S:
            heartbeat = Heartbeat(self.loop, self.steps)
            heartbeat.start()
            self._undo.append(heartbeat.stop)
        self._undo.append(time_jobs(self.loop, self.steps.clock))
        self._pauses.start()
        watchdog.watch(self)

    def stop(self) -> None:
        """Leave the loop as it was."""
        watchdog.unwatch(self)
        self._pauses.stop()
        while self._undo:
            self._undo.pop()()
        if _watch_of(self.loop) is self:
            delattr(self.loop, _ATTRIBUTE)
        self.finish()

    def look(self) -> bool:
        """Look what it does right now."""
        if self.loop.is_closed():
            self.stop()
            return False

        steps = self.steps
        began, running, now = steps.began, steps.running, steps.clock()
        if running is None or now - began < self._hold_s / 2:
            self._sampler.rest()
        else:
            if isinstance(running, Heartbeat):
                running.look()
            self._sampler.look(began, lambda: steps.began == began)
        self._tell(now - _TOLD_AFTER_S)
        if now - self._checked >= _STILL_EVERY_S:
            self._checked = now
            for utterance in [*self.open.values()]:
                utterance.check(now)
        return True

    def finish(self) -> None:
        """Write the lines of the holds that are still without one."""
        self._tell(math.inf)

    def _tell(self, before: float) -> None:
        with suppress(IndexError):  # the watchdog and the loop may both be at it
            while self._untold[0].ended < before:
                self._untold.popleft().write()

    def note_own(self, ledger: Ledger, now: float) -> None:
        """Note, if *ledger*'s utterance ends *now* in a step of its own that is a hold, where."""
        steps = self.steps
        began = max(steps.began, ledger.begun)
        if now - began >= self._hold_s:
            hold = self._described(steps.running, None, began, now, self._seen(steps.began))
            Findings.of(ledger).note_own(hold.where, hold.kind, hold.seconds)

    def _make_hold(
        self, step: Any, holder: Context | None, last: Context | None, began: float, ended: float
    ) -> Hold:
        owner = owner_of(step)
        if holder is None and isinstance(owner, asyncio.BaseTransport):
            holder = context_of_transport(owner)
        hold = self._described(step, holder, began, ended, self._seen(began))
        self._sampler.forget()
        self._untold.append(hold)
        ledger = last.ledger.root if last is not None and last.ledger else None
        if ledger is not None and ledger.is_open:
            seconds = ended - max(began, ledger.begun)  # it may have begun in there
            if seconds >= self._hold_s:
                Findings.of(ledger).note_own(hold.where, hold.kind, seconds)
        return hold

    def _seen(self, began: float) -> Seen | None:
        """Tell what was seen of the step that *began* then; called in it."""
        if threading.get_ident() == self._sampler.ident:
            return self._sampler.seen(began)

        # The loop goes on in another thread than before: what was seen is somebody else's doing.
        self._sampler = Sampler()
        self._pauses.stop()
        self._pauses = Pauses()
        self._pauses.start()
        return None

    def _described(
        self, step: Any, context: Context | None, began: float, ended: float, seen: Seen | None
    ) -> Hold:
        seconds, gc = ended - began, self._pauses.within(began, ended)
        place, kind = place_of_step(step, seen), kind_of(seconds, seen, gc)
        at = SYSTEM_CLOCK.wall() - seconds
        return Hold(began, ended, at, context, name_of_step(step), place, kind, seen, gc)


def _hooks_for(loop: Any) -> Callable[[Any, Steps], Callable[[], None]] | None:
    if is_known(loop):
        return hook

    if is_wrappable(loop):
        return wrap

    kind = type(loop)
    _warn_about(f"{kind.__module__}.{kind.__qualname__}")
    return None


@functools.lru_cache(maxsize=_MAX_WARNINGS)  # once for each kind
def _warn_about(kind: str) -> None:
    _log.warning(
        "%s is no event loop that is known here: who holds it is sampled, and how long others wait"
        " for it isn't told",
        kind,
    )
