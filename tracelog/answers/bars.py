"""Small charts in a line of text: the boxes of an utterance as a bar, and figures over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from rich.text import Text

from tracelog.answers.views import BOXES


__all__ = ["bar", "columns", "legend", "look", "share", "sparkline"]

_BLOCK: Final = "▇"
_PLAIN_BLOCK: Final = "#"
_STYLES: Final = ("blue", "cyan", "red", "yellow", "magenta", "green", "bright_black")
_LETTERS: Final = "SQLCAR."  # where neither colours nor blocks tell them apart
_NAMES: Final = (*(box.removesuffix("_ms") for box in BOXES), "not known")
_LEVELS: Final = "▁▂▃▄▅▆▇█"
_PLAIN_LEVELS: Final = "_.-=+*#@"


def bar(
    boxes: Sequence[float | None], total: float, longest: float, width: int, *, is_plain: bool
) -> Text:
    """Draw *boxes*, and what they leave of *total*, in at most *width* characters.

    The bar of *longest* takes all of them; no bar is so short that it is none.
    """
    known = [max(value or 0.0, 0.0) for value in boxes]
    parts = [*known, max(total - sum(known), 0.0)]
    whole = sum(parts)
    if whole <= 0 or longest <= 0:
        return Text()

    cells = max(1, round(min(whole / longest, 1.0) * width))
    text = Text()
    for part, number in enumerate(_cells(parts, cells)):
        text.append((_LETTERS[part] if is_plain else _BLOCK) * number, _STYLES[part])
    return text


def legend(*, is_whole: bool, is_plain: bool) -> Text:
    """Explain bars; what isn't known is named unless they are whole."""
    text = Text()
    for part, box in enumerate(_NAMES[:-1] if is_whole else _NAMES):
        text.append(_LETTERS[part] if is_plain else _BLOCK * 2, _STYLES[part])
        text.append(f" {box}   ", "dim")
    text.rstrip()
    return text


def look(part: int, *, is_plain: bool) -> tuple[str, str]:
    """Tell the block and the style of a box, by its place among them."""
    return (_LETTERS[part] if is_plain else _BLOCK), _STYLES[part]


def share(part: float, whole: float, width: int, *, is_plain: bool) -> Text:
    """Draw *part* as a bar of which *whole* takes all of *width*."""
    cells = round(part / whole * width) if whole else 0
    return Text((_PLAIN_BLOCK if is_plain else _BLOCK) * max(cells, part > 0), "blue")


def columns(
    values: Sequence[float], width: int, merge: Callable[[Sequence[float]], float]
) -> list[float]:
    """Merge as many neighbours as it takes to have at most *width* values."""
    number = -(-len(values) // width) or 1
    return [merge(values[start : start + number]) for start in range(0, len(values), number)]


def sparkline(values: Sequence[float], *, is_plain: bool) -> str:
    """Draw *values* as steps from nothing to the largest."""
    levels = _PLAIN_LEVELS if is_plain else _LEVELS
    highest = max(values, default=0.0)
    return "".join(_step(value, highest, levels) for value in values)


def _cells(parts: Sequence[float], cells: int) -> list[int]:
    """Share *cells* out, so that their sum is kept: the ends are rounded, not the parts."""
    whole, ends, end = sum(parts), [0], 0.0
    for part in parts:
        end += part
        ends.append(round(end / whole * cells))
    return [after - before for before, after in pairwise(ends)]


def _step(value: float, highest: float, levels: str) -> str:
    """Choose the step; only nothing at all is blank."""
    if value <= 0:
        return " "

    return levels[min(int(value / highest * len(levels)), len(levels) - 1)]
