"""asyncio's handles, which tell of the step that they are."""

from __future__ import annotations

import asyncio
import contextvars
import sys

import pytest

from tracelog.context import Context, current_context, enter_context
from tracelog.latency.handles import (
    end_step,
    make_ready,
    make_soon,
    make_threadsafe,
    make_timer,
)
from tracelog.latency.ledger import Ledger
from tracelog.latency.steps import Step, Steps


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Loop:
    """As much of one as a handle needs."""

    def __init__(self):
        self.errors = []

    def get_debug(self):
        return False

    def call_exception_handler(self, context):
        self.errors.append(context["exception"])


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(clock, hold_s=0.05, make_hold=lambda *about: about)


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def ledger():
    """Of the utterance that the test's handles are made for."""
    ledger = Ledger(100.0)
    enter_context(Context.make({}, None, None, ledger))
    return ledger


@pytest.fixture
def work(clock, steps):
    """A callback that takes half a second; says what ran meanwhile."""

    def work(*args):
        work.ran.append((steps.running, steps.relay, args))
        clock.now += 0.5

    work.ran = []
    return work


def make(kind, steps, loop, callback, *args, ready=100.0, waker=None):
    """A handle, as the loop's hooks make it."""
    if kind == "timer":
        return make_timer(steps)(ready, callback, args, loop)
    if kind == "ready":
        return make_ready(steps)(callback, args, loop)

    soon = make_soon(steps)
    handle = (make_threadsafe(steps, soon) if kind == "threadsafe" else soon)(callback, args, loop)
    handle.ready, handle.waker = ready, waker
    return handle


KINDS = ["soon", "threadsafe", "timer", "ready"]
CHARGED = KINDS[:3]


@pytest.mark.parametrize("kind", KINDS)
def test_while_a_step_runs_it_is_known_what_does(kind, steps, loop, work):
    """And since when; afterwards nothing runs, and the next one begins."""
    make(kind, steps, loop, work, "a", "b")._run()

    [(running, _, args)] = work.ran
    assert (running, args) == (work, ("a", "b"))
    assert (steps.running, steps.began) == (None, 100.5)
    assert [(step.began, step.ended) for step in steps.recent] == [(100.0, 100.5)]


@pytest.mark.parametrize("kind", CHARGED)
def test_a_step_is_charged_to_whose_it_is(kind, steps, loop, work, ledger):
    """What was before it was ready is waiting, and after that the loop was held."""
    steps.began = 103.0
    steps.clock.now = 103.0

    make(kind, steps, loop, work, ready=102.0)._run()

    assert (ledger.waiting, ledger.loop, ledger.code) == (2.0, 1.0, 0.5)


def test_a_reader_is_nobodys(steps, loop, work, ledger):
    """Whatever context it was added in: another request's, as a rule."""
    make("ready", steps, loop, work)._run()

    assert (ledger.code, ledger.cursor) == (0.0, 100.0)
    assert steps.recent[-1].context is None


@pytest.mark.parametrize("kind", CHARGED)
def test_a_step_that_enters_an_utterance_is_charged_to_that(kind, steps, loop, clock):
    """A handler gets its message in the middle of a step."""
    ledger = Ledger(100.1)

    def hear():
        clock.now = 100.3
        enter_context(Context.make({}, None, None, ledger))

    make(kind, steps, loop, hear)._run()

    assert ledger.code == pytest.approx(0.2)
    assert steps.recent[-1].context.ledger is ledger


@pytest.mark.parametrize("kind", CHARGED)
def test_a_step_of_no_utterance_is_charged_to_none(kind, steps, loop, work):
    """In a context of ours, or in none at all."""
    make(kind, steps, loop, work)._run()
    contextvars.Context().run(make, kind, steps, loop, work)._run()

    assert [step.context and step.context.ledger for step in steps.recent] == [None, None]


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_that_fails_ends_all_the_same(kind, steps, loop, clock):
    """Its error is the loop's to tell of."""
    error = ValueError("x")

    def fail():
        clock.now += 0.5
        raise error

    make(kind, steps, loop, fail)._run()

    assert loop.errors == [error]
    assert (steps.running, steps.relay, steps.began) == (None, None, 100.5)
    assert steps.is_nobodys is False


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_ends_the_loop_is_not_in_the_way(kind, steps, loop):
    """`SystemExit` passes, and the step is over."""
    with pytest.raises(SystemExit):
        make(kind, steps, loop, sys.exit)._run()

    assert (steps.running, steps.relay) == (None, None)


@pytest.mark.parametrize("kind", CHARGED)
def test_a_long_wait_is_explained(kind, steps, loop, work, ledger):
    """Who held the loop meanwhile, and who let it go on."""
    steps.recent.append(Step(102.0, 103.0, None, Hold()))
    steps.held_until = 103.0
    steps.began = 103.0

    make(kind, steps, loop, work, ready=101.0)._run()

    found = ledger.notes
    assert [*found.holds.values()] == [1.0]
    assert [*found.awaits.values()] == [1.0]


class Hold:
    def delay(self, *_):
        """Noted."""


@pytest.mark.parametrize("kind", CHARGED)
def test_a_short_wait_needs_no_explanation(kind, steps, loop, work, ledger):
    """It is in the boxes."""
    steps.began = 100.004

    make(kind, steps, loop, work)._run()

    assert ledger.notes is None
    assert ledger.loop == pytest.approx(0.004)


def test_what_another_thread_passes_on_was_ready_when_it_asked(steps, loop, work):
    """A future's callbacks, say; what comes after that was not."""
    make("threadsafe", steps, loop, work, ready=99.0)._run()

    assert [relay for _, relay, _ in work.ran] == [99.0]
    assert steps.relay is None


def test_what_a_reader_passes_on_was_ready_when_its_data_came(steps, loop, work):
    """Only of readers whose data came while the loop was busy is that known, and only once."""
    handle, other = (make("ready", steps, loop, work) for _ in range(2))
    steps.arrivals = {handle: 99.5}

    handle._run()
    steps.arrivals[other] = 99.7
    handle._run()

    assert [relay for _, relay, _ in work.ran] == [99.5, None]
    assert steps.relay is None


def test_a_short_step_is_not_kept(steps, loop):
    """Nobody asks for it; one clock read is all it costs."""
    make("soon", steps, loop, int)._run()

    assert [*steps.recent] == []


def test_what_it_takes_to_tell_of_a_long_step_is_not_the_next_ones(clock):
    """Stacks are looked at, and counts read."""

    def make_hold(*_):
        clock.now += 0.1

    steps = Steps(clock, hold_s=0.05, make_hold=make_hold)
    clock.now += 0.5

    end_step(steps, current_context(), clock.now)

    assert steps.began == pytest.approx(100.6)
