"""All sinks: flushed together, at the end, too; a fork leaves what waits to the parent."""

from __future__ import annotations

import sys
import threading

import pytest

from tracelog import farewell
from tracelog.farewell import flush, flush_at_exit


class Waiting:
    """Has so many lines waiting; notes what it was asked."""

    def __init__(self, lines=0):
        self.lines = lines
        self.patience = []
        self.forgot = False

    def flush(self, timeout):
        self.patience.append(timeout)
        return not self.lines

    def give_up(self):
        return self.lines

    def forget(self):
        self.forgot = True


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    """No sink of the other tests is asked."""
    monkeypatch.setattr(farewell, "_sinks", type(farewell._sinks)())


def made(*lines):
    sinks = [Waiting(count) for count in lines]
    for sink in sinks:
        flush_at_exit(sink)
    return sinks


def test_all_are_flushed():
    """One after the other, whatever became of those before."""
    sinks = made(0, 1, 0)

    done = flush()

    assert not done
    assert [sink.patience for sink in sinks] == [[None]] * 3


def test_all_share_one_deadline():
    """The later ones have the rest of it; at least, they are asked."""
    made(0)

    assert flush(10)
    assert flush(-1)


def test_a_sink_that_is_gone_is_not_asked():
    """Nobody is kept alive for a flush to come."""
    made(1)  # and forgotten at once

    assert flush()


def test_what_is_not_out_at_the_end_is_the_last_word(monkeypatch):
    """The interpreter doesn't wait for ever; how much is lost is said."""
    said = []
    monkeypatch.setattr(farewell, "report_losses", said.append)
    sinks = made(1, 2)

    farewell._farewell()

    assert said == [3]
    assert [sink.patience for sink in sinks] == [[pytest.approx(1.5, abs=1)]] * 2


def test_the_child_of_a_fork_has_nothing_to_write():
    """What waits is the parent's."""
    sinks = made(1, 0)

    farewell._forget_all()

    assert [sink.forgot for sink in sinks] == [True, True]


def test_sinks_may_be_made_meanwhile():
    """Whoever flushes isn't troubled by a thread that opens a file."""
    kept, done = [], threading.Event()

    def keep_making():
        while not done.is_set():
            kept.extend(made(0))
            del kept[:-100]

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=keep_making)
        thread.start()
        for _ in range(1_000):
            flush()
        done.set()
        thread.join()
    finally:
        sys.setswitchinterval(switching)

    assert flush()
