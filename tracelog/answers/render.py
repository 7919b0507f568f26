"""What was found, for eyes: a table and a few sentences; and for programs: JSON lines.

Whatever comes from a log is untrusted: control characters are escaped, markup isn't interpreted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import compress
from typing import Any, Final

from rich import box
from rich.table import Table
from rich.text import Text

from tracelog.answers.queries import Answer
from tracelog.answers.utterances import Utterance
from tracelog.escapes import CONTROLS


__all__ = ["escape", "json_lines", "make_table", "sentences"]

_LONGEST: Final = 120  # characters of a value in the table
_COLUMNS: Final = (  # and the narrowest terminal that has room for them
    ("time", 0),
    ("user", 0),
    ("connection", 120),
    ("utterance", 130),
    ("total", 0),
    ("waited", 100),
    ("handled", 100),
    ("why", 0),
)
_NAMES: Final = ("user", "connection")
_FIGURES: Final = ("utterance", "total", "waited", "handled")
_WHY: Final = "why"
_CAUSE: Final = 300  # characters of it
_ABSENT: Final = "-"
_CLOCK: Final = "%H:%M:%S"
_DATED: Final = f"%Y-%m-%d {_CLOCK}"
_SEVERAL: Final = 2


def escape(text: str) -> str:
    r"""Make *text* harmless for a terminal, and leave JSON the JSON it is.

    >>> escape("\x1b[2J")
    '\\u001b[2J'
    """
    return CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def json_lines(rows: Iterable[Utterance]) -> Iterator[str]:
    """Write each utterance as a line of JSON."""
    for row in rows:
        time = row.time and row.time.isoformat(timespec="microseconds").replace("+00:00", "Z")
        yield escape(json.dumps({**asdict(row), "time": time}, ensure_ascii=False))


def make_table(rows: Sequence[Utterance], width: int) -> Table:
    """Lay the utterances out in *width* columns; a day that all share is said once, above."""
    days = sorted({row.time.date() for row in rows if row.time})
    clock, room = (_CLOCK, width) if len(days) < _SEVERAL else (_DATED, width - len("2026-11-22 "))
    kept = [room >= narrowest for _, narrowest in _COLUMNS]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="dim")
    table.title = f"{days[0]} UTC, in ms" if clock == _CLOCK and days else "UTC, in ms"
    table.title_justify, table.title_style, table.border_style = "left", "dim", "dim"
    for header, _ in compress(_COLUMNS, kept):
        _add_column(table, header)
    for row in rows:
        table.add_row(*compress(_cells(row, clock), kept))
    return table


def sentences(answer: Answer, names: Sequence[str], *, is_filtered: bool) -> Iterator[str]:
    """Say what was counted; *names* are what was read."""
    yield _counted(answer, names, is_filtered=is_filtered)
    if len(answer.rows) < answer.matched:
        yield f"Shown: the slowest {len(answer.rows):,} of {answer.matched:,}; --top shows more."
    if answer.broken:
        yield f"{_count(answer.broken, 'line')} {_are(answer.broken)} no JSON: {_places(answer)}."
    if answer.broken and answer.broken == answer.lines:
        yield "Lines for eyes can't be asked: let the service write JSON, with LOG_FORMAT=json."


def _add_column(table: Table, header: str) -> None:
    """Let names give way when it gets narrow, and figures not; what is long is wrapped."""
    if header in _NAMES:
        table.add_column(header, overflow="ellipsis", max_width=_LONGEST)
    elif header == _WHY:
        table.add_column(header, overflow="fold", min_width=len("late"))
    else:
        table.add_column(header, no_wrap=True, justify="right" if header in _FIGURES else "left")


def _cells(row: Utterance, clock: str) -> tuple[Text, ...]:
    """Write one utterance; of what it spent its time on, the lesser part is dimmed."""
    alarm = "bold red" if row.late else ""
    return (
        Text(_time(row.time, clock)),
        Text(_shown(row.user_id)),
        Text(_shown(row.connection_id)),
        Text(_shown(row.utterance)[:_LONGEST]),
        Text(f"{row.total_ms:,.1f}", alarm),
        Text(f"{row.waited_ms:,.1f}", "dim" if row.waited_ms < row.handled_ms else ""),
        Text(f"{row.handled_ms:,.1f}", "dim" if row.handled_ms < row.waited_ms else ""),
        Text(_shown(row.cause)[:_CAUSE]) if row.cause else Text("late" if row.late else "", alarm),
    )


def _time(time: datetime | None, clock: str) -> str:
    """Write a time to the millisecond."""
    return _ABSENT if time is None else f"{time:{clock}}.{time.microsecond // 1000:03}"


def _shown(value: Any) -> str:
    """Write a value of the log as one short, harmless word."""
    if value is None:
        return _ABSENT

    return escape(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _counted(answer: Answer, names: Sequence[str], *, is_filtered: bool) -> str:
    """Say what there was, and say it in words if there was nothing."""
    lines = _count(answer.lines, "line")
    if not answer.lines:
        return f"Nothing to read: {escape(', '.join(names))} {_are(len(names))} empty."

    if not answer.utterances:
        return f'No utterance in {lines}: none has "event": "utterance", as TraceMiddleware writes.'

    utterances = _count(answer.utterances, "utterance")
    if not answer.matched:
        lacks = "matches" if is_filtered else "has a total_ms to go by"
        return f"None of {utterances} in {lines} {lacks}."

    late = f"{answer.late:,} of them late" if answer.late else "none of them late"
    matched = f"{answer.matched:,} of {utterances} match" if is_filtered else utterances
    return f"{matched}, {late}, in {lines}."


def _places(answer: Answer) -> str:
    """Name the first broken lines."""
    places = escape(", ".join(answer.broken_at))
    return f"the first are {places}" if answer.broken > len(answer.broken_at) else places


def _count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _are(number: int) -> str:
    """Choose the verb."""
    return "is" if number == 1 else "are"
