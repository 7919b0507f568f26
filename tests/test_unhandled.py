"""What asyncio reports about a task, reported in that task's context."""

from __future__ import annotations

import asyncio
import gc
import logging
from types import SimpleNamespace

import pytest
import uvloop

from tracelog.connections import TARGETS as CONNECTIONS
from tracelog.context import bind_context, current_context, enter_context, get_context, new_trace
from tracelog.patches import Patches
from tracelog.records import ContextFilter
from tracelog.unhandled import TARGETS


@pytest.fixture(autouse=True)
def _patched():
    patches = Patches(TARGETS)
    patches.apply()
    yield
    patches.undo()


@pytest.fixture
def reported():
    """The lines of asyncio: their beginning, and the user they carry."""

    class Kept(logging.Handler):
        def emit(self, record):
            first, *_ = record.getMessage().splitlines()
            beginning = " ".join(first.split()[:3])
            lines.append((beginning, vars(record).get("user")))

    lines = []
    handler = Kept()
    handler.addFilter(ContextFilter())
    logger = logging.getLogger("asyncio")
    logger.addHandler(handler)
    logger.propagate = False
    return lines


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request):
    return request.param


async def collect_as_another():
    """Let somebody else make the garbage collector run."""

    async def another():
        bind_context(user="lee")
        new_trace()
        gc.collect()

    await asyncio.create_task(another())


async def as_kim(leave):
    """Leave something behind, as kim, for whoever collects it."""

    async def owner():
        bind_context(user="kim")
        new_trace()
        await leave()

    gc.collect()
    gc.disable()
    try:
        await asyncio.create_task(owner())
        await asyncio.sleep(0)
        await collect_as_another()
    finally:
        gc.enable()


def in_a_cycle(thing):
    cycle = [thing]
    cycle.append(cycle)


async def fail():
    raise ValueError("bad")


async def leave_failed_task():
    in_a_cycle(asyncio.create_task(fail()))
    await asyncio.sleep(0)


async def leave_pending_task():
    future = asyncio.get_running_loop().create_future()

    async def wait():
        await future

    in_a_cycle([asyncio.create_task(wait()), future])
    await asyncio.sleep(0)


async def leave_failed_callback():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)


async def leave_failed_future():
    future = asyncio.get_running_loop().create_future()
    future.set_exception(ValueError("bad"))
    in_a_cycle(future)


@pytest.mark.parametrize(
    ("leave", "line"),
    [
        (leave_failed_task, ("Task exception was", "kim")),
        (leave_pending_task, ("Task was destroyed", "kim")),
        (leave_failed_callback, ("Exception in callback", "kim")),
        (leave_failed_future, ("Future exception was", None)),
    ],
    ids=["failed task", "pending task", "callback", "future"],
)
def test_a_failure_is_its_owners(run, reported, leave, line):
    """Not of whoever collects it; of a bare future nobody is known."""
    run(as_kim(leave))

    assert reported == [line]


def test_an_applications_handler_is_called_there_too(run):
    """One that was set with `set_exception_handler`."""
    seen = []

    async def story():
        handler = lambda _loop, _context: seen.append(get_context()["user"])  # noqa: E731
        asyncio.get_running_loop().set_exception_handler(handler)
        await as_kim(leave_failed_task)

    run(story())

    assert seen == ["kim"]


def test_a_protocols_failure_is_its_connections(reported):
    """A fatal error on a transport names the protocol."""

    class Protocol:
        def connection_made(self, transport):
            pass

    protocol = Protocol()
    bind_context(user="kim")
    CONNECTIONS[0].wraps["connection_made"](Protocol.connection_made)(protocol, None)
    bind_context(user="lee")
    loop = asyncio.new_event_loop()

    loop.call_exception_handler({"message": "Fatal", "protocol": protocol})
    loop.call_exception_handler({"message": "Other", "protocol": None})
    loop.call_exception_handler({"message": "Bare", "handle": SimpleNamespace()})
    loop.close()

    assert reported == [("Fatal", "kim"), ("Other", "lee"), ("Bare", None)]


def test_the_caller_s_context_stays(run):
    """What is reported elsewhere changes nothing here."""

    async def story():
        before = current_context()
        await as_kim(leave_failed_task)
        return current_context() is before

    asyncio.get_event_loop_policy()
    enter_context(current_context())
    assert run(story())
