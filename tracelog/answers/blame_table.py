"""The list to fix on Monday: what others lost their time to, for eyes and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import compress
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from tracelog.answers.blame import HOLD, Culprit
from tracelog.answers.question import Read
from tracelog.answers.render import (
    ALARM,
    add_bar,
    add_figure,
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


__all__ = ["draw", "records", "sentences"]

_TRACE: Final = 32
_ROOMY: Final = 120
_WIDE: Final = 140


def draw(culprits: Sequence[Culprit], top: int, width: int, _: bool) -> Iterator[Group]:  # noqa: FBT001 -- a callback's
    """Lay out at most *top* of both sorts in *width* columns."""
    holds = [each for each in culprits if each.sort == HOLD][:top]
    waits = [each for each in culprits if each.sort != HOLD][:top]
    if holds:
        yield _holds(holds, width)
    if waits:
        yield _waits(waits, width)


def _holds(culprits: Sequence[Culprit], width: int) -> Group:
    """Lay out what held the event loop."""
    drawn = make_table()
    headers = ("delay", "hit", "late", "users", "holds", "longest", "where", "kind", "example")
    kept = [True, True, True, True, width >= _ROOMY, width >= _ROOMY, True, True, width >= _WIDE]
    for header in compress(headers, kept):
        _add(drawn, header)
    for each in culprits:
        cells = (*_costs(each), Text(f"{each.holds:,}"), Text(ms(each.longest_ms)), *_place(each))
        drawn.add_row(*compress(cells, kept))
    return titled("what held the event loop, and the delay of all whom that hit, in ms", drawn)


def _waits(culprits: Sequence[Culprit], width: int) -> Group:
    """Lay out what late utterances waited for, and their spans."""
    drawn = make_table()
    headers = ("delay", "late", "users", "longest", "where", "what", "sort", "example")
    kept = [True, True, True, width >= _ROOMY, True, True, width >= _ROOMY, width >= _WIDE]
    for header in compress(headers, kept):
        _add(drawn, header)
    for each in culprits:
        delay, _, *rest = _costs(each)
        *place, example = _place(each)
        cells = (delay, *rest, Text(ms(each.longest_ms)), *place, Text(each.sort), example)
        drawn.add_row(*compress(cells, kept))
    return titled("what late utterances waited for, and their spans, in ms", drawn)


def records(culprits: Sequence[Culprit]) -> Iterator[dict[str, Any]]:
    """Give each as what a line of JSON says."""
    return map(asdict, culprits)


def sentences(culprits: Sequence[Culprit], read: Read) -> Iterator[str]:
    """Say what was counted."""
    lines = count(read.tally.lines, "line")
    if not read.tally.lines:
        yield nothing(read)
    elif not culprits:
        yield f"Nothing held the event loop, and nobody late waited, in {lines}."
    else:
        holds = sum(each.sort == HOLD for each in culprits)
        waits = count(len(culprits) - holds, "thing")
        yield f"{count(holds, 'place')} held the event loop; {waits} made others wait, in {lines}."
    yield from broken(read)


def _add(drawn: Table, header: str) -> None:
    """Add a column of its sort."""
    words = {"where": add_reason, "kind": add_reason, "what": add_reason}
    words |= {"example": add_bar, "sort": add_bar}
    words.get(header, add_figure)(drawn, header)


def _costs(each: Culprit) -> tuple[Text, ...]:
    """Write what it has cost, and whom."""
    return (
        Text(ms(each.delay_ms), ALARM),
        Text(f"{each.utterances:,}"),
        Text(f"{each.late:,}", ALARM if each.late else "dim"),
        Text(f"{each.users:,}"),
    )


def _place(each: Culprit) -> tuple[Text, ...]:
    """Write where it was, what it was, and a trace in which it can be looked at."""
    trace = name(each.traces[0], _TRACE) if each.traces else ""
    return Text(reason(each.place)), Text(reason(each.what)), Text(trace, "dim")
