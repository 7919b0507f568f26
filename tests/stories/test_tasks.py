"""Story: tasks and their context. A's context is never in B."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import pytest
import structlog

import tracelog
from tracelog.context import (
    Connection,
    Context,
    bind_context,
    bound_context,
    clear_context,
    current_trace,
    enter_context,
    get_context,
    new_trace,
    unbind_context,
)


def bound():
    return dict(get_context())


class Barrier:
    """Lets its tasks go on once *count* of them are here; for every Python alike."""

    def __init__(self, count):
        self._missing = count
        self._all_here = asyncio.Event()

    async def wait(self):
        self._missing -= 1
        if self._missing == 0:
            self._all_here.set()
        await self._all_here.wait()


def test_siblings_never_see_each_other():
    """Five hundred tasks bind the same keys, all before any reads: each has its own."""
    count = 500

    async def serve(number, everyone):
        trace = new_trace()
        bind_context(user_id=f"user-{number}", **{f"key_{number}": number})
        await everyone.wait()
        assert current_trace() == trace
        mine = bound()
        unbind_context(f"key_{number}")
        await asyncio.sleep(0)
        return mine, bound(), trace

    async def main():
        everyone = Barrier(count)
        served = await asyncio.gather(*(serve(number, everyone) for number in range(count)))
        return served, bound()

    served, left_behind = asyncio.run(main())

    assert left_behind == {}
    assert len({trace.trace_id for _, _, trace in served}) == count
    for number, (before, after, trace) in enumerate(served):
        ids = {"trace_id": trace.trace_id, "span_id": trace.span_id}
        assert before == {**ids, "user_id": f"user-{number}", f"key_{number}": number}
        assert after == {**ids, "user_id": f"user-{number}"}


def test_every_line_of_hundreds_of_tasks_names_its_own_user():
    """What holds for the context holds for the lines, native and foreign, nested calls included."""
    stream, count = io.StringIO(), 300
    tracelog.configure_logging(format="json", sink=stream, level="INFO", env_file=None)
    ours, theirs = tracelog.get_logger("app.chat"), logging.getLogger("app.db")

    async def query(user):
        theirs.info("query", extra={"by": user})
        await asyncio.sleep(0)

    async def serve(user, everyone):
        new_trace()
        bind_context(user_id=user)
        await everyone.wait()
        ours.info("begin", by=user)
        await asyncio.gather(query(user), query(user))
        ours.info("end", by=user)

    async def main():
        everyone = Barrier(count)
        await asyncio.gather(*(serve(f"user-{number}", everyone) for number in range(count)))

    asyncio.run(main())
    assert tracelog.flush(5)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]

    assert len(lines) == count * 4
    assert all(line["user_id"] == line["by"] for line in lines)
    traces = {(line["user_id"], line["trace_id"]) for line in lines}
    assert len(traces) == count


def test_tasks_started_later_inherit():
    """A task carries what was bound when it was started, not what is bound afterwards."""

    async def child():
        return bound()

    async def main():
        early = asyncio.create_task(child())
        bind_context(user="kim")
        late = asyncio.create_task(child())
        bind_context(room="lobby")
        return await early, await late

    early, late = asyncio.run(main())

    assert early == {}
    assert late == {"user": "kim"}


def test_a_child_never_changes_its_parent():
    """What a child binds, unbinds or clears stays with it."""

    async def child():
        unbind_context("user")
        bind_context(room="attic")
        clear_context()
        new_trace()

    async def main():
        bind_context(user="kim")
        await asyncio.create_task(child())
        return bound()

    assert asyncio.run(main()) == {"user": "kim"}


def test_a_coroutine_awaited_directly_shares_the_context():
    """`await` starts no task: what is bound there stays, as for a function that is called."""

    async def authenticate():
        bind_context(user="kim")

    async def main():
        await authenticate()
        return bound()

    assert asyncio.run(main()) == {"user": "kim"}


def test_a_task_group_s_tasks_are_apart():
    """Siblings in a TaskGroup inherit from where they were started, and share nothing."""
    results = []

    async def child(number, everyone):
        bind_context(child=number)
        await everyone.wait()
        results.append(bound())

    async def main():
        bind_context(user="kim")
        everyone = Barrier(3)
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(child(number, everyone))
        return bound()

    assert asyncio.run(main()) == {"user": "kim"}
    assert sorted(results, key=lambda context: context["child"]) == [
        {"user": "kim", "child": number} for number in range(3)
    ]


def test_callbacks_carry_the_context_they_were_registered_in():
    """`call_soon` and done callbacks run in it, whoever runs meanwhile."""
    seen = {}

    async def main():
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        bind_context(user="kim")
        loop.call_soon(lambda: seen.update(soon=bound()))
        future = loop.create_future()
        future.add_done_callback(lambda _: (seen.update(done=bound()), done.set()))
        clear_context()
        bind_context(user="lee")
        future.set_result(None)
        await done.wait()

    asyncio.run(main())

    assert seen == {"soon": {"user": "kim"}, "done": {"user": "kim"}}


def test_to_thread_takes_the_context_along():
    """A thread that a task waits for carries the task's context, and gives nothing back."""

    def work():
        inherited = bound()
        bind_context(thread=True)
        return inherited

    async def main():
        bind_context(user="kim")
        return await asyncio.to_thread(work), bound()

    assert asyncio.run(main()) == ({"user": "kim"}, {"user": "kim"})


def test_wait_for_keeps_the_context():
    """`wait_for` runs in a task of its own before 3.12: what is bound inside is seen from there on.

    Inside, the context is the caller's on every version; blocks that end inside leave nothing.
    """

    @bound_context(step="query")
    async def query():
        await asyncio.sleep(0)
        return bound()

    async def main():
        bind_context(user="kim")
        with bound_context(room="lobby"):
            inside = await asyncio.wait_for(query(), timeout=60)
        return inside, bound()

    assert asyncio.run(main()) == (
        {"user": "kim", "room": "lobby", "step": "query"},
        {"user": "kim"},
    )


def test_wait_for_that_times_out_leaves_nothing():
    """The block is left by the cancellation, in the task that entered it."""

    async def main():
        async def forever():
            with bound_context(step="wait"):
                await asyncio.Event().wait()

        bind_context(user="kim")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(forever(), timeout=0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await forever()
        return bound()

    assert asyncio.run(main()) == {"user": "kim"}


async def numbers(log):
    """A generator that binds while it is suspended: its block outlives each step."""
    try:
        with bound_context(room="attic"):
            yield bound()
            yield bound()
    finally:
        log.append(bound())


def test_an_async_generator_that_ends_restores_its_consumer():
    """Iterated to its end in one task, its block leaves nothing behind."""
    log = []

    async def main():
        bind_context(user="kim", room="lobby")
        inside = [context async for context in numbers(log)]
        return inside, bound()

    inside, after = asyncio.run(main())

    assert inside == [{"user": "kim", "room": "attic"}] * 2
    assert after == {"user": "kim", "room": "lobby"}
    assert log == [after]


def test_an_async_generator_closed_by_another_task():
    """Closing raises nothing, and the closing task keeps its own values, never the opener's."""
    log = []

    async def closer(generator, opened):
        bind_context(user="lee", room="cellar")
        await opened.wait()
        await generator.aclose()
        return bound()

    async def main():
        generator, opened = numbers(log), asyncio.Event()
        task = asyncio.create_task(closer(generator, opened))
        bind_context(user="kim", room="lobby")
        await anext(generator)
        opened.set()
        return await task

    assert asyncio.run(main()) == {"user": "lee", "room": "cellar"}
    assert log == [{"user": "lee", "room": "cellar"}]


def test_an_async_generator_iterated_by_several_tasks():
    """Each step runs in the context of who asks for it; nobody gets another's values."""
    log = []

    async def step(generator, user):
        bind_context(user=user)
        try:
            inside = await anext(generator)
        except StopAsyncIteration:
            inside = None
        return inside, bound()

    async def main():
        generator = numbers(log)
        results = []
        for user in ("kim", "lee", "mia"):
            results.append(await asyncio.create_task(step(generator, user)))
        return results, bound()

    results, after = asyncio.run(main())

    assert [inside and inside["user"] for inside, _ in results] == ["kim", "lee", None]
    assert [context["user"] for _, context in results] == ["kim", "lee", "mia"]
    assert results[2][1] == {"user": "mia"}
    assert after == {}


def test_an_abandoned_async_generator_is_closed_without_harm():
    """The loop closes what nobody iterates any more, in a task that inherits the block, and ends it."""
    log, failures = [], []

    async def main():
        asyncio.get_running_loop().set_exception_handler(
            lambda _loop, context: failures.append(context)
        )

        async def consume():
            async for _ in numbers(log):
                break

        await asyncio.create_task(consume())
        bind_context(user="kim")

    asyncio.run(main())

    assert failures == []
    assert log == [{}]


def test_wait_for_each_step_of_an_async_generator():
    """Before 3.12 each step is a task of its own: the block begins in one and ends in another."""
    log = []

    async def main():
        bind_context(user="kim", room="lobby")
        generator = numbers(log)
        first = await asyncio.wait_for(anext(generator), timeout=60)
        await asyncio.wait_for(anext(generator), timeout=60)
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(generator), timeout=60)
        return first, bound()

    assert asyncio.run(main()) == (
        {"user": "kim", "room": "attic"},
        {"user": "kim", "room": "lobby"},
    )


def test_a_decorated_async_generator_leaks_nothing_into_its_consumers():
    """Its values are bound during its steps only, whoever takes them."""

    @bound_context(room="attic")
    async def steps():
        while True:
            yield bound()

    async def take(generator, user):
        bind_context(user=user, room="lobby")
        return await anext(generator), bound()

    async def main():
        generator = steps()
        taken = [await asyncio.create_task(take(generator, user)) for user in ("kim", "lee")]
        await generator.aclose()
        return taken, bound()

    taken, after = asyncio.run(main())

    assert taken == [
        ({"user": user, "room": "attic"}, {"user": user, "room": "lobby"})
        for user in ("kim", "lee")
    ]
    assert after == {}


def test_one_block_object_shared_by_tasks():
    """Tasks inside the same block at the same time each get their own values back."""
    block = bound_context(room="attic")

    async def serve(room, everyone, leave):
        bind_context(room=room)
        with block:
            await everyone.wait()
            inside = bound()
            await leave.wait()
        return inside, bound()

    async def main():
        everyone, first, second = Barrier(2), asyncio.Event(), asyncio.Event()
        kim = asyncio.create_task(serve("kim's", everyone, first))
        lee = asyncio.create_task(serve("lee's", everyone, second))
        first.set()
        results = [await kim]
        second.set()
        return [*results, await lee]

    assert asyncio.run(main()) == [
        ({"room": "attic"}, {"room": "kim's"}),
        ({"room": "attic"}, {"room": "lee's"}),
    ]


def test_structlog_s_own_keys_are_apart_too():
    """Keys that others bind with `structlog.contextvars` appear in their task, and in no other."""

    async def serve(user, everyone):
        structlog.contextvars.bind_contextvars(user=user, **{user: True})
        bind_context(room=f"{user}'s")
        await everyone.wait()
        return bound()

    async def main():
        everyone = Barrier(2)
        return await asyncio.gather(serve("kim", everyone), serve("lee", everyone)), bound()

    (kim, lee), after = asyncio.run(main())

    assert kim == {"user": "kim", "kim": True, "room": "kim's"}
    assert lee == {"user": "lee", "lee": True, "room": "lee's"}
    assert after == {}


def test_a_task_that_is_put_into_a_context_leaves_it_with_its_end():
    """What an integration enters for one task is seen by that task and its children only."""

    async def child():
        return bound()

    async def serve():
        enter_context(Context.make({"user": "kim"}, None, Connection("c-1")))
        return await asyncio.create_task(child())

    async def main():
        return await asyncio.create_task(serve()), bound()

    assert asyncio.run(main()) == ({"connection_id": "c-1", "user": "kim"}, {})
