"""A lock between processes."""

from __future__ import annotations

import os
import threading

import pytest

from tracelog.process_lock import EXCLUSIVE, SHARED, ProcessLock


PATIENCE_S = 30


@pytest.fixture
def descriptors(tmp_path):
    """Two open file descriptions of one file, as two processes have them."""
    path = tmp_path / "lock"
    both = [os.open(path, os.O_WRONLY | os.O_CREAT) for _ in range(2)]
    yield both
    for descriptor in both:
        os.close(descriptor)


@pytest.fixture
def locks(descriptors):
    return [ProcessLock(descriptor) for descriptor in descriptors]


def test_one_has_it_at_a_time(locks):
    """Nobody waits: who is refused is told, and gets it once it was given back."""
    mine, theirs = locks
    mine.take()

    with pytest.raises(BlockingIOError):
        theirs.take()
    refused = theirs.refused
    mine.give()
    theirs.take()

    assert (refused, theirs.refused) == (True, False)


def test_it_can_be_shared(locks):
    """By those who ask for no more; an exclusive one waits for all of them."""
    mine, theirs = locks

    mine.take(SHARED)
    theirs.take(SHARED)

    with pytest.raises(BlockingIOError):
        theirs.take(EXCLUSIVE)


def test_it_can_be_kept(locks):
    """To be taken again doesn't make less of it."""
    mine, theirs = locks
    mine.take()
    mine.keep()

    mine.take(SHARED)

    with pytest.raises(BlockingIOError):
        theirs.take(SHARED)


def test_a_thread_may_wait_for_it(locks):
    """As long as it takes; then it is kept."""
    mine, theirs = locks
    mine.take()
    thread = threading.Thread(target=theirs.wait, args=(None,))
    thread.start()

    mine.give()
    thread.join(PATIENCE_S)

    with pytest.raises(BlockingIOError):
        mine.take()


def test_whoever_has_no_time_waits_for_a_moment_only(locks):
    """And has to ask again."""
    mine, theirs = locks
    mine.take()

    theirs.wait(0.0)

    with pytest.raises(BlockingIOError):
        theirs.take()


def test_without_a_descriptor_nothing_is_locked():
    """Whatever is asked of it."""
    lock = ProcessLock(None)

    lock.take()
    lock.wait(None)
    lock.give()

    assert not lock.refused


def test_giving_it_back_never_raises(descriptors):
    """Whoever gives it back has written already: that was no failure."""
    gone = os.dup(descriptors[0])
    lock = ProcessLock(gone)
    lock.take()
    os.close(gone)

    assert lock.give() is None
