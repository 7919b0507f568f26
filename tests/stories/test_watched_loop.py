"""A watched loop is a loop like any other: it is let go of, and nothing on it is kept."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time
import weakref
from types import SimpleNamespace

import pytest
import uvloop

from tracelog.latency import watchdog
from tracelog.latency.hooks import is_known
from tracelog.latency.loop import LoopWatch, watch_loop
from tracelog.latency.samples import Sampler


LOOPS = [
    pytest.param(asyncio.SelectorEventLoop, id="asyncio"),
    pytest.param(uvloop.new_event_loop, id="uvloop"),
]


def until(condition):
    """Wait for the watchdog's thread."""
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_a_loop_that_was_closed_is_let_go_of(caplog):
    """Nobody has to call `stop`: `asyncio.run` closes its loop, which has no selector any more."""
    before = [*gc.callbacks]

    async def main():
        return watch_loop()

    watches = [asyncio.run(main()) for _ in range(20)]

    assert until(lambda: not any(watch in watchdog._dog._watched for watch in watches))
    assert gc.callbacks == before
    assert not any("tracelog" in name for watch in watches for name in vars(watch.loop))
    assert not caplog.records


def test_the_watchdog_rests_after_a_change():
    """A watch that begins while the thread is about to end for want of another keeps it."""
    loop = asyncio.new_event_loop()
    for _ in range(2):
        watch = LoopWatch(loop)
        watch.start()
        watch.stop()
    watch.start()

    assert not watchdog._dog._wake.is_set()

    watch.stop()
    loop.close()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Its time passes when a test says so, and it minds timers that it doesn't know."""

    now = 0.0

    def time(self):
        return self.now


def test_a_loop_that_has_a_time_of_its_own_is_left_alone(caplog):
    """Its timers can't be compared with our clock: no hooks, no heartbeat, and one warning."""
    loops = [SimulatedLoop(), SimulatedLoop()]

    for loop in loops:
        before = {*vars(loop)} | {"run_in_executor", "_tracelog_watch"}
        watch = LoopWatch(loop)
        watch.start()

        assert not watch.exact
        assert {*vars(loop)} == before
        assert not loop._scheduled

        watch.stop()
        loop.close()
    assert [record.message for record in caplog.records if "SimulatedLoop" in record.message][
        1:
    ] == []
    assert "no event loop that is known here" in caplog.text


@pytest.mark.parametrize("loop_factory", LOOPS)
@pytest.mark.parametrize("schedule", ["call_soon", "call_soon_threadsafe", "call_at"])
def test_what_a_task_has_raised_keeps_nothing(loop_factory, schedule):
    """The traceback keeps the frames of the step, and they must not keep the task: a circle."""

    async def fail():
        1 / 0

    async def main():
        watch_loop()
        loop, unretrieved = asyncio.get_running_loop(), []
        loop.set_exception_handler(lambda _loop, context: unretrieved.append(context["message"]))

        def start():
            asyncio.Task(fail())

        if schedule == "call_at":
            loop.call_at(loop.time(), start)
        else:
            getattr(loop, schedule)(start)
        await asyncio.sleep(0.01)
        return unretrieved

    gc.disable()
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            assert runner.run(main()) == ["Task exception was never retrieved"]
    finally:
        gc.enable()


def test_a_loop_without_a_real_selector_gets_no_hooks():
    """Tests put other things there."""
    loop = asyncio.SelectorEventLoop()
    selector, loop._selector = loop._selector, object()

    assert not is_known(loop)

    loop._selector = selector
    assert is_known(loop)
    loop.close()


def test_nobody_keeps_a_loop_that_is_gone():
    """The watchdog's thread has looked at it last, and waits for the next time."""
    other = asyncio.new_event_loop()
    keeps_the_thread = LoopWatch(other)
    keeps_the_thread.start()

    async def main():
        watch_loop()
        await asyncio.sleep(0.06)  # it is looked at
        return weakref.ref(asyncio.get_running_loop())

    gone = asyncio.run(main())

    assert until(lambda: gc.collect() >= 0 and gone() is None)
    keeps_the_thread.stop()
    other.close()


@pytest.mark.parametrize("loop_factory", LOOPS)
def test_a_loop_that_goes_on_in_another_thread_blames_nobody_else(loop_factory, caplog):
    """The watchdog had looked at the thread that ran it before, which does something else now."""
    loop = loop_factory()
    watch = LoopWatch(loop, hold_ms=20)
    watch.start()

    async def hold():
        for _ in range(2):
            time.sleep(0.1)
            await asyncio.sleep(0)

    thread = threading.Thread(target=loop.run_until_complete, args=[hold()])
    thread.start()
    thread.join()
    watch.stop()
    loop.close()

    holds = [record for record in caplog.records if record.message == "loop held"]
    assert [record.kind for record in holds] == ["not sampled", "blocking call"]
    assert "join" not in "".join(record.where for record in holds)
    assert "hold" in holds[1].where


def test_nothing_is_sampled_beside_sub_interpreters(monkeypatch):
    """`sys._current_frames` goes through their frames, too, while they run: the process aborts."""
    sampler = Sampler()
    interpreters = [0, 1]
    module = SimpleNamespace(list_all=lambda: interpreters)
    monkeypatch.setitem(sys.modules, "_interpreters", module)

    sampler.look(1.0, lambda: True)
    assert sampler.seen(1.0) is None

    interpreters.pop()
    sampler.look(1.0, lambda: True)
    assert sampler.seen(1.0) is not None
