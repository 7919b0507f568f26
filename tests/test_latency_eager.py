"""Eager tasks begin inside of the step that makes them: whose time that is."""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from tracelog.context import Context, current_context, enter_context
from tracelog.latency.eager import time_eager_tasks
from tracelog.latency.ledger import Ledger
from tracelog.latency.steps import Steps


class Clock:
    """Goes when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Task:
    """A task whose beginning has been run by its maker, in a context of its own."""

    def __init__(self, begin):
        self._context = contextvars.copy_context()
        self._context.run(begin)


class Loop:
    """A loop with, or without, somebody's factory of tasks."""

    def __init__(self, factory=None):
        self.factory = factory

    def get_task_factory(self):
        return self.factory

    def create_task(self, begin, **options):
        self.options = options
        return Task(begin)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(clock, hold_s=0.05, make_hold=lambda *_: None)


def enter(ledger):
    enter_context(Context.make({}, None, None, ledger))


def test_a_beginning_is_its_own_code(clock, steps):
    """And the rest of the step, before and after, its maker's."""
    maker, eager = Ledger(100.0), Ledger(100.0)
    loop = Loop(asyncio.Task)
    time_eager_tasks(loop, steps)
    enter(maker)
    clock.now = 101.0

    def begin():
        enter(eager)
        clock.now = 104.0

    loop.create_task(begin, name="eager")

    assert (maker.code, eager.code) == (1.0, 3.0)
    assert loop.options == {"name": "eager"}
    assert current_context().ledger is maker


def test_nobodys_beginning_is_nobodys_time(clock, steps):
    """Neither that of a maker outside of utterances, nor of a task outside of them."""
    loop = Loop(asyncio.Task)
    time_eager_tasks(loop, steps)

    task = loop.create_task(lambda: None)

    assert isinstance(task, Task)
    assert [*steps.recent] == []


def test_an_utterance_that_begins_there_had_that_much_of_the_step(clock, steps):
    """If the step is long, it may be the one who held the loop."""
    loop = Loop(asyncio.Task)
    time_eager_tasks(loop, steps)

    def begin():
        enter(Ledger(clock.now))
        clock.now += 5.0

    loop.create_task(begin)
    steps.end_long("task", None, clock.now)

    [step] = steps.recent
    assert step.context is not None


def test_without_a_factory_nothing_is_eager(clock, steps):
    """Then it costs one question."""
    maker = Ledger(100.0)
    loop = Loop()
    time_eager_tasks(loop, steps)
    enter(maker)
    clock.now = 101.0

    loop.create_task(lambda: None)

    assert maker.code == 0.0


def test_undone_the_loop_is_as_it_was(steps):
    """But for what somebody has put there since."""
    loop, other = Loop(), Loop()
    undo, undo_other = time_eager_tasks(loop, steps), time_eager_tasks(other, steps)
    other.create_task = theirs = other.create_task.__class__

    undo()
    undo_other()

    assert vars(loop) == {"factory": None}
    assert other.create_task is theirs
