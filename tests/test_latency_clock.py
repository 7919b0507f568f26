"""The two clocks, and how lines show what they tell."""

from __future__ import annotations

import asyncio
import time
from dataclasses import FrozenInstanceError

import pytest

from tracelog.latency.clock import SYSTEM_CLOCK, Clock, ms_of


def test_the_systems_clocks_are_the_default():
    """The monotonic one is that of event loops: their timers can be compared with it."""
    loop = asyncio.new_event_loop()

    before, now, after = time.monotonic(), loop.time(), SYSTEM_CLOCK.monotonic()

    loop.close()
    assert before <= now <= after
    assert SYSTEM_CLOCK == Clock()
    assert (SYSTEM_CLOCK.wall, SYSTEM_CLOCK.monotonic) == (time.time, time.monotonic)


def test_a_clock_is_frozen():
    """It is handed on."""
    with pytest.raises(FrozenInstanceError):
        SYSTEM_CLOCK.wall = None


@pytest.mark.parametrize(
    ("seconds", "ms"),
    [(0.0, 0.0), (1.5, 1500.0), (0.0123456, 12.346), (1e-7, 0.0), (-0.001, -1.0)],
    ids=str,
)
def test_milliseconds_have_microseconds(seconds, ms):
    """No more digits than anybody reads."""
    assert ms_of(seconds) == ms
