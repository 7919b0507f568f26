"""The garbage collector's pauses, by thread."""

from __future__ import annotations

import gc
import threading
import time
from collections import deque
from typing import Any, Final


__all__ = ["Pauses"]

_LEAST_S: Final = 0.001
_RECENT: Final = 64


class Pauses:
    """Longer pauses of the thread that made it, since `start`.

    The collector calls back in the thread that it stops, before and after.
    """

    def __init__(self) -> None:
        self._ident = threading.get_ident()
        self._began: float | None = None
        self._recent: deque[tuple[float, float]] = deque(maxlen=_RECENT)

    def start(self) -> None:
        """Take note from now on."""
        gc.callbacks.append(self._note)

    def stop(self) -> None:
        """Take no more notes."""
        if self._note in gc.callbacks:
            gc.callbacks.remove(self._note)

    def within(self, began: float, ended: float) -> float:
        """Tell how many seconds of this span of `time.monotonic` they took."""
        overlaps = (min(ended, last) - max(began, first) for first, last in [*self._recent])
        return sum(overlap for overlap in overlaps if overlap > 0)

    def _note(self, phase: str, _info: dict[str, Any]) -> None:
        if threading.get_ident() != self._ident:
            return

        now = time.monotonic()
        if phase == "start":
            self._began = now
        elif self._began is not None and now - self._began >= _LEAST_S:
            self._recent.append((self._began, now))
