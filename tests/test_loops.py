"""Whether a loop is running."""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import types

from tracelog.loops import is_made_for, on_loop, running_task, variables_of


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


def test_who_a_task_is_made_for():
    """Only what `wait_for` makes, before 3.12, is somebody else's."""

    async def ask(waiter):
        return is_made_for(waiter)

    async def main():
        me = asyncio.current_task()
        assert not is_made_for(me)
        assert not await asyncio.create_task(ask(me))
        assert not (await asyncio.gather(ask(me)))[0]
        return await asyncio.wait_for(ask(me), 10)

    assert asyncio.run(main()) is (sys.version_info < (3, 12))
    assert not is_made_for(None)


def test_asyncio_may_be_half_loaded(monkeypatch):
    """Another thread is at it: no loop can be running."""
    monkeypatch.setitem(sys.modules, "asyncio", types.ModuleType("asyncio"))

    assert on_loop() is False
