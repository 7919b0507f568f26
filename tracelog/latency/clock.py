"""The two clocks, and how lines show what they tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


__all__ = ["SYSTEM_CLOCK", "Clock", "ms_of"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks: what time it is, and how much has passed, in seconds both."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic  # event loops', so that timers can be compared


SYSTEM_CLOCK: Final = Clock()


def ms_of(seconds: float) -> float:
    """Write *seconds* as lines show them: milliseconds, to the microsecond."""
    return (seconds * 1e6 + 0.5) // 1 / 1000  # what `round` does, without a call
