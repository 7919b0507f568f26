"""The views in ClickHouse's SQL, over a table of lines as `tracelog schema clickhouse` makes it.

Only the columns that a question names are made; from the table's columns where it has them, else
from the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tracelog import fields
from tracelog.answers.clickhouse_columns import ARRIVED, IS_JSON, STORED, read
from tracelog.answers.views import INTEGER, JSON, NUMBER, TEXT, Column, View


__all__ = ["TABLE", "is_row", "relation"]

TABLE: Final = "{database:Identifier}.{table:Identifier}"

_AS_IT_IS: Final = ("line", "file")
_JOINED: Final[dict[tuple[str, ...], str]] = {
    (fields.ARRIVED_AT, fields.TIMESTAMP): ARRIVED
}  # columns of several keys


def _entry(kind: str, *path: str) -> str:
    """Read a value of an entry of a list."""
    return read(kind, "_entry.2", *(f"'{key}'" for key in path))


_ENTRY: Final[dict[tuple[str, ...], str]] = {  # of an entry of a list, with the list's name
    ("spans", "name"): _entry(TEXT, "name"),
    ("spans", "within"): _entry(JSON, "within"),
    ("spans", "count"): _entry(INTEGER, "count"),
    ("spans", "total_ms"): _entry(NUMBER, "total_ms"),
    ("spans", "own_ms"): _entry(NUMBER, "own_ms"),
    ("delays", "source"): "_entry.1",
    ("delays", "ms"): (  # the first that is there, even if it is no number
        f"multiIf({_entry(TEXT, 'ms')} IS NOT NULL, {_entry(NUMBER, 'ms')}, "
        f"{_entry(TEXT, 'own_ms')} IS NOT NULL, {_entry(NUMBER, 'own_ms')}, "
        f"{_entry(NUMBER, 'delayed_ms')})"
    ),
    ("delays", "place"): _entry(TEXT, "where"),
    ("delays", "what"): (
        f"coalesce(if(_entry.1 = '{fields.AWAITS}', {_entry(TEXT, 'what')}, NULL), "
        f"{_entry(TEXT, 'kind')}, "
        # Of a line, `name` may be anything: only an entry has one of ours.
        f"if(_entry.1 != '{fields.EVENT_HOLD}', {_entry(TEXT, 'name')}, NULL))"
    ),
    ("delays", "by_user"): (
        f"coalesce({_entry(TEXT, 'user_id')}, {_entry(TEXT, 'until', 'user_id')})"
    ),
    ("delays", "by_trace"): (
        f"coalesce({_entry(TEXT, 'trace_id')}, {_entry(TEXT, 'until', 'trace_id')})"
    ),
}


def relation(view: View, columns: Iterable[Column]) -> str:
    """Write a relation with some columns of *view*, and its rows."""
    wanted = tuple(columns)
    made = [f'{_expression(view, column)} AS "{column.name}"' for column in wanted] or ["1"]
    source, condition = TABLE, f" WHERE {is_row(view)}"
    if view.lists:  # an index serves lines, not their entries
        needed = dict.fromkeys(("line", *filter(_is_there, _sources(wanted))))
        source = (
            f"(SELECT {', '.join(needed)}, {_entries(view)} AS _entries "  # noqa: S608
            f"FROM {TABLE}{condition}) ARRAY JOIN _entries AS _entry"
        )
        condition = ""
    return f"SELECT {', '.join(made)} FROM {source}{condition}"  # noqa: S608


def is_row(view: View) -> str:
    """Write what tells whether a line is one of the view's."""
    if not view.events:
        return f"{IS_JSON} = 1"

    words = ", ".join(f"'{word}'" for word in view.events)
    return f"{fields.EVENT} IN ({words})"


def _sources(columns: Iterable[Column]) -> Iterator[str]:
    """List what columns may be read from."""
    for column in columns:
        yield from (_JOINED.get(column.keys, ""), *column.keys, column.name)


def _is_there(name: str) -> bool:
    """Whether the table has a column of that name."""
    return name in STORED or name in _AS_IT_IS


def _expression(view: View, column: Column) -> str:
    """Write what a column is made by."""
    if column.keys in _JOINED:
        return _JOINED[column.keys]

    if column.keys:
        found = [_key(key, column.type) for key in column.keys]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    return _ENTRY.get((view.name, column.name), column.name)


def _key(key: str, kind: str) -> str:
    """Read a key of the line."""
    return key if key in STORED else read(kind, "line", f"'{key}'")


def _entries(view: View) -> str:
    """Write the list of a line's entries, each with the name of its list."""
    lists = [
        f"arrayMap(e -> ('{key}', e), if({fields.EVENT} = '{fields.EVENT_UTTERANCE}', "
        f"JSONExtractArrayRaw(line, '{key}'), []))"
        for key in view.lists
    ]
    if fields.EVENT_HOLD in view.events:  # its line is a list of itself
        hold = f"('{fields.EVENT_HOLD}', line)"
        lists.append(f"if({fields.EVENT} = '{fields.EVENT_HOLD}', [{hold}], [])")
    return f"arrayConcat({', '.join(lists)})"
