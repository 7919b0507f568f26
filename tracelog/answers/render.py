"""What answers are drawn with: words, figures, tables.

Whatever comes from a log is untrusted: control characters are escaped, markup isn't interpreted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tracelog.answers.question import Read
from tracelog.escapes import CONTROLS


__all__ = [
    "ABSENT",
    "ALARM",
    "add_bar",
    "add_figure",
    "add_name",
    "add_reason",
    "are",
    "broken",
    "count",
    "escape",
    "make_table",
    "ms",
    "name",
    "nothing",
    "reason",
    "size",
    "titled",
]

ABSENT: Final = "-"
ALARM: Final = "bold red"

_LONGEST: Final = 120  # characters of a name in a table
_REASON: Final = 300  # characters of a sentence in a table
_NAMES: Final = ((240, _LONGEST), (140, 24), (100, 16), (0, 12))  # by how wide a terminal is
_EXACT: Final = 100  # milliseconds, from which on tenths tell nothing
_ABSURD: Final = 1e12  # milliseconds: decades, which are as wide as a screen, and no time
_KILO: Final = 1000


def make_table() -> Table:
    """Make an empty table."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="dim")
    table.border_style = "dim"
    return table


def titled(title: str, *drawn: RenderableType) -> Group:
    """Put a title above, which isn't wrapped where a table is narrow."""
    return Group(Text(title, "dim"), *drawn)


def add_name(table: Table, header: str, width: int) -> None:
    """Add a column of names: in a terminal of that *width* they give way before figures do."""
    longest = next(most for narrowest, most in _NAMES if width >= narrowest)
    table.add_column(header, overflow="ellipsis", no_wrap=True, max_width=longest)


def add_figure(table: Table, header: str, _width: int = 0) -> None:
    """Add a column of figures: they never give way."""
    table.add_column(header, no_wrap=True, justify="right")


def add_bar(table: Table, header: str, _width: int = 0) -> None:
    """Add a column of bars, or of times: all as wide as they are."""
    table.add_column(header, no_wrap=True)


def add_reason(table: Table, header: str, _width: int = 0) -> None:
    """Add a column of sentences, or of places: what is long is wrapped, never cut."""
    table.add_column(header, overflow="fold", min_width=len("late"))


def escape(text: str) -> str:
    r"""Make *text* harmless for a terminal, and leave JSON the JSON it is.

    >>> escape("\x1b[2J")
    '\\u001b[2J'
    """
    return CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def name(value: Any, longest: int = _LONGEST) -> str:
    """Write a value of the log as one short, harmless word."""
    if value is None:
        return ABSENT

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape(text[:longest])[:longest]


def reason(value: Any) -> str:
    """Write a sentence of the log."""
    return name(value, _REASON)


def ms(value: float | None, exact: float = _EXACT) -> str:
    """Write milliseconds: tenths only below *exact*, where they tell something.

    >>> ms(12.34), ms(1234.5), ms(1e300), ms(None)
    ('12.3', '1,234', '1e+300', '-')
    """
    if value is None:
        return ABSENT

    if abs(value) >= _ABSURD:
        return f"{value:.0e}"

    return f"{value:,.1f}" if abs(value) < exact else f"{value:,.0f}"


def size(number: float) -> str:
    """Write a number of bytes.

    >>> size(512), size(186_416), size(10**18)
    ('512 B', '186.4 kB', '1,000,000.0 TB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if number < _KILO:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= _KILO
    return f"{number:,.1f} TB"


def count(number: int, noun: str) -> str:
    """Write a number of things."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def are(number: int) -> str:
    """Choose the verb."""
    return "is" if number == 1 else "are"


def nothing(read: Read) -> str:
    """Say that there is no line at all."""
    return f"Nothing to read: {escape(', '.join(read.names))} {are(len(read.names))} empty."


def broken(read: Read) -> Iterator[str]:
    """Say what there is instead of what was asked for; how many lines are no JSON; the first."""
    yield from read.instead
    number, places = read.tally.broken, escape(", ".join(read.broken_at))
    if not number:
        return

    first = f"the first are {places}" if number > len(read.broken_at) else places
    yield f"{count(number, 'line')} {are(number)} no JSON: {first}."
    if number == read.tally.lines:
        yield "Lines for eyes can't be asked: let the service write JSON, with LOG_FORMAT=json."
