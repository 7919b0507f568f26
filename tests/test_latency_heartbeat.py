"""A heartbeat: how late an event loop is, where nothing else is put on it."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import pytest

from tracelog.context import Context, enter_context
from tracelog.latency.heartbeat import Heartbeat
from tracelog.latency.steps import Steps


EVERY_S = 0.02


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Timer:
    def __init__(self):
        self.cancelled = False

    def cancel(self):
        self.cancelled = True


class Loop:
    """Calls what it was given when the test says so."""

    def __init__(self, clock):
        self.clock = clock
        self.timers = []

    def call_later(self, delay, callback):
        self.timers.append((self.clock.now + delay, callback, timer := Timer()))
        return timer

    def beat(self, late=0.0):
        due, callback, _ = self.timers.pop(0)
        self.clock.now = due + late
        callback()


@pytest.fixture
def loop():
    return Loop(Clock())


@pytest.fixture
def steps(loop):
    return Steps(loop.clock, hold_s=0.05, make_hold=lambda *about: about)


@pytest.fixture
def heart(loop, steps):
    heart = Heartbeat(loop, steps)
    heart.start()
    return heart


def test_it_beats_every_so_often(heart, loop, steps):
    """What runs until a beat is due is nobody's; from then on it is late."""
    [(due, *_)] = loop.timers

    assert due == steps.began == 100.0 + EVERY_S
    assert steps.running is heart


@pytest.mark.parametrize("late", [0.0, 0.004])
def test_a_beat_on_time_means_that_the_loop_had_nothing_to_do(heart, loop, steps, late):
    """It waited for the timer, which is as exact as timers are."""
    for _ in range(3):
        loop.beat(late)

    assert [*steps.recent] == []
    assert steps.busy_since == loop.clock.now
    assert len(loop.timers) == 1


def test_a_late_beat_is_a_step_that_was_long(heart, loop, steps):
    """Since it was due; whose, nobody knows if nobody looked."""
    loop.beat()

    loop.beat(late=0.3)

    [step] = steps.recent
    assert (step.began, step.ended) == (pytest.approx(100.04), pytest.approx(100.34))
    assert step.context is None
    assert step.hold == (heart._beat, None, None, step.began, step.ended)
    assert steps.began == pytest.approx(100.36)


def test_a_loop_is_busy_since_its_beat_was_due(heart, loop, steps):
    """Until one is on time again."""
    loop.beat()
    loop.beat(late=0.3)
    loop.beat(late=0.1)
    assert steps.busy_since == pytest.approx(100.02)

    loop.beat()
    assert steps.busy_since == loop.clock.now


def test_a_heart_that_is_stopped_beats_no_more(heart, loop):
    """Its timer is given back."""
    [(*_, timer)] = loop.timers

    heart.stop()

    assert timer.cancelled


def seen_from_outside(heart):
    thread = threading.Thread(target=heart.look)
    thread.start()
    thread.join()


@pytest.mark.parametrize("looks", ["once", "again, between two steps"])
def test_whoever_was_running_when_somebody_looked_held_the_loop(steps, looks):
    """Its task, and what that is about; that nothing runs any more tells nothing new."""
    whose = Context.make({"user_id": "kim"}, None, None)

    async def hold(heart):
        enter_context(whose)
        seen_from_outside(heart)

    async def main():
        loop = asyncio.get_running_loop()
        heart = Heartbeat(loop, steps)
        heart.start()
        heart.stop()
        task = asyncio.create_task(hold(heart))
        await task
        if looks != "once":
            loop.call_soon(seen_from_outside, heart)
            await asyncio.sleep(0)
        steps.clock.now = steps.began + 0.3
        heart._beat()
        heart.stop()
        return heart, task

    heart, task = asyncio.run(main())

    [step] = steps.recent
    assert (step.context, step.hold[0]) == (whose, task)
    assert heart.task is None


def test_a_task_may_be_in_no_context_of_ours(steps):
    """It was started by who knows whom, without anything."""

    async def hold(heart):
        seen_from_outside(heart)

    async def main():
        heart = Heartbeat(asyncio.get_running_loop(), steps)
        heart.start()
        heart.stop()
        await asyncio.create_task(hold(heart), context=contextvars.Context())
        steps.clock.now = steps.began + 0.3
        heart._beat()
        heart.stop()

    asyncio.run(main())

    assert steps.recent[-1].context is None
