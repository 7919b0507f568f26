"""The embedded engine: DuckDB answers a question in one pass over the lines of a `Log`.

What a question doesn't ask for isn't filtered out, but grouped apart: so the same pass counts all
lines, broken ones, and the rows of the view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from tracelog import fields
from tracelog.answers.cache import Cache
from tracelog.answers.duckdb_views import (
    IS_FIRST,
    IS_ROW,
    IS_SOUND,
    KEPT,
    LINES_HERE,
    columns_in,
    is_enough,
    kept,
    relation,
)
from tracelog.answers.lines import head, is_cut_off, line_numbers, tail
from tracelog.answers.log import LINES, Log
from tracelog.answers.question import Found, Lines, Question, Row, Tally
from tracelog.answers.shapes import read_object
from tracelog.answers.sources import Source
from tracelog.answers.times import read_timestamp
from tracelog.answers.unwrapping import renamed
from tracelog.answers.views import View
from tracelog.errors import InputError


__all__ = ["DuckDialect", "Embedded"]

_EXAMPLES: Final = 3  # so many of the lines that are no JSON are named
_UNIX: Final = datetime(1970, 1, 2, tzinfo=UTC)  # what has no clock yet says it is before that
_MATCH: Final = "_is_match"
_KEY: Final = "_key"
_HEAD: Final = 6  # columns before the keys
_COUNTS: Final = (  # of lines, of those that are JSON, of rows, of matches
    f"{{count}} FILTER ({IS_FIRST})",
    f"{{count}} FILTER ({IS_FIRST} AND {{sound}})",
    f"count(*) FILTER ({IS_ROW})",
    f"count(*) FILTER ({_MATCH})",
)
_EXTREME: Final = f"""
SELECT {{}}(moment)::VARCHAR
FROM (SELECT try_cast(json->>'timestamp' AS TIMESTAMPTZ) AS moment FROM {LINES})
WHERE moment BETWEEN '1970-01-01'::TIMESTAMPTZ AND '9999-01-01'::TIMESTAMPTZ
"""  # noqa: S608
_BROKEN: Final = f"""
SELECT number FROM (SELECT row_number() OVER () AS number, json FROM {LINES})
WHERE json IS NULL LIMIT $count
"""  # noqa: S608


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
        return f"quantile_cont({number}, [{', '.join(map(str, fractions))}])"

    def largest(self, count: int, value: str, by: str) -> str:
        """Aggregate to the values with the largest numbers."""
        return f"arg_max({value}, {by}, {count})"


class Embedded:
    """DuckDB, over the lines of a log."""

    def __init__(self, log: Log, cache: Cache | None = None) -> None:
        self.dialect = DuckDialect()
        self._log = log
        self._cache = cache
        self._asked: list[View] = []

    def ask(self, question: Question) -> Found:
        """Answer a question."""
        rows = self._kept_rows(question)
        if rows is None:
            rows = self._log.rows(_sql(question), **question.parameters)
        masks = [_mask(index, question) for index in range(len(question.groups))]
        counted = [row[2:_HEAD] for row in rows if row[0] == masks[0]]
        lines, sound, of_view, matched = (
            map(sum, zip(*counted, strict=True)) if counted else [0] * 4
        )
        return Found(
            groups=tuple(tuple(_group(question, masks, i, rows)) for i in range(len(masks))),
            tally=Tally(lines=lines, broken=lines - sound, rows=of_view, matched=matched),
        )

    @property
    def worth_keeping(self) -> tuple[str, ...]:
        """The views that were asked for, and that the next question would find sooner if kept."""
        return tuple(dict.fromkeys(view.name for view in self._asked))

    def keep(self, views: Iterable[View]) -> None:
        """Keep *views* for the next question."""
        for view in views:
            with suppress(InputError, OSError):  # the log may be gone, or memory be short
                self._keep(view)

    def _keep(self, view: View) -> None:
        for source, path in zip(self._sources(), self._places(view), strict=False):
            if self._cache and not self._cache.found([path]):
                self._cache.keep(path, partial(self._log.keep, source, kept(view)))

    def _kept_rows(self, question: Question) -> list[Row] | None:
        """Ask what is kept of the view, if it is all there, and enough for the question."""
        places = self._places(question.view)
        if not self._cache or not places or not is_enough(question.view, _texts(question)):
            return None

        if not self._cache.found(places):
            self._asked.append(question.view)
            return None

        try:
            return self._rows_of(places, question)
        except InputError:  # it is damaged, or another process has thrown it away
            self._cache.forget(places)
            self._asked.append(question.view)
            return None

    def _rows_of(self, places: list[Path], question: Question) -> list[Row]:
        """Ask what is kept: first which lines are wanted, because they are most of it."""
        lines, parameters = question.lines, question.parameters
        if not lines or question.groups != ((),):
            return self._log.rows_kept(places, _sql(question, KEPT), **parameters)

        figures = (*question.figures, f"max({lines.by}, {lines.count})")
        counted = replace(question, figures=figures, lines=None)
        ((*row, largest),) = self._log.rows_kept(places, _sql(counted, KEPT), **parameters)
        if not largest:
            return [(*row, None)]

        some = f"{KEPT} WHERE {lines.by} >= $floor"
        shown = self._log.rows_kept(places, _sql(question, some), floor=largest[-1], **parameters)
        return [(*row, shown[0][-1])]

    def _places(self, view: View) -> list[Path]:
        """Tell where what is kept would be."""
        return self._cache.paths(self._sources(), view) if self._cache else []

    def _sources(self) -> list[Source]:
        return [source for source in self._log.sources if not source.is_empty]

    def start(self) -> datetime | None:
        """Look at the files' beginnings; at every line if one of them has none."""
        return self._time(_start_of, min)

    def end(self) -> datetime | None:
        """Look at the files' ends; at every line if one of them has none."""
        return self._time(_end_of, max)

    def _time(
        self,
        look: Callable[[Source], datetime | None],
        choose: Callable[[Iterable[datetime]], datetime],
    ) -> datetime | None:
        times = [look(source) for source in self._log.sources if not source.is_empty]
        known = [time for time in times if time]
        if known and len(known) == len(times):
            return choose(known)

        found = [row[0] for row in self._log.rows(_EXTREME.format(choose.__name__))]
        return read_timestamp(found[0]) if found else None

    def broken(self, count: int) -> tuple[str, ...]:
        """Look for them, file after file, until all that there are or enough are found."""
        return tuple(islice(self._broken(count), _EXAMPLES))

    def _broken(self, count: int) -> Iterator[str]:
        sources = [source for source in self._log.sources if not source.is_empty]
        cut = {source for source in sources if is_cut_off(source)}
        left = count - len(cut)
        for source in sources:
            if left > 0:
                numbers = self._numbers(source, min(left, _EXAMPLES), is_cut=source in cut)
                yield from numbers
                left -= len(numbers)
            if source in cut:
                yield f"the last of {source.name}"

    def _numbers(self, source: Source, count: int, *, is_cut: bool) -> list[str]:
        """Name at most *count* lines of one source, or the source if they can't be numbered."""
        found = [row[0] for row in self._log.rows_of(source, _BROKEN, count=count + 1)]
        ordinals = found[: min(count, len(found) - is_cut)]
        if not ordinals:
            return []

        try:
            return [f"{source.name}:{number}" for number in line_numbers(source, ordinals)]
        except InputError:
            return [source.name]


def _start_of(source: Source) -> datetime | None:
    """Look at a file's beginning."""
    return next(filter(None, (_time_of(line, source) for line in head(source))), None)


def _end_of(source: Source) -> datetime | None:
    """Look at a file's end."""
    return next(filter(None, (_time_of(line, source) for line in reversed(tail(source)))), None)


def _time_of(line: bytes, source: Source) -> datetime | None:
    """Read a line's time, if it is a line and has one of this age."""
    found = renamed(read_object(line) or {}, source.shape)
    moment = read_timestamp(found.get(fields.TIMESTAMP))
    return moment if moment and moment > _UNIX else None


def _texts(question: Question) -> list[str]:
    """List the SQL of a question, in which columns are named."""
    texts = [*_keys(question), *question.figures, *question.conditions]
    return [*texts, question.lines.by, "line"] if question.lines else texts


def _sql(question: Question, source: str = "") -> str:
    """Write a question in one SELECT, of the lines, or of a relation that is like theirs.

    The first column tells which set of groups a row is of, the second whether it is of matches.
    """
    keys = _keys(question)
    is_kept = bool(source)
    sound = IS_SOUND if is_kept else "line IS NOT NULL"  # lines are most of what is kept
    source = source or relation(question.view, columns_in(question.view, _texts(question)))
    marked = f"SELECT *, {_condition(question)} AS {_MATCH} FROM ({source})"  # noqa: S608
    named = "".join(
        f", CASE WHEN {_MATCH} THEN {sql} END AS {_KEY}{n}" for n, sql in enumerate(keys)
    )
    figures = [figure + _only_matches(question) for figure in question.figures]
    if question.lines:
        figures.append(_lines(question.lines))
    count = f"sum({LINES_HERE})" if is_kept else "count(*)"
    counts = [f"coalesce({each.format(count=count, sound=sound)}, 0)" for each in _COUNTS]
    columns = [*counts, *(f"{_KEY}{n}" for n in range(len(keys))), *figures]
    return (
        f"SELECT {_which(keys)}, {', '.join(columns)} "  # noqa: S608
        f"FROM (SELECT *{named} FROM ({marked})) {_grouping(question)}"
    )


def _only_matches(question: Question) -> str:
    """Write what leaves out of a figure what doesn't match.

    Without conditions that is what isn't a row, which is in groups of its own and has no values:
    half the time of a question goes into asking each figure about each row once more.
    """
    return f" FILTER (WHERE {_MATCH})" if question.conditions or not _keys(question) else ""


def _condition(question: Question) -> str:
    """Write what tells a match; only rows of the view are looked at."""
    conditions = " AND ".join(f"({each})" for each in question.conditions) or "true"
    return f"CASE WHEN {IS_ROW} THEN coalesce({conditions}, false) ELSE false END"


def _lines(lines: Lines) -> str:
    """Write the figure that lines are: only what is kept to the end is taken apart."""
    paths = ", ".join(f"'$.{key}'" for key in lines.keys)
    largest = f"arg_max(line, {lines.by}, {lines.count}) FILTER (WHERE {_MATCH})"
    return f"[json_extract(_line, [{paths}]) FOR _line IN {largest}]"


def _keys(question: Question) -> list[str]:
    """List the expressions that are grouped by, each once."""
    return list(dict.fromkeys(key for group in question.groups for key in group))


def _which(keys: list[str]) -> str:
    """Write what tells the sets apart: a bit for each expression that isn't in it."""
    if not keys:
        return f"0, coalesce(bool_or({_MATCH}), false)"

    return f"grouping({', '.join(f'{_KEY}{n}' for n in range(len(keys)))}), {_MATCH}"


def _grouping(question: Question) -> str:
    """Write the sets; what doesn't match is a group of its own in each."""
    keys = _keys(question)
    if not keys:
        return ""

    sets = (", ".join([_MATCH, *(f"{_KEY}{keys.index(k)}" for k in g)]) for g in question.groups)
    return f"GROUP BY GROUPING SETS ({', '.join(f'({each})' for each in sets)})"


def _mask(index: int, question: Question) -> int:
    """Tell which number `grouping` gives a set."""
    keys = _keys(question)
    return sum(1 << n for n, key in enumerate(reversed(keys)) if key not in question.groups[index])


def _group(question: Question, masks: list[int], index: int, rows: list[Row]) -> Iterator[Row]:
    """Give the rows of one set: its own expressions, and the figures."""
    keys = _keys(question)
    own = [_HEAD + keys.index(key) for key in question.groups[index]]
    for row in rows:
        if row[0] == masks[index] and row[1]:
            yield (*(row[n] for n in own), *row[_HEAD + len(keys) :])
