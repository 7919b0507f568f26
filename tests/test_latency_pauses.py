"""The garbage collector's pauses, by thread."""

from __future__ import annotations

import gc
import threading

import pytest

from tracelog.latency import pauses as module
from tracelog.latency.pauses import Pauses


class Time:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def time(monkeypatch):
    time = Time()
    monkeypatch.setattr(module, "time", time)
    return time


@pytest.fixture
def pauses(time):
    pauses = Pauses()
    gc.disable()  # only pauses of the test's own
    pauses.start()
    yield pauses
    pauses.stop()
    gc.enable()


def pause(time, seconds):
    """As the collector calls back."""
    for callback in gc.callbacks:
        callback("start", {})
    time.now += seconds
    for callback in gc.callbacks:
        callback("stop", {})


def test_what_a_pause_has_of_a_span_is_told(pauses, time):
    """From 100.0 to 100.5 it stood still."""
    pause(time, 0.5)

    assert pauses.within(99.0, 101.0) == 0.5
    assert pauses.within(100.25, 101.0) == 0.25
    assert pauses.within(99.0, 100.125) == 0.125
    assert pauses.within(101.0, 102.0) == 0
    assert pauses.within(98.0, 99.0) == 0


def test_several_pauses_are_summed_up(pauses, time):
    """The collector may run more than once."""
    pause(time, 0.25)
    time.now += 1
    pause(time, 0.5)

    assert pauses.within(99.0, 110.0) == 0.75


def test_a_short_pause_is_not_kept(pauses, time):
    """Young objects are collected all the time."""
    pause(time, 0.0005)

    assert pauses.within(99.0, 110.0) == 0


def test_another_threads_pause_is_its_own(pauses, time):
    """Whoever waits for the GIL meanwhile is told of otherwise."""
    thread = threading.Thread(target=pause, args=(time, 0.5))
    thread.start()
    thread.join()

    assert pauses.within(99.0, 110.0) == 0


def test_a_pause_that_began_before_it_is_not_known(pauses):
    """It was started by a callback of the collector's, say."""
    pauses._note("stop", {})

    assert pauses.within(0.0, 1000.0) == 0


def test_only_the_latest_are_kept(pauses, time):
    """A process may run for a year."""
    for _ in range(1000):
        pause(time, 0.5)

    assert pauses.within(0.0, 1000.0) == 32.0


def test_the_collector_calls_it_until_it_is_stopped(time):
    """For real; a second stop changes nothing."""
    pauses = Pauses()
    time.monotonic = iter([100.0, 101.0, 102.0, 103.0]).__next__
    before = [*gc.callbacks]
    gc.disable()
    gc.callbacks.clear()  # of others, who would ask this clock, too

    pauses.start()
    gc.collect()
    pauses.stop()
    pauses.stop()
    gc.collect()
    left = [*gc.callbacks]
    gc.callbacks[:] = before
    gc.enable()

    assert left == []
    assert pauses.within(99.0, 110.0) == 1.0
