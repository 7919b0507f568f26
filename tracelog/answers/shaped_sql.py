"""Lines of any shape turned into lines of ours, in DuckDB's SQL: while they are read, once.

The keys that a line lacks are written in front of it; of equals, JSON functions find the first.
What SQL can't do at this speed, it refuses, with `IN_PIECES`: then Python rewrites the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from tracelog.answers.cutting import LONGEST
from tracelog.answers.shapes import CRI, DOCKER, JOURNAL, LEVELS, Shape, Wrapper
from tracelog.answers.unwrapping import LAST_US, SECONDS
from tracelog.fields import LEVEL, TIMESTAMP, TRACE_ID


__all__ = ["IN_PIECES", "LINES", "MACROS", "TEXTS", "lines"]

IN_PIECES: Final = "a line is in pieces"

_OBJECTS: Final = (
    "read_ndjson_objects(${paths}, filename = true, ignore_errors = true, "
    f"maximum_object_size = {LONGEST})"
)
# Every line is one field: no byte of a log separates, quotes or comments.
_TEXTS: Final = (
    "read_csv(${paths}, auto_detect = false, header = false, columns = {{'text': 'VARCHAR'}}, "
    "delim = '', quote = '', escape = '', comment = '', strict_mode = false, null_padding = true, "
    f"new_line = '\\n', filename = true, maximum_line_size = {LONGEST})"
)
_PLAIN: Final = f"(SELECT json, filename, 0 AS added FROM {_OBJECTS})"  # noqa: S608
TEXTS: Final = f"SELECT text FROM {_TEXTS.format(paths='paths')} LIMIT 20"  # noqa: S608
LINES: Final = _PLAIN.format(paths="paths")  # columns: json, filename; added: bytes of ours

_NULL: Final = "'null'"
_SPACE: Final = "' ' || chr(9) || chr(10) || chr(13)"
_SINCE: Final = "strpos(text, ' std')"  # ends the time in front of ' stdout F ' and ' stderr F '
_UNWRAPPED: Final = {  # as `line`: of what is in no wrapper, NULL
    CRI: f"CASE WHEN {_SINCE} BETWEEN 20 AND 36 AND text[{_SINCE} + 7] = ' ' "
    f"THEN CASE WHEN text[{_SINCE} + 8] = 'F' THEN text[{_SINCE} + 10:] "
    f"ELSE error('{IN_PIECES}') END END",
    DOCKER: f"CASE WHEN ends_with(json->>'log', chr(10)) THEN json->>'log' "
    f"WHEN json->>'log' IS NOT NULL THEN error('{IN_PIECES}') END",
    JOURNAL: "CASE WHEN json_type(json, '$.MESSAGE') = 'ARRAY' "
    f"THEN error('{IN_PIECES}') ELSE json->>'MESSAGE' END",
}


def lines(groups: Iterable[tuple[Shape, list[str]]]) -> tuple[str, dict[str, object]]:
    """Write the lines of files of some shapes, and the parameters in it."""
    parameters: dict[str, object] = {}
    parts = []
    for number, (shape, paths) in enumerate(groups):
        name = f"paths{number}"
        parameters[name] = paths
        parts.append(_of(shape, name, number, parameters))
    return f"({' UNION ALL '.join(parts)})", parameters


def _of(shape: Shape, paths: str, number: int, parameters: dict[str, object]) -> str:
    """Write the lines of files of one shape."""
    source = _PLAIN.format(paths=paths)
    if shape.wrapper:
        source = _unwrapped(shape.wrapper, paths)
    if not shape.names:
        return f"SELECT * FROM {source}"  # noqa: S608

    ours, pointers = _pointers(shape)
    parameters[f"names{number}"] = pointers
    parameters[f"keys{number}"] = [f"{json.dumps(name)}:" for name, _ in ours]
    keys = [_key(name, span, f"$keys{number}[{n}]") for n, (name, span) in enumerate(ours, start=1)]
    inner = [_inner(n) for n in range(len(pointers) - _inners(shape), len(pointers))]
    found = f"json_extract(json, $names{number}::VARCHAR[])"
    put = "'{' || prefix || ',' || ltrim(json::VARCHAR)[2:]"
    return (
        f"SELECT CASE WHEN prefix <> '' THEN ({put})::JSON ELSE json END AS json, filename, "  # noqa: S608
        "CASE WHEN prefix <> '' THEN strlen(prefix) + 1 ELSE 0 END AS added FROM ("
        f"SELECT json, filename, concat_ws(',', {', '.join([*keys, *inner])}) AS prefix FROM ("
        f"SELECT json, filename, CASE WHEN json_type(json) = 'OBJECT' THEN {found} END AS found "
        f"FROM {source}))"
    )


def _unwrapped(wrapper: Wrapper, paths: str) -> str:
    """Write the lines that are in wrappers; blank ones don't count there, either."""
    if wrapper is CRI:
        objects, alone = _TEXTS.format(paths=paths), "text"
    else:
        objects, alone = _OBJECTS.format(paths=paths), "json::VARCHAR"
    # NULL has no text to look into: a line that is no JSON stays one.
    line = f"trim(coalesce({_UNWRAPPED[wrapper]}, {alone}, 'broken'), {_SPACE})"
    where = " WHERE text IS NOT NULL" if wrapper is CRI else ""
    return (
        f"(SELECT try_cast(line AS JSON) AS json, filename, 0 AS added FROM ("  # noqa: S608
        f"SELECT {line} AS line, filename FROM {objects}{where}) WHERE line <> '')"
    )


def _pointers(shape: Shape) -> tuple[list[tuple[str, range]], list[str]]:
    """List where to look, and for each key of ours, which of it is looked at."""
    ours = []
    pointers: list[str] = []
    for name, theirs in shape.names:
        begin = len(pointers)
        pointers += [pointer for each in theirs for pointer in _ways(each)]
        ours.append((name, range(begin + 1, len(pointers) + 1)))
    pointers += [f"/{_escaped(name)}" for name in (shape.naming.inner if shape.naming else ())]
    return ours, pointers


def _inners(shape: Shape) -> int:
    return len(shape.naming.inner) if shape.naming else 0


def _ways(name: str) -> Iterator[str]:
    """Point to a key, and to the end of a path, if it may be one."""
    yield f"/{_escaped(name)}"
    if "." in name:
        yield "/" + "/".join(map(_escaped, name.split(".")))


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _key(name: str, span: range, key: str) -> str:
    """Write a key and its value; NULL if there is none."""
    found = f"coalesce({', '.join(f'nullif(found[{n}], {_NULL})' for n in span)})"
    return f"{key} || {_CLEANED.get(name, '{}').format(found)}::VARCHAR"


def _inner(index: int) -> str:
    """Write the keys of an object within; NULL if it is none, or empty."""
    value = f"found[{index + 1}]"
    return (
        f"CASE WHEN json_type({value}) = 'OBJECT' AND {value} <> '{{}}' "
        f"THEN ({value}::VARCHAR)[2:-2] END"
    )


def _macros() -> Iterator[str]:
    """Write what cleans values."""
    others = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in LEVELS.items())
    lower = "lower(found->>'$')"
    yield f"their_level(found) AS to_json(CASE {lower} {others} ELSE {lower} END)"
    by = " ".join(f"WHEN number >= {least} THEN number * {factor}" for least, factor in SECONDS)
    yield f"their_us(number) AS round(CASE {by} END)"
    yield (
        f"their_moment(us, text) AS CASE WHEN us BETWEEN 0 AND {LAST_US} "
        "THEN strftime(make_timestamp(us::BIGINT), '%Y-%m-%dT%H:%M:%S.%fZ') "
        "ELSE replace(text, ',', '.') END"
    )
    part = "coalesce(try_cast(found->>'{}' AS DOUBLE), 0)"
    yield (
        "their_number(found) AS CASE WHEN json_type(found) = 'OBJECT' "
        f"THEN {part.format('seconds')} + {part.format('nanos')} / 1e9 "
        "ELSE try_cast(found->>'$' AS DOUBLE) END"
    )
    yield "their_time(found) AS to_json(their_moment(their_us(their_number(found)), found->>'$'))"
    yield (
        "their_trace(found) AS CASE WHEN starts_with(found->>'$', 'projects/') "
        "THEN to_json(regexp_extract(found->>'$', '[^/]*$')) ELSE found END"
    )


_CLEANED: Final = {
    LEVEL: "their_level({})",
    TIMESTAMP: "their_time({})",
    TRACE_ID: "their_trace({})",
}
MACROS: Final = tuple(f"CREATE TEMP MACRO {each}" for each in _macros())
