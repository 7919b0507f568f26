"""One thread, which looks at what event loops are doing."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading

import pytest

from tracelog.latency import watchdog
from tracelog.latency.watchdog import unwatch, watch


PATIENCE_S = 10.0


class Loop:
    """Something to look at; says how often and by whom that was done."""

    def __init__(self, *, looks=1_000_000, error=None):
        self.looks = looks
        self.error = error
        self.threads = []
        self.finished = 0
        self.seen = threading.Semaphore(0)
        self.gone = threading.Event()

    def look(self):
        self.threads.append(threading.current_thread())
        self.seen.release()
        if self.error is not None:
            raise self.error
        if len(self.threads) < self.looks:
            return True
        self.gone.set()
        return False

    def finish(self):
        self.finished += 1
        if self.error is not None:
            raise self.error

    def wait(self, times=1):
        for _ in range(times):
            assert self.seen.acquire(timeout=PATIENCE_S)


@pytest.fixture
def dog(monkeypatch):
    """A watchdog of the test's own, which is gone in the end."""
    dog = watchdog._Watchdog()
    monkeypatch.setattr(watchdog, "_dog", dog)
    yield dog
    for watched in dog._watched:
        unwatch(watched)
    join(dog._thread)


def join(thread):
    if thread is not None:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def test_what_is_watched_is_looked_at_again_and_again(dog):
    """In a thread that keeps nobody from leaving."""
    loop = Loop()

    watch(loop)
    loop.wait(3)

    [thread] = {*loop.threads}
    assert (thread.name, thread.daemon) == ("tracelog-watchdog", True)


def test_there_is_one_thread_for_all(dog):
    """However many loops a process has."""
    first, second = Loop(), Loop()

    watch(first)
    watch(second)
    first.wait(2)
    second.wait(2)

    assert {*first.threads} == {*second.threads} == {dog._thread}


def test_nobody_looks_where_there_is_nothing_to_be_seen(dog):
    """A thread without anything to look at ends, and begins again for the next."""
    loop, later = Loop(), Loop()
    watch(loop)
    loop.wait()
    thread = dog._thread

    unwatch(loop)
    join(thread)
    watch(later)
    later.wait()

    assert dog._thread is not thread
    assert dog._watched == (later,)


def test_a_loop_may_follow_the_last_one_at_once(dog):
    """The thread goes on at its pace, it doesn't spin: it was told to wake up, to end."""
    first, second = Loop(), Loop()
    watch(first)
    first.wait()

    unwatch(first)
    watch(second)

    assert not dog._wake.is_set()
    second.wait()


def test_what_says_that_it_is_over_is_dropped(dog):
    """A loop that was closed; the others are still looked at."""
    over, other = Loop(looks=2), Loop()
    watch(other)
    watch(over)

    assert over.gone.wait(PATIENCE_S)
    other.seen = threading.Semaphore(0)
    other.wait(2)

    assert (len(over.threads), dog._watched) == (2, (other,))


def test_what_fails_is_dropped_and_told_of(dog, caplog):
    """No thread of ours ends with a traceback."""
    broken, other = Loop(error=RuntimeError("no stack")), Loop()
    watch(broken)
    watch(other)

    other.wait(2)

    assert len(broken.threads) == 1
    [record] = caplog.records
    assert (record.name, record.levelno) == ("tracelog.internal", logging.ERROR)
    assert record.exc_info[1] is broken.error


def test_a_loop_that_is_not_watched_may_be_dropped(dog):
    """It was closed, and the watchdog has seen it first."""
    other = Loop()
    watch(other)

    unwatch(Loop())

    assert dog._watched == (other,)


def test_at_the_end_everybody_may_say_what_was_not_said(dog, caplog):
    """Also after one that fails."""
    broken, other = Loop(error=RuntimeError("no")), Loop()
    dog._watched = (broken, other)

    dog.finish()

    assert (broken.finished, other.finished) == (1, 1)
    assert [record.exc_info[1] for record in caplog.records] == [broken.error]
    dog._watched = ()


STORY = """
import os, sys
from tracelog.latency.watchdog import watch

class Loop:
    def look(self): return True
    def finish(self): print("finished", self.name, flush=True)

loop = Loop()
loop.name = "parent's"
watch(loop)
if os.fork():
    os.wait()
else:
    loop = Loop()
    loop.name = "child's"
    watch(loop)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_has_a_watchdog_of_its_own():
    """For real: the thread stays behind, and so does what it looked at."""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", STORY]

    output = subprocess.run(command, capture_output=True, text=True, check=True)

    assert output.stdout.splitlines() == ["finished child's", "finished parent's"]
    assert output.stderr == ""
