"""A question in DuckDB's SQL, one SELECT in one pass, and the answer in its rows.

What a question doesn't ask for isn't filtered out, but grouped apart: so the same pass counts all
lines, broken ones, and the rows of the view.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Self

from tracelog.answers.duckdb_views import (
    IS_FIRST,
    IS_ROW,
    IS_SOUND,
    LINES_HERE,
    columns_in,
    relation,
)
from tracelog.answers.question import Found, Lines, Question, Row, Tally


__all__ = ["HEAD", "DuckDialect", "Quantiles", "found", "select", "texts"]

HEAD: Final = 6  # columns before the keys

_MATCH: Final = "_is_match"
_KEY: Final = "_key"
_COUNTS: Final = (  # of lines, of those that are JSON, of rows, of matches
    f"{{count}} FILTER ({IS_FIRST})",
    f"{{count}} FILTER ({IS_FIRST} AND {{sound}})",
    f"count(*) FILTER ({IS_ROW})",
    f"count(*) FILTER ({_MATCH})",
)
_WHOLE: Final = {"count": "sum", "sum": "sum", "max": "max"}  # of parts, by what made those


class Quantiles(str):
    """Quantiles, in SQL; they can't be made of those of parts.

    Attributes:
        number: What of: rows that don't have it needn't be looked at.
    """

    __slots__ = ("number",)

    number: str

    def __new__(cls, number: str, fractions: Iterable[float]) -> Self:
        """Write them."""
        self = super().__new__(cls, f"quantile_cont({number}, [{', '.join(map(str, fractions))}])")
        self.number = number
        return self


class DuckDialect:
    """DuckDB's words."""

    def parameter(self, name: str) -> str:
        """Name a parameter."""
        return f"${name}"

    def number(self, name: str) -> str:
        """Name a parameter; numbers are no others."""
        return f"${name}"

    def moment(self, name: str) -> str:
        """Name a parameter that is a time."""
        return f"${name}::TIMESTAMPTZ"

    def value(self, name: str) -> str:
        """Read a value of the line, whatever its key is."""
        return f"json_extract_string(line, ${name}::VARCHAR)"

    def key(self, name: str) -> str:
        """Write a key as a JSON pointer, in which any character may stand."""
        return f"/{name.replace('~', '~0').replace('/', '~1')}"

    def bucket(self, time: str, seconds: int) -> str:
        """Round a time down."""
        return f"(epoch_us({time}) // {seconds}_000_000 * {seconds})"

    def quantiles(self, number: str, *fractions: float) -> str:
        """Aggregate to quantiles."""
        return Quantiles(number, fractions)

    def largest(self, count: int, value: str, by: str) -> str:
        """Aggregate to the values with the largest numbers."""
        return f"arg_max({value}, {by}, {count})"


def found(question: Question, rows: list[Row]) -> Found:
    """Take an answer out of what DuckDB gave."""
    mask = question.mask(question.groups[0])
    counted = [row[2:HEAD] for row in rows if row[0] == mask]
    lines, sound, of_view, matched = map(sum, zip(*counted, strict=True)) if counted else [0] * 4
    return Found(
        groups=tuple(question.by_set(rows, HEAD)),
        tally=Tally(lines=lines, broken=lines - sound, rows=of_view, matched=matched),
    )


def texts(question: Question) -> list[str]:
    """List the SQL of a question, in which columns are named."""
    named = [*question.keys, *question.figures, *question.conditions]
    return [*named, question.lines.by, "line"] if question.lines else named


def select(question: Question, source: str = "", *, is_counted: bool = True) -> str:
    """Write a question in one SELECT, of the lines, or of a relation that is like theirs.

    The first column tells which set of groups a row is of, the second whether it is of matches.
    """
    keys = question.keys
    is_kept = bool(source)
    sound = IS_SOUND if is_kept else "line IS NOT NULL"  # lines are most of what is kept
    source = source or relation(question.view, columns_in(question.view, texts(question)))
    marked = _marked(question, source)
    named = "".join(
        f", CASE WHEN {_MATCH} THEN {sql} END AS {_KEY}{n}" for n, sql in enumerate(keys)
    )
    figures = [figure + _only_matches(question) for figure in question.figures]
    if question.lines:
        figures.append(_lines(question.lines))
    count = f"sum({LINES_HERE})" if is_kept else "count(*)"
    counts = [each.format(count=count, sound=sound) if is_counted else "0" for each in _COUNTS]
    rows = f"SELECT *{named} FROM ({marked})"  # noqa: S608
    names = [f"{_KEY}{n}" for n in range(len(keys))]
    wholes = [*map(_whole, figures)]
    if is_kept and len(question.groups) > 1 and None not in wholes:
        # Each set would look at each row: it looks at what the rows of each group amount to.
        parts = ", ".join(f"{sql} AS _part{n}" for n, sql in enumerate([*counts, *figures]))
        rows = f"SELECT {_MATCH}, {', '.join(names)}, {parts} FROM ({rows}) GROUP BY ALL"  # noqa: S608
        counts = [f"sum(_part{n})" for n in range(len(counts))]
        figures = [f"{whole}(_part{n})" for n, whole in enumerate(wholes, start=len(counts))]
    columns = [*(f"coalesce({each}, 0)" for each in counts), *names, *figures]
    return f"SELECT {_which(keys)}, {', '.join(columns)} FROM ({rows}) {_grouping(question)}"  # noqa: S608


def _whole(figure: str) -> str | None:
    """Name what makes a figure of those of its parts, if anything does."""
    name, _, argument = figure.partition("(")
    # Parts may have some values in common.
    return None if argument.startswith("DISTINCT") else _WHOLE.get(name)


def _marked(question: Question, source: str) -> str:
    """Mark what matches, and of what doesn't leave no value that a figure would look at.

    A figure's own filter would do, but asks about each row once more, and of what it leaves out
    DISTINCT keeps every value. Without conditions, what isn't a row has no values anyway.
    """
    marked = f"SELECT *, {_condition(question)} AS {_MATCH} FROM ({source})"  # noqa: S608
    columns = [each.name for each in columns_in(question.view, question.figures)]
    if not (columns and question.conditions and question.keys):
        return marked

    blank = ", ".join(f'CASE WHEN {_MATCH} THEN "{name}" END AS "{name}"' for name in columns)
    return f"SELECT * REPLACE ({blank}) FROM ({marked})"  # noqa: S608


def _only_matches(question: Question) -> str:
    """Write what leaves out of a figure what doesn't match; groups have it apart."""
    return "" if question.keys else f" FILTER (WHERE {_MATCH})"


def _condition(question: Question) -> str:
    """Write what tells a match; only rows of the view are looked at."""
    conditions = " AND ".join(f"({each})" for each in question.conditions) or "true"
    return f"CASE WHEN {IS_ROW} THEN coalesce({conditions}, false) ELSE false END"


def _lines(lines: Lines) -> str:
    """Write the figure that lines are: only what is kept to the end is taken apart."""
    paths = ", ".join(f"'$.{key}'" for key in lines.keys)
    largest = f"arg_max(line, {lines.by}, {lines.count}) FILTER (WHERE {_MATCH})"
    return f"[json_extract(_line, [{paths}]) FOR _line IN {largest}]"


def _which(keys: list[str]) -> str:
    """Write what tells the sets apart: a bit for each expression that isn't in it."""
    if not keys:
        return f"0, coalesce(bool_or({_MATCH}), false)"

    return f"grouping({', '.join(f'{_KEY}{n}' for n in range(len(keys)))}), {_MATCH}"


def _grouping(question: Question) -> str:
    """Write the sets; what doesn't match is a group of its own in each."""
    keys = question.keys
    if not keys:
        return ""

    sets = (", ".join([_MATCH, *(f"{_KEY}{keys.index(k)}" for k in g)]) for g in question.groups)
    return f"GROUP BY GROUPING SETS ({', '.join(f'({each})' for each in sets)})"
