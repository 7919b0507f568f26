"""Whether a loop is running."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import types

import trio

from tracelog.loops import (
    awaited_that_waits_for,
    coroutine_of,
    in_trio,
    on_loop,
    running_task,
    variables_of,
    waiter_of,
    waits_for,
    waits_for_tasks,
)


mark = contextvars.ContextVar("mark")


def test_outside_a_loop():
    """Plain code holds up nobody."""
    assert on_loop() is False


def test_inside_a_loop():
    """A task, and what it calls, runs on a loop."""

    async def main():
        return on_loop()

    assert asyncio.run(main()) is True


def test_in_a_thread_beside_a_loop():
    """A thread that a task started has no loop of its own."""

    async def main():
        return await asyncio.to_thread(on_loop)

    assert asyncio.run(main()) is False


def test_in_a_process_that_never_loaded_asyncio(monkeypatch):
    """Nobody runs a loop who hasn't loaded asyncio, and asking doesn't load it."""
    monkeypatch.delitem(sys.modules, "asyncio")

    assert on_loop() is False
    assert "asyncio" not in sys.modules


def test_every_thread_answers_for_itself():
    """A loop in another thread is none in this one."""
    answers = []

    async def main():
        answers.append(on_loop())

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    thread.join()
    answers.append(on_loop())

    assert answers == [True, False]


def test_the_task_that_runs():
    """None outside of tasks, in a callback say."""
    seen = []

    async def main():
        asyncio.get_running_loop().call_soon(lambda: seen.append(running_task()))
        await asyncio.sleep(0)
        return running_task() is asyncio.current_task()

    assert asyncio.run(main()) is True
    assert [*seen, running_task()] == [None, None]


def test_trio_is_another_world():
    """A task of trio's is on no loop of asyncio's; and asyncio's is in no trio."""

    async def main():
        return on_loop(), in_trio()

    assert trio.run(main) == (False, True)
    assert asyncio.run(main()) == (True, False)
    assert in_trio() is False


def test_in_a_process_that_never_loaded_trio(monkeypatch):
    """Nobody is in it who hasn't loaded it, and asking doesn't load it."""
    monkeypatch.delitem(sys.modules, "trio")

    assert in_trio() is False
    assert "trio" not in sys.modules


def test_what_a_task_runs_in():
    """Its own context, on every Python; also of a task that isn't compiled, and of a handle."""

    async def job():
        mark.set("its own")

    async def main():
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(job()), asyncio.tasks._PyTask(job(), loop=loop)]
        await asyncio.wait(tasks)
        handle = loop.call_soon(print)
        handle.cancel()
        assert variables_of(handle) is not None
        return [variables_of(task)[mark] for task in tasks]

    assert asyncio.run(main()) == ["its own", "its own"]


def test_what_has_no_context_tells_none():
    """Anything may be asked."""
    assert variables_of(object()) is None


def test_who_waits_for_a_task():
    """Whoever awaits it, in whichever of asyncio's ways; not who waits for what it does."""

    async def ask(waiter):
        return waits_for(waiter, running_task())

    async def tell(waiter, told):
        told.set_result(waits_for(waiter, running_task()))

    async def main():
        me = running_task()
        assert await asyncio.create_task(ask(me))
        assert await asyncio.gather(ask(me), ask(me)) == [True, True]
        assert await asyncio.shield(ask(me))
        [done], _ = await asyncio.wait([asyncio.create_task(ask(me))])
        assert done.result()
        assert await asyncio.wait_for(asyncio.create_task(ask(me)), 10)
        assert not await ask(me)
        told = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(tell(me, told))
        assert not await told
        await task

    asyncio.run(main())


def test_who_waits_for_tasks():
    """For one, or for all of a `gather`; whatever a `wait` is for, its own frame tells."""

    async def ask(waiter):
        return waits_for_tasks(waiter)

    async def main():
        me = running_task()
        assert await asyncio.create_task(ask(me))
        assert await asyncio.gather(ask(me), ask(me)) == [True, True]
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: future.set_result(waits_for_tasks(me)))
        assert not await future
        assert not waits_for_tasks(None)

    asyncio.run(main())


def test_a_task_tells_who_waits_for_it():
    """The same, asked the other way round."""

    async def ask():
        return waiter_of(running_task())

    async def tell(told):
        told.set_result(waiter_of(running_task()))

    async def main():
        me = running_task()
        assert await asyncio.create_task(ask()) is me
        assert await asyncio.gather(ask(), ask()) == [me, me]
        assert await asyncio.shield(ask()) is me
        [done], _ = await asyncio.wait([asyncio.create_task(ask())])
        assert done.result() is me
        assert await asyncio.wait_for(asyncio.create_task(ask()), 10) is me
        told = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(tell(told))
        task.add_done_callback(lambda _: None)
        assert await told is None
        await task

    asyncio.run(main())


def test_what_a_task_gathers_or_shields_is_looked_through():
    """For the one that waits for a future, if any does; of thousands, a few are looked at."""

    async def main():
        me, loop = running_task(), asyncio.get_running_loop()
        future, found = loop.create_future(), []

        def look():
            found.append(awaited_that_waits_for(me, [future]))
            found.append(awaited_that_waits_for(me, ["x", loop]))
            future.set_result(None)

        child = asyncio.create_task(asyncio.wait_for(future, None))
        for others in (0, 1000):
            loop.call_soon(loop.call_soon, look)
            await asyncio.gather(*(asyncio.sleep(0, future) for _ in range(others)), child)
            future = loop.create_future()
            assert found == [None if others else child, None]
            found.clear()
            child = asyncio.create_task(asyncio.wait_for(future, None))
        loop.call_soon(loop.call_soon, look)
        await asyncio.shield(child)
        assert found == [child, None]
        assert awaited_that_waits_for(None, [future]) is None

    asyncio.run(main())


def test_who_shows_nothing_waits_for_nobody():
    """A task of a class of its own, or none."""
    silent, waiting = object(), types.SimpleNamespace(_fut_waiter=object())

    assert not waits_for(waiting, silent)
    assert not waits_for(silent, silent)
    assert not waits_for(None, None)
    assert waiter_of(silent) is None
    assert waiter_of(waiting) is None


def test_a_task_that_is_over_as_soon_as_it_began_has_no_coroutine():
    """CPython 3.12.1 would end the process if it were asked for it; other tasks have one."""

    async def nothing():
        pass

    async def main():
        if sys.version_info >= (3, 12):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        over = asyncio.create_task(nothing())
        task = asyncio.current_task()
        return over.done(), coroutine_of(over), coroutine_of(task) is task.get_coro()

    over, coroutine, has_one = asyncio.run(main())

    assert over == (coroutine is None)
    assert has_one


def test_what_is_no_task_has_no_coroutine():
    """Nothing is asked of it."""
    assert coroutine_of(object()) is None


def test_asyncio_may_be_half_loaded(monkeypatch):
    """Another thread is at it: no loop can be running."""
    monkeypatch.setitem(sys.modules, "asyncio", types.ModuleType("asyncio"))

    assert on_loop() is False
