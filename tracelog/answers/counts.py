"""What went by: exact totals, who was late in the last minute, and both in words.

Memory is bounded, however many users there are; the clock is the caller's.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from tracelog.answers.entries import Entry
from tracelog.escapes import printable


__all__ = ["Counts"]

_WINDOW_S: Final = 60
_USERS: Final = 200  # in each second: of those beyond, the lateness is counted, but not theirs
_LONGEST: Final = 100  # characters of a user's id
_NOBODY: Final = ""


@dataclass(slots=True)
class _Second:
    at: int
    late: int = 0
    users: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class Counts:
    """How many there were.

    Attributes:
        lines: All, but for blank ones.
        broken: Those that are no JSON.
        utterances: Those that an utterance ended with.
        late: How many of these were late.
        holds: Those about a step that held the event loop.
    """

    lines: int = 0
    broken: int = 0
    utterances: int = 0
    late: int = 0
    holds: int = 0
    _seconds: deque[_Second] = field(default_factory=lambda: deque(maxlen=_WINDOW_S))

    def add(self, entry: Entry, now: float) -> None:
        """Count a line that was read at *now*."""
        self.lines += 1
        self.broken += entry.event is None
        self.utterances += entry.is_verdict
        self.holds += entry.is_hold
        if entry.is_late:
            self.late += 1
            self._note(entry.user or _NOBODY, int(now))

    def lately(self, now: float) -> int:
        """How many were late in the minute before *now*."""
        return sum(second.late for second in self._window(now))

    def worst(self, now: float) -> tuple[str, int] | None:
        """Who was late most often in that minute, and how often; None if nobody was."""
        users: Counter[str] = Counter()
        for second in self._window(now):
            users.update(second.users)
        del users[_NOBODY]
        return next(iter(users.most_common(1)), None)

    def status(self, now: float, left_out: int) -> str:
        """Say in a line how it goes; *left_out* lines weren't drawn."""
        late = f"{self.lately(now):,} late in the last minute"
        worst = self.worst(now)
        whose = f" ({worst[1]:,} of {printable(worst[0])})" if worst else ""
        lines = f"{_count(self.lines, 'line')}, {late}{whose}"
        return f"{lines}, {left_out:,} not drawn" if left_out else lines

    def total(self, left_out: int) -> str:
        """Say at the end what there was."""
        parts = [_count(self.lines, "line"), _count(self.utterances, "utterance")]
        parts += [f"{self.late:,} of them late", _count(self.holds, "hold")]
        if self.broken:
            parts.append(f"{self.broken:,} no JSON")
        if left_out:
            parts.append(f"{left_out:,} not drawn")
        return f"{', '.join(parts)}."

    def _note(self, user: str, second: int) -> None:
        if not self._seconds or self._seconds[-1].at != second:
            self._seconds.append(_Second(second))
        last = self._seconds[-1]
        last.late += 1
        user = user[:_LONGEST]
        if user in last.users or len(last.users) < _USERS:
            last.users[user] += 1

    def _window(self, now: float) -> list[_Second]:
        return [second for second in self._seconds if second.at > now - _WINDOW_S]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
