"""The embedded engine: DuckDB, over the lines of a `Log`, or over what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from tracelog import fields
from tracelog.answers.cache import Cache
from tracelog.answers.duckdb_kept import rows_of_kept
from tracelog.answers.duckdb_question import DuckDialect, found, select, texts
from tracelog.answers.duckdb_views import is_enough, kept
from tracelog.answers.lines import head, is_cut_off, line_numbers, tail
from tracelog.answers.log import LINES, Log
from tracelog.answers.question import Found, Question, Row
from tracelog.answers.shapes import read_object
from tracelog.answers.sources import Source
from tracelog.answers.times import read_timestamp
from tracelog.answers.unwrapping import renamed
from tracelog.answers.views import View
from tracelog.errors import InputError


__all__ = ["Embedded"]

_EXAMPLES: Final = 3  # so many of the lines that are no JSON are named
# Rows that are kept together: few, where a line to show makes all texts around it be unpacked.
_WITH_TEXT: Final = 10_240
_WITHOUT: Final = 40_960
_UNIX: Final = datetime(1970, 1, 2, tzinfo=UTC)  # what has no clock yet says it is before that
_EXTREME: Final = f"""
SELECT {{}}(moment)::VARCHAR
FROM (SELECT try_cast(json->>'timestamp' AS TIMESTAMPTZ) AS moment FROM {LINES})
WHERE moment BETWEEN '1970-01-01'::TIMESTAMPTZ AND '9999-01-01'::TIMESTAMPTZ
"""  # noqa: S608
_BROKEN: Final = f"""
SELECT number FROM (SELECT row_number() OVER () AS number, json FROM {LINES})
WHERE json IS NULL LIMIT $count
"""  # noqa: S608


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
            rows = self._log.rows(select(question), **question.parameters)
        return found(question, rows)

    @property
    def worth_keeping(self) -> tuple[str, ...]:
        """The views that were asked for, and that the next question would find sooner if kept.

        What is damaged has to be said again.
        """
        if any(source.is_damaged for source in self._log.sources):
            return ()

        return tuple(dict.fromkeys(view.name for view in self._asked))

    def keep(self, views: Iterable[View]) -> None:
        """Keep *views* for the next question."""
        for view in views:
            with suppress(InputError, OSError):  # the log may be gone, or memory be short
                self._keep(view)

    def _keep(self, view: View) -> None:
        for source, path in zip(self._log.filled, self._places(view), strict=False):
            if self._cache and not self._cache.found([path]):
                at_once = _WITH_TEXT if view.events else _WITHOUT
                self._cache.keep(path, partial(self._log.keep, source, kept(view), at_once))

    def _kept_rows(self, question: Question) -> list[Row] | None:
        """Ask what is kept of the view, if it is all there, and enough for the question."""
        places = self._places(question.view)
        if not self._cache or not places or not is_enough(question.view, texts(question)):
            return None

        if self._cache.found(places):
            try:
                return rows_of_kept(question, partial(self._log.rows_kept, places))
            except InputError:  # it is damaged, or another process has thrown it away
                self._cache.forget(places)
        self._asked.append(question.view)
        return None

    def _places(self, view: View) -> list[Path]:
        """Tell where what is kept would be."""
        return self._cache.paths(self._log.filled, view) if self._cache else []

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
        times = [look(source) for source in self._log.filled]
        known = [time for time in times if time]
        if known and len(known) == len(times):
            return choose(known)

        found = [row[0] for row in self._log.rows(_EXTREME.format(choose.__name__))]
        return read_timestamp(found[0]) if found else None

    def broken(self, count: int) -> tuple[str, ...]:
        """Look for them, file after file, until all that there are or enough are found."""
        return tuple(islice(self._broken(count), _EXAMPLES))

    def _broken(self, count: int) -> Iterator[str]:
        sources = self._log.filled
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
