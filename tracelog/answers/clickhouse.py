"""The engine for logs that have outgrown a machine: ClickHouse answers, and sends the answer.

The same questions as the embedded engine's. What doesn't match is left out by the server, by its
index where that helps; what there is besides is counted in a question of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from tracelog import fields
from tracelog.answers.address import Address
from tracelog.answers.clickhouse_columns import IS_JSON, text
from tracelog.answers.clickhouse_views import TABLE, is_row, relation
from tracelog.answers.duckdb_views import columns_in
from tracelog.answers.question import Found, Lines, Question, Row, Tally
from tracelog.answers.server import Server
from tracelog.answers.times import read_timestamp


__all__ = ["ClickHouse", "ClickHouseDialect"]

_EXAMPLES: Final = 3  # so many of the places of lines that are no JSON are named
_HEAD: Final = 2  # columns before the keys
_TALLY: Final = (
    f"SELECT countIf({IS_JSON} IS NOT NULL), countIf({IS_JSON} = 0), "  # noqa: S608
    f"countIf(<is row>) FROM {TABLE}"
)
_BROKEN: Final = f"SELECT DISTINCT file FROM {TABLE} WHERE {IS_JSON} = 0 ORDER BY file LIMIT 3"  # noqa: S608
_EXTREME: Final = (
    f"SELECT toString(<extreme>OrNull({fields.TIMESTAMP})) FROM {TABLE} "  # noqa: S608
    f"WHERE {fields.TIMESTAMP} BETWEEN toDateTime64('1970-01-01 00:00:00', 6, 'UTC') "
    "AND toDateTime64('9999-01-01 00:00:00', 6, 'UTC')"
)


class ClickHouseDialect:
    """ClickHouse's words."""

    def parameter(self, name: str) -> str:
        """Name a parameter that is a text."""
        return f"{{{name}:String}}"

    def number(self, name: str) -> str:
        """Name a parameter that is a number."""
        return f"{{{name}:Float64}}"

    def moment(self, name: str) -> str:
        """Name a parameter that is a time."""
        return f"parseDateTime64BestEffort({{{name}:String}}, 6, 'UTC')"

    def value(self, name: str) -> str:
        """Read a value of the line, whatever its key is."""
        return text("line", self.parameter(name))

    def key(self, name: str) -> str:
        """Write a key as it is."""
        return name

    def bucket(self, time: str, seconds: int) -> str:
        """Round a time down."""
        return f"(intDiv(toUnixTimestamp64Micro({time}), {seconds}000000) * {seconds})"

    def quantiles(self, number: str, *fractions: float) -> str:
        """Aggregate to quantiles; to none where there are no numbers."""
        levels = ", ".join(map(str, fractions))
        return f"if(count({number}) = 0, [], quantilesExactInclusive({levels})({number}))"

    def largest(self, count: int, value: str, by: str) -> str:
        """Aggregate to the values with the largest numbers."""
        known = f"{value} IS NOT NULL AND {by} IS NOT NULL"
        pair = f"(-assumeNotNull({by}), assumeNotNull({value}))"
        return f"arrayMap(p -> p.2, groupArraySortedIf({count})({pair}, {known}))"


class ClickHouse:
    """A table of lines, on a server or on many."""

    def __init__(self, server: Server, address: Address) -> None:
        self.dialect = ClickHouseDialect()
        self._server = server
        self._names = {"database": address.database, "table": address.table}

    def ask(self, question: Question) -> Found:
        """Answer a question: its figures, its lines, and what was looked at."""
        rows = self._rows(_sql(question), question)
        mask = question.mask(question.groups[0])
        groups = zip(question.groups, question.by_set(rows, _HEAD), strict=True)
        return Found(
            groups=tuple(tuple(self._with_lines(question, *each)) for each in groups),
            tally=self._tally(question, sum(row[1] for row in rows if row[0] == mask)),
        )

    def start(self) -> datetime | None:
        """Ask for the first time there is."""
        return self._time("min")

    def end(self) -> datetime | None:
        """Ask for the last time there is."""
        return self._time("max")

    def broken(self, count: int) -> tuple[str, ...]:
        """Name where some are from, as far as the shipper told: a table doesn't number lines."""
        table = ".".join(self._names.values())
        found = [f"in {row[0] or table}" for row in self._rows(_BROKEN)]
        return tuple(found[: min(count, _EXAMPLES)])

    def _rows(self, sql: str, question: Question | None = None) -> list[Row]:
        parameters = question.parameters if question else {}
        return self._server.rows(sql, {**self._names, **parameters})

    def _time(self, extreme: str) -> datetime | None:
        found = self._rows(_EXTREME.replace("<extreme>", extreme))[0][0]
        return read_timestamp(found)

    def _with_lines(
        self, question: Question, group: Sequence[str], rows: Iterable[Row]
    ) -> Iterable[Row]:
        """Fetch the lines to show, if any are asked for: one more figure of each row of a set."""
        if not question.lines:
            return rows

        found: dict[Row, list[list[str | None]]] = {}
        for *keys, texts in self._rows(_lines_sql(question, question.lines, group), question):
            found.setdefault(tuple(keys), []).append([each or None for each in texts])
        return ((*row, found.get(row[: len(group)], [])) for row in rows)

    def _tally(self, question: Question, matched: int) -> Tally:
        """Count what there is, whatever matches."""
        view = question.view
        lines, broken, rows = self._rows(_TALLY.replace("<is row>", is_row(view)))[0]
        if view.lists:
            rows = self._rows(f"SELECT count() FROM ({relation(view, ())})")[0][0]  # noqa: S608
        return Tally(lines=lines, broken=broken, rows=rows, matched=matched)


def _sql(question: Question) -> str:
    """Write a question in one SELECT; its first columns tell the set, and how many rows match."""
    keys = question.keys
    names = [f"_key{number}" for number in range(len(keys))]
    which = f"grouping({', '.join(names)})" if keys else "0"
    columns = [which, "count()", *names, *question.figures]
    return f"SELECT {', '.join(columns)} FROM ({_matching(question, keys)}){_grouping(question)}"  # noqa: S608


def _matching(question: Question, keys: Sequence[str], *more: str) -> str:
    """Write what a question is about: the rows that match, with the expressions it groups by."""
    texts = [*keys, *question.figures, *question.conditions, *more]
    source = relation(question.view, columns_in(question.view, texts))
    named = "".join(f", {sql} AS _key{number}" for number, sql in enumerate(keys))
    conditions = " AND ".join(f"({each})" for each in question.conditions) or "true"
    return f"SELECT *{named} FROM ({source}) WHERE {conditions}"  # noqa: S608


def _lines_sql(question: Question, lines: Lines, group: Sequence[str]) -> str:
    """Write what finds the lines to show: of each group, those that have most."""
    names = [f"_key{number}" for number in range(len(group))]
    texts = ", ".join(f"JSONExtractRaw(line, '{key}')" for key in lines.keys)
    each = f" BY {', '.join(names)}" if names else ""
    return (
        f"SELECT {', '.join([*names, f'[{texts}]'])} "  # noqa: S608
        f"FROM ({_matching(question, group, lines.by, 'line')}) "
        f"WHERE ({lines.by}) IS NOT NULL ORDER BY {lines.by} DESC LIMIT {lines.count}{each}"
    )


def _grouping(question: Question) -> str:
    """Write the sets."""
    keys = question.keys
    if not keys:
        return ""

    sets = (", ".join(f"_key{keys.index(key)}" for key in group) for group in question.groups)
    return f" GROUP BY GROUPING SETS ({', '.join(f'({each})' for each in sets)})"
