"""Sinks over files by name."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading

import pytest

from tracelog import delivery, descriptors, file_sinks
from tracelog.farewell import flush
from tracelog.file_sinks import FileSink, RotatingSink


PATIENCE_S = 30


@pytest.fixture(autouse=True)
def said(monkeypatch, capfd):
    monkeypatch.setattr(delivery, "_said", {})
    return lambda: capfd.readouterr().err


@pytest.fixture
def path(tmp_path):
    return tmp_path / "app.log"


@pytest.fixture
def clock(monkeypatch):
    """A clock that moves only when it is told to."""

    class Clock:
        now = 1_000.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(file_sinks.time, "monotonic", clock.monotonic)
    monkeypatch.setattr("tracelog.descriptors._monotonic", clock.monotonic)
    return clock


def contents(path):
    return {
        each.name: each.read_text()
        for each in sorted(path.parent.iterdir())
        if each.suffix != ".lock"
    }


def refuse(_path):
    raise OSError(errno.EMFILE, "Too many open files")


# Following


def test_a_file_that_was_renamed_is_followed(path, clock):
    """logrotate does so: the name counts, looked at twice a second."""
    sink = FileSink(str(path))
    sink.write(b"one\n")
    path.rename(path.with_name("app.log.1"))

    sink.write(b"two\n")
    clock.now += 0.5
    sink.write(b"three\n")

    assert contents(path) == {"app.log": "three\n", "app.log.1": "one\ntwo\n"}


def test_a_file_that_was_copied_and_truncated_goes_on(path):
    """logrotate's other way: lines are appended, so there is no hole."""
    sink = FileSink(str(path))
    sink.write(b"one\n")
    path.write_text("")

    sink.write(b"two\n")

    assert path.read_text() == "two\n"


def test_a_file_that_cannot_be_opened_anew_costs_no_line(path, clock, monkeypatch):
    """The one that is open goes on, and is asked about again."""
    sink = FileSink(str(path))
    path.rename(path.with_name("app.log.1"))
    with monkeypatch.context() as patched:
        patched.setattr(file_sinks, "open_log", refuse)
        sink.write(b"one\n")
    clock.now += 0.5

    sink.write(b"two\n")

    assert contents(path) == {"app.log": "two\n", "app.log.1": "one\n"}


def test_a_torn_line_is_ended_where_it_began(path, clock, monkeypatch):
    """Its rest is written to the same file, whoever has its name by now."""
    sink = FileSink(str(path))
    monkeypatch.setattr(sink, "_start_drainer", lambda: None)
    sink.write(b"zero\n")
    with monkeypatch.context() as patched:
        patched.setattr("tracelog.descriptors._write", lambda file, line: os.write(file, line[:2]))
        sink.write(b"one\n")
    path.rename(path.with_name("app.log.1"))
    clock.now += 0.5

    sink.write(b"two\n")
    sink.write(b"three\n")

    assert contents(path) == {"app.log": "three\n", "app.log.1": "zero\none\ntwo\n"}


# Rotating


def test_a_full_file_is_renamed(path):
    """Lines stay whole; the oldest file goes."""
    sink = RotatingSink(str(path), 12, 2)

    for number in range(1, 8):
        sink.write(f"line{number}\n".encode())

    assert contents(path) == {
        "app.log": "line7\n",
        "app.log.1": "line5\nline6\n",
        "app.log.2": "line3\nline4\n",
    }


def test_a_line_that_is_larger_than_a_file_has_one_of_its_own(path):
    """It is neither cut nor lost, and leaves no empty file."""
    sink = RotatingSink(str(path), 5, 9)

    for text in (b"large line\n", b"a\n", b"larger line\n"):
        sink.write(text)

    assert contents(path) == {
        "app.log": "larger line\n",
        "app.log.1": "a\n",
        "app.log.2": "large line\n",
    }


def test_what_was_in_the_file_counts(path):
    """A restart doesn't make files larger."""
    path.write_text("before\n")
    sink = RotatingSink(str(path), 10, 1)

    sink.write(b"hello\n")

    assert contents(path) == {"app.log": "hello\n", "app.log.1": "before\n"}


def test_what_others_wrote_counts(path, clock):
    """Another process fills the file, too; that is noticed soon."""
    sink = RotatingSink(str(path), 10, 1)
    sink.write(b"one\n")
    with path.open("a") as other:
        other.write("of others\n")
    clock.now += 0.05

    sink.write(b"two\n")

    assert contents(path) == {"app.log": "two\n", "app.log.1": "one\nof others\n"}


def test_what_others_rotated_is_not_rotated_again(path, clock):
    """Whoever finds the file full looks again once it has the lock."""
    mine, theirs = (RotatingSink(str(path), 10, 3) for _ in range(2))
    mine.write(b"one\n")
    theirs.write(b"two\n")
    clock.now += 0.05
    mine.write(b"three\n")
    clock.now -= 0.05

    theirs.write(b"4th\n")

    assert contents(path) == {"app.log": "three\n4th\n", "app.log.1": "one\ntwo\n"}


def test_a_rotation_that_is_refused_costs_no_line(path, said):
    """The file that is open goes on, and why is said."""
    (path.parent / "app.log.1").mkdir()
    (path.parent / "app.log.1" / "taken").write_text("")
    sink = RotatingSink(str(path), 5, 1)

    for _ in range(3):
        sink.write(b"hello\n")

    assert path.read_text() == "hello\n" * 3
    assert said() == "tracelog: the rotation of a file failed (IsADirectoryError: Is a directory)\n"


def test_a_file_that_was_removed_is_made_anew(path):
    """When it would have been full; the renamed ones stay as they are."""
    sink = RotatingSink(str(path), 5, 3)
    for text in (b"one\n", b"two\n", b"three\n"):
        sink.write(text)
    path.unlink()

    sink.write(b"four\n")

    assert contents(path) == {"app.log": "four\n", "app.log.1": "two\n", "app.log.2": "one\n"}


def test_a_new_file_that_cannot_be_opened_costs_no_line(path, monkeypatch):
    """No descriptor was left, say: the renamed file goes on, and the next line tries again."""
    sink = RotatingSink(str(path), 5, 3)
    sink.write(b"one\n")
    with monkeypatch.context() as patched:
        patched.setattr(file_sinks, "open_log", refuse)
        sink.write(b"two\n")
        sink.write(b"three\n")

    sink.write(b"four\n")

    assert contents(path) == {"app.log": "four\n", "app.log.1": "one\ntwo\nthree\n"}


def test_a_lock_that_cannot_be_opened_is_refused(path):
    """When the sink is made; nothing is left open."""
    (path.parent / "app.log.lock").mkdir()

    with pytest.raises(IsADirectoryError):
        RotatingSink(str(path), 5, 3)


def test_a_torn_line_is_ended_before_its_file_is_renamed(path, monkeypatch):
    """Both parts of it are in one file."""
    sink, write = RotatingSink(str(path), 10, 3), os.write
    monkeypatch.setattr(sink, "_start_drainer", lambda: None)
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda file, line: write(file, line[:2]))
        sink.write(b"longer than that\n")

    sink.write(b"hello\n")

    assert contents(path) == {"app.log": "hello\n", "app.log.1": "longer than that\n"}


def test_lines_that_are_yet_to_be_made_fill_it_too(path):
    """However long they will be."""
    sink = RotatingSink(str(path), 8, 2)

    for text in (b"one\n", b"two\n", b"three\n"):
        sink.write(lambda text=text: text)
    done = sink.flush(PATIENCE_S)

    assert done
    assert contents(path) == {"app.log": "three\n", "app.log.1": "one\ntwo\n"}


def test_threads_rotate_together(path):
    """No line is lost or doubled, however many write."""
    sink = RotatingSink(str(path), 100, 1_000)
    start = threading.Barrier(4)

    def write(name):
        start.wait()
        for number in range(100):
            sink.write(f"{name} {number}\n".encode())

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert flush(PATIENCE_S)
    lines = "".join(contents(path).values()).splitlines()
    assert sorted(lines) == sorted(f"{name} {number}" for name in "abcd" for number in range(100))


def test_who_finds_the_lock_taken_leaves_it_to_the_thread(path, monkeypatch):
    """Another process is renaming files; no caller waits for it."""
    mine, theirs = (RotatingSink(str(path), 5, 3) for _ in range(2))
    waits, wait = threading.Event(), type(mine._process_lock).wait
    monkeypatch.setattr(type(mine._process_lock), "wait", lambda *args: waits.set() or wait(*args))
    theirs._process_lock.take()
    mine.write(b"too long for it\n")
    waited, early = waits.wait(PATIENCE_S), path.read_text()

    theirs._process_lock.give()

    assert mine.flush(PATIENCE_S)
    assert (waited, early, path.read_text()) == (True, "", "too long for it\n")


ROTATING = """
import sys
from tracelog.farewell import flush
from tracelog.file_sinks import RotatingSink
sink = RotatingSink(sys.argv[1], 2_000, 1_000)
for number in range(500):
    sink.write(f"{sys.argv[2]} {number}\\n".encode())
flush()
"""


def test_processes_rotate_together(path):
    """No line is lost, doubled or torn, whoever renames."""
    processes = [subprocess.Popen([sys.executable, "-c", ROTATING, path, name]) for name in "abc"]
    for process in processes:
        process.wait(PATIENCE_S)

    lines = "".join(contents(path).values()).splitlines()
    assert sorted(lines) == sorted(f"{name} {number}" for name in "abc" for number in range(500))


def test_the_child_of_a_fork_has_a_lock_of_its_own(path):
    """Else it would have the parent's, and keep nobody out."""
    sink, other = (RotatingSink(str(path), 100, 3) for _ in range(2))
    sink._process_lock.take()

    sink.forget()
    sink._process_lock.take()

    with pytest.raises(BlockingIOError):
        other._process_lock.take()


def test_the_end_of_a_sink_raises_nothing_where_modules_are_gone(tmp_path, monkeypatch):
    """At the interpreter's end; what a finalizer raises would be shown to people."""
    sink = RotatingSink(tmp_path / "app.log", max_bytes=100, backup_count=1)

    with monkeypatch.context() as patched:
        patched.setattr(file_sinks, "os", None)
        patched.setattr(descriptors, "os", None)
        sink.__del__()
