"""Where an answer goes: to eyes, on a terminal or in a file; or to programs, as JSON lines."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from rich.console import Console, RenderableType

from tracelog.answers.render import escape
from tracelog.answers.times import write_timestamp


__all__ = ["has_colors", "is_plain", "make_console", "show", "show_json"]

_UNBOUNDED: Final = 1_000  # columns, where there is no terminal to say how many
_BLOCKS: Final = "▇▁…"

Draw = Callable[[int, bool], Iterable[RenderableType]]


def show(draw: Draw, said: Iterable[str]) -> None:
    """Print what *draw* makes of the width, and of whether it has to be plain; and sentences."""
    console = make_console()
    for drawn in draw(console.width, is_plain(console)):
        with console.capture() as captured:
            console.print(drawn)
        # rich fills each line with blanks, which a pager wraps, and a ticket keeps.
        lines = (line.rstrip() for line in captured.get().split("\n"))
        console.file.write("\n".join(lines))
    for sentence in said:
        console.print(sentence)


def show_json(records: Iterable[Mapping[str, Any]], said: Iterable[str], *, is_sound: bool) -> None:
    """Keep stdout for programs, and tell a person what they have to know."""
    for line in _json_lines(records):
        print(line)  # noqa: T201 -- this is what the commands are for
    if not is_sound:
        print(*said, sep="\n", file=sys.stderr)  # noqa: T201


def make_console() -> Console:
    """Make one for the terminal there is, or for a file, which is as wide as needed."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNBOUNDED
    return console


def has_colors() -> bool:
    """Whether what is printed is in colours."""
    console = make_console()
    return console.color_system is not None and not console.no_color


def is_plain(console: Console) -> bool:
    """Whether there are no colours to tell blocks apart by, or no blocks in its encoding."""
    if console.no_color or console.color_system is None:
        return True

    try:
        _BLOCKS.encode(console.encoding)
    except UnicodeEncodeError:
        return True

    return False


def _json_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write each as a line of JSON, times as a log's line has them."""
    for row in rows:
        yield escape(json.dumps(row, ensure_ascii=False, default=write_timestamp))
