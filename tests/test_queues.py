"""Queues with the context in the item."""

from __future__ import annotations

import asyncio
import gc
import sys
import warnings
from contextvars import Context as Variables
from contextvars import ContextVar, copy_context

import pytest

from tracelog.context import (
    Connection,
    Context,
    bind_context,
    clear_context,
    current_context,
    enter_context,
    get_context,
    new_trace,
)
from tracelog.ids import TraceContext
from tracelog.queues import LifoQueue, PriorityQueue, Queue, Taken, take_arrival, taken


KINDS = [Queue, PriorityQueue, LifoQueue]
LONG = 60


def bound():
    return dict(get_context())


def put(queue, *items):
    """Put *items*, each from a context of its own."""
    for item in items:
        variables = copy_context()
        variables.run(enter_context, Context.make({"item": item}, None, None))
        variables.run(queue.put_nowait, item)


async def plainly(queue):
    return await queue.get()


async def in_wait_for(queue):
    return await asyncio.wait_for(queue.get(), LONG)


async def in_timeout(queue):
    async with asyncio.timeout(LONG):
        return await queue.get()


async def in_a_task(queue):
    return await asyncio.create_task(queue.get())


async def in_wait(queue):
    never = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(queue.get())
    await asyncio.wait({task, never}, return_when=asyncio.FIRST_COMPLETED)
    return task.result()


async def in_gather(queue):
    return (await asyncio.gather(queue.get()))[0]


async def in_shield(queue):
    return await asyncio.shield(queue.get())


WAYS = [plainly, in_wait_for, in_timeout, in_a_task, in_wait, in_gather, in_shield]


# -- Whose context ---------------------------------------------------------------------------------


@pytest.mark.parametrize("take", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_is_in_the_context_of_whoever_put_the_item(kind, take):
    """On every Python, however it waits, be the item there or yet to come."""

    async def main():
        queue = kind()
        bind_context(worker=1)
        put(queue, "a")
        seen = [(await take(queue), bound())]
        asyncio.get_running_loop().call_soon(put, queue, "b")
        return [*seen, (await take(queue), bound())]

    assert asyncio.run(main()) == [("a", {"item": "a"}), ("b", {"item": "b"})]


def test_trace_and_connection_come_along():
    """The worker is in the whole context, and none of its own is mixed in."""
    trace = TraceContext.new()

    async def main():
        queue = Queue()
        enter_context(Context.make({"user": "kim"}, trace, Connection("c-1")))
        await queue.put(1)
        enter_context(Context.make({"worker": 1}, None, None))
        await queue.get()
        return current_context()

    context = asyncio.run(main())

    assert (context.bound, context.trace, context.connection_id) == ({"user": "kim"}, trace, "c-1")


def test_what_is_bound_for_an_item_ends_with_it():
    """A worker that asks for the next is in its own context, as it was."""
    seen = []

    async def main():
        queue = Queue()
        bind_context(worker=1)
        put(queue, "a")
        await queue.get()
        new_trace()
        bind_context(more="a's")
        asking = queue.get()
        seen.append(bound())
        put(queue, "b")
        await asking
        seen.append(bound())

    asyncio.run(main())

    assert seen == [{"worker": 1}, {"item": "b"}]


@pytest.mark.parametrize("timeout", [0, 1e-9])
def test_a_timeout_leaves_the_worker_in_its_own_context(timeout):
    """Nothing of the last item is left, and what the worker binds then is its own to keep."""
    seen = []

    async def main():
        queue = Queue()
        bind_context(worker=1)
        put(queue, "a")
        await queue.get()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(queue.get(), timeout)
        seen.append(bound())
        bind_context(idle=True)
        put(queue, "b")
        seen.append((await queue.get(), bound()))
        queue.get().close()
        seen.append(bound())

    asyncio.run(main())

    assert seen == [{"worker": 1}, ("b", {"item": "b"}), {"worker": 1, "idle": True}]


def test_a_cancelled_get_takes_nothing():
    """The item is the next one's, with its context."""

    async def main():
        queue = Queue()
        asking = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        put(queue, "a")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        return bound(), await queue.get(), bound()

    assert asyncio.run(main()) == ({}, "a", {"item": "a"})


def test_get_nowait():
    """An item that is there is worn at once; asking in vain is the end of the last one."""
    queue, seen = Queue(), []

    def work():
        bind_context(worker=1)
        put(queue, "a", "b")
        for _ in range(2):
            seen.append((queue.get_nowait(), bound()))
        with pytest.raises(asyncio.QueueEmpty):
            queue.get_nowait()
        seen.append(bound())

    copy_context().run(work)  # without a loop

    assert seen == [("a", {"item": "a"}), ("b", {"item": "b"}), {"worker": 1}]


def test_get_nowait_in_a_callback_of_a_task_that_has_ended():
    """What a callback inherited from a worker is its own; the worker's is none of its business."""
    seen = []

    async def worker(queue, done):
        bind_context(worker=1)
        await queue.get()
        asyncio.get_running_loop().call_soon(callback, queue, done)

    def callback(queue, done):
        gc.collect()
        for _ in range(2):
            try:
                seen.append((queue.get_nowait(), bound()))
            except asyncio.QueueEmpty:
                seen.append(bound())
        done.set()

    async def main():
        queue, done = Queue(), asyncio.Event()
        put(queue, "a", "b")
        await asyncio.create_task(worker(queue, done))
        await done.wait()

    asyncio.run(main())

    assert seen == [("b", {"item": "b"}), {"item": "a"}]


def test_many_workers_never_wear_each_other_s():
    """Each of many workers is in its item's context from one end of the handling to the other."""
    seen = []

    async def worker(number, queue, take):
        bind_context(worker=number)
        while True:
            item = await take(queue)
            for _ in range(item % 3):
                await asyncio.sleep(0)
            seen.append((item, bound()))
            queue.task_done()

    async def main():
        queue = Queue(5)
        workers = [
            asyncio.create_task(worker(number, queue, WAYS[number % len(WAYS)]))
            for number in range(21)
        ]
        for item in range(500):
            bind_context(item=item)
            await queue.put(item)
        await queue.join()
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    asyncio.run(main())

    assert sorted(item for item, _ in seen) == list(range(500))
    assert all(context == {"item": item} for item, context in seen)


def test_tasks_of_an_item_stay_in_its_context():
    """A task that a worker starts keeps the item's, whatever the worker takes next."""

    async def child(go_on):
        await go_on.wait()
        return bound(), taken()

    async def main():
        queue, go_on = Queue(clock=iter(range(9)).__next__), asyncio.Event()
        put(queue, "a", "b")
        await queue.get()
        task = asyncio.create_task(child(go_on))
        await queue.get()
        go_on.set()
        return await task

    assert asyncio.run(main()) == ({"item": "a"}, Taken(2000.0, 0))


def test_when_an_item_was_put_is_told_once():
    """To the utterance that is begun for it; not to one within that, nor to who took none."""

    async def main():
        queue = Queue(clock=iter(range(9)).__next__)
        put(queue, "a")
        none = take_arrival()
        await queue.get()
        return none, take_arrival(), take_arrival()

    assert asyncio.run(main()) == (None, 0, None)


@pytest.mark.parametrize("take", WAYS)
def test_a_child_that_takes_items_itself(take):
    """A worker started while an item is handled goes back to that item's context."""

    async def child(queue):
        put(queue, "b")
        await take(queue)
        queue.get().close()
        return bound()

    async def main():
        queue = Queue()
        put(queue, "a")
        await queue.get()
        return await asyncio.create_task(child(queue)), bound()

    assert asyncio.run(main()) == ({"item": "a"}, {"item": "a"})


def test_an_item_that_comes_while_the_worker_is_busy_otherwise():
    """Nobody waited for it then: the worker's context is its own, and stays so."""

    async def main():
        queue, seen = Queue(), []
        bind_context(worker=1)
        asking = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        put(queue, "a")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        seen.append((asking.done(), bound(), taken()))
        return [*seen, (await asking, bound())]

    assert asyncio.run(main()) == [(True, {"worker": 1}, None), ("a", {"worker": 1})]


def test_several_items_at_once_are_nobody_s():
    """Which of them the worker is at can't be known; the next it takes alone is worn again."""

    async def main():
        queue, seen = Queue(), []
        bind_context(worker=1)
        put(queue, "a", "b", "c", "d")
        seen.append(await asyncio.gather(queue.get(), queue.get(), queue.get()))
        seen.append((bound(), taken()))
        return [*seen, (await in_wait_for(queue), bound())]

    assert asyncio.run(main()) == [
        ["a", "b", "c"],
        ({"worker": 1}, None),
        ("d", {"item": "d"}),
    ]


def test_a_task_that_takes_on_its_own_account():
    """A worker that waits for a task that takes an item doesn't wear it: it didn't ask."""

    async def drain(queue):
        return queue.get_nowait(), bound()

    async def main():
        queue = Queue()
        bind_context(worker=1)
        queue.get().close()
        put(queue, "a")
        return await asyncio.create_task(drain(queue)), bound()

    assert asyncio.run(main()) == (("a", {"item": "a"}), {"worker": 1})


def test_a_task_in_the_worker_s_very_context():
    """`create_task(queue.get(), context=...)` can share the worker's: it is worn there once."""

    async def main(variables):
        queue, seen = Queue(), []
        bind_context(worker=1)
        put(queue, "a")
        await asyncio.create_task(queue.get(), context=variables)
        seen.append(bound())
        queue.get().close()
        return [*seen, bound()]

    variables = copy_context()
    with asyncio.Runner() as runner:
        assert runner.run(main(variables), context=variables) == [{"item": "a"}, {"worker": 1}]


def test_a_connection_s_task_goes_back_to_its_latest_message():
    """A connection's handler that takes replies is, between them, in the message it handles."""
    first, second = TraceContext.new(), TraceContext.new()

    async def main():
        queue, seen = Queue(), []
        enter_context(Context.make({}, first, Connection("c-1")))
        put(queue, "a", "b")
        await queue.get()
        seen.append((current_context().trace, taken() is not None))
        queue.get().close()
        seen.append((current_context().trace, taken() is not None))
        await queue.get()
        enter_context(Context.make({}, second, Connection("c-1")))  # the next message
        seen.append((current_context().trace, taken() is not None))
        queue.get().close()
        return [*seen, (current_context().trace, taken() is not None)]

    assert asyncio.run(main()) == [
        (None, True),
        (first, False),
        (second, False),
        (second, False),
    ]


def test_other_people_s_variables_are_left_alone():
    """A worker keeps them, whatever it takes."""
    theirs = ContextVar("theirs")

    async def main():
        queue = Queue()
        theirs.set("the putter's")
        put(queue, "a")
        theirs.set("the worker's")
        await queue.get()
        return theirs.get()

    assert asyncio.run(main()) == "the worker's"


# -- How it fared ----------------------------------------------------------------------------------


def test_an_item_knows_how_long_it_waited_and_how_deep_the_queue_was():
    """While it is being worked on, and no longer."""
    times = iter([1.0, 2.0, 2.5, 4.25, 4.25])

    async def main():
        queue, seen = Queue(clock=lambda: next(times)), [taken()]
        put(queue, "a", "b")
        await queue.get()
        seen.append(taken())
        bind_context(more=1)
        seen.append(taken())
        await in_wait_for(queue)
        seen.append(taken())
        queue.get().close()
        return [*seen, taken()]

    assert asyncio.run(main()) == [
        None,
        Taken(1500.0, 0),
        Taken(1500.0, 0),
        Taken(2250.0, 1),
        None,
    ]


# -- As asyncio's ----------------------------------------------------------------------------------


def test_the_order_is_asyncio_s():
    """First in, least, or last in first; among equals, too."""
    items = [(number % 3, f"{number}") for number in range(20)]
    for kind, like in zip(
        KINDS, [asyncio.Queue, asyncio.PriorityQueue, asyncio.LifoQueue], strict=True
    ):
        ours, asyncios = kind(), like()
        for item in items:
            ours.put_nowait(item)
            asyncios.put_nowait(item)

        assert isinstance(ours, like)
        assert isinstance(ours, Queue)
        assert repr(ours).partition(" at ")[0] == f"<{kind.__name__}"
        assert str(ours) == str(asyncios)
        assert [ours.get_nowait() for _ in items] == [asyncios.get_nowait() for _ in items]


def test_equal_priorities_compare_no_more_than_asyncio_does():
    """Items that can only be compared with `<` are enough, and our own part is never compared."""

    class Job:
        def __init__(self, priority):
            self.priority = priority

        def __lt__(self, other):
            return self.priority < other.priority

        __eq__ = __hash__ = None

    queue = PriorityQueue()
    jobs = [Job(2), Job(1), Job(1), Job(2)]
    for number, job in enumerate(jobs):
        bind_context(number=number)
        queue.put_nowait(job)

    assert [queue.get_nowait().priority for _ in jobs] == [1, 1, 2, 2]


def test_bounds_join_and_task_done():
    """A full queue makes its putters wait, and `join` waits for what was taken."""

    async def main():
        queue = Queue(1)
        await queue.put(1)
        assert queue.full()
        with pytest.raises(asyncio.QueueFull):
            queue.put_nowait(2)
        bind_context(user="kim")
        putting = asyncio.create_task(queue.put(2))
        clear_context()
        assert (await queue.get(), await queue.get(), bound()) == (1, 2, {"user": "kim"})
        await putting
        queue.task_done()
        queue.task_done()
        await queue.join()
        with pytest.raises(ValueError):
            queue.task_done()

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="asyncio's queues have no shutdown yet")
def test_shutdown():
    """Items that are thrown away are worn by nobody; a queue that is shut down says so."""

    async def main():
        queue = Queue()
        put(queue, "a", "b")
        queue.shutdown(immediate=True)
        with pytest.raises(asyncio.QueueShutDown):
            await queue.get()
        with pytest.raises(asyncio.QueueShutDown):
            queue.get_nowait()
        return bound()

    assert asyncio.run(main()) == {}


def test_a_get_that_nobody_awaits_is_warned_about_as_asyncio_s_is():
    """The same words, and no item is lost."""

    def complaint(queue):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            queue.get()
            gc.collect()
        return [str(each.message) for each in caught]

    assert complaint(Queue()) == complaint(asyncio.Queue()) != []


def test_a_subclass_that_keeps_its_items_itself():
    """A queue of one's own works as it would over asyncio's; what it hides has no context."""

    class Unique(Queue):
        def _init(self, maxsize):
            self._queue = {}

        def _put(self, item):
            self._queue[item] = None

        def _get(self):
            return self._queue.popitem()[0]

    class Upper(Queue):
        def _put(self, item):
            super()._put(item.upper())

    async def main():
        unique, upper = Unique(), Upper()
        put(unique, "a", "a")
        put(upper, "b")
        return await unique.get(), bound(), unique.empty(), await upper.get(), bound()

    assert asyncio.run(main()) == ("a", {}, True, "B", {"item": "b"})


def test_it_can_be_subscripted():
    """As asyncio's can, for annotations."""
    assert Queue[int]().empty()
    assert LifoQueue[int].__origin__ is LifoQueue
