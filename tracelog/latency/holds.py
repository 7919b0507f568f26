"""Holds: steps that kept the event loop for too long; whose, where, why, and whom they delayed."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, Final

from tracelog.context import Context
from tracelog.emit import emit
from tracelog.events import timestamp_of
from tracelog.fields import (
    DELAYED,
    DELAYED_MS,
    EVENT_HOLD,
    GC_MS,
    HELD_AT,
    HELD_MS,
    HOLDER,
    KIND,
    LEADING,
    SPAN_ID,
    STACK,
    THREAD,
    TRACE_ID,
    WHAT,
    WHERE,
)
from tracelog.latency.clock import ms_of
from tracelog.latency.ledger import Ledger
from tracelog.latency.places import places_of_awaits, users_place
from tracelog.latency.samples import Seen
from tracelog.loops import coroutine_of


__all__ = ["Hold", "about_context", "kind_of", "name_of_step", "place_of_step"]

BLOCKING: Final = "blocking call"
C_CALL: Final = "C call that kept the GIL"
COLLECTOR: Final = "garbage collection"
CPU: Final = "CPU-bound"
NO_CPU: Final = "short of CPU"
THREADS: Final = "another thread kept the GIL"
UNKNOWN: Final = "not sampled"

_MOST: Final = 0.5
_MUCH: Final = 0.4
_SOME: Final = 0.2
_SWITCHES_PER_S: Final = 20  # who waits for the GIL wakes up every 5 ms; who is blocked, doesn't
_SEEN_AFTER_S: Final = 0.04  # a step isn't looked at before
_EXPECTED_EVERY_S: Final = 0.08  # even a busy machine's watchdog sees a step this often

_NOT_WHOSE: Final = {SPAN_ID, *LEADING} - {TRACE_ID}

_log = logging.getLogger("tracelog.hold")
_NOBODY: Final = Context.make({}, None, None)


@dataclass(slots=True, eq=False)
class Hold:
    """A step that held the loop.

    Attributes:
        began: When it began, by the loop's clock.
        ended: When it ended.
        at: When it began, in seconds since the epoch.
        context: Whose it was; None if it was nobody's.
        step: Its task, or the function that was called.
        where: In which line of whose code.
        kind: What kept it there: one of this module's constants.
        seen: What the watchdog saw.
        gc: Seconds that the garbage collector took of it.
        delayed: Seconds by which it delayed utterances, until its line is written.
    """

    began: float
    ended: float
    at: float
    context: Context | None
    step: str
    where: str
    kind: str
    seen: Seen | None = None
    gc: float = 0.0
    delayed: dict[Ledger, float] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended - self.began

    def delay(self, utterance: Ledger, seconds: float) -> None:
        """Note that it delayed an utterance by so much."""
        self.delayed[utterance] = self.delayed.get(utterance, 0.0) + seconds

    def about(self) -> dict[str, Any]:
        """Tell, for the line of somebody whom it delayed, whose it was and where."""
        whose = about_context(self.context)
        holder = {} if TRACE_ID in whose else {HOLDER: self.step}
        return {**whose, **holder, WHERE: self.where, KIND: self.kind}

    def write(self) -> None:
        """Write its line."""
        delayed, self.delayed = self.delayed, {}  # they are to go, however long we are kept
        if not _log.isEnabledFor(logging.WARNING):
            return

        fields: dict[str, Any] = {
            HELD_MS: ms_of(self.seconds),
            HELD_AT: timestamp_of(self.at),
            WHERE: self.where,
            KIND: self.kind,
            HOLDER: self.step,
            DELAYED: len(delayed),
            DELAYED_MS: ms_of(sum(delayed.values(), 0.0)),
        }
        if self.gc:
            fields[GC_MS] = ms_of(self.gc)
        if self.seen is not None:
            if self.kind == THREADS and self.seen.rival:
                fields[THREAD] = self.seen.rival
            fields[STACK] = " < ".join(self.seen.stack)
        emit(_log, logging.WARNING, EVENT_HOLD, (), fields, self.context or _NOBODY)


def about_context(context: Context | None) -> dict[str, Any]:
    """Tell whose a context is: its trace, its connection, what was bound."""
    if context is None:
        return {}

    fields = context.fields.items()
    about = {k: v for k, v in fields if k not in _NOT_WHOSE and v is not None}
    return about if context.ledger is None else {**about, WHAT: context.ledger.root.name}


def kind_of(seconds: float, seen: Seen | None, gc: float) -> str:
    """Tell what kept a step of that many *seconds*, as far as it was *seen*."""
    if gc > _MOST * seconds:
        return COLLECTOR

    if seen is None:
        return UNKNOWN

    # Whoever waits for the GIL is off the CPU, too, but asks for it again and again.
    if min(seen.idle, seen.rivals) > _SOME and seen.switches > _SWITCHES_PER_S:
        return THREADS

    if seen.queued > _MUCH:
        return NO_CPU

    if seen.idle > _MOST:
        return BLOCKING

    return C_CALL if _SEEN_AFTER_S + seen.samples * _EXPECTED_EVERY_S < seconds else CPU


def name_of_step(step: Any) -> str:
    """Name what ran, where no trace does: a task, or a function."""
    task = _task_of(step)
    if task is not None:
        name = getattr(coroutine_of(task), "__qualname__", "")
        return f"task {task.get_name()} {name}".rstrip()

    return str(getattr(step, "__qualname__", type(step).__qualname__))


def place_of_step(step: Any, seen: Seen | None) -> str:
    """Tell where a step was: as seen, or else where its task has stopped now."""
    place = users_place(seen.places) if seen is not None else None
    if place is not None:
        return str(place)

    task = _task_of(step)
    stopped = users_place(places_of_awaits(coroutine_of(task))) if task is not None else None
    return f"before {stopped}" if stopped is not None else name_of_step(step)


def _task_of(step: Any) -> asyncio.Task[Any] | None:
    owner = step if isinstance(step, asyncio.Task) else getattr(step, "__self__", None)
    return owner if isinstance(owner, asyncio.Task) else None
