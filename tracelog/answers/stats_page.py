"""How much there is, over time and by logger, for eyes and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from tracelog.answers.bars import columns, share, sparkline
from tracelog.answers.question import Read
from tracelog.answers.render import (
    ALARM,
    add_bar,
    add_figure,
    add_name,
    broken,
    count,
    make_table,
    ms,
    name,
    nothing,
    size,
    titled,
)
from tracelog.answers.stats import Figures, Stats, Volume


__all__ = ["draw", "records", "sentences"]

_LABELS: Final = 30  # columns that names and figures take beside a chart
_WIDEST: Final = 120
_SHARE: Final = 14
_NARROW: Final = 70
_NAMED: Final = 3
_UNITS: Final = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def draw(found: Stats, top: int, width: int, is_plain: bool) -> Iterator[Group]:  # noqa: FBT001 -- a callback's
    """Draw everything, of at most *top* loggers, in *width* columns."""
    if found.intervals:
        yield _chart(found, width, is_plain=is_plain)
    if found.volumes:
        yield _volumes(found.volumes[:top], width, is_plain=is_plain)


def _chart(found: Stats, width: int, *, is_plain: bool) -> Group:
    """Draw what went on, a line for each figure, over one axis of time."""
    drawn = Table.grid(padding=(0, 2))
    room = max(1, min(_WIDEST, width - _LABELS))
    merged = -(-len(found.intervals) // room) * found.seconds
    for label, style, pick, merge, shown in _LINES:
        values = columns([float(pick(each) or 0) for each in found.intervals], room, merge)
        if any(values):
            line = Text(sparkline(values, is_plain=is_plain), style)
            drawn.add_row(label, line, Text(f"max {shown(max(values))}", "dim"))
    return titled(f"{_span(found)}, a column is {_interval(merged)}", "", drawn, "")


def _volumes(volumes: Sequence[Volume], width: int, *, is_plain: bool) -> Group:
    """Lay out what each logger writes."""
    drawn = make_table()
    add_name(drawn, "logger", 2 * width)
    for header in ("lines", "bytes", "errors", "no trace"):
        add_figure(drawn, header)
    if width >= _NARROW:
        add_bar(drawn, "share")
    largest = max(volume.size for volume in volumes)
    for volume in volumes:
        part = share(volume.size, largest, _SHARE, is_plain=is_plain)
        drawn.add_row(*_cells(volume), *([part] if width >= _NARROW else []))
    return titled("what fills the disk, by logger", drawn)


def records(found: Stats, read: Read) -> Iterator[dict[str, Any]]:
    """Give everything as lines of JSON: the whole, then the intervals, then the loggers."""
    broken_lines = {"broken": read.tally.broken, "broken_at": read.broken_at}
    yield {"what": "total", **asdict(found.total), **broken_lines}
    for each in found.intervals:
        yield {"what": "interval", "seconds": found.seconds, **asdict(each)}
    for volume in found.volumes:
        yield {"what": "logger", **asdict(volume)}


def sentences(found: Stats, read: Read) -> Iterator[str]:
    """Say what was counted."""
    total = found.total
    if not read.tally.lines:
        yield nothing(read)
        return

    errors = _rate(total.errors, total.lines, "of them errors")
    yield f"{count(total.lines, 'line')}, {size(total.size)}; {errors}."
    if total.requests:
        failed = _rate(total.failed_requests, total.requests, "failed with 500 or more")
        yield f"{count(total.requests, 'request')}; {failed}."
    if total.utterances:
        late = _rate(total.late, total.utterances, "late")
        failed = _rate(total.failed, total.utterances, "failed")
        yield f"{count(total.utterances, 'utterance')}; {late}, {failed}; {_quantiles(total)}."
    yield from _traceless(found)
    yield from broken(read)


def _cells(volume: Volume) -> tuple[Text, ...]:
    """Write one logger."""
    return (
        Text(name(volume.logger)),
        Text(f"{volume.lines:,}"),
        Text(size(volume.size)),
        Text(f"{volume.errors:,}", ALARM if volume.errors else "dim"),
        Text(f"{volume.traceless:,}", "" if volume.traceless else "dim"),
    )


def _traceless(found: Stats) -> Iterator[str]:
    """Say how many lines have no trace, and who writes most of them."""
    number = sum(volume.traceless for volume in found.volumes)
    if not number:
        return

    most = sorted(found.volumes, key=lambda volume: -volume.traceless)[:_NAMED]
    loggers = ", ".join(name(volume.logger) for volume in most if volume.traceless)
    yield f"{_rate(number, found.total.lines, 'without a trace')}, most of them of {loggers}."


def _rate(number: int, whole: int, what: str) -> str:
    """Write how many of a whole are something."""
    return f"{number:,} {what} ({number / whole:.1%})" if number else f"none {what}"


def _quantiles(total: Figures) -> str:
    """Write how long they took."""
    figures = (("p50", total.p50_ms), ("p95", total.p95_ms), ("p99", total.p99_ms))
    texts = [f"{label} {ms(value)}" for label, value in (*figures, ("max", total.max_ms))]
    return f"{', '.join(texts)} ms"


def _interval(seconds: int) -> str:
    """Name a length of time."""
    unit, word = next((unit, word) for unit, word in _UNITS if seconds % unit == 0)
    return count(seconds // unit, word)


def _span(found: Stats) -> str:
    """Say from when to when the chart is."""
    starts = [each.start for each in found.intervals if each.start]
    first, last = starts[0], starts[-1] + timedelta(seconds=found.seconds)
    end = f"{last:%H:%M:%S}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M:%S}"
    return f"{first:%Y-%m-%d %H:%M:%S} to {end} UTC"


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _time(value: float) -> str:
    return f"{ms(value)} ms"


# A figure's name, its colour, where it is, how neighbours are merged, and how it is written.
_Line = tuple[str, str, Callable[[Figures], float | None], Callable[[Sequence[float]], float], Any]
_LINES: Final[tuple[_Line, ...]] = (
    ("lines", "bright_black", lambda each: each.lines, sum, _number),
    ("errors", "red", lambda each: each.errors, sum, _number),
    ("requests", "blue", lambda each: each.requests, sum, _number),
    ("utterances", "blue", lambda each: each.utterances, sum, _number),
    ("late", "red", lambda each: each.late, sum, _number),
    ("failed", "red", lambda each: each.failed, sum, _number),
    ("p50", "green", lambda each: each.p50_ms, max, _time),
    ("p95", "yellow", lambda each: each.p95_ms, max, _time),
    ("p99", "magenta", lambda each: each.p99_ms, max, _time),
)
