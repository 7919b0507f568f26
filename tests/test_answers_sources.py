"""What the answering side is given to read."""

from __future__ import annotations

import gzip
import io
import os
import threading
from pathlib import Path

import pytest

from tracelog.answers.sources import Source, Spool, open_sources
from tracelog.errors import InputError


GZIP = gzip.compress(b'{"a": 1}\n')
ZSTD = b"\x28\xb5\x2f\xfd" + b"the rest is never looked at here"


@pytest.fixture
def spool():
    with Spool() as spool:
        yield spool


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def opened(*names, spool, stdin=b""):
    return open_sources(names, spool, io.BytesIO(stdin))


def write(name, content=b"{}\n"):
    Path(name).write_bytes(content)
    return str(Path(name).absolute())


def test_a_plain_file_is_read_where_it_is(spool):
    """A file whose name misleads nobody is neither copied nor linked."""
    path = write("app.log")

    assert opened("app.log", spool=spool) == (Source("app.log", path),)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(GZIP, ".gz"), (ZSTD, ".zst")],
    ids=["gz", "zst"],  # not what they hold
)
def test_a_packed_file_of_the_right_name_is_read_where_it_is(spool, content, suffix):
    """DuckDB unpacks by the suffix, so a right one is left alone."""
    path = write(f"app.log{suffix}", content)

    assert opened(f"app.log{suffix}", spool=spool) == (Source(f"app.log{suffix}", path, suffix),)


@pytest.mark.parametrize(
    ("name", "content", "suffix"),
    [
        ("packed.log", GZIP, ".gz"),
        ("packed.1", ZSTD, ".zst"),
        ("plain.gz", b"{}\n", ".log"),
        ("plain.zst", b"{}\n", ".log"),
        ("zst-inside.gz", ZSTD, ".zst"),
        ("a[1]*.log", b"{}\n", ".log"),
        ("line\nbreak.log", b"{}\n", ".log"),
        (os.fsdecode(b"not-utf8-\xff.log"), b"{}\n", ".log"),
    ],
    ids=["gz in log", "zst in 1", "plain gz", "plain zst", "zst in gz", "glob", "newline", "bytes"],
)
def test_a_misleading_name_is_read_through_a_link(spool, name, content, suffix):
    """What a file is, its first bytes say; a link of a plain name tells DuckDB."""
    write(name, content)

    (source,) = opened(name, spool=spool)

    assert source.name == name
    assert source.path.endswith(f"1{suffix}")
    assert Path(source.path).read_bytes() == content


def test_a_glob_names_files_in_order_and_no_directories(spool):
    """Quoted patterns work as the shell's, with ** for any depth."""
    os.makedirs("logs/old.log")
    for name in ("logs/b.log", "logs/a.log", "logs/old.log/c.log", "logs/d.txt"):
        write(name)

    names = [source.name for source in opened("logs/**/*.log", spool=spool)]

    assert names == ["logs/a.log", "logs/b.log", "logs/old.log/c.log"]


def test_a_file_named_twice_is_read_once(spool):
    """A link to a file is that file; the name that came first is shown."""
    write("app.1.log")
    os.symlink("app.1.log", "current.log")

    sources = opened("app.1.log", "./app.1.log", "*.log", spool=spool)

    assert [source.name for source in sources] == ["app.1.log"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("app.log", "'app.log' doesn't exist\n  Try: ls"),
        ("*.log", "'*.log' matches no file\n  Try: ls"),
        ("\x1b[2J", "'\\x1b[2J' matches no file\n  Try: ls"),
        ("folder", "'folder' has no *.log, *.jsonl or *.json in it\n  Try: ls -R folder"),
        ("dangling", "'dangling' can't be read: No such file or directory\n  Try: ls -l dangling"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(spool, name, problem):
    """The message quotes the name and ends in something to paste."""
    os.mkdir("folder")
    os.symlink("nowhere", "dangling")

    with pytest.raises(InputError) as error:
        opened(name, spool=spool)

    assert str(error.value).startswith(problem)


@pytest.mark.parametrize(
    ("content", "suffix"),
    [(b"{}\n", ".log"), (GZIP, ".gz"), (b"", ".log")],
    ids=["log", "gz", "empty"],
)
def test_standard_input_is_copied_and_the_copy_removed(content, suffix):
    """A pipe can be read once only, and may be packed as well."""
    with Spool() as spool:
        (source,) = opened("-", spool=spool, stdin=content)

        assert source.name == "stdin"
        assert source.path.endswith(suffix)
        assert Path(source.path).read_bytes() == content
        assert source.is_empty == (not content)

    assert not Path(source.path).parent.exists()


def test_a_closed_standard_input_is_said(spool):
    """Python has none then, which is no reason for a traceback."""
    with pytest.raises(InputError, match="standard input is closed"):
        open_sources(["-"], spool, None)


def test_a_named_pipe_is_copied(spool):
    """What `<(command)` gives is no regular file, and DuckDB would seek in it."""
    os.mkfifo("pipe")
    writer = threading.Thread(target=write, args=("pipe", b'{"a": 1}\n'))
    writer.start()

    (source,) = opened("pipe", spool=spool)
    writer.join()

    assert source.name == "pipe"
    assert Path(source.path).read_bytes() == b'{"a": 1}\n'


def test_a_spool_that_nobody_used_makes_no_directory(tmp_path, monkeypatch):
    """A plain file is read even where nothing can be written."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    write("app.log")

    with Spool() as spool:
        assert opened("app.log", spool=spool)


def test_a_directory_is_all_logs_in_it(spool):
    """Each once, however often it is named."""
    os.makedirs("logs/old")
    for name in ("logs/b.log", "logs/old/a.log", "logs/notes.txt"):
        write(name)

    sources = opened("logs", "logs/b.log", spool=spool)

    assert sorted(source.name for source in sources) == ["logs/b.log", "logs/old/a.log"]


@pytest.mark.parametrize(
    ("url", "packing"),
    [
        ("https://host/app.log", ""),
        ("s3://logs/*.log.gz", ".gz"),
        ("S3://logs/a.zst", ".zst"),
        ("https://host/a.gz?signed=x.log", ".gz"),
    ],
)
def test_a_url_is_for_duckdb(spool, url, packing):
    """Nothing of it is here, and its globs aren't ours to resolve."""
    (source,) = opened(url, url, spool=spool)

    assert source == Source(url, url, packing)
    assert (source.is_remote, source.is_empty) == (True, False)
