"""Clocks that disagree: a service that begins its part of a trace before it was asked to.

Who asked whom is told by span ids, where lines have a `parent_span_id`, or else by the line of an
outgoing request and the verdict of the request with the same method and path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tracelog.answers.timed import Timed
from tracelog.fields import EVENT_CALL, EVENT_UTTERANCE, PARENT_SPAN_ID, SPAN_ID


__all__ = ["Skew", "estimate"]

_NOTABLE_S: Final = 0.0005  # less is how well lines can tell at all


class Skew(NamedTuple):
    """How far a service's clock is from that of the one that asked it.

    Attributes:
        source: The service's file.
        asker: The other's.
        ahead_s: By how much it is ahead; negative, if it is behind.
        total_s: What it is ahead of the clock of the first in the chain.
    """

    source: str
    asker: str
    ahead_s: float
    total_s: float


def estimate(parts: Sequence[Timed], lines: Sequence[Timed] = ()) -> dict[str, Skew]:
    """Estimate the skew of each file from one trace; only those that have one.

    Args:
        parts: What has a time of its own.
        lines: Other lines: what they tell of has no length, and can only have been asked for.
    """
    askers: dict[str, tuple[str, float]] = {}
    for child, parent in _asked(parts, lines):
        if child.entry.source not in askers:
            askers[child.entry.source] = (parent.entry.source, _ahead(child, parent))
    skews = {}
    for source, (asker, ahead) in askers.items():
        total = _total(source, askers)
        if abs(ahead) > _NOTABLE_S or abs(total) > _NOTABLE_S:
            skews[source] = Skew(source, asker, ahead, total)
    return skews


def _asked(parts: Sequence[Timed], lines: Sequence[Timed]) -> Iterator[tuple[Timed, Timed]]:
    """Pair what one service did with what made it do that in another; the surest first."""
    verdicts = [part for part in parts if part.kind == EVENT_UTTERANCE]
    by_span: dict[str | None, Timed] = {}
    for part in sorted(parts, key=lambda part: part.kind != EVENT_CALL):
        by_span.setdefault(_id(part, SPAN_ID), part)
    by_span.pop(None, None)
    for child in (*parts, *lines):
        parent = by_span.get(_id(child, PARENT_SPAN_ID))
        if parent is not None and parent.entry.source != child.entry.source:
            yield child, parent
    yield from _by_path(verdicts, [part for part in parts if part.kind == EVENT_CALL])


def _by_path(verdicts: Iterable[Timed], calls: Sequence[Timed]) -> Iterator[tuple[Timed, Timed]]:
    for child in verdicts:
        wanted = (child.event.get("method"), child.event.get("path"))
        for call in calls:
            if call.entry.source != child.entry.source and _target(call) == wanted:
                yield child, call
                break


def _id(part: Timed, key: str) -> str | None:
    """Read a span's id, if there is one."""
    value = part.event.get(key)
    return value if isinstance(value, str) else None


def _target(call: Timed) -> tuple[object, str]:
    """Tell what a request asked for."""
    try:
        path = urlsplit(str(call.event.get("url"))).path
    except ValueError:  # a bracket that isn't closed
        path = ""
    return call.event.get("method"), path or "/"


def _ahead(child: Timed, parent: Timed) -> float:
    """Tell by how much the child's clock is ahead, if what it says can't be otherwise."""
    begin, end = child.began - parent.began, child.ended - parent.ended
    is_within = parent.kind != EVENT_CALL or end <= 0
    if begin >= 0 and is_within:
        return 0.0

    # What is on the way takes as long there as back, as far as one knows.
    return (begin + end) / 2 if 0 < child.length_ms <= parent.length_ms else begin


def _total(source: str, askers: dict[str, tuple[str, float]]) -> float:
    """Add up the chain of those who asked; services may ask each other in circles."""
    total, seen = 0.0, set[str]()
    while source in askers and source not in seen:
        seen.add(source)
        source, ahead = askers[source]
        total += ahead
    return total
