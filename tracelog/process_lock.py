"""A lock between processes, which nobody waits for but a thread that has the time."""

from __future__ import annotations

import fcntl
import time
from contextlib import suppress
from typing import Final


__all__ = ["EXCLUSIVE", "SHARED", "ProcessLock"]

EXCLUSIVE: Final = fcntl.LOCK_EX
SHARED: Final = fcntl.LOCK_SH

_flock = fcntl.flock
_NOW: Final = fcntl.LOCK_NB
_GIVE: Final = fcntl.LOCK_UN
_PAUSE_S: Final = 0.001


class ProcessLock:
    """The lock of an open file description (flock): of one process, and one thread at a time.

    Args:
        descriptor: Whose; None locks nothing.

    Attributes:
        refused: Another process had it when it was asked for last.
    """

    __slots__ = ("_descriptor", "_held", "refused")

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self._held = False
        self.refused = False

    def take(self, kind: int = EXCLUSIVE) -> None:
        """Take it, unless it was kept.

        Raises:
            BlockingIOError: If another process has it.
        """
        if self._held or self._descriptor is None:
            return

        self.refused = True
        _flock(self._descriptor, kind | _NOW)
        self.refused = False

    def keep(self) -> None:
        """Don't give it back before `give` is called, however often it is taken meanwhile."""
        self._held = True

    def give(self) -> None:
        """Give it back."""
        self._held = False
        if self._descriptor is not None:
            with suppress(OSError):  # what was written is written
                _flock(self._descriptor, _GIVE)

    def wait(self, timeout: float | None) -> None:
        """Wait until it is ours, or, if there is a *timeout* in seconds, for a moment."""
        if timeout is not None:
            time.sleep(min(timeout, _PAUSE_S))
        elif self._descriptor is not None:
            _flock(self._descriptor, EXCLUSIVE)
            self._held, self.refused = True, False
