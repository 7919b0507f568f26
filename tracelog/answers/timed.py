"""What has a time of its own: the lines from which one can tell when something began and ended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from tracelog.answers.entries import Entry
from tracelog.answers.times import read_timestamp
from tracelog.fields import (
    ARRIVED_AT,
    DURATION_MS,
    EVENT,
    EVENT_CALL,
    EVENT_HOLD,
    EVENT_SPAN,
    EVENT_UTTERANCE,
    HELD_AT,
    HELD_MS,
    TIMESTAMP,
    TOTAL_MS,
)


__all__ = ["Timed", "number_of", "timed"]

# When it began, if the line tells, and how long it was; else it ended when its line was made.
_KEYS: Final = {
    EVENT_UTTERANCE: (ARRIVED_AT, TOTAL_MS),
    EVENT_HOLD: (HELD_AT, HELD_MS),
    EVENT_SPAN: (None, TOTAL_MS),
    EVENT_CALL: (None, DURATION_MS),
}
_LONGEST_MS: Final = 1e12


@dataclass(frozen=True, slots=True)
class Timed:
    """A line, and the time that it tells of.

    Attributes:
        entry: The line.
        began: In seconds since the epoch, by its service's clock.
        length_ms: How long it was.
    """

    entry: Entry
    began: float
    length_ms: float

    @property
    def event(self) -> dict[str, Any]:
        """What the line says."""
        return self.entry.event or {}

    @property
    def kind(self) -> Any:
        """Which of the four it is: its event."""
        return self.event.get(EVENT)

    @property
    def ended(self) -> float:
        """In seconds since the epoch, too."""
        return self.began + self.length_ms / 1000


def timed(entries: Iterable[Entry]) -> list[Timed]:
    """Read the times of those that have one."""
    return [found for entry in entries if (found := _read(entry)) is not None]


def number_of(value: Any) -> float:
    """Take a value of a log as milliseconds; what is none counts as nothing.

    >>> number_of(2.5), number_of("x"), number_of(-1), number_of(True)
    (2.5, 0.0, 0.0, 0.0)
    """
    if type(value) not in (int, float) or not 0 <= value <= _LONGEST_MS:
        return 0.0

    return float(value)


def _read(entry: Entry) -> Timed | None:
    event = entry.event or {}
    name = event.get(EVENT)
    keys = _KEYS.get(name) if isinstance(name, str) else None
    if keys is None:
        return None

    begin, duration = keys
    length = number_of(event.get(duration))
    began = read_timestamp(event.get(begin)) if begin else None
    if began is not None:
        return Timed(entry, began.timestamp(), length)

    ended = read_timestamp(event.get(TIMESTAMP))
    return Timed(entry, ended.timestamp() - length / 1000, length) if ended else None
