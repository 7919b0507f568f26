"""The views in DuckDB's SQL, over lines that are read as whole objects.

Only the columns that a question names are made. A line is taken apart, once, only if a word is in
it that every line of the view has: letters are never written as escapes in JSON by anyone, so none
is missed; the word in another place costs a look and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tracelog import fields
from tracelog.answers.log import LINES
from tracelog.answers.views import (
    CAUSE_IN_GROUPS,
    FLAG,
    INTEGER,
    JSON,
    LISTS,
    LONGEST_MS,
    NUMBER,
    TEXT,
    TIME,
    Column,
    View,
)


__all__ = [
    "IS_FIRST",
    "IS_ROW",
    "IS_SOUND",
    "KEPT",
    "LINES_HERE",
    "columns_in",
    "is_enough",
    "kept",
    "relation",
    "select",
]

KEPT: Final = "SELECT * REPLACE (line::JSON AS line) FROM read_parquet($paths)"

IS_ROW: Final = "_is_row"  # whether it is one of the view's; the others are there to be counted
IS_SOUND: Final = "_is_sound"  # of what is kept: whether its line is JSON
LINES_HERE: Final = "_lines"  # of what is kept: how many lines a row stands for
IS_FIRST: Final = "_is_first"  # whether it is its line's first: one line may be several rows

_MADE: Final = ("line", "file", IS_ROW, IS_FIRST)
_CASTS: Final = {
    TEXT: "{}",
    JSON: "{}::JSON",
    FLAG: "({} = 'true')",
    TIME: (  # neither infinity nor a year that has no calendar
        "CASE WHEN try_cast({0} AS TIMESTAMPTZ) BETWEEN '0001-01-02'::TIMESTAMPTZ "
        "AND '9999-12-30'::TIMESTAMPTZ THEN try_cast({0} AS TIMESTAMPTZ) END"
    ),
    INTEGER: "try_cast({} AS BIGINT)",
    NUMBER: (
        f"CASE WHEN abs(try_cast({{0}} AS DOUBLE)) < {LONGEST_MS} "
        "THEN try_cast({0} AS DOUBLE) END"
    ),
}
_COSTS: Final = tuple(f"{key}[0].{fields.MS}" for key in LISTS)
_PLACES: Final = tuple(f"{key}[0].{fields.WHERE}" for key in LISTS)


def _why() -> str:
    """Write a cause without its figures and its names."""
    sql = "{}"
    for pattern, instead, is_everywhere in CAUSE_IN_GROUPS:
        where = ", 'g'" if is_everywhere else ""
        sql = f"regexp_replace({sql}, '{pattern}', '{instead}'{where})"
    return sql


# How a column is made that is no key of the line: the keys it is made from, and the SQL.
_DERIVED: Final = {
    ("utterances", "why"): ((fields.CAUSE,), _why()),
    ("utterances", "place"): (
        (*_COSTS, *_PLACES),
        (
            "CASE greatest(try_cast({0} AS DOUBLE), try_cast({1} AS DOUBLE), "
            "try_cast({2} AS DOUBLE)) WHEN try_cast({0} AS DOUBLE) THEN {3} "
            "WHEN try_cast({1} AS DOUBLE) THEN {4} WHEN try_cast({2} AS DOUBLE) THEN {5} END"
        ),
    ),
    ("lines", "bytes"): ((), "strlen(line) - added"),
}
_ENTRY: Final = {  # of an entry of a list, with the list's name as `list`
    ("spans", "name"): "entry->>'name'",
    ("spans", "within"): "entry->'within'",
    ("spans", "count"): "try_cast(entry->>'count' AS BIGINT)",
    ("spans", "total_ms"): _CASTS[NUMBER].format("(entry->>'total_ms')"),
    ("spans", "own_ms"): _CASTS[NUMBER].format("(entry->>'own_ms')"),
    ("delays", "source"): "list",
    ("delays", "ms"): _CASTS[NUMBER].format(
        "coalesce(entry->>'ms', entry->>'own_ms', entry->>'delayed_ms')"
    ),
    ("delays", "place"): "entry->>'where'",
    ("delays", "what"): (
        "coalesce(CASE WHEN list = 'awaits' THEN entry->>'what' END, entry->>'kind', "
        # Of a line, `name` may be anything; python-json-logger calls its logger so.
        f"CASE WHEN list <> '{fields.EVENT_HOLD}' THEN entry->>'name' END)"
    ),
    ("delays", "by_user"): "coalesce(entry->>'user_id', entry->'until'->>'user_id')",
    ("delays", "by_trace"): "coalesce(entry->>'trace_id', entry->'until'->>'trace_id')",
}


def columns_in(view: View, texts: Iterable[str]) -> tuple[Column, ...]:
    """Find the columns of *view* that are named in some SQL."""
    words = {word for text in texts for word in re.findall(r"\w+", text)}
    return tuple(column for column in view.columns if column.name in words)


def select(view: View) -> str:
    """Write the view itself: all its columns, and nothing but its rows."""
    names = ", ".join(f'"{column.name}"' for column in view.columns)
    return f"SELECT {names} FROM ({relation(view, view.columns)}) WHERE {IS_ROW}"  # noqa: S608


def kept(view: View) -> str:
    """Write what is kept of a view, and stands for its relation.

    The lines that aren't rows are there to be counted, as one row or two. Of `lines`, which has
    them all, the text isn't kept: that would be the log once more.
    """
    line = "line::VARCHAR" if view.events else "'null'"
    return (
        f"SELECT * REPLACE ({line} AS line), true AS {IS_SOUND}, 1 AS {LINES_HERE} "  # noqa: S608
        f"FROM ({relation(view, view.columns)}) WHERE {IS_ROW} UNION ALL BY NAME "
        f"SELECT false AS {IS_ROW}, true AS {IS_FIRST}, line IS NOT NULL AS {IS_SOUND}, "
        f"count(*) AS {LINES_HERE} FROM ({relation(view, ())}) WHERE NOT {IS_ROW} GROUP BY ALL"
    )


def is_enough(view: View, texts: Iterable[str]) -> bool:
    """Whether what is kept of a view answers some SQL."""
    return bool(view.events) or all(c.name != "line" for c in columns_in(view, texts))


def relation(view: View, columns: Iterable[Column]) -> str:
    """Write a relation with some columns of *view*, `line`, `file`, `IS_ROW` and `IS_FIRST`."""
    keys = _Keys(view)
    made = [(c.name, _expression(view, c, keys)) for c in columns if c.name not in _MADE]
    is_row = _is_row(view, keys)
    entries = _entries(view, keys)
    probed = f"SELECT filename AS file, json AS line, added, {keys.probe} AS _found FROM {LINES}"  # noqa: S608
    is_first = "true"
    if entries:
        probed = f"SELECT *, {entries} AS _entries FROM ({probed})"  # noqa: S608
        probed = (
            "SELECT *, unnest(_entries) AS _entry, generate_subscripts(_entries, 1) AS _number "  # noqa: S608
            f"FROM ({probed})"
        )
        probed = f"SELECT *, _entry.list AS list, _entry.entry AS entry FROM ({probed})"  # noqa: S608
        is_row, is_first = f"({is_row}) AND list IS NOT NULL", "_number = 1"
    shown = "".join(f', {sql} AS "{name}"' for name, sql in made)
    return (
        f"SELECT file, line, coalesce({is_row}, false) AS {IS_ROW}, {is_first} AS {IS_FIRST}"  # noqa: S608
        f"{shown} FROM ({probed})"
    )


class _Keys:
    """The paths that are read from a line, all in one go."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._paths: list[str] = []

    def read(self, path: str) -> str:
        """Ask for a path, and name what is found there."""
        if path not in self._paths:
            self._paths.append(path)
        return f"_found[{self._paths.index(path) + 1}]"

    @property
    def probe(self) -> str:
        """Write what takes a line apart, if it may be one of the view's."""
        paths = ", ".join(f"'$.{path}'" for path in self._paths)
        found = f"json_extract_string(json, [{paths}])" if paths else "NULL"
        words = self._view.events
        if not words:
            return found

        hit = " OR ".join(f"contains(json, '{word}')" for word in words)
        return f"CASE WHEN {hit} THEN {found} END"


def _expression(view: View, column: Column, keys: _Keys) -> str:
    """Write what a column is made by."""
    if column.keys:
        found = [_CASTS[column.type].format(keys.read(key)) for key in column.keys]
        return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"

    if (view.name, column.name) in _ENTRY:
        return _ENTRY[view.name, column.name]

    paths, sql = _DERIVED[view.name, column.name]
    return sql.format(*map(keys.read, paths))


def _is_row(view: View, keys: _Keys) -> str:
    """Write what tells whether a line is one of the view's."""
    if not view.events:
        return "line IS NOT NULL"

    event = keys.read(fields.EVENT)
    return " OR ".join(f"{event} = '{word}'" for word in view.events)


def _entries(view: View, keys: _Keys) -> str:
    """Write the list of a line's entries; one of NULL where there are none."""
    if not view.lists:
        return ""

    lists = [*_parts(view, keys)]
    # Most verdicts have no lists: to look for one is less work than to make empty ones.
    hit = "contains(line, '[')"
    if fields.EVENT_HOLD in view.events:
        hit = f"({hit} OR {keys.read(fields.EVENT)} = '{fields.EVENT_HOLD}')"
    return (
        f"coalesce(nullif(CASE WHEN _found IS NOT NULL AND {hit} THEN {_concat(lists)} END, []), "
        "[NULL])"
    )


def _parts(view: View, keys: _Keys) -> Iterator[str]:
    """Write each list of the view; a hold's line is a list of itself."""
    event = keys.read(fields.EVENT)
    for key in view.lists:
        yield (
            f"CASE WHEN {event} = '{fields.EVENT_UTTERANCE}' AND contains(line, '{key}') THEN "
            f"[{{'list': '{key}', 'entry': e}} FOR e IN json_extract(line, '$.{key}[*]')] END"
        )
    if fields.EVENT_HOLD in view.events:
        yield (
            f"CASE WHEN {event} = '{fields.EVENT_HOLD}' THEN "
            f"[{{'list': '{fields.EVENT_HOLD}', 'entry': line}}] END"
        )


def _concat(lists: list[str]) -> str:
    """Write one list of several; NULL counts as empty."""
    return f"flatten([{', '.join(f'coalesce({each}, [])' for each in lists)}])"
