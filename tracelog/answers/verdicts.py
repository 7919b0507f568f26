"""Utterances and holds whole, one after the other, for whoever takes all of them elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tracelog import fields
from tracelog.answers.duckdb_views import select
from tracelog.answers.filters import Conditions
from tracelog.answers.log import Log
from tracelog.answers.views import HOLDS, UTTERANCES, View


__all__ = ["Record", "holds", "narrowed", "title", "utterances", "waited_ms", "within"]

Record = dict[str, Any]

_SERVICE: Final = "coalesce(line->>'service', line->>'service.name', line->'service'->>'name')"
_ABSURD: Final = 1e11  # milliseconds: three years
_LISTS: Final = (fields.SPANS, fields.BLOCKED_BY, fields.AWAITS)
_MORE: Final = {  # what isn't in the views
    "us": "epoch_us(time)",
    "service": _SERVICE,
    "path": "line->>'path'",
    "span_id": "line->>'span_id'",
    **{key: f"line->'{key}'" for key in _LISTS},
}


def narrowed(view: View, conditions: Conditions) -> str:
    """Write the rows of *view* that some conditions hold for."""
    wanted = " AND ".join(f"({each})" for each in conditions.sql) or "true"
    return f"SELECT * FROM ({select(view)}) WHERE {wanted}"  # noqa: S608


def utterances(log: Log, conditions: Conditions) -> Iterator[Record]:
    """Give those that have a time and a total, in the order in which they arrived.

    Raises:
        InputError: If the log can't be read.
    """
    return _records(log, UTTERANCES, fields.TOTAL_MS, conditions)


def holds(log: Log, conditions: Conditions) -> Iterator[Record]:
    """Give those that have a time and a length, in the order in which they began.

    Raises:
        InputError: If the log can't be read.
    """
    return _records(log, HOLDS, fields.HELD_MS, conditions)


def title(record: Record) -> str:
    """Say what an utterance is, as one says it of a request."""
    where = record["route"] or record["path"] or record[fields.KIND] or fields.EVENT_UTTERANCE
    return f"{record['method']} {where}" if record["method"] else str(where)


def waited_ms(record: Record) -> float:
    """Tell for how long an utterance waited before its handling began."""
    waited = (record[fields.SOCKET_MS] or 0.0) + (record[fields.QUEUE_MS] or 0.0)
    return float(min(max(waited, 0.0), record[fields.TOTAL_MS]))


def within(span: Record) -> tuple[str, ...]:
    """Name the spans around one, the outermost first."""
    around = span.get(fields.WITHIN)
    return tuple(map(str, around)) if isinstance(around, list) else ()


def _records(log: Log, view: View, figure: str, conditions: Conditions) -> Iterator[Record]:
    more = "".join(f', {sql} AS "_{name}"' for name, sql in _MORE.items())
    sql = (
        f"SELECT * EXCLUDE (line, time){more} FROM ({narrowed(view, conditions)}) "  # noqa: S608
        f"WHERE time IS NOT NULL AND {figure} BETWEEN 0 AND {_ABSURD} ORDER BY time"
    )
    names = {source.path: source.name for source in log.sources}
    with log.said():
        found = log.stream(sql, **conditions.parameters)
        titles = [name.removeprefix("_") for name, _ in found.columns]
        for row in found.rows:
            record = dict(zip(titles, row, strict=True))
            yield record | {
                "file": names.get(record["file"], record["file"]),
                **{key: [*_entries(record[key])] for key in _LISTS},
            }


def _entries(text: str | None) -> Iterator[Record]:
    """Read a list of a verdict; what is no entry is left out."""
    try:
        found = json.loads(text or "[]")
    except (ValueError, RecursionError):
        return

    for entry in found if isinstance(found, list) else ():
        if isinstance(entry, dict):
            yield {key: _sound(value) for key, value in entry.items()}


def _sound(value: Any) -> Any:
    """Take a value as it is, unless it is a number that nobody can reckon with."""
    if not isinstance(value, int | float):
        return value

    return value if abs(value) <= _ABSURD else None  # neither is what is no number at all
