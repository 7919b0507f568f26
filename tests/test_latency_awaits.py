"""What a suspended task waits for, as its frames tell."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import threading
import types

import anyio
import anyio.to_thread
import pytest
import uvloop
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from tracelog.context import Connection, Context
from tracelog.latency.awaits import (
    Await,
    await_of,
    is_for_client,
    receive_more,
    send_back,
    send_to,
)
from tracelog.latency.ledger import Ledger


async def settled(task):
    """Let *task* go on until it waits."""
    for _ in range(5):
        await asyncio.sleep(0)
    return task


@contextlib.asynccontextmanager
async def waiting(coroutine):
    """A task that waits; it is cancelled in the end."""
    task = await settled(asyncio.create_task(coroutine))
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def what_of(coroutine):
    async with waiting(coroutine) as task:
        return await_of(task).what


async def user_sleeps():
    await asyncio.sleep(3600)


async def user_wants_a_lock():
    lock = asyncio.Lock()
    await lock.acquire()
    await lock.acquire()


async def user_wants_a_semaphore():
    await asyncio.Semaphore(0).acquire()


async def user_waits_for_an_event():
    await asyncio.Event().wait()


async def user_waits_for_a_condition():
    async with (condition := asyncio.Condition()):
        await condition.wait()


async def user_waits_at_a_barrier():
    await asyncio.Barrier(2).wait()


async def user_gets():
    await asyncio.Queue().get()


async def user_puts():
    queue = asyncio.Queue(1)
    await queue.put(1)
    await queue.put(2)


async def user_joins():
    queue = asyncio.Queue()
    queue.put_nowait(1)
    await queue.join()


async def user_reads():
    await asyncio.StreamReader().readline()


async def user_gathers_tasks():
    async with asyncio.TaskGroup() as group:
        group.create_task(user_sleeps())


async def user_waits_for_tasks():
    await asyncio.wait([asyncio.create_task(user_sleeps())])


async def user_waits_for_whatever():
    await asyncio.get_running_loop().create_future()


async def user_receives():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        await asyncio.get_running_loop().sock_recv(ours, 1)


async def user_accepts():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        await asyncio.get_running_loop().sock_accept(server)


async def user_asks_a_thread():
    release = threading.Event()
    try:
        await asyncio.to_thread(release.wait)
    finally:
        release.set()


@pytest.mark.parametrize(
    ("user", "what"),
    [
        (user_sleeps, "sleep"),
        (user_wants_a_lock, "lock"),
        (user_wants_a_semaphore, "semaphore"),
        (user_waits_for_an_event, "event"),
        (user_waits_for_a_condition, "condition"),
        (user_waits_at_a_barrier, "barrier"),
        (user_gets, "queue get"),
        (user_puts, "queue put"),
        (user_joins, "queue join"),
        (user_reads, "network read"),
        (user_receives, "network read"),
        (user_accepts, "network accept"),
        (user_asks_a_thread, "thread"),
        (user_gathers_tasks, "tasks"),
        (user_waits_for_tasks, "tasks"),
        (user_waits_for_whatever, "future"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_task_waits_for_and_where(user, what):
    """asyncio's own coroutines are known by name; the line is the user's."""

    async def main():
        async with waiting(user()) as task:
            return await_of(task)

    found = asyncio.run(main())

    assert found.what == what
    assert "test_latency_awaits.py:" in found.where
    assert found.where.endswith(f" {user.__name__}")


async def write(peer):
    address = peer.getsockname()
    _, writer = await asyncio.open_connection(*address, limit=2)
    try:
        writer.transport.set_write_buffer_limits(0)
        while True:
            writer.write(bytes(1_000_000))
            await writer.drain()
    finally:
        writer.transport.abort()


def test_whoever_waits_for_a_peer_to_take_data_is_known():
    """A connection whose other end doesn't read."""

    async def main():
        with socket.create_server(("127.0.0.1", 0)) as peer:
            task = asyncio.create_task(write(peer))
            while await_of(task).what != "network write":
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])

    asyncio.run(main())


def library(file, source):
    names = {"asyncio": asyncio}
    exec(compile(source, file, "exec"), names)
    return types.SimpleNamespace(**names)


asyncpg = library(
    "/x/site-packages/asyncpg/connection.py",
    "async def fetch():\n    await asyncio.get_running_loop().create_future()\n"
    "async def read():\n    await asyncio.StreamReader().readline()\n",
)
starlette = library(
    "/x/site-packages/starlette/routing.py",
    "async def app(endpoint):\n    await endpoint()\n"
    "async def run(endpoint):\n    await asyncio.wait_for(endpoint(), 3600)\n",
)


async def user_fetches():
    await asyncpg.fetch()


async def user_reads_rows():
    await asyncpg.read()


@pytest.mark.parametrize(
    ("coroutine", "what"),
    [
        (user_fetches, "asyncpg"),
        (user_reads_rows, "network read in asyncpg"),
        (asyncpg.fetch, "asyncpg"),
    ],
    ids=["unknown", "known", "nobody's but the library's"],
)
def test_a_library_is_named(coroutine, what):
    """Whatever it waits for itself, the user waits for it."""
    assert asyncio.run(what_of(coroutine())) == what


@pytest.mark.parametrize(
    ("endpoint", "what"),
    [(user_sleeps, "sleep"), (user_fetches, "asyncpg"), (user_waits_for_whatever, "future")],
    ids=["asyncio", "library", "future"],
)
def test_a_framework_that_called_the_user_is_not_what_they_wait_for(endpoint, what):
    """Below a server's and a framework's frames, the user's code is the innermost that matters."""
    assert asyncio.run(what_of(starlette.app(endpoint))) == what


pool = library(
    "/x/site-packages/pool/pool.py",
    "async def get(condition):\n"
    "    async with condition:\n"
    "        await asyncio.wait_for(condition.wait(), 3600)\n"
    "async def take(rest):\n    await rest()\n",
)


async def user_asks_a_pool():
    await pool.get(asyncio.Condition())


async def user_asks_what_is_built_on_anyio():
    await pool.take(lambda: anyio.sleep(3600))


@pytest.mark.parametrize(
    ("user", "what"),
    [
        (user_asks_a_pool, "condition in pool"),
        (user_asks_what_is_built_on_anyio, "sleep in pool"),
    ],
)
def test_the_library_that_the_user_knows_is_named(user, what):
    """The one that waits for a task of `wait_for`'s, and the one that is built on anyio."""

    async def main():
        before = asyncio.all_tasks()
        async with waiting(user()) as task:
            inner = asyncio.all_tasks() - before - {task}
            return {await_of(each).what for each in (task, *inner)}

    assert asyncio.run(main()) == {what}


def test_the_task_around_it_tells_where():
    """A library's own task has no line of the user's: whoever waits for it has."""

    async def main():
        async with waiting(asyncpg.fetch()) as inner, waiting(user_sleeps()) as outer:
            return await_of(inner, outer), await_of(inner), await_of(object(), outer)

    inside, alone, nothing = asyncio.run(main())

    assert inside.what == "asyncpg"
    assert inside.where.endswith("user_sleeps")
    assert alone == Await("asyncpg", "connection.py:2 fetch")
    assert (nothing.what, nothing.where) == ("sleep", inside.where)


def test_who_waits_for_it_tells_where():
    """A task that runs nothing of the user's, such as `wait_for`'s own before Python 3.12."""

    async def user_gets_soon():
        await asyncio.wait_for(asyncio.Queue().get(), 3600)

    async def user_gets_two():
        inner.append(asyncio.create_task(asyncio.Queue().get()))
        await asyncio.wait(inner)

    inner = []

    async def main():
        async with waiting(user_gets_soon()) as soon, waiting(user_gets_two()) as outer:
            async with waiting(user_sleeps()) as handler:
                found = await_of(soon), await_of(inner[0], handler), await_of(outer)
        inner[0].cancel()
        return found

    soon, own, outer = asyncio.run(main())

    assert (soon.what, own.what, outer.what) == ("queue get", "queue get", "tasks")
    assert soon.where.endswith("user_gets_soon")
    assert own.where.endswith("user_gets_two")


def test_a_send_to_another_client_is_told_as_that():
    """Whatever the server waits for in there; unless that is in code of the user's."""
    bob = Context.make({"user_id": "bob"}, None, Connection("c-1"))

    async def user_tells(what):
        await send_to(bob, what())

    async def main():
        async with (
            waiting(user_tells(asyncpg.fetch)) as told,
            waiting(user_tells(user_sleeps)) as own,
        ):
            return await_of(told), await_of(own)

    told, own = asyncio.run(main())

    assert (told.what, told.to, own.what, own.to) == ("send", bob, "sleep", None)
    assert told.where.endswith("user_tells")


@pytest.mark.parametrize("by", ["a server", "the user"])
def test_a_client_that_is_slow_to_send_is_told_as_that(by):
    """A line of the user's says more, one of a server's nothing."""
    server = library(
        "/x/site-packages/server.py",
        "async def run(receive, event):\n await receive(event.wait())\n",
    )

    async def endpoint(receive, event):
        await receive(event.wait())

    async def main():
        run = server.run if by == "a server" else endpoint
        async with waiting(run(receive_more, asyncio.Event())) as task:
            return await_of(task)

    found = asyncio.run(main())

    assert found.what == "receive"
    assert found.where.rpartition(".")[2] == ("" if by == "a server" else "endpoint")


def test_a_send_to_ones_own_client_is_told_as_that():
    """Whose it is needs no saying."""
    ledger = Ledger(0.0)

    async def user_answers():
        await send_back(ledger, asyncpg.fetch())

    async def main():
        async with waiting(user_answers()) as task:
            assert ledger.sending == 1
            return await_of(task)

    found = asyncio.run(main())

    assert (found.what, found.to, ledger.sending) == ("send", None, 0)


@pytest.mark.parametrize(
    ("user", "whether"),
    [(user_sleeps, False), (user_waits_for_tasks, True), (user_waits_for_whatever, True)],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_has_a_name_is_not_the_client(user, whether):
    """Tasks may be those that send; a sleep is a sleep."""

    async def main():
        async with waiting(user()) as task:
            return is_for_client(task)

    assert asyncio.run(main()) is whether


async def user_receives_from_anyio():
    send, receive = anyio.create_memory_object_stream()
    with send, receive:
        await receive.receive()


async def user_wants_a_token():
    await anyio.CapacityLimiter(0).acquire()


async def user_asks_anyios_thread():
    release = threading.Event()
    try:
        await anyio.to_thread.run_sync(release.wait, abandon_on_cancel=True)
    finally:
        release.set()


async def user_wants_anyios_thread():
    await anyio.to_thread.run_sync(print, limiter=anyio.CapacityLimiter(0))


@pytest.mark.parametrize(
    ("user", "what"),
    [
        (user_receives_from_anyio, "queue get in anyio"),
        (user_wants_a_token, "semaphore in anyio"),
        (user_asks_anyios_thread, "thread running Event.wait"),
        (user_wants_anyios_thread, "free thread for print"),
    ],
)
def test_anyios_own_are_known_too(user, what):
    """Starlette and FastAPI run what isn't async in its threads, and httpx reads by its streams."""

    async def main():
        async with waiting(user()) as task:
            return await_of(task)

    found = asyncio.run(main())

    assert (found.what, found.where.rpartition(" ")[2]) == (what, user.__name__)


async def user_is_around_a_framework(func):
    await BackgroundTask(func)()


async def user_asks_by_a_framework(func):
    await run_in_threadpool(func)


@pytest.mark.parametrize(
    ("user", "is_users", "where"),
    [
        (user_is_around_a_framework, True, "endpoint"),
        (user_is_around_a_framework, False, "user_is_around_a_framework"),
        (user_asks_by_a_framework, True, "user_asks_by_a_framework"),
    ],
    ids=["a user's", "a library's", "the user asks for it"],
)
def test_what_a_framework_lets_run_in_a_thread_is_where_that_begins(user, is_users, where):
    """No line of the user's has asked for it, and that of a middleware around it says nothing."""
    release = threading.Event()

    def endpoint():
        release.wait()

    async def main():
        async with waiting(user(endpoint if is_users else release.wait)) as task:
            try:
                return await_of(task)
            finally:
                release.set()

    found = asyncio.run(main())

    assert found.what.startswith("thread running ")
    assert found.where.rpartition(" ")[2].rpartition(".")[2] == where


async def enter_for_the_user(manager, _):
    await BackgroundTask(manager.__enter__)()


async def stream_for_the_user(_, parts):
    await StreamingResponse(parts).body_iterator.__anext__()


@pytest.mark.parametrize(
    ("user", "what", "where"),
    [
        (enter_for_the_user, "session", "session"),
        (stream_for_the_user, "parts", "stream_for_the_user"),
        (lambda _, parts: anyio.to_thread.run_sync(exhaust, parts), "exhaust", "exhaust"),
    ],
    ids=["a manager", "a stream", "the user's function"],
)
def test_a_generator_that_goes_on_in_a_thread_is_named(user, what, where):
    """As a dependency of FastAPI's and a stream of Starlette's do, by functions of their own."""
    release = threading.Event()

    @contextlib.contextmanager
    def session():
        release.wait()
        yield

    def parts():
        release.wait()
        yield b""

    async def main():
        async with waiting(user(session(), parts())) as task:
            try:
                return await_of(task)
            finally:
                release.set()

    found = asyncio.run(main())

    assert found.what.rpartition(" ")[2].rpartition(".")[2] == what
    assert found.where.rpartition(" ")[2].rpartition(".")[2] == where


def exhaust(parts):
    """A function of the user's that takes a generator."""
    return [*parts]


async def user_reads_from_a_converter(converter):
    await converter.stdout.readline()


async def user_writes_to_a_converter(converter):
    converter.stdin.write(bytes(10_000_000))
    await converter.stdin.drain()


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
@pytest.mark.parametrize("user", [user_reads_from_a_converter, user_writes_to_a_converter])
def test_a_subprocess_is_no_network(make_loop, user):
    """Its pipes are streams, too; whoever waits for one waits for the subprocess."""

    async def main():
        pipe = asyncio.subprocess.PIPE
        converter = await asyncio.create_subprocess_exec("sleep", "60", stdin=pipe, stdout=pipe)
        try:
            async with waiting(user(converter)) as task:
                return await_of(task)
        finally:
            converter.kill()
            await converter.wait()

    with asyncio.Runner(loop_factory=make_loop) as runner:
        found = runner.run(main())

    assert (found.what, found.where.rpartition(" ")[2]) == ("subprocess", user.__name__)


base = library(
    "/x/site-packages/starlette/base.py",
    "import anyio, functools\n"
    "async def middleware(endpoint, *others):\n"
    "    async with anyio.create_task_group() as group:\n"
    "        for each in (endpoint, *others):\n"
    "            group.start_soon(each)\n"
    "        await anyio.Event().wait()\n",
)


async def user_is_a_middleware(*inside):
    await base.middleware(*inside)


async def user_is_another(*inside):
    await base.middleware(functools.partial(base.middleware, *inside))


async def user_has_a_group_of_their_own():
    async with asyncio.TaskGroup() as group:
        group.create_task(user_sleeps())
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("task", "where"),
    [
        (lambda: user_is_a_middleware(user_sleeps), "user_sleeps"),
        (lambda: user_is_another(user_sleeps), "user_sleeps"),
        (lambda: user_is_a_middleware(user_sleeps, user_gets), "user_is_a_middleware"),
        (user_gathers_tasks, "user_sleeps"),
        (user_has_a_group_of_their_own, "user_has_a_group_of_their_own"),
    ],
    ids=["one", "one in another", "nobody knows which", "a group's end", "not a library's"],
)
def test_a_callbacks_wait_is_that_of_the_task_inside(task, where):
    """A pool's or a subprocess's callback has no task: the handler's waits for its middlewares."""

    async def main():
        async with waiting(task()) as outer:
            return await_of(None, outer).where

    assert asyncio.run(main()).endswith(where)


def test_what_is_no_task_waits_for_nobody_knows_what():
    """A callback, or a task that has ended."""

    async def ended():
        """Nothing."""

    async def main():
        task = await settled(asyncio.create_task(ended()))
        return await_of(task), await_of(None)

    assert asyncio.run(main()) == (Await("future", ""), Await("future", ""))
