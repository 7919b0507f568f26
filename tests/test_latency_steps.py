"""The steps of one event loop, without a loop: moments are given."""

from __future__ import annotations

import pytest

from tracelog.context import Context
from tracelog.latency.ledger import Ledger
from tracelog.latency.steps import Steps


class Clock:
    def __init__(self, now=100.0):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(clock, hold_s=0.05, make_hold=lambda *about: about)


def context(begun=0.0):
    return Context.make({}, None, None, Ledger(begun))


def test_it_begins_now_and_at_rest(steps):
    """Nothing runs, nothing was long, nothing has come."""
    assert (steps.began, steps.polled, steps.busy_since) == (100.0, 100.0, 100.0)
    assert (steps.running, steps.relay, steps.arrivals, [*steps.recent]) == (None, None, {}, [])


def test_a_loop_that_looks_often_has_seen_all_there_is(steps, clock):
    """However long it waits for something to do, and however much it does between two looks."""
    for step, wait in ((0.001, 0.5), (0.004, 0.0), (0.0, 0.02)):
        clock.now += step
        steps.began = clock.now  # a step has ended
        clock.now += wait

        assert steps.poll() == pytest.approx(step)

        assert steps.polled == steps.began == steps.busy_since == clock.now


def test_what_is_found_after_a_long_step_may_have_come_before_it(steps, clock):
    """For as long as it takes to pass it on."""
    for _ in range(2):
        clock.now += 0.1
        steps.poll()
    clock.now += 0.3
    steps.began = clock.now

    assert steps.poll() == pytest.approx(0.3)

    assert steps.busy_since == pytest.approx(100.1)
    clock.now += 0.01
    steps.poll()
    assert steps.busy_since == pytest.approx(100.1)
    clock.now += 0.02
    steps.poll()
    assert steps.busy_since == clock.now


@pytest.mark.parametrize(("seconds", "held"), [(0.049, False), (0.051, True)], ids=str)
def test_a_step_over_the_threshold_is_a_hold(steps, seconds, held):
    """What is known about it is kept with it; of others nobody asks why."""
    whose = context()

    steps.end_long("task", whose, 100.0 + seconds)

    [step] = steps.recent
    assert (step.began, step.ended, step.context) == (100.0, 100.0 + seconds, whose)
    assert step.hold == (("task", whose, whose, 100.0, 100.0 + seconds) if held else None)


def test_a_step_is_whose_most_of_it_was(steps):
    """A handler that ends one message and begins the next held the loop for the one it ended."""
    ended, begun = context(), context()

    steps.leave(ended, 100.3)
    steps.end_long("task", begun, 100.4)

    assert steps.recent[-1].context is ended


def test_a_step_that_somebody_left_soon_is_the_others(steps):
    """Whoever had less than half of it isn't blamed."""
    ended, begun = context(), context()

    steps.leave(ended, 100.1)
    steps.end_long("task", begun, 100.4)

    assert steps.recent[-1].context is begun


@pytest.mark.parametrize(("begun", "blamed"), [(99.0, True), (100.1, True), (100.3, False)])
def test_what_began_at_a_steps_end_is_not_to_blame(steps, begun, blamed):
    """A handler that loads something first, before it says whom it serves."""
    last = context(begun)

    steps.end_long("task", last, 100.4)

    assert steps.recent[-1].context is (last if blamed else None)


def test_a_span_is_its_utterances_time(steps):
    """However late it began."""
    inner = Context.make({}, None, None, Ledger(100.3, "query", Ledger(99.0)))

    steps.end_long("task", inner, 100.4)

    assert steps.recent[-1].context is inner


def test_of_several_who_left_a_step_the_longest_counts(steps):
    """By how long each was in it: since it began there, or since the step did."""
    contexts = [context(), context(100.3), context(100.31), context()]

    steps.leave(contexts[0], 100.3)
    steps.leave(contexts[1], 100.31)
    steps.leave(contexts[2], 100.32)
    steps.end_long("task", contexts[3], 100.4)

    assert steps.recent[-1].context is contexts[0]


def test_who_left_an_earlier_step_has_no_part_in_this_one(steps):
    """However long that one was."""
    earlier, later, last = context(), context(), context()
    steps.leave(earlier, 105.0)

    steps.began = 106.0
    steps.end_long("task", last, 107.0)
    steps.began = 108.0
    steps.leave(later, 108.6)
    steps.end_long("task", last, 109.0)

    assert [step.context for step in steps.recent] == [last, later]


def test_a_reason_that_can_not_be_found_is_counted(clock):
    """The step is told of all the same, and the loop goes on."""

    def make_hold(*_):
        raise ReferenceError("a dead proxy")

    steps = Steps(clock, hold_s=0.05, make_hold=make_hold)

    steps.end_long("task", None, 101.0)

    assert (steps.failures, steps.recent[-1].hold) == (1, None)


def test_only_the_latest_steps_are_kept(steps):
    """A loop may run for a year."""
    for number in range(10_000):
        steps.end_long(number, None, 100.001)

    assert len(steps.recent) < 5_000
