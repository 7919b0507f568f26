"""One utterance on the clock: from its arrival to the end of its handling."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tracelog.events import timestamp_of
from tracelog.fields import (
    ARRIVED_AT,
    KIND,
    LATE,
    QUEUE_MS,
    SOCKET_MS,
    TOTAL_MS,
    UTTERANCE,
)


__all__ = ["SYSTEM_CLOCK", "Arrival", "Clock", "Utterance"]


@dataclass(frozen=True, slots=True)
class Clock:
    """Two clocks: what time it is, and how much has passed, in seconds both."""

    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.perf_counter


SYSTEM_CLOCK: Final = Clock()


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that has been read.

    Attributes:
        wall: When it was read, in seconds since the epoch.
        read: The same on the monotonic clock.
        socket_wait: How long it had waited to be read, in seconds.
    """

    wall: float
    read: float
    socket_wait: float = 0.0

    @classmethod
    def now(cls, clock: Clock, socket_wait: float = 0.0) -> Arrival:
        """Note that a message is being read."""
        return cls(clock.wall(), clock.monotonic(), socket_wait)


@dataclass(frozen=True, slots=True)
class Utterance:
    """An utterance that is being handled.

    Attributes:
        number: Its number in its connection, from 1.
        kind: "websocket" or "http".
        arrival: Its arrival.
        started: When its handling began, on the monotonic clock.
    """

    number: int
    kind: str
    arrival: Arrival
    started: float

    def ledger(self, ended: float, *, late_ms: float) -> dict[str, Any]:
        """Tell where its time went until *ended*, on the monotonic clock."""
        socket_ms = self.arrival.socket_wait * 1000
        total_ms = round(socket_ms + (ended - self.arrival.read) * 1000, 3)
        return {
            UTTERANCE: self.number,
            TOTAL_MS: total_ms,
            SOCKET_MS: round(socket_ms, 3),
            QUEUE_MS: round((self.started - self.arrival.read) * 1000, 3),
            LATE: total_ms >= late_ms,  # of what is shown: a reader compares the two
            KIND: self.kind,
            ARRIVED_AT: timestamp_of(self.arrival.wall - self.arrival.socket_wait),
        }
