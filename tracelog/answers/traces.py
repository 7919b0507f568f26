"""A trace, found by its id, or by what the id begins with; and those that are told of in it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tracelog.answers.entries import Entry
from tracelog.answers.finding import Hit, find, find_last, needles_of
from tracelog.answers.flows import Flow
from tracelog.answers.sources import Source
from tracelog.answers.times import read_timestamp
from tracelog.errors import InputError
from tracelog.escapes import printable
from tracelog.fields import ARRIVED_AT, TIMESTAMP, TRACE_ID


__all__ = ["Trace", "arrival_of", "find_trace", "last_late", "meanwhile", "trace_of"]

_LATE: Final = (b'"late":true', b'"late": true')
_NAMED: Final = 5  # of several that could be meant
_LONGEST: Final = 80  # characters of an id in a sentence
_NEAR: Final = 16 << 20  # bytes around an utterance, in which its holders' lines are looked for


@dataclass(frozen=True, slots=True)
class Trace:
    """A trace.

    Attributes:
        trace_id: Its id.
        flows: Its lines in each file that has some, in the order of the files.
    """

    trace_id: str
    flows: tuple[Flow, ...]

    @property
    def told(self) -> list[Hit]:
        """Its lines that have a time of their own."""
        return [hit for flow in self.flows for hit in flow.told]

    @property
    def verdicts(self) -> list[Hit]:
        """The lines that its utterances ended with."""
        return [hit for hit in self.told if hit.entry.is_verdict]


class _Search:
    """What is found: the trace of just that id, and those whose ids only begin like it."""

    def __init__(self, wanted: str, most: int) -> None:
        self._wanted = wanted
        self._most = most
        self._flows: dict[str, dict[str, Flow]] = {}

    def add(self, hit: Hit) -> None:
        trace_id = trace_of(hit.entry)
        if trace_id is None or not trace_id.startswith(self._wanted):
            return

        flows = self._flows.get(trace_id)
        if flows is None:
            if len(self._flows) > _NAMED and trace_id != self._wanted:
                return  # enough to say that it is ambiguous

            flows = self._flows[trace_id] = {}
        source = hit.entry.source
        if source not in flows:
            flows[source] = Flow(source, self._most)
        flows[source].add(hit)

    def found(self, names: Sequence[str]) -> Trace:
        """Return the one that is meant.

        Raises:
            InputError: If there is none, or more than one.
        """
        chosen = self._wanted if self._wanted in self._flows else next(iter(self._flows), None)
        if chosen is None:
            files = printable(", ".join(names))
            raise InputError(
                f"no line of {files} has a trace_id that is, or begins with, {self._wanted!r}",
                hint=f"tracelog late --json {shlex.quote(names[0])} | grep -o 'trace_id[^,]*'",
            )

        if chosen != self._wanted and len(self._flows) > 1:
            raise self._ambiguous()

        return Trace(chosen, tuple(self._flows[chosen].values()))

    def _ambiguous(self) -> InputError:
        """Name a few of those that it could be."""
        ids = [printable(each[:_LONGEST]) for each in self._flows]
        more = ", …" if len(ids) > _NAMED else ""
        return InputError(
            f"{self._wanted!r} is the beginning of several traces: {', '.join(ids[:_NAMED])}{more}",
            hint=f"tracelog show {ids[0]}",
        )


def find_trace(sources: Sequence[Source], wanted: str, most: int) -> Trace:
    """Find the trace of that id, or the only one whose id begins so.

    Args:
        sources: Where to look.
        wanted: The id, or the beginning of it.
        most: How many of its first lines are kept, and of its last.

    Raises:
        InputError: If there is none, or more than one.
    """
    search = _Search(wanted, most)
    for source in sources:
        for hit in find(source, needles_of(wanted)):
            search.add(hit)
    return search.found([source.name for source in sources])


def last_late(sources: Iterable[Source]) -> Entry | None:
    """Return the verdict of the utterance that was late, has a trace, and came last."""
    latest = filter(None, map(_last_late_of, sources))
    return max(latest, key=lambda entry: arrival_of(entry) or 0, default=None)


def meanwhile(sources: Sequence[Source], hit: Hit, wanted: Sequence[str]) -> list[Trace]:
    """Find the traces of those that an utterance names, most likely close to its verdict.

    Args:
        sources: Where to look.
        hit: The verdict.
        wanted: Their ids.
    """
    if not wanted:
        return []

    own = next(source for source in sources if source.name == hit.entry.source)
    others = [source for source in sources if source is not own]
    flows = _told(own, wanted, max(0, hit.offset - _NEAR), hit.offset + _NEAR)
    missing = [trace_id for trace_id in wanted if trace_id not in flows]
    for source in others if missing else ():
        for trace_id, flow in _told(source, missing).items():
            flows.setdefault(trace_id, []).extend(flow)
    return [Trace(trace_id, tuple(flows[trace_id])) for trace_id in wanted if trace_id in flows]


def trace_of(entry: Entry) -> str | None:
    """Tell which trace a line is of."""
    trace_id = (entry.event or {}).get(TRACE_ID)
    return trace_id if isinstance(trace_id, str) else None


def arrival_of(entry: Entry) -> float | None:
    """Tell when the utterance arrived that ended with this line, in seconds since the epoch."""
    event = entry.event or {}
    moment = read_timestamp(event.get(ARRIVED_AT)) or read_timestamp(event.get(TIMESTAMP))
    return moment.timestamp() if moment else None


def _last_late_of(source: Source) -> Entry | None:
    """Look from the end on, as far as it takes."""
    for hits in find_last(source, _LATE):
        late = (hit.entry for hit in hits if hit.entry.is_late and trace_of(hit.entry))
        latest = max(late, key=lambda entry: arrival_of(entry) or 0, default=None)
        if latest is not None:
            return latest

    return None


def _told(
    source: Source, wanted: Sequence[str], start: int = 0, stop: int = 1 << 62
) -> dict[str, list[Flow]]:
    """Find what has a time of its own, of several traces at once."""
    # The whole archive: there is no way to begin in the middle of it.
    start, stop = (0, 1 << 62) if source.packing else (start, stop)
    flows: dict[str, list[Flow]] = {}
    needles = [needle for trace_id in wanted for needle in needles_of(trace_id)]
    for hit in find(source, needles, start, stop):
        trace_id = trace_of(hit.entry)
        if trace_id is not None and trace_id in wanted:
            flows.setdefault(trace_id, [Flow(source.name, 0)])[0].add(hit)
    return flows
