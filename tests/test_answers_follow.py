"""Files and pipes, followed."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
from contextlib import ExitStack

import pytest

from tracelog.answers import follow as module
from tracelog.answers.follow import wait
from tracelog.errors import InputError


@pytest.fixture
def log(tmp_path):
    return tmp_path / "app.log"


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", buffering=0) as sink:
        yield source, sink


@pytest.fixture
def follow():
    """Follow, and let go at the end."""
    with ExitStack() as stack:

        def begin(names, *, last=0, stdin=None):
            sources = module.follow(names, last=last, stdin=stdin)
            for source in sources:
                stack.callback(source.close)
            return sources

        yield begin


@pytest.fixture
def follow_one(follow, log):
    return lambda last=0, stdin=None: follow(["-" if stdin else str(log)], last=last, stdin=stdin)[
        0
    ]


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def read_all(source):
    """Read until there is nothing new, which is when a rotation is looked for, and once more."""
    found = []
    for _ in range(2):
        while new := source.read():
            found += new
    return found


def wait_patiently(source):
    """Ask as often as it takes to give up on a file that was rotated away."""
    return [line for _ in range(module._PATIENCE + 1) for line in source.read()]


# -- Files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (0, []),
        (1, [b"four"]),
        (3, [b"two", b"three", b"four"]),
        (4, [b"one", b"two", b"three", b"four"]),
        (9, [b"one", b"two", b"three", b"four"]),
    ],
)
@pytest.mark.parametrize("chunk", [3, 1 << 18], ids=["in many chunks", "in one"])
def test_a_file_begins_with_its_last_lines(follow_one, log, monkeypatch, last, expected, chunk):
    """As many as there are; none of them is cut."""
    monkeypatch.setattr(module, "_CHUNK", chunk)
    log.write_bytes(b"one\ntwo\nthree\nfour\n")

    assert read_all(follow_one(last=last)) == expected


def test_a_line_is_read_when_it_is_whole(follow_one, log):
    """A log is read while it is written."""
    log.write_bytes(b"one\ntw")
    file = follow_one(last=0)

    assert read_all(file) == []
    append(log, b"o\n")
    assert read_all(file) == [b"two"]


def test_a_line_may_be_longer_than_a_chunk(follow_one, log, monkeypatch):
    """It comes when its end does, and nobody waits for it."""
    monkeypatch.setattr(module, "_CHUNK", 2)
    monkeypatch.setattr(module, "_CHUNKS", 2)
    log.write_bytes(b"one two\n")
    file = follow_one(last=1)

    assert [file.read(), file.read()] == [[], [b"one two"]]


def test_another_file_takes_the_name(follow_one, log):
    """Rotation: what is left of the old one first, then the new one from its beginning."""
    log.write_bytes(b"one\n")
    file = follow_one(last=1)
    assert read_all(file) == [b"one"]

    append(log, b"two\n")
    log.rename(f"{log}.1")
    log.write_bytes(b"three\n")

    assert read_all(file) == [b"two", b"three"]


def test_a_file_that_was_rotated_away_is_read_for_a_while(follow_one, log, tmp_path):
    """Other workers have it open until they notice; an unfinished line is one at last."""
    log.write_bytes(b"one\n")
    file = follow_one(last=1)
    log.rename(tmp_path / "old")
    log.write_bytes(b"two\n")
    assert read_all(file) == [b"one", b"two"]

    append(tmp_path / "old", b"late\nunfinished")

    assert read_all(file) == [b"late"]
    assert wait_patiently(file) == [b"unfinished"]
    append(log, b"three\n")
    assert read_all(file) == [b"three"]


def test_a_file_that_was_rotated_away_may_be_overwritten(follow_one, log, tmp_path):
    """By the next copy of the log: its lines have been read already."""
    log.write_bytes(b"one\n")
    file = follow_one(last=1)
    assert read_all(file) == [b"one"]
    log.rename(tmp_path / "old")
    log.write_bytes(b"two\n")
    assert read_all(file) == [b"two"]

    shutil.copy(log, tmp_path / "old")

    assert read_all(file) == []


def test_rotation_after_rotation(follow_one, log, tmp_path):
    """Of two that were rotated away, the older is done with; no line of it is lost."""
    log.write_bytes(b"one")
    file = follow_one(last=1)
    found = []
    for number in range(3):
        found += read_all(file)
        log.rename(tmp_path / f"old-{number}")
        log.write_bytes(b"%d\nhalf" % number)
    found += read_all(file)

    assert found == [b"0", b"one", b"1", b"half", b"2"]


def test_a_file_that_is_emptied_begins_anew(follow_one, log):
    """copytruncate: the same file, with nothing in it."""
    log.write_bytes(b"one\ntwo, unfin")
    file = follow_one(last=9)
    assert read_all(file) == [b"one"]

    shutil.copy(log, f"{log}.1")
    os.truncate(log, 0)
    assert read_all(file) == []
    append(log, b"three\n")

    assert read_all(file) == [b"three"]


def test_a_file_that_is_emptied_and_filled_at_once_begins_anew(follow_one, log):
    """Even if there is more in it than before: what was read isn't there any more."""
    log.write_bytes(b"one\n")
    file = follow_one(last=9)
    assert read_all(file) == [b"one"]

    os.truncate(log, 0)
    append(log, b"two\nthree\n")

    assert read_all(file) == [b"two", b"three"]


def test_a_hole_is_no_line(follow_one, log):
    """Who doesn't append writes on where it was, into a file that was emptied."""
    with log.open("wb", buffering=0) as writer:
        writer.write(b"one\n" * 5_000)
        file = follow_one(last=1)
        assert read_all(file) == [b"one"]

        os.truncate(log, 0)
        writer.write(b"two\n")

    assert read_all(file) == [b"two"]


def test_a_file_that_is_not_there_is_waited_for(follow_one, log):
    """It is read from its beginning, however many lines were asked for."""
    file = follow_one(last=0)
    assert (read_all(file), file.is_there) == ([], False)

    log.write_bytes(b"one\n")

    assert (read_all(file), file.is_there) == ([b"one"], True)


def test_what_takes_the_name_may_be_no_file(follow_one, log):
    """A directory is no log, but it may give way to one."""
    log.write_bytes(b"one\n")
    file = follow_one(last=1)
    log.unlink()
    log.mkdir()
    assert read_all(file) == [b"one"]

    log.rmdir()
    log.write_bytes(b"two\n")

    assert read_all(file) == [b"two"]


# -- Pipes -----------------------------------------------------------------------------------------


def test_a_pipe_is_read_as_it_comes(follow_one, pipe):
    """Nobody waits for it; its end is the end of its last line."""
    reader, writer = pipe
    source = follow_one(stdin=reader)

    assert source.read() == []
    writer.write(b"one\ntw")
    assert source.read() == [b"one"]
    writer.write(b"o")
    assert (source.read(), source.ended) == ([], False)
    writer.close()
    assert (source.read(), source.ended) == ([b"two"], True)
    assert source.read() == []


def test_a_pipe_without_a_newline_leaves_others_their_turn(follow_one, pipe, monkeypatch):
    """A reader that never came back couldn't be interrupted."""
    monkeypatch.setattr(module, "_CHUNK", 2)
    monkeypatch.setattr(module, "_CHUNKS", 2)
    reader, writer = pipe
    writer.write(b"one two\n")
    source = follow_one(stdin=reader)

    assert [source.read(), source.read()] == [[], [b"one two"]]


def test_a_pipe_that_has_something_is_not_kept_waiting(follow, log, pipe):
    """Its writer would wait, too; a pipe that has ended, and a file, have nothing to tell."""
    reader, writer = pipe
    sources = follow(["-", str(log)], stdin=reader)

    wait(sources, 0)
    writer.write(b"one\n")
    wait(sources, 3_600)
    assert sources[0].read() == [b"one"]

    writer.close()
    wait(sources, 3_600)
    assert (sources[0].read(), sources[0].ended) == ([], True)
    wait(sources, 0)


# -- What can be followed --------------------------------------------------------------------------


def test_several_are_followed_each_once(follow, log, tmp_path, pipe, monkeypatch):
    """Files, patterns, a pipe, and what isn't there yet."""
    monkeypatch.chdir(tmp_path)
    log.touch()
    (tmp_path / "b[1].log").touch()

    sources = follow(["app.log", "*.log", "b[1].log", "-", "new"], last=1, stdin=pipe[0])

    assert [source.name for source in sources] == ["app.log", "b[1].log", "stdin", "new"]
    assert [source.is_there for source in sources] == [True, True, True, False]
    assert [source.ended for source in sources] == [False] * 4


def test_a_named_pipe_is_a_pipe(follow, tmp_path, pipe):
    """So is what a shell makes of `<(command)`."""
    pipe[1].write(b"one\n")

    (source,) = follow([f"/dev/fd/{pipe[0].fileno()}"], last=0, stdin=None)

    assert source.read() == [b"one"]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("-", "standard input is closed\n  Try: cat app.log | tracelog tail -"),
        ("*.lgo", "'\\*.lgo' matches no file"),
        ("a folder", "'a folder' has no .* in it\n  Try: ls -R 'a folder'"),
        ("old.gz", "'old.gz' is packed, and won't grow\n  Try: tracelog late old.gz"),
        ("socket", "'socket' can't be read: No such device or address\n  Try: ls -l socket"),
    ],
)
def test_what_cannot_be_followed_is_said(follow, tmp_path, monkeypatch, name, problem):
    """Before anything is shown, with a way out."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a folder").mkdir()
    (tmp_path / "old.gz").write_bytes(gzip.compress(b"one\n"))
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")

        with pytest.raises(InputError, match=problem):
            follow([name], last=1, stdin=None)
