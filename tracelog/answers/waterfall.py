"""Drawing a waterfall: rows of bars on one time axis, as wide as there is room for.

Solid is what stands where it was, pale is what has its length, but not its place. Without colours,
a box's letter stands for its bar, and a small one for a pale bar.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from rich.text import Text

from tracelog.answers.bars import look
from tracelog.answers.parts import SPAN, Group, Row
from tracelog.answers.render import escape
from tracelog.answers.views import BOXES


__all__ = ["Axis", "draw_axis", "draw_groups", "legend_of_places"]

_PALE: Final = "░"
_SPAN_LETTERS: Final = ("=", "-")
_SPAN_STYLE: Final = "bright_black"
_LABELS: Final = ((120, 40), (96, 32), (70, 24), (0, 14))  # by how wide a terminal is
_BOX: Final = len("socket ")
_EXPLAINED: Final = len("socket waiting for the event loop")  # from how much room on boxes are
_FIGURE: Final = 9  # characters of a figure
_WIDEST: Final = 100  # of the bars
_NARROWEST: Final = 10
_STEPS: Final = (1, 2, 5)
_TICKS: Final = 6
_TICK: Final = "┊"
_INDENT: Final = "  "


@dataclass(frozen=True, slots=True)
class Axis:
    """The time that all rows share.

    Attributes:
        length_ms: How long it is, from 0.
        width: Of the terminal, in characters.
        is_plain: There are no colours, or no blocks.
    """

    length_ms: float
    width: int
    is_plain: bool

    @property
    def label(self) -> int:
        """How many characters a label has."""
        return next(most for narrowest, most in _LABELS if self.width >= narrowest)

    @property
    def track(self) -> int:
        """How many characters the bars have."""
        room = self.width - self.label - _FIGURE - 2 * len(_INDENT)
        return max(min(room, _WIDEST), _NARROWEST)

    def cells(self, start_ms: float, length_ms: float) -> tuple[int, int]:
        """Tell where a bar begins, and how long it is: what is anything is never nothing."""
        whole = self.length_ms or 1.0
        begin = min(max(start_ms / whole, 0.0), 1.0)
        end = min(max((start_ms + length_ms) / whole, 0.0), 1.0)
        left = min(round(begin * self.track), self.track - 1)
        if length_ms <= 0 or (end <= 0 or begin >= 1):
            return left, 0

        return left, max(1, round(end * self.track) - left)

    def edges(self, start_ms: float, length_ms: float) -> dict[int, str]:
        """Mark where a bar goes on outside."""
        cell = self.length_ms / self.track
        edges = {0: "<"} if start_ms < -cell else {}
        if start_ms + length_ms > self.length_ms + cell:
            edges[self.track - 1] = ">"
        return edges

    def ticks(self) -> list[tuple[int, float]]:
        """Choose round times, and tell where they are."""
        step = _nice(self.length_ms / _TICKS)
        times = (step * number for number in range(_TICKS + 1))
        return [(self.cells(at, 0)[0], at) for at in times if at < self.length_ms]


def draw_axis(axis: Axis, title: str) -> Text:
    """Write the times above the bars, and what they are about to their left."""
    line = Text(_fitted(title, axis.label, axis).ljust(axis.label) + _INDENT, "dim")
    written = ""
    for column, at in axis.ticks():
        text = f"{at:,.0f}" if at >= 1 else f"{at:g}"
        if column + len(text) < axis.track and (not written or len(written) < column):
            written = written.ljust(column) + text
    line.append(written.ljust(axis.track), "dim")
    line.append(_INDENT + "ms".rjust(_FIGURE), "dim")
    return line


def draw_groups(
    groups: Sequence[Group], axis: Axis, shift_ms: float = 0.0, *, is_brief: bool = False
) -> Iterator[Text]:
    """Draw groups of rows.

    Args:
        groups: What to draw.
        axis: On what.
        shift_ms: Where their own axis begins on it.
        is_brief: Boxes that nothing was in are left out.
    """
    for group in groups:
        rows = [row for row in group.rows if row.length_ms > 0 or not is_brief]
        if rows:
            yield Text(_INDENT + escape(group.title), "dim")
        for row in rows:
            yield from _draw_row(row, axis, shift_ms)


def legend_of_places(*, is_plain: bool) -> str:
    """Explain what is solid and what is pale, in the words of the page."""
    pale = "a small letter" if is_plain else "pale"
    return (
        "The boxes are sums: an utterance comes back to the loop, its code and its waits many"
        f" times. What is {pale} has its length here, but not its place."
    )


def _draw_row(row: Row, axis: Axis, shift_ms: float) -> Iterator[Text]:
    """Draw a row; what else there is to say of it stands beside its label, or below."""
    label = escape(row.label)
    room = axis.label - len(_INDENT) * 2
    line = Text(_INDENT * 2)
    line.append(_fitted(label, room, axis).ljust(_BOX))
    if row.is_sum and room >= _EXPLAINED:
        line.append(f" {row.small}", "dim")
    line.append(" " * (axis.label - len(line.plain)) + _INDENT)
    line.append_text(_bar(row, axis, shift_ms))
    line.append(_INDENT + f"{row.length_ms:,.1f}".rjust(_FIGURE))
    yield line
    if row.small and not row.is_sum:
        yield Text(_INDENT * 3 + escape(row.small), "dim", overflow="fold")


def _bar(row: Row, axis: Axis, shift_ms: float) -> Text:
    """Draw the bar, and the axis' steps where it isn't."""
    left, length = axis.cells(row.start_ms + shift_ms, row.length_ms)
    block, style = _look(row, is_plain=axis.is_plain)
    ticks = set() if axis.is_plain else {column for column, _ in axis.ticks()}
    edges = axis.edges(row.start_ms + shift_ms, row.length_ms)
    text = Text()
    for column in range(axis.track):
        if left <= column < left + length:
            text.append(edges.get(column, block), style)
        else:
            text.append(_TICK if column in ticks else " ", "bright_black")
    return text


def _look(row: Row, *, is_plain: bool) -> tuple[str, str]:
    """Choose a character and a colour."""
    if row.box == SPAN:
        letters, style = _SPAN_LETTERS, _SPAN_STYLE
        block, _ = look(len(BOXES), is_plain=False)
    else:
        block, style = look(BOXES.index(f"{row.box}_ms"), is_plain=is_plain)
        letters = (block, block.lower())
    if is_plain:
        return letters[row.is_loose], ""

    return (_PALE if row.is_loose else block), style


def _fitted(text: str, room: int, axis: Axis) -> str:
    """Shorten *text* to what there is room for."""
    if len(text) <= room:
        return text

    more = "..." if axis.is_plain else "…"
    return text[: room - len(more)] + more


def _nice(least: float) -> float:
    """Find a step that people count in.

    >>> _nice(0.7), _nice(48)
    (1.0, 50.0)
    """
    if least <= 0:
        return 1.0

    return next(
        step * 10.0**power for power in count(-3) for step in _STEPS if step * 10.0**power >= least
    )
