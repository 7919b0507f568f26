"""A log that can be asked in SQL: DuckDB over the sources' lines, each of them JSON or not.

Lines are read as whole objects, without a schema: a value of an odd type can't spoil its line, and
a line that is no JSON is a row that holds NULL.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tracelog.answers.database import Database
from tracelog.answers.lines import beginning, rewrite
from tracelog.answers.progress import Progress
from tracelog.answers.question import Row
from tracelog.answers.shaped_sql import IN_PIECES, LINES, MACROS, TEXTS, lines
from tracelog.answers.shapes import OURS, Shape, recognise
from tracelog.answers.sources import Source, Spool
from tracelog.answers.unpacking import salvaged
from tracelog.errors import InputError


__all__ = ["LINES", "Log", "Result"]

Mapped = tuple[tuple[str, str], ...]

# In what DuckDB says about lines that SQL can't read, and Python can.
_REWRITE: Final = ("maximum_object_size", "aximum line size", "unicode", IN_PIECES)
_ALONE: Final = "800MB"
_NAMED: Final = "REPLACE (coalesce(getvariable('names')[file], file) AS file)"


@dataclass(frozen=True, slots=True)
class Result:
    """What a query gives that may be longer than memory.

    Attributes:
        columns: The name and the SQL type of each.
        rows: The rows, as they come.
    """

    columns: tuple[tuple[str, str], ...]
    rows: Iterator[Row]


class Log:
    """The lines of some sources.

    Attributes:
        sources: What they are read from.

    Args:
        sources: The same; their shapes are recognised here.
        spool: Where copies go.
        mapped: Keys of ours, and what they are called in these sources.
        progress: Shows how far a query is.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        spool: Spool,
        mapped: Mapped = (),
        progress: Progress | None = None,
    ) -> None:
        self.sources = tuple(sources)
        self._progress = progress or Progress()
        self._spool = spool
        self._mapped = mapped
        self._nothing: Path | None = None
        self._database = Database(self._progress)
        self._prepare()

    @property
    def filled(self) -> list[Source]:
        """Those of the sources that have anything in them."""
        return [source for source in self.sources if not source.is_empty]

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """Run *sql* over the lines of all sources; it finds them in `LINES`.

        Raises:
            InputError: If DuckDB can't read them.
        """
        return self._rows(sql, None, parameters)

    def rows_of(self, source: Source, sql: str, **parameters: object) -> list[Row]:
        """Run *sql* over the lines of one source."""
        return self._rows(sql, source, parameters)

    def rows_kept(self, paths: Sequence[Path], sql: str, **parameters: object) -> list[Row]:
        """Run *sql* over Parquet; it finds the files in `$paths`."""
        with self.said():
            return self._database.rows(sql, {"paths": [str(path) for path in paths], **parameters})

    def keep(self, source: Source, sql: str, at_once: int, path: Path) -> None:
        """Write what *sql* gives, over the lines of one source, as Parquet; in any order.

        Args:
            source: Whose lines.
            sql: Asks them.
            at_once: So many rows are unpacked by whoever asks for one of them.
            path: Where to.
        """
        # Else all of it waits in memory for what comes first.
        self._database.execute("SET preserve_insertion_order = false")
        self._rows(
            f"COPY ({sql}) TO $path "
            f"(FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {at_once})",
            source,
            {"path": str(path)},
        )

    def stream(self, sql: str, **parameters: object) -> Result:
        """Run *sql* over the lines of all sources, for an answer of any length.

        What goes wrong is DuckDB's error, now or while the rows are taken: `said` makes a sentence
        of it, or whoever asks does.
        """
        columns = self._tried(self._database.ask, sql, parameters)
        return Result(columns, self._database.batches())

    def save(self, sql: str, path: Path, **parameters: object) -> None:
        """Write what *sql* gives, over the lines of all sources, as Parquet."""
        self._name_files()
        with self.said():
            self._tried(
                self._database.ask,
                f"COPY (SELECT * {_NAMED} FROM ({sql})) TO $path "  # noqa: S608
                "(FORMAT parquet, COMPRESSION zstd)",
                {"path": str(path), **parameters},
            )

    def define(self, views: Mapping[str, str]) -> None:
        """Make views, each of SQL over the lines of all sources."""
        self._name_files()
        for name, sql in views.items():
            written, values = _filled(sql, self._sources(), {})
            for each, value in values.items():
                self._database.execute(f"SET VARIABLE {each} = $value", {"value": value})
                # A view has no parameters.
                written = re.sub(rf"\${each}\b", f"getvariable('{each}')", written)
            self._database.execute(f"CREATE VIEW {name} AS SELECT * {_NAMED} FROM ({written})")  # noqa: S608

    def lock(self) -> None:
        """Let SQL that isn't ours read the sources, and nothing else; for good."""
        self._database.execute(f"SET memory_limit = '{_ALONE}'")
        self._database.execute("SET python_enable_replacements = false")
        paths = [source.path for source in self._sources()]
        self._database.execute("SET allowed_paths = $paths", {"paths": paths})
        self._database.execute("SET enable_external_access = false")
        self._database.execute("SET lock_configuration = true")

    def kinds(self, sql: str) -> tuple[str, ...]:
        """Tell what the statements in *sql* are, as `SELECT`; what is none is DuckDB's error."""
        return self._database.kinds(sql)

    def without_what_failed(self, error: Exception) -> Log | None:
        """Open this log anew without the lines that SQL can't read, if *error* is about such."""
        rewritten = self._rewritten(error)
        return (
            Log([*rewritten.values()], self._spool, self._mapped, self._progress)
            if rewritten
            else None
        )

    @contextmanager
    def said(self) -> Iterator[None]:
        """Say in a user's words what goes wrong in here."""
        try:
            yield
        except self._database.duckdb.Error as error:
            raise self._unreadable(error) from error

    @property
    def trouble(self) -> type[Exception]:
        """What DuckDB's errors have in common."""
        error: type[Exception] = self._database.duckdb.Error
        return error

    def _name_files(self) -> None:
        """Let SQL call each file what the user calls it."""
        names = {source.path: source.name for source in self.sources}
        self._database.execute(
            "SET VARIABLE names = map($paths::VARCHAR[], $names::VARCHAR[])",
            {"paths": [*names], "names": [*names.values()]},
        )

    def _sources(self) -> list[Source]:
        """List what DuckDB reads: it needs a file, even if there is no line."""
        if sources := self.filled:
            return sources

        if self._nothing is None:
            self._nothing = self._spool.new_path(".log")
            self._nothing.touch()
        return [Source("nothing", str(self._nothing))]

    def _rows(self, sql: str, only: Source | None, parameters: dict[str, object]) -> list[Row]:
        """Ask for all rows; where there is no line, there is none."""
        if not (only or self.filled):
            return []

        with self.said():
            rows: list[Row] = self._tried(self._database.rows, sql, parameters, only)
            return rows

    def _prepare(self) -> None:
        """Look at the first lines of each, and give DuckDB what some need."""
        if any(source.is_remote for source in self.sources):
            self._load_httpfs()
        self.sources = tuple(
            replace(source, shape=recognise(self._beginning(source), self._mapped))
            for source in self.sources
        )
        if any(source.shape.names for source in self.sources):
            for macro in MACROS:
                self._database.execute(macro)

    def _beginning(self, source: Source) -> Iterable[bytes]:
        """Read the lines that tell what a source is; from afar, a few."""
        if not source.is_remote:
            return beginning(source)

        return [row[0].encode() for row in self.rows_of(source, TEXTS) if row[0] is not None]

    def _load_httpfs(self) -> None:
        """Load what reads from other machines, if it is installed: nothing is fetched for it."""
        try:
            self._database.execute("LOAD httpfs")
        except self._database.duckdb.Error as error:
            remote = next(source.name for source in self.sources if source.is_remote)
            raise InputError(
                f"{remote!r} is read by DuckDB's extension 'httpfs', which isn't installed",
                hint="python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\", "
                "or a copy of it on this machine",
            ) from error

    def _tried(
        self,
        ask: Callable[[str, dict[str, object]], Any],
        sql: str,
        parameters: dict[str, object],
        only: Source | None = None,
    ) -> Any:
        """Ask, and once more with less at a time, or without the lines that SQL can't read."""
        if not only and LINES not in sql:  # it asks views, which know where they are
            return ask(sql, parameters)

        try:
            return ask(*_filled(sql, [only] if only else self._sources(), parameters))
        except self._database.duckdb.OutOfMemoryException:
            if not self._database.slow_down():
                raise
        except self._database.duckdb.Error as error:
            rewritten = self._rewritten(error)
            if not rewritten:
                raise

            self.sources = tuple(rewritten.values())
            only = rewritten[only] if only else None
        return self._tried(ask, sql, parameters, only)

    def _rewritten(self, error: Exception) -> dict[Source, Source]:
        """Write copies of the sources without what *error* is about; nothing if that is no use."""
        if isinstance(
            error, self._database.duckdb.IOException
        ):  # what is damaged isn't always named
            rewritten = {each: salvaged(each, self._spool) for each in self.sources}
        elif any(sign in str(error) for sign in _REWRITE):
            rewritten = {source: rewrite(source, self._spool) for source in self.sources}
        else:
            return {}

        return {} if self.sources == tuple(rewritten.values()) else rewritten

    def _unreadable(self, error: Exception) -> InputError:
        """Say in a user's words what DuckDB said in its own."""
        problem = str(error).partition("\n")[0]
        for source in self.sources:
            problem = problem.replace(source.path, source.name)
        blamed = [source for source in self.sources if source.path in str(error)]
        is_alone = len(self.sources) == 1
        return InputError(problem, hint=_way_out(self.sources if is_alone else blamed))


def _filled(
    sql: str, sources: Iterable[Source], parameters: dict[str, object]
) -> tuple[str, dict[str, object]]:
    """Write where `LINES` come from: in most logs, from files of our own shape alone."""
    groups: dict[Shape, list[str]] = {}
    for source in sources:
        groups.setdefault(source.shape, []).append(source.path)
    if [*groups] == [OURS]:
        return sql, {"paths": groups[OURS], **parameters}

    written, more = lines(groups.items())
    return sql.replace(LINES, written), {**more, **parameters}


def _way_out(sources: Sequence[Source]) -> str:
    """Name a way that reads a damaged archive as far as it goes, or what is far away."""
    remote = next((source.name for source in sources if source.is_remote), None)
    if remote:
        return f"curl -sS {shlex.quote(remote)} | tracelog late -"

    packed = [source for source in sources if source.packing]
    if not packed:
        return "fewer files at a time, or a smaller --top"

    unpack = {".gz": "zcat", ".zst": "zstdcat"}[packed[0].packing]
    return f"{unpack} {shlex.quote(packed[0].name)} | tracelog late -"
