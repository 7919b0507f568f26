"""The steps of one event loop: which one runs, since when, and which were long.

An event loop runs one step after the other: the end of one is the beginning of the next. What tells
of them is the loop's hooks (`hooks`); what looks at them from outside, the watchdog. One clock read
a step; everything costly is left to steps and waits that are long.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from tracelog.context import Context


__all__ = ["BLIND_S", "SHORT_S", "Step", "Steps"]

SHORT_S: Final = 0.0002  # shorter steps are nobody's fault
BLIND_S: Final = 0.005  # a loop that doesn't look for longer may keep something waiting
_LINGERS_S: Final = 0.02  # what it has found is passed on within that time
_RECENT: Final = 4096


class Step:
    """A step that was not short.

    Attributes:
        began: When it began, by the steps' clock.
        ended: When it ended.
        context: Whose it was; None if nobody's.
        hold: What is known about it, if it held the loop for too long.
    """

    __slots__ = ("began", "context", "ended", "hold")

    def __init__(self, began: float, ended: float, context: Context | None, hold: Any) -> None:
        self.began = began
        self.ended = ended
        self.context = context
        self.hold = hold


class Steps:
    """What an event loop does, step by step.

    Args:
        clock: In seconds; that of the loop's timers.
        hold_s: From how many seconds on a step is a hold.
        make_hold: Called with what ran, whose it was, whose it was at last, and from when to when.

    Attributes:
        began: When the current step began: when the last one ended, or the last poll.
        running: What runs; None between steps, and while the loop polls.
        polled: When the loop last looked for something to do.
        busy_since: Since when something may have been there that it hadn't seen.
        blind: Nobody has told yet when the loop looks: what it does in between isn't known.
        arrivals: By the readers of sockets, when their data came; after a busy while only.
        relay: When what the current step passes on was ready; None if that is now.
        is_nobodys: The current step reads a socket or writes to it, in whatever context.
        recent: The latest steps that weren't short.
        held_until: When the latest hold among them ended.
        failures: How often looking for a reason has failed.
    """

    __slots__ = (
        *("_blind_at", "_hold_s", "_left", "_make_hold", "_polled_before", "arrivals", "began"),
        *("blind", "busy_since", "clock", "failures", "held_until", "is_nobodys", "polled"),
        *("recent", "relay", "running"),
    )

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        hold_s: float,
        make_hold: Callable[[Any, Context | None, Context | None, float, float], Any],
    ) -> None:
        self.clock = clock
        self.began = self.polled = self.busy_since = self._polled_before = clock()
        self.blind = True
        self._blind_at = 0.0
        self.arrivals: dict[Any, float] = {}
        self.running: Any = None
        self.relay: float | None = None
        self.is_nobodys = False
        self.recent: deque[Step] = deque(maxlen=_RECENT)
        self.held_until = -math.inf
        self.failures = 0
        self._hold_s = hold_s
        self._make_hold = make_hold
        self._left: tuple[float, Context | None, float] = (0.0, None, 0.0)

    def poll(self) -> float:
        """Note that the loop has looked for something to do; tell how long it hadn't before."""
        now = self.clock()
        self.blind = False
        unseen = self.began - self.polled
        if unseen >= BLIND_S:
            # What it finds now, or has found then and passes on, came after the look before that.
            self.busy_since, self._blind_at = self._polled_before, now
        elif now - self._blind_at > _LINGERS_S:
            self.busy_since = now
        self._polled_before = self.polled
        self.began = self.polled = now
        return unseen

    def leave(self, context: Context, now: float) -> None:
        """Note that the current step goes on for somebody else than *context*."""
        seconds = now - max(self.began, context.ledger.begun)
        began, _, longest = self._left
        if began != self.began or seconds > longest:
            self._left = (self.began, context, seconds)

    def end_long(self, step: Any, context: Context | None, ended: float) -> None:
        """Note a *step* that ends in *context*, and isn't short; it is whose most of it was."""
        began, seconds = self.began, ended - self.began
        left_began, left, longest = self._left
        holder = context
        if left_began == began:
            holder = left if longest > seconds / 2 else context
        elif context is not None and _part_of(context, began, ended) < seconds / 2:
            holder = None  # what it began with was in no context that anybody knows
        hold = None
        if seconds >= self._hold_s:
            try:
                hold = self._make_hold(step, holder, context, began, ended)
            except Exception:  # noqa: BLE001 -- it looks at other people's objects
                self.failures += 1
        if hold is not None:
            self.held_until = ended
        self.recent.append(Step(began, ended, holder, hold))


def _part_of(context: Context, began: float, ended: float) -> float:
    """Tell how much of a step was *context*'s: an utterance may begin in its midst."""
    ledger = context.ledger
    return ended - (began if ledger is None else max(began, ledger.root.begun))
