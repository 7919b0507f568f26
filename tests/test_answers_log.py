"""A log that can be asked in SQL."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import zstandard

import tracelog
from tracelog.answers import database
from tracelog.answers.cutting import LONGEST
from tracelog.answers.log import LINES, Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.errors import InputError


COUNT = f"SELECT count(*), count(json) FROM {LINES}"


@pytest.fixture
def make_log(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Spool() as spool:

        def make(*contents, suffix=""):
            names = [f"{number}.log{suffix}" for number, _ in enumerate(contents)]
            for name, content in zip(names, contents, strict=True):
                (tmp_path / name).write_bytes(content)
            return Log(open_sources(names, spool, io.BytesIO()), spool)

        yield make


def test_lines_that_are_no_json_are_rows_of_null(make_log):
    """A broken line is counted, a blank one isn't a line."""
    log = make_log(b'{"a": 1}\nbroken\n\n{"b": "\xff"}\n{}', b"{}")

    assert log.rows(COUNT) == [(5, 3)]
    assert log.rows_of(log.sources[1], COUNT) == [(1, 1)]


def test_empty_files_are_never_opened(make_log):
    """An empty `.gz` isn't even one, and no file at all has no rows."""
    assert make_log(b"", b"{}\n", suffix=".gz").rows(COUNT) == [(1, 1)]
    assert make_log(b"", b"").rows(COUNT) == []


def test_where_memory_is_short_one_thread_reads(make_log, monkeypatch):
    """Each thread needs some of its own; only if one has too little, even of more, is it said."""
    log = make_log(b"{}\n")
    setting = f"SELECT current_setting('threads'), current_setting('memory_limit') FROM {LINES}"
    rows, refusals = log._database.rows, iter([True, False, False, True])

    def short(*arguments):
        if next(refusals):
            raise duckdb.OutOfMemoryException("out of memory")
        return rows(*arguments)

    monkeypatch.setattr(log._database, "rows", short)
    log._database._use_threads(2)

    assert log.rows(COUNT) == [(1, 1)]
    assert log.rows(setting) == [(1, "1.4 GiB")]
    with pytest.raises(InputError, match="out of memory"):
        log.rows(COUNT)


def test_a_gigantic_line_costs_itself_only(make_log):
    """DuckDB would give up at it: it is read as a short line that is no JSON."""
    log = make_log(b'{"a": 1}\n{"b": "' + b"x" * 3 * LONGEST + b'"}\n{"c": 3}\n', b"{}")

    assert log.rows(COUNT) == [(4, 3)]
    assert [source.name for source in log.sources] == ["0.log", "1.log"]


def test_a_log_can_be_opened_anew_without_such_a_line(make_log):
    """For whoever has asked in a way that can't be repeated as it was; not after other trouble."""
    log = make_log(b'{"b": "' + b"x" * 3 * LONGEST + b'"}\n{}\n')

    with pytest.raises(log.trouble) as error:
        log.stream("SELECT nonsense")
    assert log.without_what_failed(error.value) is None
    anew = log.without_what_failed(log.trouble("maximum_object_size"))
    assert anew.rows(COUNT) == [(2, 1)]
    assert anew.without_what_failed(log.trouble("maximum_object_size")) is None


def test_of_a_damaged_archive_there_is_what_there_is(make_log, capsys):
    """A week of logs has one that was cut off: the others answer, and so does its beginning."""
    whole = gzip.compress(b'{"a":1}\n' * 99)
    log = make_log(whole, whole[:-9], whole, suffix=".gz")

    assert log.rows(COUNT) == [(297, 297)]
    assert [source.name for source in log.sources if source.is_damaged] == ["1.log.gz"]
    assert capsys.readouterr().err.startswith("1.log.gz is damaged, and read up to its byte ")


def test_an_archive_that_only_duckdb_can_unpack_is_said_in_the_users_words(make_log, monkeypatch):
    """The sentence names the file, and the pipe that reads it as far as it goes."""
    for module in ("compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, module, None)
    log = make_log(zstandard.compress(b"{}" * 99)[:-9] + b"\xff" * 99, suffix=" 1.zst")

    with pytest.raises(InputError) as error:
        log.rows(COUNT)

    assert os.getcwd() not in str(error.value)
    assert str(error.value).endswith("\n  Try: zstdcat '0.log 1.zst' | tracelog late -")


def test_of_several_files_none_is_named_by_chance(make_log):
    """DuckDB doesn't always say which one it means."""
    log = make_log(gzip.compress(b"{}"), b"{}", suffix=".gz")

    error = log._unreadable(log.trouble("Input is not a GZIP stream"))

    assert str(error).endswith("\n  Try: fewer files at a time, or a smaller --top")


def test_any_other_trouble_is_a_sentence_as_well(make_log):
    """Without an archive to blame, less input is the way out."""
    with pytest.raises(InputError, match=r"\n  Try: fewer files at a time, or a smaller --top$"):
        make_log(b"{}").rows("SELECT nonsense")


def test_nothing_is_loaded_from_the_network_or_spilled(make_log):
    """A log is read at 3 a.m., perhaps where there is no network and no room."""
    names = ("autoinstall_known_extensions", "autoload_known_extensions", "temp_directory")
    settings = ", ".join(f"current_setting('{name}')" for name in names)

    ((*flags, memory, threads),) = make_log(b"{}").rows(
        f"SELECT {settings}, current_setting('memory_limit'), current_setting('threads') FROM {LINES}"
    )

    assert flags == [False, False, ""]
    assert memory == "381.4 MiB"
    assert threads == min(8, os.cpu_count())


def test_the_answering_side_knows_nothing_of_logging():
    """It imports the file format's names and no more of tracelog."""
    script = (
        "import sys, tracelog.commands.late, tracelog.commands.blame, tracelog.commands.stats\n"
        "print(*sorted(m for m in sys.modules if m.startswith(('tracelog.', 'structlog', 'orjson'))))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1])},
    ).stdout.split()

    known = ("answers", "commands", "errors", "escapes", "fields")
    allowed = tuple(f"tracelog.{name}" for name in known)
    assert [name for name in loaded if not name.startswith(allowed)] == []


def test_rows_may_be_taken_as_they_come(make_log, monkeypatch):
    """More than memory holds: in batches; with what their columns are called."""
    monkeypatch.setattr(database, "_BATCH", 2)
    log = make_log(b"{}\n" * 5)

    result = log.stream(f"SELECT json, $n AS n FROM {LINES}", n=1)

    assert result.columns == (("json", "JSON"), ("n", "INTEGER"))
    assert list(result.rows) == [("{}", 1)] * 5
    with pytest.raises(InputError, match="nonsense"), log.said():
        log.stream("SELECT nonsense")


def test_parquet_names_the_files_as_their_user_does(make_log, tmp_path):
    """Wherever it is written to."""
    log = make_log(b"{}\n", b"[]\n")
    path = tmp_path / "a ' b.parquet"

    log.save(f"SELECT filename AS file FROM {LINES} WHERE json <> $json", path, json="[]")

    assert duckdb.read_parquet(str(path)).fetchall() == [("0.log",)]


@pytest.mark.parametrize("content", [b"{}\n", b""])
def test_views_stay_when_the_door_is_locked(make_log, content):
    """They can be asked; nothing else can be read, nor written."""
    log = make_log(content)
    log.define({"everything": f"SELECT filename AS file, json FROM {LINES}"})
    log.lock()

    assert len(list(log.stream("FROM everything").rows)) == len(content) // 3
    assert log.kinds("FROM everything; COPY everything TO 'x'") == ("SELECT", "COPY")
    with pytest.raises(log.trouble, match="disabled by configuration"):
        log.stream("FROM read_text('/etc/passwd')")


def test_what_comes_in_batches_is_tried_again_too(make_log, monkeypatch):
    """With one thread where memory is short, and without lines that are too long."""
    log = make_log(b'{"a": 1}\n{"b": "' + b"x" * 3 * LONGEST + b'"}\n')
    ask, refusals = log._database.ask, iter([True, False, False, True])

    def short(*arguments):
        if next(refusals, False):
            raise duckdb.OutOfMemoryException("out of memory")
        return ask(*arguments)

    monkeypatch.setattr(log._database, "ask", short)
    log._database._use_threads(2)

    assert list(log.stream(COUNT).rows) == [(2, 1)]
    assert not log._database.slow_down()
    with pytest.raises(log.trouble, match="out of memory"):
        log.stream(COUNT)


def test_what_one_source_has_can_be_kept(make_log, tmp_path):
    """As Parquet, and be asked like the lines."""
    log = make_log(b"{}\n" * 3, b"[]\n")
    path = tmp_path / "kept"

    log.keep(log.sources[0], f"SELECT json FROM {LINES}", 2_048, path)

    assert log.rows_kept([path], "SELECT count(*) FROM read_parquet($paths)") == [(3,)]


def test_what_is_far_away_needs_an_extension(tmp_path, monkeypatch):
    """It is loaded where it is installed, and never fetched: the sentence says how to get it."""
    monkeypatch.setenv("HOME", str(tmp_path))

    with (
        Spool() as spool,
        pytest.raises(
            InputError, match=r"'s3://a/b.log' is read by .* 'httpfs', .*\n  Try: python"
        ),
    ):
        Log(open_sources(["s3://a/b.log"], spool, io.BytesIO()), spool)


@pytest.fixture
def _no_extension(monkeypatch):
    """Let DuckDB read URLs that need none."""
    monkeypatch.setattr("tracelog.answers.sources._URLS", ("file://",))
    monkeypatch.setattr(Log, "_load_httpfs", lambda log: log._database.execute("SET threads = 1"))


@pytest.mark.usefixtures("_no_extension")
def test_what_is_far_away_is_read_as_what_it_is(tmp_path):
    """A few lines tell its shape."""
    path = tmp_path / "docker.log"
    path.write_text('{"log":"{\\"a\\":1}\\n","stream":"stdout","time":"t"}\n\n' * 2)

    with Spool() as spool:
        log = Log(open_sources([f"file://{path}"], spool, io.BytesIO()), spool)

        assert log.rows(f"SELECT json FROM {LINES}") == [('{"a":1}',)] * 2


@pytest.mark.usefixtures("_no_extension")
def test_what_is_far_away_and_missing_has_another_way(tmp_path):
    """Whatever else can fetch it."""
    with Spool() as spool, pytest.raises(InputError, match=r"Try: curl -sS file://\S* | tracelog"):
        Log(open_sources([f"file://{tmp_path}/none.log"], spool, io.BytesIO()), spool)


def test_httpfs_is_loaded_where_it_is(make_log):
    """Whoever has it isn't asked for anything."""
    log = make_log(b"{}\n")
    loaded = []
    log._database = SimpleNamespace(execute=loaded.append)

    log._load_httpfs()

    assert loaded == ["LOAD httpfs"]


def test_keys_of_other_names_are_found(make_log):
    """By themselves, and in pieces, too."""
    log = make_log(
        b'{"message":"a","levelname":"INFO"}\n',
        b"2026-11-22T10:10:10.1Z stdout P {\n2026-11-22T10:10:10.1Z stdout F }\n",
    )

    assert log.rows(f"SELECT json->>'event' FROM {LINES}") == [("a",), (None,)]
    assert log.rows_of(log.sources[1], COUNT) == [(1, 1)]


def test_pieces_are_put_together_whoever_asks_first(make_log):
    """Of one source alone."""
    log = make_log(
        b"{}\n", b"2026-11-22T10:10:10.1Z stdout P {\n2026-11-22T10:10:10.1Z stdout F }\n"
    )

    assert log.rows_of(log.sources[1], COUNT) == [(1, 1)]
    assert log.rows(COUNT) == [(2, 2)]


def test_an_error_that_rewriting_does_not_help_is_said(make_log, monkeypatch):
    """It would be tried for ever."""
    log = make_log(b"{}\n")

    with pytest.raises(InputError, match="a line is in pieces"):
        log.rows(f"SELECT error('a line is in pieces') FROM {LINES}")


def test_what_comes_in_batches_is_not_tried_for_ever(make_log):
    """Rewriting lines that are sound is of no use."""
    log = make_log(b"{}\n")

    with pytest.raises(log.trouble, match="a line is in pieces"):
        log.stream(f"SELECT error('a line is in pieces') FROM {LINES}")
