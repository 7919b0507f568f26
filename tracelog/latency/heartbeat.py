"""A heartbeat: a timer that tells how late an event loop is, where nothing else is put on it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from tracelog.context import CURRENT, Context
from tracelog.latency.steps import Steps
from tracelog.loops import variables_of


__all__ = ["Heartbeat"]

_EVERY_S: Final = 0.02
_LATE_S: Final = 0.005  # an idle loop's timers are as late as this, too


class Heartbeat:
    """Takes what happens between two beats of *loop* for one step: late beats are long ones.

    Attributes:
        task: The task that was running when somebody looked.
    """

    def __init__(self, loop: Any, steps: Steps) -> None:
        self._loop = loop
        self._steps = steps
        self._timer: Any = None
        self.task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Beat from now on."""
        self._wait(self._steps.clock())

    def stop(self) -> None:
        """Beat no more."""
        self._timer.cancel()

    def look(self) -> None:
        """Note, from another thread, which task is running."""
        self.task = asyncio.current_task(self._loop) or self.task

    def _beat(self) -> None:
        steps = self._steps
        now = steps.clock()
        if now - steps.began >= _LATE_S:
            steps.busy_since = min(steps.busy_since, steps.began)
            steps.end_long(self.task or self._beat, _context_of(self.task), now)
        else:
            steps.busy_since = now
        self._wait(now)

    def _wait(self, now: float) -> None:
        self.task = None
        self._timer = self._loop.call_later(_EVERY_S, self._beat)
        self._steps.began = now + _EVERY_S
        self._steps.running = self


def _context_of(task: Any) -> Context | None:
    variables = None if task is None else variables_of(task)
    return None if variables is None else variables.get(CURRENT)
