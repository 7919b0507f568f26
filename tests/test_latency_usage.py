"""What the threads of this process got of the CPU."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tracelog.latency import usage
from tracelog.latency.usage import Usage, usage_of, usages_of_others


@pytest.fixture
def told(monkeypatch):
    """Let /proc say something else."""

    def tell(answer):
        def read_text(_path, _encoding):
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(Path, "read_text", read_text)

    return tell


@pytest.fixture
def another():
    """A thread that is there until the end of the test."""
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    yield thread
    over.set()
    thread.join()


def test_a_threads_time_is_in_seconds(told):
    """The kernel counts in nanoseconds."""
    told("1500000000 250000000 42\n")

    assert usage_of(1) == Usage(1.5, 0.25, 42)


@pytest.mark.parametrize(
    "answer",
    [FileNotFoundError(), PermissionError(), "", "1 2", "1 2 3 4", "a b c"],
    ids=["ended", "forbidden", "empty", "too few", "too many", "no numbers"],
)
def test_a_system_that_does_not_tell_is_no_error(told, answer):
    """Another system, another kernel, or a thread that has just ended."""
    told(answer)

    assert usage_of(1) is None


def test_a_running_thread_gets_more():
    """For real: this one's count grows while it works."""
    before = usage_of(threading.get_native_id())

    while (now := usage_of(threading.get_native_id())).running == before.running:
        sum(range(1000))

    assert now.running > before.running
    assert now.slices >= before.slices


def test_others_are_all_but_the_asking_and_the_asked(another):
    """Neither holds up itself."""
    assert another in usages_of_others(threading.get_ident())
    assert another not in usages_of_others(another.ident)
    assert threading.current_thread() not in usages_of_others(another.ident)


def test_threads_that_can_not_be_told_of_are_left_out(another, monkeypatch):
    """They have ended meanwhile, or were never started as the system sees it."""
    mine = threading.get_ident()
    monkeypatch.setattr(usage, "usage_of", lambda _: None)
    assert usages_of_others(mine) == {}

    monkeypatch.setattr(usage, "usage_of", lambda _: Usage(1.0, 0.0, 1))
    monkeypatch.setattr(threading, "enumerate", lambda: [another, *unstarted()])
    assert usages_of_others(mine) == {another: Usage(1.0, 0.0, 1)}


def unstarted():
    """One that has no identifiers yet, and one whose system gives none."""

    class Nameless(threading.Thread):
        ident = 12345
        native_id = None

    return threading.Thread(), Nameless()
