"""DuckDB as a command asks it: Ctrl-C ends it at once.

It gets no network, no more memory than it needs, and no directory to spill into.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from tracelog.answers.progress import Progress
from tracelog.answers.question import Row


__all__ = ["Database"]

_SETTINGS: Final = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "temp_directory": "",
    "memory_limit": "400MB",
}
_GIANT: Final = "1600MB"  # for lines of megabytes, as they are taken apart; half of it is used
_THREADS: Final = 8  # each reads through 32 MiB of buffers, which all have to fit in the limit
_BATCH: Final = 1_000  # rows that are in Python's memory at a time


class Database:
    """A DuckDB that holds nothing, and reads.

    Attributes:
        duckdb: The module, for its errors.

    Args:
        progress: Shows how far a query is.
    """

    def __init__(self, progress: Progress) -> None:
        self.duckdb = _import_duckdb()
        self._progress = progress
        self._connection = self.duckdb.connect(":memory:", config=dict(_SETTINGS))
        self.execute("SET TimeZone = 'UTC'")
        # It is asked how far it is, and prints nothing itself.
        self.execute("SET enable_progress_bar = true")
        self.execute("SET enable_progress_bar_print = false")
        self._use_threads(min(_THREADS, os.cpu_count() or 1))

    def execute(self, sql: str, parameters: dict[str, object] | None = None) -> None:
        """Run what takes no time."""
        self._connection.execute(sql, parameters)

    def ask(self, sql: str, parameters: dict[str, object]) -> tuple[tuple[str, str], ...]:
        """Run a query; return the name and the SQL type of each of its columns."""
        described = self._beside(self._connection.execute, sql, parameters).description
        return tuple((name, str(kind)) for name, kind, *_ in described)

    def rows(self, sql: str, parameters: dict[str, object]) -> list[Row]:
        """Run a query, and take its rows."""
        rows: list[Row] = self._beside(self._connection.execute, sql, parameters).fetchall()
        return rows

    def batches(self) -> Iterator[Row]:
        """Give the rows of what was asked last, as they come."""
        while rows := self._beside(self._connection.fetchmany, _BATCH):
            yield from rows

    def kinds(self, sql: str) -> tuple[str, ...]:
        """Tell what the statements in *sql* are, as `SELECT`."""
        found = self._connection.extract_statements(sql)
        return tuple(str(statement.type).rpartition(".")[2] for statement in found)

    def slow_down(self) -> bool:
        """Read more slowly, and longer lines, from now on; return whether that is news.

        Each thread takes lines apart in memory of its own: where they are long, one has enough;
        where they are megabytes, it needs more.
        """
        if self._threads == 1:
            return False

        self._use_threads(1)
        self.execute(f"SET memory_limit = '{_GIANT}'")
        return True

    def _use_threads(self, count: int) -> None:
        """Read with that many threads from now on."""
        self._threads = count
        self.execute(f"SET threads = {count}")

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
