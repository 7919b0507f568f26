"""A ledger: where the time of one span goes, box by box.

A cursor moves through the span's time, and each stretch that it passes is put into exactly one box.
So the boxes sum to the total, however many tasks the span has. A span's time is its parents' time,
too: each has boxes and a cursor of its own. No clock in here, and no loop: moments are given, in
seconds.
"""

from __future__ import annotations

import math
from threading import get_ident
from typing import Any, Final


__all__ = ["NOTABLE_S", "Ledger"]

NOTABLE_S: Final = 0.005  # shorter waits are counted, but nobody asks why
_NEVER: Final = math.inf


class Ledger:
    """The boxes of one span; what it is after its end doesn't change.

    Args:
        begun: When the span began.
        name: What the span is called.
        parent: The ledger of the span that it is part of.

    Attributes:
        code: Seconds in which one of its tasks ran.
        loop: Seconds in which one could have run, but something else held the loop.
        waiting: Seconds in which none could.
        send: Seconds in which none could because the client had not taken what was sent.
        cursor: Up to when its time is accounted for.
        outermost: Of the utterance that it is part of; None if it is that one itself, or it would
            be garbage in a cycle, which a collector has to look for.
        logging: Seconds of `code` that log calls took.
        covered: Seconds in which spans within it were open.
        notes: What was found out about its waits, if anything was (`findings`).
        flights: What flight recorders keep of its lines, if they do (`recorder`).
        task: The task that began it, until it ends.
        notable: From how many seconds on a wait of its tasks is asked about.
        thread: The thread that began it.
    """

    __slots__ = (
        *("__weakref__", "_children", "_covered_since", "begun", "code", "covered", "cursor"),
        *("_unsent", "ended", "flights", "logging", "loop", "name", "notable", "notes"),
        *("outermost", "parent", "send", "sending", "task", "thread", "waiting"),
    )

    def __init__(self, begun: float, name: str = "", parent: Ledger | None = None) -> None:
        self.begun = self.cursor = begun
        self.name = name
        self.parent = parent
        self.outermost: Ledger | None = parent and parent.root
        self.notes: Any = None
        self.flights: Any = None
        self.task: Any = None
        self.notable = NOTABLE_S
        self.thread = get_ident()
        self.code = self.loop = self.waiting = self.send = self.covered = self.logging = 0.0
        self.sending = 0
        self._unsent = 0.0
        self.ended = _NEVER
        self._children = 0
        self._covered_since = begun
        if parent is not None:
            parent._cover(begun)  # noqa: SLF001 -- of our own class

    def resume(self, ready: float, now: float) -> None:
        """Note that a step of it begins *now*, and could have begun when it was *ready*."""
        ledger: Ledger | None = self
        while ledger is not None:
            cursor = ledger.cursor
            if now > cursor:
                if ready >= now:
                    ledger.waiting += now - cursor
                elif ready > cursor:
                    ledger.waiting += ready - cursor
                    ledger.loop += now - ready
                else:
                    ledger.loop += now - cursor
                ledger.cursor = now
            ledger = ledger.parent

    def ran(self, began: float, now: float) -> None:
        """Note that a step of it, which *began* then, ends *now*."""
        ledger: Ledger | None = self
        while ledger is not None:
            cursor = ledger.cursor
            if now > cursor:
                if began > cursor:  # entered by a step that was somebody else's at its beginning
                    ledger.waiting += began - cursor
                    cursor = began
                ledger.code += now - cursor
                ledger.cursor = now
            ledger = ledger.parent

    def end(self, began: float, now: float) -> None:
        """End it *now*, in a step that *began* then. Tasks that go on after that add nothing."""
        if self.ended is not _NEVER:
            return

        cursor = self.cursor
        if began > cursor:
            self.waiting += began - cursor
            cursor = began
        self.code += now - cursor
        if self.sending:  # a task of it goes on sending: up to here that was its time
            self._book_send()
        if self._children:
            self.covered += now - self._covered_since
        self.ended = now
        self.cursor = _NEVER
        self.task = None
        if self.parent is not None:
            self.parent._uncover(now)  # noqa: SLF001 -- of our own class

    def begin_send(self) -> None:
        """Note that, from here on, it waits for its client."""
        if not self.sending:
            self._unsent = self.waiting
        self.sending += 1

    def end_send(self) -> None:
        """Note that it doesn't any more; of sends that overlap, the last to end counts for all."""
        self.sending -= 1
        if not self.sending:
            self._book_send()

    def wait_besides(self, seconds: float) -> None:
        """Note that, for so many *seconds* of a send, what it waited for was something else."""
        self._unsent += seconds

    @property
    def root(self) -> Ledger:
        """Of the utterance that it is part of, or itself."""
        return self.outermost or self

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.ended == _NEVER

    @property
    def own(self) -> float:
        """Seconds, up to its end, in which no span within it was open."""
        return self.ended - self.begun - self.covered

    def _book_send(self) -> None:
        self.send += self.waiting - self._unsent
        self.waiting = self._unsent

    def _cover(self, now: float) -> None:
        if not self._children:
            self._covered_since = now
        self._children += 1

    def _uncover(self, now: float) -> None:
        self._children -= 1
        if not self._children and self.ended is _NEVER:
            self.covered += now - self._covered_since
