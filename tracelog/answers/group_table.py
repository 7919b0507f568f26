"""Groups of utterances, and what became of them, for eyes and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import compress
from typing import Any, Final

from rich.console import Group as Both
from rich.table import Table
from rich.text import Text

from tracelog.answers.bars import bar, legend
from tracelog.answers.groups import Change, Group
from tracelog.answers.late_table import bar_width
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
from tracelog.answers.views import BOXES


__all__ = ["change_records", "draw_changes", "draw_groups", "group_records", "sentences"]

_FIGURES: Final = ("count", "late", "p50", "p95", "p99", "max")
_WITH_BARS: Final = 80  # columns, below which there is no room for them
_WITH_RATES: Final = 64
_WITH_COUNTS: Final = 110
_ROUNDED: Final = 0.005
_NOTED: Final = 0.05  # of what it was: a percentile that grew by less may be chance
_SHORT: Final = ("user", "minute", "route")  # what is read as a name, not as a sentence


def draw_groups(groups: Sequence[Group], by: str, width: int, is_plain: bool) -> Iterator[Both]:  # noqa: FBT001 -- a callback's
    """Lay groups out in *width* columns."""
    if not groups:
        return

    drawn = make_table()
    _add_key(drawn, by, width)
    for header in _FIGURES:
        add_figure(drawn, header)
    has_bars = width >= _WITH_BARS
    if has_bars:
        add_bar(drawn, "mean")
    longest = max(group.mean_ms for group in groups)
    for group in groups:
        drawn_bar = bar(group.boxes_ms, group.mean_ms, longest, bar_width(width), is_plain=is_plain)
        drawn.add_row(*_figures(group, by), *([drawn_bar] if has_bars else []))
    explained = legend(is_whole=all(map(_is_whole, groups)), is_plain=is_plain)
    yield titled(f"by {by}, in ms", drawn, *([explained, Text()] if has_bars else []))


def draw_changes(changes: Sequence[Change], by: str, width: int, _: bool) -> Iterator[Both]:  # noqa: FBT001 -- the same
    """Lay comparisons out in *width* columns."""
    if not changes:
        return

    drawn = make_table()
    _add_key(drawn, by, width)
    has_counts, has_rates = width >= _WITH_COUNTS, width >= _WITH_RATES
    kept = [True, True, True, has_counts, has_counts, has_rates, has_rates, True]
    headers = ("before", "after", "change", "count", "then", "late", "then", "mean grew")
    for header in compress(headers, kept):
        (add_bar if header == headers[-1] else add_figure)(drawn, header)
    for change in changes:
        drawn.add_row(_key(change.key, by), *compress(_sides(change), kept))
    yield titled(f"by {by}: the 95th percentile in ms, and how many were late", drawn)


def group_records(groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    """Give each group as what a line of JSON says: boxes are means."""
    return map(_record, groups)


def change_records(changes: Sequence[Change]) -> Iterator[dict[str, Any]]:
    """Give each comparison as what a line of JSON says."""
    for change in changes:
        box, grown = change.box or (None, None)
        yield {
            "key": change.key,
            "before": change.before and _record(change.before),
            "after": change.after and _record(change.after),
            "p95_grown_ms": round(change.grown_ms, 3),
            "box": box,
            "box_grown_ms": None if grown is None else round(grown, 3),
        }


def sentences(grouped: Sequence[Group | Change], top: int, read: Read) -> Iterator[str]:
    """Say what was counted."""
    tally = read.tally
    if not tally.lines:
        yield nothing(read)
        return

    counted = sum(map(_counted, grouped))
    of_all = f"{counted:,} of {count(tally.rows, 'utterance')}"
    yield f"{of_all}, in {count(len(grouped), 'group')}, in {count(tally.lines, 'line')}."
    if top < len(grouped):
        yield f"Shown: {top:,} of {len(grouped):,} groups; --top shows more."
    yield from broken(read)


def _is_whole(group: Group) -> bool:
    """Whether its boxes tell of all its time; each is rounded."""
    return sum(group.boxes_ms) > (1 - _ROUNDED) * group.mean_ms


def _counted(each: Group | Change) -> int:
    """Count the utterances of a group, or of both its sides."""
    if isinstance(each, Group):
        return each.count

    return sum(side.count for side in (each.before, each.after) if side)


def _record(group: Group) -> dict[str, Any]:
    """Write a group, with its boxes by name."""
    fields = asdict(group)
    boxes = fields.pop("boxes_ms")
    return {**fields, **dict(zip(BOXES, boxes, strict=True))}


def _add_key(drawn: Table, by: str, width: int) -> None:
    """Add the column of what a group has in common."""
    (add_name if by in _SHORT else add_reason)(drawn, by, 2 * width)


def _key(key: str | None, by: str) -> Text:
    """Write what a group has in common."""
    return Text(name(key) if by in _SHORT else reason(key))


def _figures(group: Group, by: str) -> tuple[Text, ...]:
    """Write a group's figures."""
    quantiles = (group.p50_ms, group.p95_ms, group.p99_ms, group.max_ms)
    return (
        _key(group.key, by),
        Text(f"{group.count:,}"),
        _late(group),
        *(Text(ms(each)) for each in quantiles),
    )


def _sides(change: Change) -> tuple[Text, ...]:
    """Write both sides of a comparison."""
    before, after = change.before, change.after
    slower = before and after and change.grown_ms > before.p95_ms * _NOTED
    box, grown = change.box or (None, 0.0)
    return (
        Text(ms(before.p95_ms if before else None)),
        Text(ms(after.p95_ms if after else None)),
        Text(_change(change), ALARM if slower else ("" if before and after else "dim")),
        Text(f"{before.count:,}" if before else ABSENT),
        Text(f"{after.count:,}" if after else ABSENT),
        _rate(before),
        _rate(after),
        Text(f"{box.removesuffix('_ms')} +{ms(grown)}" if box else ABSENT),
    )


def _change(change: Change) -> str:
    """Write by how much a group is slower, if it was there all the time."""
    if not change.before:
        return "new"

    if not change.after:
        return "gone"

    return f"{'+' if change.grown_ms > 0 else ''}{ms(change.grown_ms)}"


def _late(group: Group) -> Text:
    """Write how many were late."""
    return Text(f"{group.late:,}", ALARM if group.late else "dim")


def _rate(group: Group | None) -> Text:
    """Write how many were late, for sides that aren't as long as each other."""
    if group is None:
        return Text(ABSENT)

    return Text(f"{group.late / group.count:.1%}", ALARM if group.late else "dim")
