"""A log as Chrome's trace events, which Perfetto and chrome://tracing draw.

A process is a service, or else a file; a thread is a connection. The boxes of an utterance and its
spans are sums: they stand one after the other, the spans in a thread of their own, from where the
handling began.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from tracelog import fields
from tracelog.answers.track_lanes import LOOP, Event, Lanes, Place
from tracelog.answers.verdicts import Record, title, waited_ms, within
from tracelog.answers.views import BOXES


__all__ = ["document", "trace_events"]

_ARGUMENTS: Final = (
    *("user_id", "connection_id", "trace_id", "utterance", "kind", "route", "method", "status"),
    *("total_ms", "late", "failed", "cause", "place", "holder", "held_ms", "delayed", "delayed_ms"),
    *("gc_ms", "thread", "stack"),
)
_US: Final = 1000  # in a millisecond

Holds = dict[tuple[Any, Any], list[Event]]


def trace_events(holds: Iterable[Record], utterances: Iterable[Record]) -> Iterator[Event]:
    """Make events of holds and utterances, each in the order of their times."""
    lanes = Lanes()
    held: Holds = {}
    for record in holds:
        end = record["us"] + record[fields.HELD_MS] * _US
        place = lanes.place(_process(record), LOOP, record["us"], end)
        hold = _slice(place, str(record["place"]), "hold", (record["us"], end), _arguments(record))
        held.setdefault((record[fields.TRACE_ID], record["place"]), []).append(hold)
        yield from (*place.named, hold)
    arrows = 0
    for record in utterances:
        end = record["us"] + record[fields.TOTAL_MS] * _US
        place = lanes.place(_process(record), _thread(record), record["us"], end)
        category = "late" if record[fields.LATE] else "utterance"
        whole = _slice(place, title(record), category, (record["us"], end), _arguments(record))
        yield from (*place.named, whole, *_boxes(place, record, end))
        yield from _spans(lanes, record, end)
        for hold in _holds_of(record, held, whole):
            arrows += 1
            yield from _arrow(arrows, hold, whole)


def document(events: Iterable[Event]) -> Iterator[str]:
    """Write a trace file, piece by piece."""
    yield '{"displayTimeUnit":"ms","traceEvents":['
    for number, event in enumerate(events):
        yield (",\n" if number else "\n") + json.dumps(event, allow_nan=False)
    yield "\n]}\n"


def _boxes(place: Place, record: Record, end: float) -> Iterator[Event]:
    """Make slices of the boxes, end to end."""
    start = record["us"]
    for box in BOXES:
        until = min(start + (record[box] or 0.0) * _US, end)
        if until > start:
            yield _slice(place, box.removesuffix("_ms"), "box", (start, until), {"ms": record[box]})
            start = until


def _spans(lanes: Lanes, record: Record, end: float) -> Iterator[Event]:
    """Make slices of the spans, those within others on them."""
    spans = record[fields.SPANS]
    if not spans:
        return

    start = record["us"] + waited_ms(record) * _US
    place = lanes.place(_process(record), f"{_thread(record)} spans", start, end)
    yield from place.named
    # Of each span, by its names from the outermost: the time that no span within it has yet.
    free: dict[tuple[str, ...], tuple[float, float]] = {(): (start, end)}
    for span in sorted(spans, key=lambda each: len(within(each))):
        around = within(span)
        first, last = free.get(around, free[()])
        until = min(first + _number(span.get(fields.TOTAL_MS)) * _US, last)
        free[around] = (until, last)
        free[*around, str(span.get(fields.NAME))] = (first, until)
        yield _slice(place, str(span.get(fields.NAME)), "span", (first, until), span)


def _holds_of(record: Record, held: Holds, whole: Event) -> Iterator[Event]:
    """Find the holds that its verdict names, of those that were on while it was."""
    end = whole["ts"] + whole["dur"]
    for blocker in record[fields.BLOCKED_BY]:
        key = (str(blocker.get(fields.TRACE_ID)), str(blocker.get(fields.WHERE)))
        for hold in held.get(key, ()):
            if hold["ts"] < end and hold["ts"] + hold["dur"] > whole["ts"]:
                yield hold


def _arrow(number: int, hold: Event, whole: Event) -> Iterator[Event]:
    """Lead from a hold to one that it delayed, at the first moment of both."""
    at = max(hold["ts"], whole["ts"])
    for phase, end in (("s", hold), ("f", whole)):
        where = {"pid": end["pid"], "tid": end["tid"], "ts": at}
        yield {"ph": phase, "id": number, "name": "delayed", "cat": "delay", "bp": "e", **where}


def _slice(place: Place, name: str, category: str, when: tuple[float, float], args: Event) -> Event:
    """Make a slice."""
    start, end = when
    times = {"ts": start, "dur": round(end - start, 3)}
    where = {"pid": place.pid, "tid": place.tid}
    return {"ph": "X", "name": name, "cat": category, **where, **times, "args": args}


def _process(record: Record) -> str:
    return str(record["service"] or record["file"])


def _thread(record: Record) -> str:
    return str(record[fields.CONNECTION_ID] or record[fields.USER_ID] or "no connection")


def _arguments(record: Record) -> Event:
    return {key: record[key] for key in _ARGUMENTS if record.get(key) is not None}


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and value > 0 else 0.0
