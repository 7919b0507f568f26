"""The boxes of every span and utterance sum to its time, whatever its tasks do and on which loop."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from functools import partial

import pytest
import uvloop

from tracelog.context import current_context
from tracelog.latency.loop import LoopWatch
from tracelog.latency.spans import span, utterance


SUM_S, BOX_S = 1e-6, 1e-9
FACTORIES = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
    "eager": asyncio.SelectorEventLoop,
}
NAMES = [name for name in FACTORIES if name != "eager" or sys.version_info >= (3, 12)]
SEEDS = 12
LEAVES = ["sleep", "nap", "work", "thread", "event", "lock", "nothing"]
GROUPS = ["gather", "group", "in turn", "timeout", "left behind"]


def a_plan(draw, depth):
    """Draw what a handler does: nested lists of names."""
    if depth == 0 or draw.random() < 0.3:
        return draw.choice(LEAVES)
    inner = [a_plan(draw, depth - 1) for _ in range(draw.randint(1, 3))]
    return (draw.choice(GROUPS), draw.random() < 0.7, inner)


class Service:
    """Does what plans say, and keeps all the ledgers."""

    def __init__(self, draw):
        self.draw = draw
        self.ledgers = []
        self.lock = asyncio.Lock()
        self.left_behind = set()

    async def handle(self, plan):
        with utterance():
            self.ledgers.append(current_context().ledger)
            await self.follow(plan)

    async def follow(self, plan):
        if isinstance(plan, str):
            return await getattr(self, f"do_{plan}")()

        way, in_span, inner = plan
        if not in_span:
            return await self.follow_all(way, inner)

        with span(way):
            self.ledgers.append(current_context().ledger)
            await self.follow_all(way, inner)

    async def follow_all(self, way, inner):
        if way == "gather":
            await asyncio.gather(*map(self.follow, inner))
        elif way == "group":
            async with asyncio.TaskGroup() as group:
                for each in inner:
                    group.create_task(self.follow(each))
        elif way == "timeout":
            for each in inner:
                try:
                    await asyncio.wait_for(self.follow(each), 0.002)
                except TimeoutError:
                    pass
        else:
            for each in inner:
                if way == "left behind":  # goes on after its span has ended
                    task = asyncio.create_task(self.follow(each))
                    self.left_behind.add(task)
                else:
                    await self.follow(each)

    async def do_sleep(self):
        await asyncio.sleep(self.draw.random() * 0.004)

    async def do_nap(self):
        await asyncio.sleep(0)

    async def do_work(self):
        until = time.monotonic() + self.draw.random() * 0.001
        while time.monotonic() < until:
            pass

    async def do_thread(self):
        await asyncio.to_thread(time.sleep, self.draw.random() * 0.002)

    async def do_event(self):
        event = asyncio.Event()
        set_soon = partial(asyncio.get_running_loop().call_soon_threadsafe, event.set)
        await asyncio.gather(event.wait(), asyncio.to_thread(set_soon))

    async def do_lock(self):
        async with self.lock:
            await asyncio.sleep(0.0005)

    async def do_nothing(self):
        pass


def boxes_of(ledger):
    return ledger.code, ledger.loop, ledger.waiting, ledger.send


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(SEEDS))
def test_boxes_sum_to_the_time_of_their_span(name, seed):
    """Nested, concurrent, sequential, eager, cancelled, abandoned: nothing is counted twice."""
    draw = random.Random(seed)
    plans = [a_plan(draw, 4) for _ in range(12)]

    async def main():
        loop = asyncio.get_running_loop()
        if name == "eager":
            loop.set_task_factory(asyncio.eager_task_factory)
        watch = LoopWatch(loop)
        watch.start()
        service = Service(draw)
        await asyncio.gather(*map(service.handle, plans))
        while service.left_behind:
            await asyncio.gather(*service.left_behind, return_exceptions=True)
            service.left_behind = {task for task in service.left_behind if not task.done()}
        watch.stop()
        assert watch.exact
        assert not watch.steps.failures
        return service.ledgers

    with asyncio.Runner(loop_factory=FACTORIES[name]) as runner:
        ledgers = runner.run(main())

    assert len(ledgers) >= len(plans)
    for ledger in ledgers:
        assert not ledger.is_open
        assert sum(boxes_of(ledger)) == pytest.approx(ledger.ended - ledger.begun, abs=SUM_S)
        assert min(*boxes_of(ledger), ledger.covered, ledger.own) >= -BOX_S
        assert ledger.covered <= ledger.ended - ledger.begun + SUM_S
        parent = ledger.parent
        if parent is not None:
            assert ledger.begun >= parent.begun
            if ledger.ended <= parent.ended:  # not left behind
                assert ledger.code <= parent.code + SUM_S


@pytest.mark.skipif("eager" not in NAMES, reason="before Python 3.12, no task was eager")
def test_an_eager_beginning_is_code():
    """It is in its maker's step, whose own time ends where it begins."""
    begun = {}

    def work():
        until = time.monotonic() + 0.004
        while time.monotonic() < until:
            pass

    async def handle(name):
        with utterance():
            begun[name] = current_context().ledger
            work()
            await asyncio.sleep(0)

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)
        watch = LoopWatch(loop)
        watch.start()
        await asyncio.sleep(0)
        await asyncio.gather(handle("first"), handle("second"))
        watch.stop()

    asyncio.run(main())

    for ledger in begun.values():
        assert ledger.code >= 0.004
        assert ledger.code < ledger.ended - ledger.begun
    assert begun["first"].waiting + begun["first"].loop >= 0.004  # while the second began
