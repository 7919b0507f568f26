"""Story: every place where Python loses the context, or mixes it up, and what puts it right."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import aclosing
from contextvars import copy_context
from logging.handlers import QueueHandler, QueueListener

import anyio
import anyio.from_thread
import anyio.to_thread
import httpx
import pytest
from fastapi import Depends, FastAPI

import tracelog
from tracelog.asgi import TraceMiddleware
from tracelog.formatters import JsonFormatter
from tracelog.records import ContextFilter


def user():
    return tracelog.get_context().get("user")


async def user_soon():
    await asyncio.sleep(0)
    return user()


def bind(name):
    tracelog.bind_context(user=name)


@pytest.fixture
def handlers():
    """Signal handlers are as they were afterwards."""
    numbers = (signal.SIGUSR1, signal.SIGUSR2)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


# -- Threads ---------------------------------------------------------------------------------------


def test_run_in_executor():
    """The default executor's threads have no context, unless the work is carried."""

    async def main():
        bind("kim")
        run = asyncio.get_running_loop().run_in_executor
        return await run(None, user), await run(None, tracelog.carry(user))

    assert asyncio.run(main()) == (None, "kim")


def test_a_thread_pool():
    """Python's own has no context; ours has that of whoever submits, whichever thread it is."""
    bind("kim")
    with tracelog.ContextThreadPoolExecutor(3) as pool:
        kims = [pool.submit(user) for _ in range(20)]
        bind("lee")
        lees = list(pool.map(lambda _: user(), range(20)))

    assert [each.result() for each in kims] == ["kim"] * 20
    assert lees == ["lee"] * 20


def test_our_pool_as_the_default_executor():
    """Nobody who calls `run_in_executor(None, ...)` has to know."""

    async def main():
        bind("kim")
        loop = asyncio.get_running_loop()
        loop.set_default_executor(tracelog.ContextThreadPoolExecutor(1))
        return await loop.run_in_executor(None, user), await asyncio.to_thread(user)

    assert asyncio.run(main()) == ("kim", "kim")


def test_a_thread():
    """A thread's target is carried."""
    seen = []
    bind("kim")
    thread = threading.Thread(target=tracelog.carry(lambda: seen.append(user())))
    bind("lee")
    thread.start()
    thread.join()

    assert seen == ["kim"]


def test_what_a_thread_binds_stays_there():
    """A copy is a copy: values come back as results."""

    async def main():
        bind("kim")
        await asyncio.to_thread(bind, "lee")
        return user()

    assert asyncio.run(main()) == "kim"


@pytest.mark.parametrize("bound", [None, "kim"], ids=["in a thread", "async"])
def test_what_a_fastapi_dependency_binds(bound):
    """In a thread it stays there; an async dependency, which gets what that found, binds it."""

    def find_user():
        tracelog.bind_context(user="kim")
        return "kim"

    async def bind_user(user=Depends(find_user)):
        tracelog.bind_context(user=user)

    app = FastAPI(dependencies=[Depends(bind_user if bound else find_user)])

    @app.get("/")
    async def endpoint():
        return tracelog.get_context().get("user")

    async def main():
        transport = httpx.ASGITransport(TraceMiddleware(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return (await client.get("/")).json()

    assert asyncio.run(main()) == bound


def test_call_soon_threadsafe():
    """What a thread hands to the loop has the thread's context, or the one that it was given."""

    async def main():
        bind("kim")
        loop = asyncio.get_running_loop()
        lost, carried = loop.create_future(), loop.create_future()
        answer = tracelog.carry(lambda: carried.set_result(user()))

        def work():
            loop.call_soon_threadsafe(lambda: lost.set_result(user()))
            loop.call_soon_threadsafe(answer)

        threading.Thread(target=work).start()
        return await lost, await carried

    assert asyncio.run(main()) == (None, "kim")


def test_run_coroutine_threadsafe():
    """So it is with coroutines."""

    async def main():
        bind("kim")
        loop = asyncio.get_running_loop()
        carried = tracelog.carry(user_soon)

        def work(func):
            return asyncio.run_coroutine_threadsafe(func(), loop).result()

        return [
            await loop.run_in_executor(None, work, user_soon),
            await loop.run_in_executor(None, work, carried),
            await asyncio.to_thread(work, user_soon),
        ]

    assert asyncio.run(main()) == [None, "kim", "kim"]


def test_anyio():
    """anyio takes the context along by itself, into threads and back."""

    async def main():
        bind("kim")
        seen = [await anyio.to_thread.run_sync(user)]
        seen.append(await anyio.to_thread.run_sync(anyio.from_thread.run, user_soon))
        async with anyio.create_task_group() as group:
            group.start_soon(note, seen)
        return seen

    async def note(seen):
        seen.append(user())

    assert anyio.run(main) == ["kim"] * 3


# -- Callbacks and tasks ---------------------------------------------------------------------------


def test_call_later_is_as_of_its_registration():
    """What is bound afterwards isn't seen; what is carried is as of its carrying."""

    async def main():
        loop, seen, done = asyncio.get_running_loop(), [], asyncio.Event()
        bind("kim")
        carried = tracelog.carry(lambda: seen.append(user()))
        loop.call_later(0, lambda: seen.append(user()))
        bind("lee")
        loop.call_later(0, carried)
        loop.call_later(0, lambda: (seen.append(user()), done.set()))
        bind("mia")
        await done.wait()
        return seen

    assert sorted(asyncio.run(main())) == ["kim", "kim", "lee"]


def test_done_callbacks():
    """They run in the context of whoever adds them, or in the task's if they are given it."""

    async def main():
        seen, context = [], copy_context()
        context.run(bind, "the task's")
        task = asyncio.create_task(asyncio.sleep(0), context=context)
        bind("the adder's")
        task.add_done_callback(lambda _: seen.append(user()))
        task.add_done_callback(lambda _: seen.append(user()), context=context)
        await task
        await asyncio.sleep(0)
        return seen

    assert asyncio.run(main()) == ["the adder's", "the task's"]


def test_a_worker_that_is_fed_by_a_queue():
    """It is in the context of each item in turn, and in its own in between."""

    async def worker(items, seen):
        while (item := await items.get()) is not None:
            await asyncio.sleep(0)
            seen.append((item, user()))
            items.task_done()

    async def main():
        items, seen = tracelog.Queue(), []
        bind("the connection's")
        task = asyncio.create_task(worker(items, seen))
        for name in ("kim", "lee"):
            bind(name)
            await items.put(f"{name}'s")
        await items.put(None)
        await task
        return seen

    assert asyncio.run(main()) == [("kim's", "kim"), ("lee's", "lee")]


def test_lines_of_a_pipeline_carry_one_trace_from_end_to_end(tmp_path):
    """From queue to queue to thread, a message's lines are in the message's trace."""
    path = tmp_path / "lines.log"
    tracelog.configure_logging(format="json", sink=path, level="INFO", env_file=None)
    log = tracelog.get_logger("app")

    async def stage(incoming, outgoing):
        while True:
            number = await asyncio.wait_for(incoming.get(), 60)
            log.info("stage", number=number)
            await asyncio.get_running_loop().run_in_executor(
                None, tracelog.carry(log.info), "thread"
            )
            await outgoing.put(number)

    async def main():
        first, second, last = tracelog.Queue(), tracelog.Queue(), tracelog.Queue()
        workers = [asyncio.create_task(stage(first, second)) for _ in range(3)]
        workers += [asyncio.create_task(stage(second, last)) for _ in range(3)]
        traces = {}
        for number in range(50):
            traces[number] = tracelog.new_trace().trace_id
            tracelog.bind_context(n=number)
            await first.put(number)
        ended = {}
        for _ in range(50):
            number = await last.get()
            ended[number] = tracelog.current_trace().trace_id
        for each in workers:
            each.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        return traces, ended

    traces, ended = asyncio.run(main())
    assert tracelog.flush(10)
    lines = [json.loads(line) for line in path.read_text().splitlines()]

    assert ended == traces
    assert len(lines) == 200
    assert all(line["trace_id"] == traces[line["n"]] for line in lines)
    assert all(line.get("number", line["n"]) == line["n"] for line in lines)


def test_a_task_that_outlives_its_request():
    """Started in an empty context it is nobody's; otherwise the first request's for ever."""

    async def request(name, **where):
        bind(name)
        return asyncio.create_task(user_soon(), **where)

    async def main():
        lost = await asyncio.create_task(request("first"))
        clean = await asyncio.create_task(request("first", context=contextvars.Context()))
        return await lost, await clean

    assert asyncio.run(main()) == ("first", None)


def test_task_groups_gather_and_eager_tasks():
    """A child has the context of whoever starts it, and keeps what it binds to itself."""

    async def child(name):
        before = user()
        bind(name)
        await asyncio.sleep(0)
        return before, user()

    async def main():
        bind("opener")
        async with asyncio.TaskGroup() as group:
            bind("kim")
            task = group.create_task(child("a"))
        seen = [await task, *await asyncio.gather(child("b"), child("c"))]
        if sys.version_info >= (3, 12):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        seen.append(await asyncio.create_task(child("d")))
        return seen, user()

    assert asyncio.run(main()) == ([("kim", name) for name in "abcd"], "kim")


def test_an_eager_task_that_takes_an_item():
    """It runs within the worker's own step: nobody waits for it yet, and nothing is mixed up."""

    async def main():
        if sys.version_info >= (3, 12):
            asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        items = tracelog.Queue()
        bind("kim")
        items.put_nowait(1)
        items.put_nowait(2)
        bind("worker")
        item = await asyncio.create_task(items.get())
        first = user()
        return item, first, await items.get(), user()

    first = "worker" if sys.version_info >= (3, 12) else "kim"
    assert asyncio.run(main()) == (1, first, 2, "kim")


def test_wait_for():
    """A block inside of it leaves nothing, and what is bound around it is seen inside."""

    async def query():
        with tracelog.bound_context(step="query"):
            return dict(tracelog.get_context())

    async def main():
        bind("kim")
        return await asyncio.wait_for(query(), 60), dict(tracelog.get_context())

    assert asyncio.run(main()) == ({"user": "kim", "step": "query"}, {"user": "kim"})


def test_waiting_tasks_keep_their_own():
    """Whoever sets a future's result, its waiter goes on in its own context."""

    async def waiter(future):
        bind("kim")
        return await future, user()

    async def setter(future):
        bind("lee")
        future.set_result(1)

    async def main():
        future = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(waiter(future))
        await asyncio.sleep(0)
        await asyncio.create_task(setter(future))
        return await task

    assert asyncio.run(main()) == (1, "kim")


# -- Generators ------------------------------------------------------------------------------------


def test_async_generators():
    """Decorated, they leak nothing into whoever iterates them, and nothing fails when closed."""
    seen = []

    @tracelog.bound_context(room="attic")
    async def rooms():
        try:
            while True:
                yield tracelog.get_context().get("room")
        finally:
            seen.append(tracelog.get_context().get("room"))

    async def first(generator):
        return await anext(generator)

    async def main():
        async with aclosing(rooms()) as generator:
            inside = await asyncio.create_task(first(generator))
            return inside, tracelog.get_context().get("room")

    assert asyncio.run(main()) == ("attic", None)
    assert seen == ["attic"]


# -- Signals and finalizers ------------------------------------------------------------------------


@pytest.mark.usefixtures("handlers")
def test_signal_handlers():
    """A handler that was carried from an empty context never wears what it interrupts."""

    async def victim(done):
        bind("victim")
        os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGUSR2)
        await done.wait()
        return user()

    async def main():
        bind("registering")
        seen, done, loop = [], asyncio.Event(), asyncio.get_running_loop()

        def note(*_):
            seen.append(user())
            if len(seen) == 2:
                done.set()

        nobodys = contextvars.Context().run(tracelog.carry, note)
        signal.signal(signal.SIGUSR1, nobodys)
        loop.add_signal_handler(signal.SIGUSR2, nobodys)
        after = await asyncio.create_task(victim(done))
        loop.remove_signal_handler(signal.SIGUSR2)
        return seen, after

    assert asyncio.run(main()) == ([None, None], "victim")


def test_finalizers():
    """`__del__` speaks in the context of its construction, whoever drops the last reference."""
    seen = []

    class Connection:
        def __init__(self):
            self._closed = tracelog.carry(lambda: seen.append(user()))

        def __del__(self):
            self._closed()

    async def owner(held):
        bind("kim")
        held.append(Connection())

    async def other(held):
        bind("lee")
        held.clear()
        gc.collect()

    async def main():
        held = []
        await asyncio.create_task(owner(held))
        await asyncio.create_task(other(held))

    asyncio.run(main())

    assert seen == ["kim"]


# -- Other threads that write, other processes that work -------------------------------------------


def test_a_queue_handler():
    """A foreign record gets its context in the thread that logs; one of ours has it anyway."""
    bind("kim")
    handler = QueueHandler(queue.SimpleQueue())
    handler.addFilter(ContextFilter())
    lines = []

    class Sink(logging.Handler):
        def emit(self, record):
            lines.append(json.loads(self.format(record)))

    sink = Sink()
    sink.setFormatter(JsonFormatter())
    listener = QueueListener(handler.queue, sink)
    listener.start()
    logging.getLogger("app").addHandler(handler)
    logging.getLogger("app").warning("theirs")
    tracelog.get_logger("app").warning("ours")
    listener.stop()

    assert [(line["event"], line["user"]) for line in lines] == [("theirs", "kim"), ("ours", "kim")]


PROCESSES = """
import asyncio
import multiprocessing
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

import tracelog


def work(*_):
    trace = tracelog.current_trace()
    return trace and str(trace), dict(tracelog.get_context()).get("user")


def report(pipe):
    pipe.send(work())


async def main(method):
    context = multiprocessing.get_context(method)
    tracelog.new_trace()
    tracelog.bind_context(user="a stranger", lock=threading.Lock())
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(work).result()  # a forked worker is in this context from now on

        async def serve(user):
            trace = tracelog.new_trace()
            tracelog.bind_context(user=user)
            run = asyncio.get_running_loop().run_in_executor
            assert await run(pool, tracelog.carry(work)) == (str(trace), user)
            assert list(pool.map(tracelog.carry(work), [1, 2])) == [(str(trace), user)] * 2

        await asyncio.gather(serve("kim"), serve("lee"))

    trace = tracelog.new_trace()
    tracelog.bind_context(user="kim")
    ours, theirs = context.Pipe()
    process = context.Process(target=tracelog.carry(report), args=(theirs,))
    tracelog.new_trace()
    tracelog.bind_context(user="lee")
    process.start()
    process.join()
    assert process.exitcode == 0
    assert ours.recv() == (str(trace), "kim")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes(method, tmp_path):
    """A pool's worker and a process are in the caller's trace, whatever they inherited."""
    script = tmp_path / "script.py"
    script.write_text(PROCESSES)

    done = subprocess.run(
        [sys.executable, "-W", "error", str(script), method],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")
