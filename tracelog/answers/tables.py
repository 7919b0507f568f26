"""The views as tables, for SQL that isn't ours: it may read the logs, and nothing else.

Two doors are shut, each by itself. DuckDB has no access but to the sources, and its settings are
locked; but it would write to what it may read. So only what selects is run.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from tracelog.answers.duckdb_views import select
from tracelog.answers.log import Log, Result
from tracelog.answers.question import Row
from tracelog.answers.views import VIEWS
from tracelog.errors import InputError
from tracelog.escapes import printable
from tracelog.fields import name_beside


__all__ = ["Tables"]

_EXAMPLE: Final = '"SELECT user_id, count(*) FROM utterances WHERE late GROUP BY ALL"'
_COLUMNS: Final = sorted({column.name for view in VIEWS.values() for column in view.columns})
_NAMED: Final = re.compile(r"\"(\w+)\"|name (\w+) does not exist")
_NEAR: Final = 3


class Tables:
    """The views of a log, which nobody can ask anything else from now on.

    Attributes:
        log: The same, without the lines that SQL can't read once it has met one.
    """

    def __init__(self, log: Log) -> None:
        self._open(log)

    def _open(self, log: Log) -> None:
        self.log = log
        log.define({view.name: select(view) for view in VIEWS.values()})
        log.lock()

    def ask(self, sql: str) -> Result:
        """Run somebody's SQL.

        Raises:
            InputError: If it isn't one that selects, or DuckDB can't run it.
        """
        with self._explained():
            kinds = self.log.kinds(sql)
            if kinds != ("SELECT",):
                raise InputError(_refusal(kinds), hint=_EXAMPLE)

            try:
                result = self.log.stream(sql)
            except self.log.trouble as error:
                self._leave_out(error)
                result = self.log.stream(sql)
        return Result(_unlike(result.columns), self._rows(sql, result.rows))

    def _rows(self, sql: str, rows: Iterator[Row]) -> Iterator[Row]:
        """Take the rows: a mistake may show only there.

        So may a line that SQL can't read. What comes before that line is read is in the order of
        the lines: the rest is what comes after as many rows.
        """
        given = 0
        with self._explained():
            try:
                for given, row in enumerate(rows, start=1):  # noqa: B007 -- used below
                    yield row
            except self.log.trouble as error:
                self._leave_out(error)
                yield from islice(self.log.stream(sql).rows, given, None)

    def _leave_out(self, error: Exception) -> None:
        """Go on without the lines that SQL can't read; raise *error* if it isn't about one."""
        log = self.log.without_what_failed(error)
        if log is None:
            raise error

        self._open(log)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say what DuckDB says, and what there is."""
        try:
            yield
        except self.log.trouble as error:
            message = str(error).rstrip()
            raise InputError(_lines(message), hint=_way_out(message)) from error


def _refusal(kinds: Sequence[str]) -> str:
    """Say why it isn't run."""
    if len(kinds) != 1:
        return f"one SELECT is run at a time, and these are {len(kinds)} statements"

    return f"a log is asked with SELECT, and this is {kinds[0].replace('_', ' ')}"


def _unlike(columns: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Give a name of its own to each: JSON can't hold two of one name."""
    taken: set[str] = set()
    named = []
    for name, kind in columns:
        own = name_beside(name, taken) if name in taken else name
        taken.add(own)
        named.append((own, kind))
    return tuple(named)


def _lines(message: str) -> str:
    """Keep DuckDB's lines, of which the last points at the mistake; nothing in them is obeyed."""
    return "\n".join(printable(line) for line in message.splitlines() if line)


def _way_out(message: str) -> str:
    """List the views, and the columns that are called almost like what isn't there."""
    lines = [f'"DESCRIBE utterances"; the views are {", ".join(VIEWS)}']
    if mistaken := _NAMED.search(message):
        near = difflib.get_close_matches(_word(mistaken).lower(), _COLUMNS, n=_NEAR)
        lines += [f"{name}: a column of {', '.join(_views_with(name))}" for name in near]
    return "\n       ".join(lines)


def _word(match: re.Match[str]) -> str:
    """Take what stands in one of the places."""
    return match[1] or match[2]


def _views_with(column: str) -> Iterator[str]:
    """Name the views that have a column."""
    return (view.name for view in VIEWS.values() if column in {c.name for c in view.columns})
