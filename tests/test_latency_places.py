"""Places in code, as a person names them."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
import types
from functools import partial

import pytest

import tracelog
from tracelog.latency import places
from tracelog.latency.places import (
    Place,
    name_of_function,
    places_of_awaits,
    places_of_frames,
    users_place,
)


PACKAGE = tracelog.__path__[0]
ASYNCIO = asyncio.__path__[0]


def place(file, function="f"):
    return Place(file, 1, function)


def load(file, source):
    """Run *source* as if it were in that file; gives what it defines."""
    names = {}
    exec(compile(source, file, "exec"), names)
    return types.SimpleNamespace(**names)


def test_a_place_is_a_file_a_line_and_a_function():
    """The name of a nested function has its outer one's, without Python's marks."""

    def outer():
        def inner():
            """Nothing."""

        return inner

    found = Place.of(outer().__code__, 42)

    name = "test_a_place_is_a_file_a_line_and_a_function.outer.inner"
    assert found == Place(__file__, 42, name)
    assert str(found).endswith(f"test_latency_places.py:42 {name}")


def test_a_line_may_be_unknown():
    """Generated code has none."""
    assert Place.of(test_a_line_may_be_unknown.__code__, None).line == 0


@pytest.mark.parametrize(
    ("file", "shown"),
    [
        ("/srv/app/chat/views.py", "chat/views.py:1 f"),
        ("/srv/app/lib/chat/views.py", "chat/views.py:1 f"),
        ("/srv/application/views.py", "views.py:1 f"),
        ("<stdin>", "<stdin>:1 f"),
    ],
    ids=["below a folder", "below the innermost", "below none", "no file"],
)
def test_a_file_is_shown_from_where_it_was_imported(monkeypatch, file, shown):
    """Nobody wants to read where the virtual environment is."""
    monkeypatch.setattr(sys, "path", ["", "/srv/app", "/srv/app/lib"])

    assert str(place(file)) == shown


@pytest.mark.parametrize(
    ("file", "library", "users"),
    [
        ("/srv/app/views.py", None, True),
        ("/srv/tracelog_of_mine/views.py", None, True),
        ("/srv/tracelog/demo/service.py", None, True),
        ("/srv/tracelog/queues.py", None, False),
        ("/x/site-packages/asyncpg/connection.py", "asyncpg", False),
        (f"{ASYNCIO}/locks.py", None, False),
    ],
)
def test_whose_a_file_is(monkeypatch, file, library, users):
    """The user's is what isn't Python's, nor ours, nor an installed library's."""
    monkeypatch.setattr(places, "_OURS", "/srv/tracelog/")
    monkeypatch.setattr(places, "_DEMO", "/srv/tracelog/demo/")
    monkeypatch.setattr(places, "_is_users", places._is_users.__wrapped__)

    found = place(file)

    assert (found.library, found.is_users) == (library, users)
    assert found.is_ours is (file == "/srv/tracelog/queues.py")
    assert found.is_asyncios is file.startswith(f"{ASYNCIO}/")


def test_the_demo_is_a_users_when_it_is_installed_too(monkeypatch):
    """It shows what a user would see of their own code."""
    installed = "/x/site-packages/tracelog/demo/"
    monkeypatch.setattr(places, "_DEMO", installed)

    found = place(f"{installed}run.py")

    assert (found.library, found.is_users, found.is_ours) == (None, True, False)


def test_the_users_innermost_place_is_told():
    """What they can change; or else what they called; or else anything there is."""
    users, library = place("/srv/app/views.py"), place("/x/site-packages/asyncpg/connection.py")
    locks = place(f"{ASYNCIO}/locks.py", "Lock.acquire")

    assert users_place(iter([locks, library, users, place("/srv/app/main.py")])) is users
    assert users_place([locks, library]) is library
    assert users_place([locks]) is locks
    assert users_place([]) is None


def test_a_thread_is_told_from_the_inside_out():
    """From where it is to who called it."""

    def inner():
        return places_of_frames(sys._getframe())

    def outer():
        return inner()

    functions = [found.function.rpartition(".")[2] for found in outer()]

    assert functions[:3] == ["inner", "outer", "test_a_thread_is_told_from_the_inside_out"]


def test_no_thread_is_nowhere():
    """It may have ended."""
    assert places_of_frames(None) == []


def test_the_event_loop_is_no_place():
    """Up to it, asyncio's and whatever called that is the same for every step."""
    seen = []

    def callback():
        seen.extend(places_of_frames(sys._getframe()))

    async def main():
        asyncio.get_running_loop().call_soon(callback)
        await asyncio.sleep(0)

    asyncio.run(main())

    assert [found.function.rpartition(".")[2] for found in seen] == ["callback"]


def test_a_function_of_the_users_may_be_called_like_the_loops():
    """It is theirs all the same."""

    def _run():
        return places_of_frames(sys._getframe())

    assert _run()[0].function.endswith("._run")
    assert len(_run()) > 1


def test_our_own_code_is_no_place():
    """Nobody can do anything about it, in a thread or in a coroutine."""
    ours = load(
        f"{PACKAGE}/queues.py",
        "def call(function):\n    return function()\nasync def wait(other):\n    return await other\n",
    )
    coroutine = ours.wait(old_style())
    coroutine.send(None)

    seen = ours.call(lambda: places_of_frames(sys._getframe()))

    assert not any(found.is_ours for found in seen)
    assert [found.function for found in places_of_awaits(coroutine)] == ["old_style"]
    coroutine.close()


def test_an_endless_recursion_is_told_in_part():
    """A stack is bounded, whatever the user's code does."""

    def deep(left):
        return deep(left - 1) if left else places_of_frames(sys._getframe())

    assert len(deep(100)) == 40


def test_the_users_own_line_is_told_however_deep_it_is(monkeypatch):
    """Imports, and what copies or encodes deep data, pile frames up on it; these are told in part."""
    library = load(
        "/x/site-packages/deep.py",
        "def deep(left, see):\n    return deep(left - 1, see) if left else see()\n",
    )

    def user(left):
        return library.deep(left, lambda: places_of_frames(sys._getframe(1)))

    seen = user(100)
    monkeypatch.setattr(places, "_FARTHEST", 90)
    beyond = user(100)

    assert len(seen) == 41
    assert seen[-1].function.endswith("user")
    assert [found.function for found in beyond] == ["deep"] * 40


def endpoint():
    """FastAPI runs it in a thread, through a function of its own."""


theirs = load("/x/site-packages/fastapi/threads.py", "def run(*args, **options):\n    pass\n")


@contextlib.contextmanager
def session():
    """A dependency of FastAPI's, say."""
    yield


def handler(loop, run, job):
    """A user's, who passes others to it."""


class Job:
    def __call__(self):
        """A job."""


@pytest.mark.parametrize(
    ("func", "name"),
    [
        (endpoint, "endpoint"),
        (partial(endpoint), "endpoint"),
        (partial(contextvars.copy_context().run, endpoint), "endpoint"),
        (partial(theirs.run, function=endpoint), "endpoint"),
        (partial(contextvars.copy_context().run, theirs.run, function=endpoint), "endpoint"),
        (partial(theirs.run, [], contextvars.copy_context().run, partial(endpoint, 1)), "endpoint"),
        (partial(theirs.run, theirs.run, *range(99), endpoint), "run"),
        (partial(theirs.run), "run"),
        (session().__enter__, "session"),
        (contextlib.ExitStack().__enter__, "ExitStack.__enter__"),
        (partial(handler, None, endpoint), "handler"),
        (Job(), "Job"),
    ],
    ids=[
        *("function", "partial", "to_thread", "FastAPI", "FastAPI in a context", "Django"),
        *(
            "a library's, given much",
            "a library's",
            "a manager",
            "no manager of a generator's",
            "a user's, given one",
            "object",
        ),
    ],
)
def test_a_function_is_named_as_its_author_does(func, name):
    """Whatever passes it to a thread wraps it first."""
    assert name_of_function(func) == name


@types.coroutine
def old_style():
    """Awaits as coroutines did in Python 3.4."""
    yield


class Awaitable:
    def __await__(self):
        return (yield)


async def innermost():
    await old_style()


async def outermost():
    await innermost()


async def with_awaitable():
    await Awaitable()


def functions_of(coroutine):
    coroutine.send(None)
    found = [place.function for place in places_of_awaits(coroutine)]
    coroutine.close()
    return found


def test_a_coroutine_is_told_from_the_inside_out():
    """Down to what it waits in, generators too."""
    assert functions_of(outermost()) == ["old_style", "innermost", "outermost"]
    assert functions_of(with_awaitable()) == ["Awaitable.__await__", "with_awaitable"]


def test_what_runs_or_has_ended_waits_nowhere():
    """Another thread may ask at any time."""
    coroutine = outermost()
    coroutine.close()

    assert places_of_awaits(coroutine) == []
    assert places_of_awaits(None) == []
    assert places_of_awaits(object()) == []


def test_a_chain_of_coroutines_is_told_in_part():
    """However long it is: up from where it waits."""

    async def deep(left):
        await (deep(left - 1) if left else old_style())

    functions = functions_of(deep(100))

    assert (len(functions), functions[0]) == (40, "old_style")


@types.coroutine
def pause():
    yield


async def generator():
    yield 1
    await pause()


async def generator_with_an_end():
    try:
        yield 1
    finally:
        await pause()


@contextlib.asynccontextmanager
async def manager():
    await pause()
    yield


async def loops_over():
    async for _ in generator():
        pass


async def asks_for_the_next():
    items = generator()
    await anext(items)
    await anext(items, None)


async def closes():
    items = generator_with_an_end()
    await anext(items)
    await items.aclose()


async def enters():
    async with manager():
        pass


class Request:
    def __await__(self):
        return self.answer().__await__()

    async def answer(self):
        await pause()


async def asks():
    await Request()


@pytest.mark.parametrize(
    ("coroutine", "inside"),
    [
        (loops_over, "generator"),
        (asks_for_the_next, "generator"),
        (closes, "generator_with_an_end"),
        (enters, "manager"),
        (asks, "Request.answer"),
    ],
)
def test_what_hides_the_frame_inside_is_seen_through(coroutine, inside):
    """Async generators, `anext`, async context managers, and `__await__` of another coroutine."""
    functions = functions_of(coroutine())

    assert (functions[:2], functions[-1]) == (["pause", inside], coroutine.__name__)


def functions_in(main):
    """Tell where the task of *main* is once it waits; it is cancelled then."""

    async def look():
        task = asyncio.create_task(main())
        for _ in range(3):
            await asyncio.sleep(0)
        found = [place.function.rpartition(".")[2] for place in places_of_awaits(task.get_coro())]
        task.cancel()
        await asyncio.wait([task])
        return found

    return asyncio.run(look())


def test_wait_for_is_seen_through():
    """Before Python 3.12 it makes a task of its own; and people give it theirs."""

    async def never():
        await asyncio.sleep(3600)

    async def direct():
        await asyncio.wait_for(never(), 3600)

    async def task():
        await asyncio.wait_for(asyncio.create_task(never()), 3600)

    async def future():
        await asyncio.wait_for(asyncio.get_running_loop().create_future(), 3600)

    assert functions_in(direct) == ["sleep", "never", "wait_for", "direct"]
    assert functions_in(task) == ["sleep", "never", "wait_for", "task"]
    assert functions_in(future) == ["wait_for", "future"]


def test_what_waits_for_itself_is_told_once():
    """In a circle, nothing is the innermost."""

    class Circular(asyncio.Future):
        def get_coro(self):
            return circular

    async def wait():
        await asyncio.wait_for(Circular(), 3600)

    async def main():
        task = asyncio.create_task(circular)
        await asyncio.sleep(0)
        found = places_of_awaits(circular)
        task.cancel()
        await asyncio.wait([task])
        return [place.function.rpartition(".")[2] for place in found]

    circular = wait()

    assert asyncio.run(main()) == ["wait_for", "wait"]
