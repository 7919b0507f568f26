"""What was gathered, as the page's script reads it: column by column, each word once.

A hundred thousand utterances are a few megabytes this way, and typed arrays a moment later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from tracelog.answers.gathered import LIMITS, Gathered, Limits
from tracelog.answers.question import Row
from tracelog.answers.views import BOXES


__all__ = ["page_data"]

_SUFFIX: Final = "_ms"
_HOLDS: Final = (
    "at",
    "ms",
    "where",
    "kind",
    "holder",
    "user",
    "trace",
    "delayed",
    "delayed_ms",
)


class _Words:
    """Texts that come again and again, numbered."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str | None) -> int:
        """Return the number of *text*; that of nothing is -1."""
        return -1 if text is None else self._numbers.setdefault(text, len(self._numbers))

    def list(self) -> list[str]:
        """List them, by their numbers."""
        return [*self._numbers]


def page_data(found: Gathered, names: Sequence[str], limits: Limits = LIMITS) -> dict[str, Any]:
    """Lay out what the page shows of *found*, in the sources called *names*.

    Times are milliseconds since `base`, which is the first of them since 1970.
    """
    times = [row[0] for row in found.utterance_rows if row[0] is not None]
    base = min(times, default=0) // 1000 * 1000
    users, connections, kinds = _Words(), _Words(), _Words()
    columns = _columns(found.utterance_rows, 9)
    moments, totals, late, boxes, user_ids, connection_ids, traces, numbers, kind_names = columns
    return {
        "base": base / 1000,
        "log": {**_about(found, limits), "names": [*names], "span_ms": _span(times)},
        "utterances": {
            "at": [_since(base, moment) for moment in moments],
            "total": totals,
            "late": [int(is_late) for is_late in late],
            **dict(zip(_names(), _boxes(boxes), strict=True)),
            "user": [users.number(text) for text in user_ids],
            "connection": [connections.number(text) for text in connection_ids],
            "trace": traces,
            "number": numbers,
            "kind": [kinds.number(text) for text in kind_names],
        },
        "users": users.list(),
        "connections": connections.list(),
        "kinds": kinds.list(),
        "why": [row[9] for row in found.utterance_rows[: limits.detailed] if row[9] is not None],
        "holds": dict(zip(_HOLDS, _holds(base, found.hold_rows), strict=True)),
        "places": found.place_rows,
        "people": found.user_rows,
        "lines": {row[0]: _lines(base, row, limits) for row in found.trace_rows},
    }


def _about(found: Gathered, limits: Limits) -> dict[str, Any]:
    """Tell of the whole log, not only of what is shown."""
    return {
        "utterances": found.utterances,
        "late": found.late,
        "users": found.users,
        "waiting": found.waiting,
        "holds": found.holds,
        "quantiles": found.quantiles,
        "left_out": [*_left_out(found, limits)],
    }


def _span(times: Sequence[int]) -> float | None:
    """Tell how long it is from the first of *times* to the last, in milliseconds."""
    return (max(times) - min(times) // 1000 * 1000) / 1000 if times else None


def _names() -> list[str]:
    """Name the columns of the boxes."""
    return [key.removesuffix(_SUFFIX) for key in BOXES]


def _columns(rows: Sequence[Row], count: int) -> list[list[Any]]:
    """Turn rows into columns, of which the first *count* are wanted."""
    return [[row[number] for row in rows] for number in range(count)]


def _boxes(rows: Sequence[Sequence[float | None]]) -> list[list[float | None]]:
    """Turn the boxes of each utterance into a column for each box."""
    return [[_finite(row[number]) for row in rows] for number in range(len(BOXES))]


def _holds(base: int, rows: Sequence[Row]) -> list[list[Any]]:
    """Turn holds into columns."""
    columns = _columns(rows, len(_HOLDS))
    columns[0] = [_since(base, moment) for moment in columns[0]]
    columns[-1] = [_finite(ms) for ms in columns[-1]]
    return columns


def _lines(base: int, row: Row, limits: Limits) -> dict[str, Any]:
    """Join a trace's first lines and its last ones, and tell where others were between them."""
    _, count, first, last = row
    if count <= len(first):
        shown, gap = first, None
    else:
        shown, gap = first[: limits.lines] + last[::-1], limits.lines
    return {
        "count": count,
        "gap": gap,
        "lines": [[_since(base, int(moment)), *texts] for moment, *texts in shown],
    }


def _since(base: int, moment: int | None) -> float | None:
    """Count a moment from *base*, in milliseconds."""
    return None if moment is None else (moment - base) / 1000


def _finite(number: float | None) -> float | None:
    """Return *number*, if JSON can tell it."""
    return number if number is not None and math.isfinite(number) else None


def _left_out(found: Gathered, limits: Limits) -> Iterator[str]:
    """Say what the page doesn't have, and which of it that is."""
    shown = len(found.utterance_rows)
    yield from _more(found.utterances, shown, "utterances", "late ones, and then the slowest")
    if shown > limits.detailed:
        yield f"Causes: of the worst {limits.detailed:,} utterances."
    if shown > limits.traced:
        yield f"Lines: of the worst {limits.traced:,}, {2 * limits.lines} of each at most."
    yield from _more(found.holds, len(found.hold_rows), "holds", "the longest")
    yield from _more(found.users, len(found.user_rows), "users", "those who waited longest")
    if len(found.place_rows) == limits.places:
        yield f"What is to blame: the costliest {limits.places:,}."
    if found.broken:
        yield f"{found.broken:,} of {found.lines:,} lines are no JSON."
    if not found.utterances:
        yield f'No utterance in {found.lines:,} lines: none has "event": "utterance".'


def _more(count: int, shown: int, things: str, which: str) -> Iterable[str]:
    """Say that there are more than are shown."""
    if count > shown:
        yield f"{shown:,} of {count:,} {things}: {which}."
