"""The lines that will be shown next: of too many, the last; of several sources, in their order.

A terminal takes so many at a time, and a person reads fewer.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Iterable
from typing import Final

from tracelog.answers.entries import Entry


__all__ = ["Frame", "in_time"]

_MOST_BYTES: Final = 2 << 20  # of the lines of one kind


class Frame:
    """A bounded number of lines, and once more as many that stand out: none gives way to others."""

    MOST: Final = 300

    def __init__(self, most: int = MOST, most_bytes: int = _MOST_BYTES) -> None:
        self._parts = (_Part(most, most_bytes), _Part(most, most_bytes))
        self._number = 0

    def add(self, entry: Entry) -> None:
        """Keep one more, and let the oldest of its kind go if there is no room."""
        self._parts[entry.stands_out].add(self._number, entry)
        self._number += 1

    def take(self) -> tuple[list[Entry], int]:
        """Return those that are left, as they came, and how many aren't; begin anew."""
        entries = [entry for _, entry in heapq.merge(*(part.entries for part in self._parts))]
        left_out = sum(part.left_out for part in self._parts)
        for part in self._parts:
            part.clear()
        return entries, left_out


def in_time(entries: Iterable[Entry]) -> list[Entry]:
    """Merge what came from several sources by time; no source's own order is changed."""
    latest: dict[str, float] = {}
    keyed = []
    for entry in entries:
        before = latest.get(entry.source, -math.inf)
        # What has no time of its own, such as a traceback's line, stays where it is.
        created = entry.created
        now = before if created is None else max(before, created)
        latest[entry.source] = now
        keyed.append((now, entry))
    return [entry for _, entry in sorted(keyed, key=lambda pair: pair[0])]


class _Part:
    """Those of one kind, with the numbers by which they came."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self.entries: deque[tuple[int, Entry]] = deque()
        self.clear()

    def add(self, number: int, entry: Entry) -> None:
        self.entries.append((number, entry))
        self._bytes += len(entry.raw)
        # The last one stays, however long it is.
        while len(self.entries) > self._most or (
            self._bytes > self._most_bytes and len(self.entries) > 1
        ):
            self._bytes -= len(self.entries.popleft()[1].raw)
            self.left_out += 1

    def clear(self) -> None:
        self.entries.clear()
        self._bytes = 0
        self.left_out = 0
