"""What the threads of this process got of the CPU."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tracelog.latency import usage
from tracelog.latency.usage import Usage, UsageReader, usages_of_others


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Let /proc say something else."""
    monkeypatch.setattr(usage, "_FILE", f"{tmp_path}/{{}}")

    def tell(answer):
        Path(tmp_path, "1").write_text(answer)
        return UsageReader(1)

    return tell


@pytest.fixture
def another():
    """A thread that is there until the end of the test."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.over = over
    thread.start()
    yield thread
    over.set()
    thread.join()


def test_a_threads_time_is_in_seconds(told):
    """The kernel counts in nanoseconds."""
    assert told("1500000000 250000000 42\n").read() == Usage(1.5, 0.25, 42)


@pytest.mark.parametrize("answer", ["", "1 2", "1 2 3 4", "a b c"])
def test_a_system_that_tells_something_else_is_no_error(told, answer):
    """Another kernel."""
    assert told(answer).read() is None


def test_a_system_that_does_not_tell_is_no_error(told):
    """Another one, or a thread that has ended."""
    assert UsageReader(2).read() is None


def test_a_thread_that_ends_meanwhile_is_no_error(another):
    """For real: its file is still open."""
    reader = UsageReader(another.native_id)
    assert reader.read().slices > 0

    another.over.set()
    another.join()

    deadline = time.monotonic() + 5  # to have been joined is not yet to have gone
    while reader.read() is not None:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_running_thread_gets_more():
    """For real: this one's count grows while it works."""
    reader = UsageReader(threading.get_native_id())
    before = reader.read()

    while (now := reader.read()).running == before.running:
        sum(range(1000))

    assert now.running > before.running
    assert now.slices >= before.slices


def test_a_reader_keeps_one_file_while_it_is_there():
    """Loops come and go."""
    before = open_files()
    readers = [UsageReader(threading.get_native_id()) for _ in range(3)]
    assert open_files() == before + 3

    for reader in readers:
        reader.read()
    assert open_files() == before + 3

    readers.clear()
    del reader
    assert open_files() == before


def open_files():
    return len(os.listdir("/proc/self/fd"))


def test_others_are_all_but_the_asking_and_the_asked(another):
    """Neither holds up itself."""
    assert another in usages_of_others(threading.get_ident())
    assert another not in usages_of_others(another.ident)
    assert threading.current_thread() not in usages_of_others(another.ident)


def test_threads_that_can_not_be_told_of_are_left_out(another, monkeypatch):
    """They have ended meanwhile, or were never started as the system sees it."""
    mine = threading.get_ident()
    monkeypatch.setattr(UsageReader, "read", lambda _: None)
    assert usages_of_others(mine) == {}

    monkeypatch.setattr(UsageReader, "read", lambda _: Usage(1.0, 0.0, 1))
    monkeypatch.setattr(threading, "enumerate", lambda: [another, *unstarted()])
    assert usages_of_others(mine) == {another: Usage(1.0, 0.0, 1)}


def unstarted():
    """One that has no identifiers yet, and one whose system gives none."""

    class Nameless(threading.Thread):
        ident = 12345
        native_id = None

    return threading.Thread(), Nameless()
