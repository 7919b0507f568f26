"""Whose a callback is, and which task of an utterance goes on by it."""

from __future__ import annotations

import asyncio

import pytest

from tracelog.context import Context, enter_context
from tracelog.latency.callbacks import task_of
from tracelog.latency.ledger import Ledger


async def sleeps():
    await asyncio.get_running_loop().create_future()


def enter(ledger):
    enter_context(Context.make({}, None, None, ledger))


def task_found(sleeper, callback, *args, mine=True):
    """What `task_of` finds while *sleeper* waits, in an utterance that is *mine* or isn't."""

    async def main():
        ledger = Ledger(100.0)
        enter(ledger if mine else Ledger(100.0))
        task = asyncio.create_task(sleeper())
        await asyncio.sleep(0)
        found = task_of(callback(task), [arg(task) for arg in args], ledger)
        task.cancel()
        await asyncio.wait([task])
        return found is task if found is not None else None

    return asyncio.run(main())


async def waits_for():
    await asyncio.wait_for(sleeps(), 3600)


def set_result(_task):
    return print  # stands for what sets a future


def test_a_task_goes_on_by_itself():
    """Its own step is its own, whatever it is about."""
    assert task_found(sleeps, lambda task: task.set_name, mine=False) is True


@pytest.mark.parametrize("sleeper", [sleeps, waits_for])
def test_whoever_waits_for_a_future_goes_on_when_it_is_set(sleeper):
    """asyncio's sleep is a timer that sets a future; what a thread has done is told by one."""
    assert task_found(sleeper, set_result, lambda task: task._fut_waiter, str) is True


@pytest.mark.parametrize("name", ["_task", "_host_task"])
def test_a_timeout_goes_on_with_the_task_that_it_cancels(name):
    """asyncio's and anyio's, from within the task."""

    class Timeout:
        def on_timeout(self):
            """Cancels it."""

    def callback(task):
        timeout = Timeout()
        setattr(timeout, name, task)
        return timeout.on_timeout

    assert task_found(sleeps, callback) is True


@pytest.mark.parametrize("by", [asyncio.gather, asyncio.shield])
def test_a_future_may_tell_others_before_the_task(by):
    """Then it has no callbacks any more; the task is one that the handler waits for, as asyncpg's."""

    async def main():
        loop, ledger, found = asyncio.get_running_loop(), Ledger(100.0), []
        future = loop.create_future()
        future.add_done_callback(lambda done: found.append(task_of(print, (done,), ledger)))
        enter(ledger)
        child = asyncio.create_task(asyncio.wait_for(future, None))
        ledger.task = asyncio.current_task()
        loop.call_later(0, future.set_result, None)
        await by(child)
        return found == [child]

    assert asyncio.run(main())


def test_a_future_may_be_somebody_elses():
    """Its task is no part of this utterance: where that waits says nothing."""
    assert task_found(sleeps, set_result, lambda task: task._fut_waiter, mine=False) is None


def test_a_callback_may_go_on_with_nobody():
    """It calls anything, or was cancelled; the future may be nobody's."""

    async def main():
        loop, ledger = asyncio.get_running_loop(), Ledger(100.0)
        future, lone = loop.create_future(), loop.create_future()
        future.add_done_callback(print)
        future.add_done_callback(loop.get_debug)
        return [task_of(print, args, ledger) for args in (None, (), ("x", 1), (future,), (lone,))]

    assert asyncio.run(main()) == [None] * 5
