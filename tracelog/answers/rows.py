"""Rows of any kind: as a table or as records on a terminal, with tabs in a pipe, as JSON lines."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from rich.console import Console, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from tracelog.answers.question import Row
from tracelog.answers.render import ABSENT, escape, make_table, name
from tracelog.answers.times import write_timestamp


__all__ = ["draw", "records", "tabbed"]

Columns = Sequence[tuple[str, str]]

_FIGURES: Final = ("INT", "DOUBLE", "FLOAT", "DECIMAL")
_LONG: Final = 2_000  # characters of a value in a record


def draw(columns: Columns, rows: Sequence[Row], console: Console) -> RenderableType:
    """Draw a table; or records, if the terminal is too narrow for it."""
    table = make_table()
    for title, kind in columns:
        justify: Literal["left", "right"] = "right" if _is_figure(kind) else "left"
        table.add_column(Text(name(title)), justify=justify, overflow="ellipsis", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(_cell(value), _style(value)) for value in row))
    widest = Measurement.get(console, console.options.update(max_width=100_000), table)
    return table if widest.maximum <= console.width or len(columns) == 1 else _listed(columns, rows)


def tabbed(columns: Columns, rows: Iterable[Row]) -> Iterator[str]:
    """Write a line of names and a line for each row; NULL is nothing."""
    yield "\t".join(escape(title) for title, _ in columns)
    for row in rows:
        yield "\t".join("" if value is None else escape(_text(value)) for value in row)


def records(columns: Columns, rows: Iterable[Row]) -> Iterator[dict[str, Any]]:
    """Give each row as what JSON can hold; a column of JSON is what it says."""
    for row in rows:
        yield {
            title: _read(value) if kind == "JSON" else _plain(value)
            for (title, kind), value in zip(columns, row, strict=True)
        }


def _listed(columns: Columns, rows: Sequence[Row]) -> Table:
    """Write each value in a line of its own."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    width = max(len(name(title)) for title, _ in columns)
    for number, row in enumerate(rows, start=1):
        grid.add_row(f"{number:,} ".ljust(width, "─"))
        for (title, _), value in zip(columns, row, strict=True):
            grid.add_row(Text(name(title)), Text(_cell(value, _LONG), _style(value)))
    return grid


def _is_figure(kind: str) -> bool:
    """Whether a type of SQL is a number's."""
    return any(word in kind for word in _FIGURES) and kind != "INTERVAL"


def _cell(value: Any, longest: int = 120) -> str:
    """Write a value for eyes."""
    if value is None:
        return ABSENT

    text = _text(value)
    shown = escape(text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _style(value: Any) -> str:
    return "dim" if value is None else ""


def _text(value: Any) -> str:
    """Write a value as one text."""
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def _read(value: str | None) -> Any:
    """Read a value that is JSON; one that Python can't hold stays a text."""
    if value is None:
        return None

    try:
        return _plain(json.loads(value))
    except (ValueError, RecursionError):
        return value


def _plain(value: Any) -> Any:
    """Make of a value of SQL what JSON can hold."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}

    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]

    if isinstance(value, float | Decimal):
        return float(value) if math.isfinite(value) else None

    if isinstance(value, datetime):
        return write_timestamp(value)

    return value if value is None or isinstance(value, str | int) else _other(value)


def _other(value: Any) -> str:
    """Write bytes, UUIDs, dates, durations and whatever else there may be."""
    return value.hex() if isinstance(value, bytes) else str(value)
