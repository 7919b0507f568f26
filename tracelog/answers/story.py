"""One utterance whole, as data: its verdict, who held it up, what else was in its trace."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracelog.answers.entries import Entry
from tracelog.answers.finding import Hit
from tracelog.answers.flows import Flow
from tracelog.answers.parts import Group, groups_of, title_of
from tracelog.answers.skew import Skew, estimate
from tracelog.answers.sources import Source
from tracelog.answers.timed import Timed, timed
from tracelog.answers.traces import Trace, meanwhile, trace_of
from tracelog.fields import BLOCKED_BY, EVENT_HOLD, EVENT_UTTERANCE, PARENT_SPAN_ID, TRACE_ID


__all__ = ["Act", "Line", "Story", "tell"]

_MOST_HOLDERS: Final = 5


@dataclass(frozen=True, slots=True)
class Act:
    """An utterance on the story's axis.

    Attributes:
        own: Its verdict, as its own clock has it.
        began: When it began, by the clock of the story's utterance.
        title: What it is called.
        groups: What it is made of.
        source: The file that it is in.
    """

    own: Timed
    began: float
    title: str
    groups: tuple[Group, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the trace, or how many are left out here.

    Attributes:
        entry: The line; None where some are left out.
        at: When it was made, with its clock's skew taken out; None if nobody knows.
        left_out: How many lines are left out.
        source: The file.
    """

    entry: Entry | None
    at: float | None
    left_out: int
    source: str


@dataclass(frozen=True, slots=True)
class Story:
    """What there is to show.

    Attributes:
        trace: The trace.
        act: The utterance; None if the trace has no verdict.
        others: Other utterances of its trace: of other services, or of its worker.
        holders: Those that held the loop while it waited.
        skews: Clocks that disagree, by file.
        lines: The trace's lines, in causal order.
    """

    trace: Trace
    act: Act | None
    others: tuple[Act, ...]
    holders: tuple[Act, ...]
    skews: dict[str, Skew]
    lines: tuple[Line, ...]


def tell(sources: Sequence[Source], trace: Trace, chosen: Entry | None = None) -> Story:
    """Gather what belongs to an utterance of *trace*.

    Args:
        sources: Where its holders are looked for.
        trace: The trace.
        chosen: The line that was asked for: if it is a verdict, it is about that one.
    """
    parts = timed(hit.entry for hit in trace.told)
    skews = estimate(parts, _asked(trace))
    main = _main(trace, chosen)
    if main is None:
        return Story(trace, None, (), (), skews, _lines(trace, skews))

    others = _meanwhile(sources, main, trace)
    theirs = [part for other in others for part in timed(hit.entry for hit in other.told)]
    stage = _Stage(main.entry, parts, theirs, skews)
    own = stage.act(_own(parts, main.entry))
    acts = [stage.act(part) for part in parts if part.kind == EVENT_UTTERANCE]
    holding = [stage.act(part) for part in theirs if part.kind == EVENT_UTTERANCE]
    return Story(
        trace,
        own,
        tuple(act for act in acts if act.own.entry is not main.entry),
        tuple(act for act in holding if _overlap(own, act)),
        skews,
        _lines(trace, skews),
    )


class _Stage:
    """Lays utterances out, each on its own clock, and places them on that of the main one."""

    def __init__(
        self,
        main: Entry,
        parts: Sequence[Timed],
        theirs: Sequence[Timed],
        skews: dict[str, Skew],
    ) -> None:
        self._parts = [*parts, *theirs]
        self._skews = skews
        self._main_ahead = _ahead(main.source, skews)

    def act(self, own: Timed) -> Act:
        """Lay out one."""
        source = own.entry.source
        beside = [part for part in self._parts if part.entry.source == source]
        trace_id = trace_of(own.entry)
        of_it = [part for part in beside if trace_of(part.entry) == trace_id]
        # Of other files, too: logs are rotated.
        holds = [part for part in self._parts if part.kind == EVENT_HOLD]
        began = own.began - _ahead(source, self._skews) + self._main_ahead
        groups = tuple(groups_of(own, of_it, holds))
        return Act(own, began, title_of(own.event), groups, source)


def _main(trace: Trace, chosen: Entry | None) -> Hit | None:
    """Choose the utterance that was asked for, or the one that took longest."""
    verdicts = [hit for hit in trace.verdicts if timed([hit.entry])]
    if chosen is not None:
        for hit in verdicts:
            if hit.entry.raw == chosen.raw.rstrip(b"\n") and hit.entry.source == chosen.source:
                return hit

    return max(verdicts, key=lambda hit: timed([hit.entry])[0].length_ms, default=None)


def _asked(trace: Trace) -> list[Timed]:
    """Take the lines that name the span that caused them."""
    entries = (entry for flow in trace.flows for entry in flow.first)
    known = ((entry, entry.created) for entry in entries if PARENT_SPAN_ID in (entry.event or {}))
    return [Timed(entry, created, 0.0) for entry, created in known if created is not None]


def _own(parts: Sequence[Timed], entry: Entry) -> Timed:
    return next(part for part in parts if part.entry is entry)


def _meanwhile(sources: Sequence[Source], main: Hit, trace: Trace) -> list[Trace]:
    """Find those that held the loop: of its own service, and of those that it called."""
    found = {
        each.trace_id: each
        for hit in reversed([main, *trace.verdicts])
        for each in meanwhile(sources, hit, _holders_of(hit.entry))
    }
    return [*found.values()]


def _holders_of(entry: Entry) -> list[str]:
    """List whose traces held the loop."""
    blocked_by: Any = (entry.event or {}).get(BLOCKED_BY)
    listed = blocked_by if isinstance(blocked_by, list) else []
    ids = [each.get(TRACE_ID) for each in listed if isinstance(each, dict)]
    return list(dict.fromkeys(each for each in ids if isinstance(each, str)))[:_MOST_HOLDERS]


def _overlap(one: Act, other: Act) -> bool:
    """Tell whether both were there at a time: a caller's own id may have been used before."""
    one_ended = one.began + one.own.length_ms / 1000
    return other.began < one_ended and other.began + other.own.length_ms / 1000 > one.began


def _lines(trace: Trace, skews: dict[str, Skew]) -> tuple[Line, ...]:
    """Merge the files' lines by time, clocks set right.

    A flight recorder's lines stand where they were logged, not where they were written; what has no
    time of its own stays below the line before it.
    """
    keyed = []
    for flow in trace.flows:
        latest = float("-inf")
        for entry, left_out in _of(flow):
            created = entry.created if entry else None
            at = None if created is None else created - _ahead(flow.source, skews)
            latest = latest if at is None else at
            keyed.append((latest, Line(entry, at, left_out, flow.source)))
    return tuple(line for _, line in sorted(keyed, key=lambda pair: pair[0]))


def _of(flow: Flow) -> Iterator[tuple[Entry | None, int]]:
    yield from ((entry, 0) for entry in flow.first)
    if flow.left_out:
        yield None, flow.left_out
    yield from ((entry, 0) for entry in flow.last)


def _ahead(source: str, skews: dict[str, Skew]) -> float:
    return skews[source].total_s if source in skews else 0.0
