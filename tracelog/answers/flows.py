"""The lines of one trace in one file: all of them counted, the first and the last ones kept.

Those that have a time of their own (verdicts, holds, spans, calls) are kept besides, as many as
there is room for: they are what a waterfall is drawn from.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from tracelog.answers.entries import Entry
from tracelog.answers.finding import Hit
from tracelog.fields import EVENT, EVENT_CALL, EVENT_HOLD, EVENT_SPAN, EVENT_UTTERANCE


__all__ = ["Flow"]

_TOLD: Final = frozenset({EVENT_UTTERANCE, EVENT_HOLD, EVENT_SPAN, EVENT_CALL})
_MOST_TOLD: Final = 1_000
_MOST_BYTES: Final = 2 << 20  # of each kind


class Flow:
    """The lines of a trace.

    Attributes:
        source: What they are read from.
        count: How many there are.
        first: The first of them.
        told: Those that have a time of their own.
    """

    def __init__(self, source: str, most: int) -> None:
        self.source = source
        self.count = 0
        self.first: list[Entry] = []
        self.told: list[Hit] = []
        self._last: deque[Entry] = deque()
        self._most = most
        self._bytes = [0, 0, 0]  # of the first, the last, those told

    @property
    def last(self) -> list[Entry]:
        """The last of them, without those that are among the first."""
        return list(self._last)

    @property
    def left_out(self) -> int:
        """How many there are between the first and the last."""
        return self.count - len(self.first) - len(self._last)

    def add(self, hit: Hit) -> None:
        """Take one more."""
        entry = hit.entry
        self._tell(hit)
        if self.count == len(self.first) < self._most and self._fits(0, entry):
            self.first.append(entry)
        else:
            self._last.append(entry)
            self._bytes[1] += len(entry.raw)
            self._forget()
        self.count += 1

    def _tell(self, hit: Hit) -> None:
        event = (hit.entry.event or {}).get(EVENT)
        is_told = isinstance(event, str) and event in _TOLD
        if is_told and len(self.told) < _MOST_TOLD and self._fits(2, hit.entry):
            self.told.append(hit)

    def _fits(self, kind: int, entry: Entry) -> bool:
        """Take the room that *entry* needs, if there is as much; one always fits."""
        size = self._bytes[kind] + len(entry.raw)
        if self._bytes[kind] and size > _MOST_BYTES:
            return False

        self._bytes[kind] = size
        return True

    def _forget(self) -> None:
        while len(self._last) > self._most or (
            self._bytes[1] > _MOST_BYTES and len(self._last) > 1
        ):
            self._bytes[1] -= len(self._last.popleft().raw)
