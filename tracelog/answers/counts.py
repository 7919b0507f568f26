"""What went by: exact totals, who was late in the last minute, and both in words.

Memory is bounded, however many users there are; the clock is the caller's.
"""

from __future__ import annotations

from collections import Counter
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
    _seconds: dict[int, _Second] = field(default_factory=dict)

    def add(self, entry: Entry, now: float) -> None:
        """Count a line; *now* is in seconds since the epoch."""
        self.lines += 1
        self.broken += entry.event is None
        self.utterances += entry.is_verdict
        self.holds += entry.is_hold
        if entry.is_late:
            self.late += 1
            created = entry.created
            at = now if created is None else min(created, now)  # a clock may be ahead
            self._note(entry.user or _NOBODY, int(at), now)

    def lately(self, now: float) -> int:
        """How many were late in the minute before *now*."""
        return sum(second.late for second in self._window(now).values())

    def worst(self, now: float) -> tuple[str, int] | None:
        """Who was late most often in that minute, and how often; None if nobody was."""
        users: Counter[str] = Counter()
        for second in self._window(now).values():
            users.update(second.users)
        del users[_NOBODY]
        return next(iter(users.most_common(1)), None)

    def status(self, now: float, left_out: int) -> str:
        """Say in a line how it goes; *left_out* lines weren't drawn."""
        late = f"{self.lately(now):,} late in the last minute"
        worst = self.worst(now)
        whose = f", worst: {printable(worst[0])} ({worst[1]:,})" if worst else ""
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

    def _note(self, user: str, at: int, now: float) -> None:
        if at <= now - _WINDOW_S:
            return

        if at not in self._seconds:
            self._seconds = {**self._window(now), at: _Second()}
        second = self._seconds[at]
        second.late += 1
        user = user[:_LONGEST]
        if user in second.users or len(second.users) < _USERS:
            second.users[user] += 1

    def _window(self, now: float) -> dict[int, _Second]:
        return {at: second for at, second in self._seconds.items() if at > now - _WINDOW_S}


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
