"""The context of here and now, for a function that runs elsewhere or later."""

from __future__ import annotations

import asyncio
import concurrent.futures
import inspect
import pickle
import sys
import threading
from contextvars import ContextVar, copy_context
from functools import partial

import pytest
import structlog

from tracelog.carriers import ContextThreadPoolExecutor, carry
from tracelog.context import (
    Connection,
    Context,
    bind_context,
    clear_context,
    current_context,
    current_trace,
    enter_context,
    get_context,
    new_trace,
)
from tracelog.ids import TraceContext


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", state="vendor=1")
IDS = {"trace_id": TRACE.trace_id, "span_id": TRACE.span_id}

theirs = ContextVar("theirs", default="nobody's")


def bound():
    return dict(get_context())


def shipped(func):
    """What another process makes of *func*."""
    return pickle.loads(pickle.dumps(func))


class Unreadable:
    """Pickles, and can't be unpickled."""

    def __reduce__(self):
        return int, ("no number",)


# -- Functions -------------------------------------------------------------------------------------


def test_a_carried_function_runs_in_the_context_of_the_moment():
    """What is bound later isn't seen; other people's variables go along."""
    bind_context(user="kim")
    token = theirs.set("kim's")
    carried = carry(lambda: (bound(), theirs.get()))
    bind_context(user="lee")
    theirs.reset(token)

    assert carried() == ({"user": "kim"}, "kim's")
    assert bound() == {"user": "lee"}


def test_each_call_has_a_copy():
    """What one call binds, neither the next call sees nor the caller."""

    def work(user):
        before = bound()
        bind_context(user=user)
        return before

    bind_context(room="lobby")
    carried = carry(work)

    assert [carried("kim"), carried("lee")] == [{"room": "lobby"}] * 2
    assert bound() == {"room": "lobby"}


def test_calls_may_overlap():
    """Several threads are in a carried function at once, and it may call itself."""
    both = threading.Barrier(2, timeout=30)
    bind_context(user="kim")

    @carry
    def work(depth):
        both.wait()
        return work(depth - 1) if depth else bound()

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = [pool.submit(work, 1) for _ in range(2)]

    assert [result.result() for result in results] == [{"user": "kim"}] * 2


def test_it_looks_like_the_function():
    """Name, documentation and signature are the function's; arguments and results pass."""

    def work(number: int, *, text: str = "x") -> str:
        """Work."""
        return text * number

    carried = carry(work)

    assert (carried.__name__, carried.__doc__) == ("work", "Work.")
    assert inspect.signature(carried) == inspect.signature(work)
    assert carried(2, text="y") == "yy"
    assert repr(carried) == f"tracelog.carry({work!r})"


def test_carried_twice_is_carried_first():
    """The innermost context is the one that counts."""
    bind_context(user="kim")
    inner = carry(bound)
    bind_context(user="lee")

    assert carry(inner)() == {"user": "kim"}


def test_a_partial_and_a_method():
    """Whatever can be called can be carried."""
    bind_context(user="kim")
    carried = [carry(partial(dict, x=1)), carry({"x": 1}.copy)]

    assert [each() for each in carried] == [{"x": 1}] * 2


def test_what_is_no_function_is_refused_at_once():
    """The likeliest mistake is to call the function, too; the error shows what is right."""
    with pytest.raises(TypeError) as error:
        carry(5)

    assert str(error.value) == (
        "expected a function, got 5\n  Try: tracelog.carry(work), without calling it"
    )


# -- Coroutine functions ---------------------------------------------------------------------------


def test_a_carried_coroutine_function_runs_in_its_context_to_the_end():
    """Each step does, other people's variables included; the task's own are its own in between."""
    seen = []

    async def work(go_on):
        seen.append((bound(), theirs.get()))
        bind_context(step=2)
        theirs.set("work's")
        await go_on.wait()
        seen.append((bound(), theirs.get()))
        return "done"

    async def main():
        bind_context(user="kim")
        theirs.set("kim's")
        carried = carry(work)
        bind_context(user="lee")
        theirs.set("lee's")
        go_on = asyncio.Event()
        asyncio.get_running_loop().call_soon(go_on.set)
        return await carried(go_on), bound(), theirs.get()

    assert asyncio.run(main()) == ("done", {"user": "lee"}, "lee's")
    assert seen == [({"user": "kim"}, "kim's"), ({"user": "kim", "step": 2}, "work's")]


def test_cancellation_and_errors_pass_through():
    """A carried coroutine is cancelled, and fails, as any; what it awaits fails inside of it."""
    seen = []

    async def work(future):
        try:
            await future
        except BaseException as error:
            seen.append((type(error), bound()))
            raise

    async def main():
        loop = asyncio.get_running_loop()
        bind_context(user="kim")
        carried = carry(work)
        clear_context()
        failing = loop.create_future()
        loop.call_soon(failing.set_exception, KeyError("x"))
        with pytest.raises(KeyError):
            await carried(failing)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await carried(loop.create_future())
        # Before it has begun: no complaint that it was never awaited.
        task = asyncio.create_task(carried(loop.create_future()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert seen == [(KeyError, {"user": "kim"}), (asyncio.CancelledError, {"user": "kim"})]


def test_a_carried_coroutine_function_is_known_as_one():
    """By its `__call__` on every Python, and since 3.12 by `inspect.iscoroutinefunction`, too."""

    async def work():
        return bound()

    class Handler:
        async def __call__(self):
            return bound()

    bind_context(user="kim")
    carried = [carry(work), carry(Handler()), carry(carry(work)), carry(partial(work))]
    clear_context()

    for each in carried:
        assert inspect.iscoroutinefunction(each.__call__)
        assert inspect.iscoroutinefunction(each) == (sys.version_info >= (3, 12))
        assert asyncio.run(each()) == {"user": "kim"}


# -- Other processes -------------------------------------------------------------------------------


def test_a_carried_function_pickles_with_its_ids():
    """Trace, connection and what is bound arrive; what the other process inherited doesn't show."""
    enter_context(Context.make({"user": "kim", "size": 3}, TRACE, Connection("c-1")))
    data = pickle.dumps(carry(get_context))
    enter_context(Context.make({"user": "lee", "room": "attic"}, None, Connection("c-2")))

    carried = pickle.loads(data)

    assert dict(carried()) == {**IDS, "connection_id": "c-1", "user": "kim", "size": 3}
    assert pickle.loads(pickle.dumps(carry(current_trace)))() is None
    assert dict(shipped(carried)()) == dict(carried())


def test_the_trace_arrives_whole():
    """Sampling and `tracestate` included."""
    enter_context(Context.make({}, TRACE, None))
    carried = carry(current_trace)
    new_trace()

    assert shipped(carried)() == TRACE


def test_values_that_do_not_pickle_stay_behind():
    """One that fails, on either side, is no error, and takes no other with it."""
    bind_context(user="kim", lock=threading.Lock(), odd=Unreadable(), size=3)
    carried = carry(get_context)

    assert dict(shipped(carried)()) == {"user": "kim", "size": 3}


def test_what_structlog_carries_goes_along_and_nothing_else_of_its_s():
    """Values bound with `structlog.contextvars` arrive; those of the other process don't show."""
    structlog.contextvars.bind_contextvars(user="kim")
    data = pickle.dumps(carry(get_context))
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(user="lee", room="attic")

    carried = pickle.loads(data)

    assert dict(carried()) == {"user": "kim"}
    assert structlog.contextvars.get_contextvars() == {"user": "lee", "room": "attic"}


def test_a_process_without_structlog_s_variables(monkeypatch):
    """Nothing is loaded for them."""
    monkeypatch.delitem(sys.modules, "structlog.contextvars")
    bind_context(user="kim")

    assert dict(shipped(carry(get_context))()) == {"user": "kim"}
    assert "structlog.contextvars" not in sys.modules


def test_variables_that_the_other_process_has_set_up_are_there():
    """A pool's initializer may have; they are no context of ours."""
    data = pickle.dumps(carry(copy_context))

    def child():
        theirs.set("the initializer's")
        return pickle.loads(data)()[theirs]

    assert copy_context().run(child) == "the initializer's"


def test_a_carried_coroutine_function_pickles_as_one():
    """It is awaited in the other process."""
    carried = shipped(carry(asyncio.sleep))

    assert asyncio.run(carried(0, "slept")) == "slept"


# -- The executor ----------------------------------------------------------------------------------


def test_the_executor_s_threads_work_in_the_submitter_s_context():
    """`submit` and `map` do; each piece of work in a copy."""

    def work(number):
        before = bound()
        bind_context(number=number)
        return before

    with ContextThreadPoolExecutor(1) as pool:
        bind_context(user="kim")
        first = pool.submit(work, number=1)
        bind_context(user="lee")
        others = list(pool.map(work, [2, 3]))

    assert first.result() == {"user": "kim"}
    assert others == [{"user": "lee"}] * 2
    assert bound() == {"user": "lee"}


def test_as_a_loop_s_default_executor():
    """`run_in_executor(None, ...)` takes the context along then."""

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ContextThreadPoolExecutor(1))
        bind_context(user="kim")
        return await loop.run_in_executor(None, bound), await asyncio.to_thread(current_context)

    inside, context = asyncio.run(main())

    assert inside == {"user": "kim"} == dict(context.bound)
