"""How a value of a line is read in ClickHouse's SQL, so that DuckDB's reads the same.

A key that the table has a column for is read when the line is inserted, any other when it is asked
for: by the same expression, in here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tracelog import fields
from tracelog.answers.views import (
    CAUSE_IN_GROUPS,
    FLAG,
    INTEGER,
    JSON,
    LINES,
    LISTS,
    LONGEST_MS,
    NUMBER,
    TEXT,
    TIME,
    UTTERANCES,
)


__all__ = ["ARRIVED", "IS_JSON", "STORED", "Stored", "read", "text"]

ARRIVED: Final = "arrived"  # of an utterance, what it is found by: no index serves an expression
IS_JSON: Final = "is_json"  # NULL of a blank line, which is none

_WHOLE: Final = "'^-?[0-9]+$'"
# What both engines take for a time. ClickHouse alone would read far more, `1732270210` for one.
_TIME: Final = (
    r"'^\\s*\\d{4}-\\d\\d?-\\d\\d?([T ]([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d+)?)?"
    r"(Z| ?UTC|[+-]\\d\\d(:?\\d\\d)?)?)?\\s*$'"
)
_FIRST_DAY: Final = "toDateTime64('0001-01-02 00:00:00', 6, 'UTC')"
_LAST_DAY: Final = "toDateTime64('9999-12-30 00:00:00', 6, 'UTC')"


@dataclass(frozen=True, slots=True)
class Stored:
    """A column of the table.

    Attributes:
        name: Its name: that of the key that it is read from, if it is read from one.
        type: One of the views' types.
        sql: How it is made when a line is inserted.
        about: What it is.
    """

    name: str
    type: str
    sql: str
    about: str


def text(source: str, *path: str) -> str:
    """Read a text under a path of SQL expressions: of whatever is no text, its JSON.

    Numbers are written as DuckDB writes them, which leaves a float's `.0` to it.
    """
    inside = ", ".join((source, *path))
    found = f"JSONExtract({inside}, 'Nullable(String)')"
    return (
        f"if(match(ifNull({found}, ''), {_WHOLE}) AND JSONType({inside}) = 'Double', "
        f"concat({found}, '.0'), {found})"
    )


def read(kind: str, source: str, *path: str) -> str:
    """Read a value of one of the views' types; what isn't of it is NULL."""
    inside = ", ".join((source, *path))
    if kind == JSON:
        return f"nullIf(JSONExtractRaw({inside}), '')"

    if kind == FLAG:
        return f"(JSONExtract({inside}, 'Nullable(String)') = 'true')"

    if kind == NUMBER:
        return _number(inside, f"abs({{found}}) < {LONGEST_MS}")

    return {TEXT: text(source, *path), TIME: _time(inside), INTEGER: _integer(inside)}[kind]


def _number(inside: str, bound: str = "isFinite({found})") -> str:
    """Read a number that has a bound, also one in quotes; a flag is none."""
    found = f"JSONExtract({inside}, 'Nullable(Float64)')"
    return f"if({bound.format(found=found)} AND JSONType({inside}) <> 'Bool', {found}, NULL)"


def _integer(inside: str) -> str:
    """Read a whole number, or one that is rounded to be, half away from zero."""
    found = _number(inside)
    rounded = f"(sign({found}) * floor(abs({found}) + 0.5))"
    return (
        f"multiIf(JSONType({inside}) = 'Int64', JSONExtract({inside}, 'Nullable(Int64)'), "
        f"abs({found}) < 9.2e18, accurateCastOrNull({rounded}, 'Int64'), NULL)"
    )


def _time(inside: str) -> str:
    """Read a time of the calendar; without an offset it is UTC."""
    found = f"JSONExtract({inside}, 'Nullable(String)')"
    moment = f"parseDateTime64BestEffortOrNull(trimBoth({found}), 6, 'UTC')"
    return (
        f"if(match(ifNull({found}, ''), {_TIME}) AND {moment} BETWEEN {_FIRST_DAY} "
        f"AND {_LAST_DAY}, {moment}, NULL)"
    )


def _why() -> str:
    """Write a cause without its figures and its names."""
    sql = fields.CAUSE
    for pattern, instead, is_everywhere in CAUSE_IN_GROUPS:
        replace = "replaceRegexpAll" if is_everywhere else "replaceRegexpOne"
        sql = f"{replace}({sql}, '{_escaped(pattern)}', '{_escaped(instead)}')"
    return sql


def _escaped(text: str) -> str:
    r"""Write what stands between quotes, where `\` escapes."""
    return text.replace("\\", r"\\")


def _place() -> str:
    """Write the place of what cost most: of equals, the first of the lists."""
    costs = [read(NUMBER, "line", f"'{key}'", "1", f"'{fields.MS}'") for key in LISTS]
    places = [read(TEXT, "line", f"'{key}'", "1", f"'{fields.WHERE}'") for key in LISTS]
    known = [f"ifNull({cost}, -inf)" for cost in costs]
    most = f"greatest({', '.join(known)})"
    choices = ", ".join(
        f"{cost} = {most}, {where}" for cost, where in zip(costs, places, strict=True)
    )
    return f"multiIf({choices}, NULL)"


def _stored() -> Iterator[Stored]:
    """List the columns that lines and utterances are asked by."""
    seen = set()
    for column in (*LINES.columns, *UTTERANCES.columns):
        for key in column.keys:
            if key not in seen:
                seen.add(key)
                about = column.about if key == column.keys[-1] else f"for `{column.name}`"
                yield Stored(key, column.type, read(column.type, "line", f"'{key}'"), about)
    arrived = UTTERANCES.column("time")
    yield Stored(ARRIVED, TIME, f"coalesce({', '.join(arrived.keys)})", arrived.about)
    yield Stored("bytes", INTEGER, "length(line)", LINES.column("bytes").about)
    yield Stored("why", TEXT, _why(), UTTERANCES.column("why").about)
    yield Stored("place", TEXT, _place(), UTTERANCES.column("place").about)


STORED: Final = {stored.name: stored for stored in _stored()}
