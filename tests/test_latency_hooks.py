"""asyncio's own loop tells of its steps, and is as it was when it doesn't any more."""

from __future__ import annotations

import asyncio
import gc
import time

from tracelog.latency import watchdog
from tracelog.latency.loop import LoopWatch, watch_loop


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
    assert not any("tracelog" in name for watch in watches for name in vars(watch._loop))
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
