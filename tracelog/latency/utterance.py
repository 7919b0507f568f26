"""One utterance: from its arrival to the end of its handling, and whose time that is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from tracelog.context import Context, current_context
from tracelog.emit import emit
from tracelog.fields import EVENT_STILL, RUNNING_MS, STACK, TO, WHAT, WHERE
from tracelog.latency.arrival import COARSE_S
from tracelog.latency.awaits import await_of, inmost
from tracelog.latency.clock import Clock, ms_of
from tracelog.latency.findings import Findings
from tracelog.latency.holds import about_context
from tracelog.latency.ledger import NOTABLE_S, Ledger
from tracelog.latency.loop import watch_of_running_loop
from tracelog.latency.places import places_of_awaits
from tracelog.latency.policy import Policy
from tracelog.latency.steps import SHORT_S, Step
from tracelog.loops import coroutine_of, in_trio
from tracelog.queues import task_of


__all__ = ["Arrival", "Before", "Utterance", "make_arrival"]

_BRIEF_S: Final = SHORT_S / 2  # of a step: no hold, and most of none that isn't short
_STACK: Final = 8
_TURNS: Final = 64
_log = logging.getLogger("tracelog.utterance")


class Arrival(NamedTuple):
    """A message that has been read.

    Attributes:
        wall: When it was read, in seconds since the epoch.
        read: The same on the monotonic clock.
        socket_wait: How long it had waited to be read, in seconds.
        bound: It had waited that long at most.
    """

    wall: float
    read: float
    socket_wait: float = 0.0
    bound: bool = False

    @classmethod
    def now(cls, clock: Clock, wait: Callable[[], float | None] = float) -> Arrival:
        """Note that a message is being read.

        Args:
            clock: Tells the time.
            wait: Tells how long it has waited for that, if the kernel knows. It isn't asked while
                the loop has been looking all the time; and its clock is coarse.
        """
        wall, read = clock.wall(), clock.monotonic()
        watch = watch_of_running_loop(clock)
        most = 0.0 if watch is None else max(0.0, read - watch.steps.busy_since)
        if watch is not None and most < NOTABLE_S and not watch.steps.blind:
            return make_arrival((wall, read, 0.0, False))

        waited = wait()
        if waited is None:
            return cls(wall, read, most, bound=most >= NOTABLE_S)

        return cls(wall, read, waited if waited > COARSE_S else min(most, waited))


make_arrival = partial(tuple.__new__, Arrival)  # for every message: a third of the time


class Turn(NamedTuple):
    """A worker's work on an item, which others may have had to wait for.

    Attributes:
        began: When it began, on the monotonic clock.
        ended: When it ended.
        context: What it was about.
    """

    began: float
    ended: float
    context: Context


class Before(NamedTuple):
    """The utterance before this one, in its connection or of its worker.

    Attributes:
        number: Its number; None if it was a worker's.
        ended: When it ended, on the monotonic clock.
        ledger: Where its time went.
        delayed_by: The holds of others that it had to wait for.
        turns: Of a worker: those that it had to wait for in turn, and its own.
    """

    number: int | None
    ended: float
    ledger: Ledger | None = None
    delayed_by: tuple[Any, ...] = ()
    turns: tuple[Turn, ...] = ()

    def was_delayed_by(self, step: Step) -> bool:
        """Tell whether *step* is a hold that it had to wait for, or its own."""
        ledger = step.context.ledger if step.context is not None else None
        return step.hold is not None and (
            step.hold in self.delayed_by or (ledger is not None and ledger.root is self.ledger)
        )


class Utterance:
    """An utterance that is being handled.

    Args:
        number: Its number in its connection, from 1.
        kind: "websocket", "http", "queue" or "task".
        name: What others, whom it delays, are to call it: "message 17".
        arrival: Its arrival.
        policy: From when on it is late, and so on.
        clock: Tells the time; a watched loop's is the system's.
        about: More fields of its verdict, such as the path.
        before: The one before it, if its connection had one.
        budget_ms: In place of the policy's limit.

    Attributes:
        ledger: Where its time goes. Enter a context with it at once.
        behind: The number of the utterance that it had to wait for, if that has one.
        behind_s: For how many seconds; 0 if there was none.
        watch: Who watches the loop that it is handled on, if anybody does.
        context: What it is about: what it began with, until it ends.
        ended: When that was, on the monotonic clock.
        ahead: The turns of its worker that it had to wait for.
        delayed_by: The holds of others that it had to wait for, then.
    """

    __slots__ = (
        *("_clock", "_said", "about", "ahead", "arrival", "behind", "behind_s", "budget_ms"),
        *("context", "delayed_by", "ended", "kind", "ledger", "number", "policy", "started"),
        "watch",
    )

    def __init__(  # noqa: PLR0913 -- it is what all integrations tell
        self,
        number: int,
        kind: str,
        name: str,
        arrival: Arrival,
        *,
        policy: Policy,
        clock: Clock,
        about: dict[str, Any],
        before: Before | None = None,
        budget_ms: float | None = None,
    ) -> None:
        self._clock = clock
        self._said = False
        self.number = number
        self.kind = kind
        self.arrival = arrival
        self.policy = policy
        self.about = about
        self.budget_ms = budget_ms
        self.started = self.ended = clock.monotonic()
        self.ledger = Ledger(self.started, name)
        self.context: Context | None = None
        self.behind: int | None = None
        self.behind_s = 0.0
        self.ahead: tuple[Turn, ...] = ()
        self.delayed_by: tuple[Any, ...] = ()
        watch = self.watch = watch_of_running_loop(clock)
        if watch is not None:
            task = self.ledger.task = task_of(watch.loop)
            if task is None and in_trio():
                watch = self.watch = None  # a guest on this loop, which doesn't tell its steps
        if self.started - arrival.read + arrival.socket_wait >= NOTABLE_S:
            self._explain_wait(before)
        if watch is not None:
            watch.open[id(self)] = self

    def _explain_wait(self, before: Before | None) -> None:
        """Find out why it was not handled before."""
        read = self.arrival.read
        free = came = read - self.arrival.socket_wait
        if before is not None and before.ended - came >= NOTABLE_S:
            free = min(before.ended, self.started)
            self.behind, self.behind_s = before.number, free - came
            self.ahead = tuple(turn for turn in before.turns if turn.ended > came)
        if self.watch is not None:
            steps, findings = self.watch.steps, Findings.of(self.ledger)
            if before is not None and steps.held_until > came:
                # What that had to wait for, this one had to, too.
                only = before.was_delayed_by
                findings.note_loop(reversed(steps.recent), came, free, only=only)
            findings.note_wait(steps, free, self.started)

    def elapsed(self) -> float:
        """Tell for how many seconds it has been handled so far."""
        return self._clock.monotonic() - self.started

    def as_before(self) -> Before:
        """Tell the next one what it has to know of this one, which has ended."""
        return Before(self.number, self.ended, self.ledger, self.delayed_by)

    def as_turn(self) -> Before:
        """Tell the next one of the same worker; it may have come before this one was begun."""
        turn = Turn(self.started, self.ended, self.context or current_context())
        turns = (*self.ahead, turn)[-_TURNS:]
        return Before(None, self.ended, self.ledger, self.delayed_by, turns)

    def end(self) -> Context:
        """End it; tells what it was about at last."""
        now = self.ended = self._clock.monotonic()
        if self.ledger.notes is not None:
            self.delayed_by = tuple(self.ledger.notes.holds)
        context = self.context = current_context()
        watch = self.watch
        if watch is None:
            self.ledger.end(now, now)
            return context

        del watch.open[id(self)]
        began = watch.steps.began
        if now - began > _BRIEF_S:
            watch.note_own(self.ledger, now)
            if context.ledger is not None:
                watch.steps.leave(context, now)
        self.ledger.end(began, now)
        return context

    def check(self, now: float) -> None:
        """Say so, once, if it has been going on for very long."""
        still_ms = self.policy.still_ms
        came = self.arrival.read - self.arrival.socket_wait
        if still_ms is None or self._said or (now - came) * 1000 < still_ms:
            return

        self._said = True
        if not _log.isEnabledFor(logging.WARNING):
            return

        task = inmost(self.ledger.task)
        waits = await_of(task)
        fields: dict[str, Any] = {RUNNING_MS: ms_of(now - came), **self.about}
        fields.update({WHAT: waits.what, WHERE: waits.where})
        if waits.to is not None:
            fields[TO] = about_context(waits.to)
        if task is not None:
            fields[STACK] = " < ".join(map(str, places_of_awaits(coroutine_of(task))[:_STACK]))
        emit(_log, logging.WARNING, EVENT_STILL, (), fields, self.context)
