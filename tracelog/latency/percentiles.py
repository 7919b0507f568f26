"""Percentiles of durations, in bounded memory."""

from __future__ import annotations

import math
from typing import Final


__all__ = ["Percentiles"]

_STEP: Final = math.log(1.05)  # what shares a count differs by 5 % at most
_LEAST_MS: Final = 0.001


class Percentiles:
    """Counts durations in steps of 5 %, some 400 of them from a microsecond to an hour."""

    __slots__ = ("_counts", "count", "max_ms")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.max_ms = 0.0

    def add(self, ms: float) -> None:
        """Count one more."""
        step = round(math.log(max(ms, _LEAST_MS)) / _STEP)
        self._counts[step] = self._counts.get(step, 0) + 1
        self.count += 1
        self.max_ms = max(self.max_ms, ms)

    def at(self, share: float) -> float:
        """Tell, within 2.5 %, the milliseconds that *share* of all stay at or below."""
        left = math.ceil(share * self.count)
        for step in sorted(self._counts):
            left -= self._counts[step]
            if left <= 0:
                return min(round(math.exp(step * _STEP), 3), self.max_ms)

        return self.max_ms
