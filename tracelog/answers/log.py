"""A log that can be asked in SQL: DuckDB over the sources' lines, each of them JSON or not.

Lines are read as whole objects, without a schema: a value of an odd type can't spoil its line, and
a line that is no JSON is a row that holds NULL. DuckDB gets no network, no more memory than it
needs, and no directory to spill into.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tracelog.answers.damaged import salvaged
from tracelog.answers.lines import beginning, open_bytes, rewrite
from tracelog.answers.progress import Progress
from tracelog.answers.shaped_sql import IN_PIECES, LINES, MACROS, TEXTS, lines
from tracelog.answers.shapes import OURS, Shape, recognise
from tracelog.answers.sources import Source, Spool
from tracelog.errors import InputError


__all__ = ["LINES", "Log", "Result", "Row"]

Row = tuple[Any, ...]
Mapped = tuple[tuple[str, str], ...]

_SETTINGS: Final = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",
    "memory_limit": "400MB",
}
# In what DuckDB says about lines that SQL can't read, and Python can.
_REWRITE: Final = ("maximum_object_size", "aximum line size", "unicode", IN_PIECES)
_ALONE: Final = "800MB"
_GIANT: Final = "1600MB"  # for lines of megabytes, as they are taken apart; half of it is used
_THREADS: Final = 8  # each reads through 32 MiB of buffers, which all have to fit in the limit
_NAMED: Final = "REPLACE (coalesce(getvariable('names')[file], file) AS file)"
_BATCH: Final = 1_000  # rows that are in Python's memory at a time


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
        self._duckdb = _import_duckdb()
        self._connection = self._duckdb.connect(":memory:", config=dict(_SETTINGS))
        self._connection.execute("SET TimeZone = 'UTC'")
        # It is asked how far it is, and prints nothing itself.
        self._connection.execute("SET enable_progress_bar = true")
        self._connection.execute("SET enable_progress_bar_print = false")
        self._use_threads(min(_THREADS, os.cpu_count() or 1))
        self._prepare()

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
            return self._execute(sql, {"paths": [str(path) for path in paths], **parameters})

    def keep(self, source: Source, sql: str, at_once: int, path: Path) -> None:
        """Write what *sql* gives, over the lines of one source, as Parquet; in any order.

        Args:
            source: Whose lines.
            sql: Asks them.
            at_once: So many rows are unpacked by whoever asks for one of them.
            path: Where to.
        """
        # Else all of it waits in memory for what comes first.
        self._connection.execute("SET preserve_insertion_order = false")
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
        described = self._tried(sql, parameters).description
        return Result(tuple((each[0], str(each[1])) for each in described), self._batches())

    def _batches(self) -> Iterator[Row]:
        """Give the rows of what was asked last."""
        while rows := self._beside(self._connection.fetchmany, _BATCH):
            yield from rows

    def save(self, sql: str, path: Path, **parameters: object) -> None:
        """Write what *sql* gives, over the lines of all sources, as Parquet."""
        self._name_files()
        with self.said():
            self._tried(
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
                self._connection.execute(f"SET VARIABLE {each} = $value", {"value": value})
                # A view has no parameters.
                written = re.sub(rf"\${each}\b", f"getvariable('{each}')", written)
            self._connection.execute(f"CREATE VIEW {name} AS SELECT * {_NAMED} FROM ({written})")  # noqa: S608

    def lock(self) -> None:
        """Let SQL that isn't ours read the sources, and nothing else; for good."""
        self._connection.execute(f"SET memory_limit = '{_ALONE}'")
        self._connection.execute("SET python_enable_replacements = false")
        paths = [source.path for source in self._sources()]
        self._connection.execute("SET allowed_paths = $paths", {"paths": paths})
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def kinds(self, sql: str) -> tuple[str, ...]:
        """Tell what the statements in *sql* are, as `SELECT`; what is none is DuckDB's error."""
        found = self._connection.extract_statements(sql)
        return tuple(str(statement.type).rpartition(".")[2] for statement in found)

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
        except self._duckdb.Error as error:
            raise self._unreadable(error) from error

    @property
    def trouble(self) -> type[Exception]:
        """What DuckDB's errors have in common."""
        error: type[Exception] = self._duckdb.Error
        return error

    def _name_files(self) -> None:
        """Let SQL call each file what the user calls it."""
        names = {source.path: source.name for source in self.sources}
        self._connection.execute(
            "SET VARIABLE names = map($paths::VARCHAR[], $names::VARCHAR[])",
            {"paths": [*names], "names": [*names.values()]},
        )

    def _sources(self) -> list[Source]:
        """List what DuckDB reads: it needs a file, even if there is no line."""
        if sources := [source for source in self.sources if not source.is_empty]:
            return sources

        if self._nothing is None:
            self._nothing = self._spool.new_path(".log")
            self._nothing.touch()
        return [Source("nothing", str(self._nothing))]

    def _rows(self, sql: str, only: Source | None, parameters: dict[str, object]) -> list[Row]:
        """Ask, and once more with less at a time, or without the lines that SQL can't read."""
        sources = [only] if only else [each for each in self.sources if not each.is_empty]
        if not sources:
            return []

        try:
            return self._execute(*_filled(sql, sources, parameters))
        except self._duckdb.OutOfMemoryException as error:
            if self._threads == 1:
                raise self._unreadable(error) from error

            self._use_one_thread()
            return self._rows(sql, only, parameters)
        except self._duckdb.Error as error:
            rewritten = self._rewritten(error)
            if not rewritten:
                raise self._unreadable(error) from error

        self.sources = tuple(rewritten.values())
        return self._rows(sql, rewritten[only] if only else None, parameters)

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
                self._connection.execute(macro)

    def _beginning(self, source: Source) -> Iterable[bytes]:
        """Read the lines that tell what a source is; from afar, a few."""
        if not source.is_remote:
            return beginning(source)

        return [row[0].encode() for row in self.rows_of(source, TEXTS) if row[0] is not None]

    def _load_httpfs(self) -> None:
        """Load what reads from other machines, if it is installed: nothing is fetched for it."""
        try:
            self._connection.execute("LOAD httpfs")
        except self._duckdb.Error as error:
            remote = next(source.name for source in self.sources if source.is_remote)
            raise InputError(
                f"{remote!r} is read by DuckDB's extension 'httpfs', which isn't installed",
                hint="python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\", "
                "or a copy of it on this machine",
            ) from error

    def _tried(self, sql: str, parameters: dict[str, object]) -> Any:
        """Execute over the lines of all sources; again if that is of use, as `_rows` does."""
        is_ours = LINES in sql  # else it asks views, which know where they are
        filled = _filled(sql, self._sources(), parameters) if is_ours else (sql, parameters)
        try:
            return self._beside(self._connection.execute, *filled)
        except self._duckdb.OutOfMemoryException:
            if self._threads == 1 or not is_ours:
                raise

            self._use_one_thread()
        except self._duckdb.Error as error:
            rewritten = self._rewritten(error) if is_ours else {}
            if not rewritten:
                raise

            self.sources = tuple(rewritten.values())
        return self._tried(sql, parameters)

    def _rewritten(self, error: Exception) -> dict[Source, Source]:
        """Write copies of the sources without what *error* is about; nothing if that is no use."""
        if isinstance(error, self._duckdb.IOException):  # what is damaged isn't always named
            rewritten = {each: salvaged(each, open_bytes, self._spool) for each in self.sources}
        elif any(sign in str(error) for sign in _REWRITE):
            rewritten = {source: rewrite(source, self._spool) for source in self.sources}
        else:
            return {}

        return {} if self.sources == tuple(rewritten.values()) else rewritten

    def _use_one_thread(self) -> None:
        """Read more slowly, and longer lines.

        Each thread takes lines apart in memory of its own: where they are long, one has enough;
        where they are megabytes, it needs more.
        """
        self._use_threads(1)
        self._connection.execute(f"SET memory_limit = '{_GIANT}'")

    def _use_threads(self, count: int) -> None:
        """Read with that many threads from now on."""
        self._threads = count
        self._connection.execute(f"SET threads = {count}")

    def _execute(self, sql: str, parameters: dict[str, object]) -> list[Row]:
        """Let DuckDB do it."""
        rows: list[Row] = self._beside(self._connection.execute, sql, parameters).fetchall()
        return rows

    def _beside(self, call: Callable[..., Any], *arguments: object) -> Any:
        """Call DuckDB beside this thread: in front of it, Ctrl-C would wait for the end."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            work = pool.submit(call, *arguments)
            try:
                self._progress.watch(work, self._connection.query_progress)
                return work.result()
            except KeyboardInterrupt:
                self._stop(work)
                raise

    def _stop(self, work: Future[Any]) -> None:
        """Interrupt a query, and again if it had yet to begin and heard nothing."""
        while not work.done():
            self._connection.interrupt()
            wait([work], timeout=0.05)

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


def _import_duckdb() -> Any:
    """Import DuckDB, which only the answers need.

    Only its engine is asked, which loads in a fifth of the time of the package around it; before
    DuckDB 1.4 it has no name of its own.
    """
    try:
        return import_module("_duckdb" if find_spec("_duckdb") else "duckdb")
    except ImportError as error:
        raise ImportError(
            "'duckdb' is needed here and isn't installed.\n  Try: pip install 'tracelog[cli]'"
        ) from error
