"""The slowest utterances, for eyes and for programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import compress
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from tracelog.answers.bars import bar, legend
from tracelog.answers.question import Read
from tracelog.answers.render import (
    ABSENT,
    ALARM,
    add_bar,
    add_figure,
    add_name,
    add_reason,
    broken,
    count,
    make_table,
    ms,
    name,
    nothing,
    reason,
    titled,
)
from tracelog.answers.slowest import Answer
from tracelog.answers.utterances import Utterance
from tracelog.answers.views import BOXES


__all__ = ["bar_width", "draw", "records", "sentences"]

_WITH_BARS: Final = 60  # columns, below which there is no room for them
_Column = tuple[str, Callable[[Table, str, int], None], int]
_COLUMNS: Final[tuple[_Column, ...]] = (  # and the narrowest terminal that has room for them
    ("time", add_bar, 0),
    ("user", add_name, 0),
    ("connection", add_name, 140),
    ("what", add_name, 110),
    ("total", add_figure, 0),
    ("boxes", add_bar, _WITH_BARS),
    ("why", add_reason, 0),
)
_BARS: Final = ((140, 24), (100, 16), (0, 8))  # how wide they are, by how wide the terminal is
_CLOCK: Final = "%H:%M:%S"
_DATED: Final = f"%Y-%m-%d {_CLOCK}"
_SEVERAL: Final = 2


def draw(rows: Sequence[Utterance], width: int, is_plain: bool) -> Iterator[Group]:  # noqa: FBT001 -- a callback's
    """Lay the utterances out in *width* columns; a day that all share is said once, above."""
    if not rows:
        return

    days = sorted({row.time.date() for row in rows if row.time})
    clock, room = (_CLOCK, width) if len(days) < _SEVERAL else (_DATED, width - len("2026-11-22 "))
    title = f"{days[0]} UTC, in ms" if clock == _CLOCK and days else "UTC, in ms"
    drawn = make_table()
    kept = [room >= narrowest for *_, narrowest in _COLUMNS]
    for header, add, _ in compress(_COLUMNS, kept):
        add(drawn, header, width)
    longest = max(row.total_ms for row in rows)
    for row in rows:
        drawn_bar = bar(_boxes(row), row.total_ms, longest, bar_width(width), is_plain=is_plain)
        drawn.add_row(*compress(_cells(row, clock, drawn_bar), kept))
    is_whole = all(None not in _boxes(row) for row in rows)
    explained = legend(is_whole=is_whole, is_plain=is_plain)
    yield titled(title, drawn, *([explained, Text()] if room >= _WITH_BARS else []))


def bar_width(width: int) -> int:
    """Tell how wide bars are on a terminal of that *width*."""
    return next(bar for narrowest, bar in _BARS if width >= narrowest)


def records(rows: Sequence[Utterance]) -> Iterator[dict[str, Any]]:
    """Give each utterance as what a line of JSON says."""
    return map(asdict, rows)


def sentences(answer: Answer, read: Read, *, is_filtered: bool) -> Iterator[str]:
    """Say what was counted."""
    yield _counted(answer, read, is_filtered=is_filtered)
    if len(answer.rows) < answer.tally.matched:
        shown, matched = f"{len(answer.rows):,}", f"{answer.tally.matched:,}"
        is_by_total = answer.by in ("total", "time", "user")
        most = f"the slowest {shown}" if is_by_total else f"the {shown} longest in `{answer.by}`,"
        yield f"Shown: {most} of {matched}; --top shows more."
    yield from broken(read)


def _cells(row: Utterance, clock: str, drawn_bar: Text) -> tuple[Text, ...]:
    """Write one utterance."""
    alarm = ALARM if row.late else ""
    return (
        Text(_time(row.time, clock), "dim" if not row.late else ""),
        Text(name(row.user_id)),
        Text(name(row.connection_id), "dim"),
        Text(_what(row), "dim"),
        Text(ms(row.total_ms, math.inf), alarm),
        drawn_bar,
        Text(reason(row.cause)) if row.cause else Text("late" if row.late else "", alarm),
    )


def _boxes(row: Utterance) -> tuple[float | None, ...]:
    """List its boxes, in their order."""
    return tuple(getattr(row, box) for box in BOXES)


def _what(row: Utterance) -> str:
    """Name what was handled: where it went, and its number in the connection."""
    where = row.route if row.route is not None else row.kind
    return name(where) if row.utterance is None else f"{name(where)} {name(row.utterance)}"


def _time(time: datetime | None, clock: str) -> str:
    """Write a time to the millisecond."""
    return ABSENT if time is None else f"{time:{clock}}.{time.microsecond // 1000:03}"


def _counted(answer: Answer, read: Read, *, is_filtered: bool) -> str:
    """Say what there was, and say it in words if there was nothing."""
    lines = count(answer.tally.lines, "line")
    if not answer.tally.lines:
        return nothing(read)

    if not answer.tally.rows:
        return f'No utterance in {lines}: none has "event": "utterance", as TraceMiddleware writes.'

    utterances = count(answer.tally.rows, "utterance")
    if not answer.tally.matched:
        lacks = "matches" if is_filtered else "has a total_ms to go by"
        return f"None of {utterances} in {lines} {lacks}."

    late = f"{answer.late:,} of them late" if answer.late else "none of them late"
    matched = f"{answer.tally.matched:,} of {utterances} match" if is_filtered else utterances
    return f"{matched}, {late}, in {lines}."
