"""Utterances in groups: how many, how late; and what became of each group at some time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tracelog.answers.filters import Filters, resolve
from tracelog.answers.question import Engine, Question, Row, Tally
from tracelog.answers.slowest import LATE
from tracelog.answers.times import Moment
from tracelog.answers.views import BOXES, UTTERANCES


__all__ = ["GROUPS", "Change", "Group", "compare", "group"]

GROUPS: Final = ("user", "where", "cause", "route", "minute")

_COLUMNS: Final = {"user": "user_id", "where": "place", "cause": "why", "route": "route"}
_KNOWN_ONLY: Final = ("where", "cause")  # most utterances are on time, and have none
_MINUTE: Final = 60
_FRACTIONS: Final = (0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Utterances that have something in common.

    Attributes:
        key: What: a user, a place, a cause, a route, or the minute that they arrived in.
        count: How many there are.
        late: How many of them were late.
        p50_ms: Half of them took this or less.
        p95_ms: 95 of 100.
        p99_ms: 99 of 100.
        max_ms: The longest.
        mean_ms: What each took on average.
        boxes_ms: What each spent on average, box by box.
    """

    key: str | None
    count: int
    late: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    mean_ms: float
    boxes_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A group before and after a point in time; one of the two may be missing."""

    key: str | None
    before: Group | None
    after: Group | None

    @property
    def grown_ms(self) -> float:
        """By how much the 95th percentile is longer than before."""
        before = self.before.p95_ms if self.before else 0.0
        return self.after.p95_ms - before if self.after else -before

    @property
    def box(self) -> tuple[str, float] | None:
        """Which box has grown most on average, and by how much, if any has."""
        if not (self.before and self.after):
            return None

        pairs = zip(BOXES, self.before.boxes_ms, self.after.boxes_ms, strict=True)
        name, grown = max(((box, after - before) for box, before, after in pairs), key=_second)
        return (name, grown) if grown > 0 else None


def group(engine: Engine, filters: Filters, by: str) -> tuple[tuple[Group, ...], Tally]:
    """Put the utterances in groups: those with most late ones come first, minutes in their order.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    found, tally = _ask(engine, filters, by, ())
    groups = [_read(row[0], row[1:], by) for row in found if _is_shown(row[0], by)]
    if by == "minute":
        return tuple(sorted(groups, key=lambda each: str(each.key))), tally

    return tuple(sorted(groups, key=lambda g: (-g.late, -g.p99_ms, str(g.key)))), tally


def compare(
    engine: Engine, filters: Filters, by: str, moment: Moment
) -> tuple[tuple[Change, ...], Tally]:
    """Compare each group before *moment* with itself after: what got slower comes first.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    at = resolve(engine, moment)
    found, tally = _ask(engine, filters, by, (at,))
    sides: dict[Any, dict[bool, Group]] = {}
    for key, is_after, *figures in found:
        if _is_shown(key, by) and is_after is not None:
            sides.setdefault(key, {})[bool(is_after)] = _read(key, figures, by)
    changes = [
        Change(key=_name(key, by), before=side.get(False), after=side.get(True))
        for key, side in sides.items()
    ]
    return tuple(sorted(changes, key=lambda each: (-each.grown_ms, str(each.key)))), tally


def _ask(
    engine: Engine, filters: Filters, by: str, at: tuple[datetime, ...]
) -> tuple[Sequence[Row], Tally]:
    """Ask for the figures of each group, or of each of its sides if there is a time to split at."""
    words = engine.dialect
    conditions = filters.conditions(engine)
    key = words.bucket("time", _MINUTE) if by == "minute" else _COLUMNS[by]
    sides = (f"time >= {words.moment('at')}",) if at else ()
    found = engine.ask(
        Question(
            view=UTTERANCES,
            figures=(
                "count(*)",
                LATE,
                words.quantiles("total_ms", *_FRACTIONS),
                "max(total_ms)",
                "sum(total_ms)",
                *(f"sum({box})" for box in BOXES),
            ),
            groups=((key, *sides),),
            conditions=("total_ms IS NOT NULL", *conditions.sql),
            parameters={**conditions.parameters, **({"at": at[0].isoformat()} if at else {})},
        )
    )
    return found.groups[0], found.tally


def _read(key: Any, figures: Sequence[Any], by: str) -> Group:
    """Make a group of what the engine gave."""
    count, late, (p50, p95, p99), longest, total, *boxes = figures
    return Group(
        key=_name(key, by),
        count=count,
        late=int(late),
        p50_ms=round(p50, 3),
        p95_ms=round(p95, 3),
        p99_ms=round(p99, 3),
        max_ms=longest,
        mean_ms=round(total / count, 3),
        boxes_ms=tuple(round((box or 0.0) / count, 3) for box in boxes),
    )


def _is_shown(key: Any, by: str) -> bool:
    """Whether a group is one: those on time have neither a place nor a cause."""
    return key is not None or by not in _KNOWN_ONLY


def _name(key: Any, by: str) -> str | None:
    """Name a group."""
    if by == "minute" and key is not None:
        return datetime.fromtimestamp(key, UTC).strftime("%Y-%m-%dT%H:%MZ")

    return None if key is None else str(key)


def _second(pair: tuple[str, float]) -> float:
    return pair[1]
