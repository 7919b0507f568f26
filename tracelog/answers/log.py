"""A log that can be asked in SQL: DuckDB over the sources' lines, each of them JSON or not.

Lines are read as whole objects, without a schema: a value of an odd type can't spoil its line, and
a line that is no JSON is a row that holds NULL. DuckDB gets no network, no more memory than it
needs, and no directory to spill into.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from importlib import import_module
from typing import Any, Final

from tracelog.answers.lines import beginning, rewrite
from tracelog.answers.shaped_sql import IN_PIECES, LINES, MACROS, TEXTS, lines
from tracelog.answers.shapes import OURS, Shape, recognise
from tracelog.answers.sources import Source, Spool
from tracelog.errors import InputError


__all__ = ["LINES", "Log", "Row"]

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
_THREADS: Final = 8  # each reads through 32 MiB of buffers, which all have to fit in the limit


class Log:
    """The lines of some sources.

    Attributes:
        sources: What they are read from.

    Args:
        sources: The same; their shapes are recognised here.
        spool: Where copies go.
        mapped: Keys of ours, and what they are called in these sources.
    """

    def __init__(self, sources: Sequence[Source], spool: Spool, mapped: Mapped = ()) -> None:
        self.sources = tuple(sources)
        self._spool = spool
        self._duckdb = _import_duckdb()
        self._connection = self._duckdb.connect(":memory:", config=dict(_SETTINGS))
        self._connection.execute("SET TimeZone = 'UTC'")
        self._use_threads(min(_THREADS, os.cpu_count() or 1))
        self._prepare(mapped)

    def rows(self, sql: str, **parameters: object) -> list[Row]:
        """Run *sql* over the lines of all sources; it finds them in `LINES`.

        Raises:
            InputError: If DuckDB can't read them.
        """
        return self._rows(sql, None, parameters)

    def rows_of(self, source: Source, sql: str, **parameters: object) -> list[Row]:
        """Run *sql* over the lines of one source."""
        return self._rows(sql, source, parameters)

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

            # Each takes lines apart in memory of its own: where they are long, one has enough;
            # where they are megabytes, it needs more.
            self._use_threads(1)
            self._connection.execute(f"SET memory_limit = '{_ALONE}'")
            return self._rows(sql, only, parameters)
        except self._duckdb.Error as error:
            if not any(sign in str(error) for sign in _REWRITE):
                raise self._unreadable(error) from error

            rewritten = {source: rewrite(source, self._spool) for source in self.sources}
            if self.sources == tuple(rewritten.values()):
                raise self._unreadable(error) from error

        self.sources = tuple(rewritten.values())
        return self._rows(sql, rewritten[only] if only else None, parameters)

    def _prepare(self, mapped: Mapped) -> None:
        """Look at the first lines of each, and give DuckDB what some need."""
        if any(source.is_remote for source in self.sources):
            self._load_httpfs()
        self.sources = tuple(
            replace(source, shape=recognise(self._beginning(source), mapped))
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

    def _use_threads(self, count: int) -> None:
        """Read with that many threads from now on."""
        self._threads = count
        self._connection.execute(f"SET threads = {count}")

    def _execute(self, sql: str, parameters: dict[str, object]) -> list[Row]:
        """Let DuckDB do it, beside this thread: in front of it, Ctrl-C would wait for the end."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            work = pool.submit(self._connection.execute, sql, parameters)
            try:
                rows: list[Row] = work.result().fetchall()
            except KeyboardInterrupt:
                self._stop(work)
                raise

        return rows

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
        return InputError(problem, hint=_way_out(self.sources))


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
    return f"{unpack} {packed[0].name} | tracelog late -"


def _import_duckdb() -> Any:
    """Import DuckDB, which only the answers need."""
    try:
        return import_module("duckdb")
    except ImportError as error:
        raise ImportError(
            "'duckdb' is needed here and isn't installed.\n  Try: pip install 'tracelog[cli]'"
        ) from error
