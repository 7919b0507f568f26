"""DuckDB as a command asks it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import Future
from types import SimpleNamespace

import duckdb
import pytest

from tracelog.answers import database
from tracelog.answers.database import Database
from tracelog.answers.progress import Progress


def test_rows_may_be_taken_as_they_come(monkeypatch):
    """More than memory holds: in batches; with what their columns are called."""
    monkeypatch.setattr(database, "_BATCH", 2)
    base = Database(Progress())

    assert base.ask("SELECT range AS n FROM range($n)", {"n": 5}) == (("n", "BIGINT"),)
    assert list(base.batches()) == [(n,) for n in range(5)]


def test_where_memory_is_short_it_can_slow_down():
    """Once: then it has one thread, and as much memory as it ever gets."""
    base = Database(Progress())
    base._use_threads(2)

    assert [base.slow_down(), base.slow_down()] == [True, False]
    setting = "SELECT current_setting('threads'), current_setting('memory_limit')"
    assert base.rows(setting, {}) == [(1, "1.4 GiB")]


def test_its_errors_are_duckdbs():
    """They have names, by which one can tell what is of use."""
    with pytest.raises(duckdb.BinderException) as error:
        Database(Progress()).rows("SELECT nonsense", {})

    assert isinstance(error.value, Database(Progress()).duckdb.Error)


def test_statements_are_told_by_their_kind():
    """Before any of them is run."""
    assert Database(Progress()).kinds("SELECT 1; COPY x TO 'y'") == ("SELECT", "COPY")


def test_without_duckdb_the_extra_is_named(monkeypatch):
    """The sentence ends in what to paste."""
    monkeypatch.setitem(sys.modules, "_duckdb", None)
    monkeypatch.setitem(sys.modules, "duckdb", None)

    with pytest.raises(
        ImportError, match=r"^'duckdb' is needed .*\n  Try: pip install 'tracelog\[cli\]'$"
    ):
        Database(Progress())


def test_an_older_duckdb_is_asked_through_its_package(monkeypatch):
    """Before 1.4, the engine is a part of it that has another name."""
    monkeypatch.setitem(sys.modules, "_duckdb", None)

    assert Database(Progress()).rows("SELECT $n AS n", {"n": 1}) == [(1,)]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_ends_a_long_query_at_once(monkeypatch):
    """The query runs beside the main thread, so that a signal reaches it."""
    base = Database(Progress())
    started = threading.Event()

    class Noticing(database.ThreadPoolExecutor):
        def submit(self, *args, **kwargs):
            work = super().submit(*args, **kwargs)
            started.set()
            return work

    def interrupt():
        started.wait()
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(database, "ThreadPoolExecutor", Noticing)
    killer = threading.Thread(target=interrupt)
    killer.start()

    with pytest.raises(KeyboardInterrupt):
        base.rows(
            "SELECT sum(sin(a.range + b.range)) FROM range(10_000_000) a, range(1_000_000) b", {}
        )

    killer.join()


def test_a_query_is_interrupted_until_it_has_ended():
    """One that had yet to begin hears nothing the first time."""
    work = Future()
    heard = []

    def interrupt():
        heard.append(True)
        if len(heard) == 2:
            work.set_result(None)

    base = object.__new__(Database)
    base._connection = SimpleNamespace(interrupt=interrupt)

    base._stop(work)

    assert heard == [True, True]


def test_an_interrupt_while_waiting_ends_the_query(monkeypatch):
    """Ctrl-C arrives in the main thread, which is waiting: it stops the query, and goes on."""
    work = Future()
    base = object.__new__(Database)
    base._progress = Progress()
    base._connection = SimpleNamespace(
        execute=None, query_progress=None, interrupt=lambda: work.set_result("interrupted")
    )
    monkeypatch.setattr(database.ThreadPoolExecutor, "submit", lambda *_: work)

    def interrupted(timeout=None):
        raise KeyboardInterrupt

    work.result = interrupted

    with pytest.raises(KeyboardInterrupt):
        base.rows("select 1", {})

    assert work.done()
