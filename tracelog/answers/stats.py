"""The question `stats` asks: how much there is, how it went over time, and what fills the disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tracelog import fields
from tracelog.answers.filters import Filters
from tracelog.answers.question import Engine, Question, Row, Tally
from tracelog.answers.views import LINES


__all__ = ["Figures", "Stats", "Volume", "stats"]

_WIDTHS: Final = (
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    21600,
    43200,
    86400,
)
_MOST: Final = 60  # intervals in a chart
_TOO_MANY: Final = 1_000  # to say of most that nothing happened: some line's clock was wrong
_FRACTIONS: Final = (0.5, 0.95, 0.99)
_UTTERANCE: Final = f"event = '{fields.EVENT_UTTERANCE}'"
_REQUEST: Final = f"event = '{fields.EVENT_REQUEST}'"
_SERVER_ERROR: Final = 500
_ERRORS: Final = "level IN ('error', 'critical')"
_TOTAL: Final = f"CASE WHEN {_UTTERANCE} THEN total_ms END"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What there is in some time.

    Attributes:
        start: When that time begins; None of all together.
        lines: How many lines.
        size: How many bytes.
        errors: How many lines are of level `error` or `critical`.
        requests: HTTP requests that have their line.
        failed_requests: Those that ended in a status of 500 or more.
        utterances: How many have their verdict.
        late: How many of them were late.
        failed: The handlers of how many of them raised.
        p50_ms: Half of them took this or less; None if there are none.
        p95_ms: 95 of 100.
        p99_ms: 99 of 100.
        max_ms: The longest.
    """

    start: datetime | None
    lines: int = 0
    size: int = 0
    errors: int = 0
    requests: int = 0
    failed_requests: int = 0
    utterances: int = 0
    late: int = 0
    failed: int = 0
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    max_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What one logger writes.

    Attributes:
        logger: Its name.
        lines: How many lines.
        size: How many bytes.
        traceless: How many of the lines have no trace.
        errors: How many are of level `error` or `critical`.
    """

    logger: str | None
    lines: int
    size: int
    traceless: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What was found.

    Attributes:
        total: All together.
        intervals: One after the other, those in which nothing happened, too.
        seconds: How long an interval is.
        volumes: The loggers, those that write most first.
        tally: What was looked at.
    """

    total: Figures
    intervals: tuple[Figures, ...]
    seconds: int
    volumes: tuple[Volume, ...]
    tally: Tally


def stats(engine: Engine, filters: Filters) -> Stats:
    """Count.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    conditions = filters.conditions(engine)
    seconds = _width(engine, filters)
    words = engine.dialect
    found = engine.ask(
        Question(
            view=LINES,
            figures=(
                "count(*)",
                "sum(bytes)",
                _count(_ERRORS),
                _count("trace_id IS NULL"),
                _count(_REQUEST),
                _count(f"{_REQUEST} AND status >= {_SERVER_ERROR}"),
                _count(_UTTERANCE),
                _count(f"{_UTTERANCE} AND late"),
                _count(f"{_UTTERANCE} AND failed"),
                words.quantiles(_TOTAL, *_FRACTIONS),
                f"max({_TOTAL})",
            ),
            groups=((), (words.bucket("time", seconds),), ("logger",)),
            conditions=conditions.sql,
            parameters=conditions.parameters,
        )
    )
    everything, intervals, loggers = found.groups
    return Stats(
        total=_figures(None, everything[0]) if everything else Figures(start=None),
        intervals=tuple(_filled(intervals, seconds)),
        seconds=seconds,
        volumes=tuple(sorted(map(_volume, loggers), key=lambda v: (-v.size, str(v.logger)))),
        tally=found.tally,
    )


def _count(condition: str) -> str:
    """Count the rows of which *condition* holds."""
    return f"count(CASE WHEN {condition} THEN 1 END)"


def _width(engine: Engine, filters: Filters) -> int:
    """Choose how long an interval is: so that the log, or what is asked for of it, has enough."""
    since, until = filters.window(engine)
    start, end = since or engine.start(), until or engine.end()
    if not (start and end):
        return _WIDTHS[0]

    whole = (end - start).total_seconds()
    return next((width for width in _WIDTHS if whole / width < _MOST), _WIDTHS[-1])


def _figures(start: datetime | None, figures: Sequence[Any]) -> Figures:
    """Make figures of what the engine gave."""
    lines, size, errors, _traceless, requests, broken, utterances, late, failed, *rest = figures
    quantiles, longest = rest
    p50, p95, p99 = (round(each, 3) for each in quantiles) if quantiles else (None, None, None)
    return Figures(
        start=start,
        lines=lines,
        size=int(size),
        errors=int(errors),
        requests=int(requests),
        failed_requests=int(broken),
        utterances=int(utterances),
        late=int(late),
        failed=int(failed),
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=longest,
    )


def _filled(rows: Sequence[Row], seconds: int) -> list[Figures]:
    """Put the intervals in order; in between, there are those of which there is nothing to tell."""
    known = {row[0]: row[1:] for row in rows if row[0] is not None}
    if not known:
        return []

    first, last = min(known), max(known)
    if (last - first) // seconds > _TOO_MANY:  # a clock that was wrong for a line
        starts: Sequence[int] = sorted(known)
    else:
        starts = range(first, last + 1, seconds)
    return [
        _figures(_at(start), known[start]) if start in known else Figures(start=_at(start))
        for start in starts
    ]


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _volume(row: Row) -> Volume:
    """Make a logger's figures of what the engine gave."""
    logger, lines, size, errors, traceless, *_ = row
    return Volume(
        logger=logger, lines=lines, size=int(size), traceless=int(traceless), errors=int(errors)
    )
