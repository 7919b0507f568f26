"""uvloop tells of its steps, by nothing but its public methods."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import threading

import pytest
import uvloop

from tracelog.context import Context, current_context, enter_context
from tracelog.ids import TraceContext
from tracelog.latency.ledger import Ledger
from tracelog.latency.steps import Steps
from tracelog.latency.wrapped import is_wrappable, wrap


METHODS = {"call_soon", "call_soon_threadsafe", "call_later"}


class Clock:
    """Stands still, unless it is moved."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


class Hold:
    def delay(self, *_):
        """Noted."""


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(clock, hold_s=0.05, make_hold=lambda *_: Hold())


@pytest.fixture
def loop():
    loop = uvloop.new_event_loop()
    yield loop
    loop.close()


@pytest.fixture
def unwrap(loop, steps):
    return wrap(loop, steps)


def run(loop, main):
    return loop.run_until_complete(asyncio.wait_for(main(), 10))


def context_of(ledger):
    return Context.make({}, None, None, ledger)


def test_only_uvloops_is_wrapped(loop):
    """asyncio's own tells more by other means; others are not known."""
    other = asyncio.SelectorEventLoop()

    assert is_wrappable(loop) is True
    assert is_wrappable(other) is False
    other.close()


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_loop_that_somebody_has_wrapped_is_left_alone(loop, name):
    """Another profiler, or we ourselves."""
    setattr(loop, name, print)

    assert is_wrappable(loop) is False
    delattr(loop, name)


def test_unwrapped_a_loop_is_exactly_as_it_was(loop, steps):
    """Nothing but its own methods."""
    before = {*vars(loop)}

    unwrap = wrap(loop, steps)
    assert {*vars(loop)} - before == METHODS
    unwrap()

    assert {*vars(loop)} == before
    assert is_wrappable(loop) is True


def test_what_somebody_has_put_on_the_loop_since_stays(loop, unwrap):
    """It is theirs to give back."""
    loop.call_soon = theirs = print

    unwrap()

    assert loop.call_soon is theirs
    del loop.call_soon


def test_each_step_of_a_task_is_told_of(loop, unwrap, steps, clock):
    """Whose it was, from when to when, and what ran."""
    whose, running = context_of(Ledger(100.0)), []

    async def main():
        enter_context(whose)
        await asyncio.sleep(0)
        clock.now += 0.3
        running.append(steps.running.__self__ is asyncio.current_task())
        await asyncio.sleep(0)
        clock.now += 0.2

    run(loop, main)

    assert [round(step.ended - step.began, 1) for step in steps.recent] == [0.3, 0.2]
    assert [step.context for step in steps.recent] == [whose, whose]
    assert whose.ledger.code == pytest.approx(0.5)
    assert running == [True]
    assert steps.running is None


def test_a_pause_between_two_steps_is_waiting_for_something_to_do(loop, unwrap, steps, clock):
    """uvloop doesn't tell when it polls; a step that follows at once means a busy loop."""

    def pause():
        while steps.running is not None:
            """Until the step is over in which this thread was started."""
        clock.now = 100.9

    async def main():
        await asyncio.sleep(0)
        clock.now = 100.5
        await asyncio.sleep(0)
        busy = steps.busy_since
        await asyncio.to_thread(pause)
        return busy, steps.busy_since

    assert run(loop, main) == (100.0, 100.9)


def test_a_step_is_ready_when_it_was_asked_for(loop, unwrap, clock):
    """From then on something else held the loop, until it began."""
    ledger = Ledger(100.0)

    def mine():
        """Charged to the utterance."""

    async def main():
        loop.call_soon(setattr, clock, "now", 100.7)
        enter_context(context_of(ledger))
        loop.call_soon(mine)
        enter_context(Context.make({}, None, None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run(loop, main)

    assert (ledger.loop, ledger.waiting) == (pytest.approx(0.7), 0.0)


@pytest.mark.parametrize("method", ["call_soon", "call_later", "call_at"])
def test_a_long_wait_is_explained_once(loop, unwrap, steps, clock, method):
    """Timers are due at some time, others when they were asked for; a timer is one step."""
    ledger, ran = Ledger(100.0), []

    def go_on():
        ran.append(steps.running)

    async def main():
        enter_context(context_of(ledger))
        when = {"call_soon": (), "call_later": (0,), "call_at": (loop.time(),)}[method]
        getattr(loop, method)(*when, go_on)
        enter_context(Context.make({}, None, None))
        clock.now = 103.0
        while not ran:
            await asyncio.sleep(0)

    run(loop, main)

    assert ran == [go_on]
    assert [*ledger.notes.holds.values()] == [3.0]


def test_whoever_opened_a_connection_let_nobody_go_on(loop, unwrap, clock):
    """Its reader is called in their context, also for all who are given it by a pool later."""
    ledger = Ledger(100.0)
    theirs = Context.make({}, TraceContext.new(), None, Ledger(100.0))
    client, served = socket.socketpair()

    async def main():
        go_on = asyncio.Event()

        def let_go_on():
            clock.now += 1.0
            go_on.set()

        async def wait(make, *args):
            enter_context(theirs)
            make(*args, let_go_on)
            enter_context(context_of(ledger))
            await go_on.wait()
            go_on.clear()

        client.send(b"data")
        await wait(loop.add_reader, served)
        loop.remove_reader(served)
        await wait(loop.call_later, 0)
        enter_context(Context.make({}, None, None))

    with client, served:
        run(loop, main)

    assert [awaited.until for awaited in ledger.notes.awaits] == [None, theirs.trace.trace_id]


def test_a_call_from_another_thread_was_ready_when_it_asked(loop, unwrap, steps, clock):
    """And what it passes on, too."""
    ledger, relayed, done = Ledger(100.0), [], asyncio.Event()

    def call():
        enter_context(context_of(ledger))
        clock.now = 100.2
        loop.call_soon_threadsafe(asked)

    def asked():
        relayed.append(steps.relay)
        done.set()

    async def main():
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()
        clock.now = 100.9
        await done.wait()

    run(loop, main)

    assert relayed == [100.2]
    assert steps.relay is None
    assert (ledger.waiting, ledger.loop) == (pytest.approx(0.2), pytest.approx(0.7))


def test_it_is_called_with_arguments_and_in_a_context(loop, unwrap):
    """As without us."""
    variables, seen = contextvars.copy_context(), []
    variables.run(enter_context, Context.make({"user": "kim"}, None, None))

    def see(*args):
        seen.append((args, current_context().bound))

    async def main():
        loop.call_soon(see, 1, context=variables)
        loop.call_soon_threadsafe(see, 2, context=variables)
        loop.call_later(0, see, 3, context=variables)
        loop.call_at(0, see, 4, context=variables)
        while len(seen) < 4:
            await asyncio.sleep(0)

    run(loop, main)

    assert sorted(args for args, _ in seen) == [(1,), (2,), (3,), (4,)]
    assert [bound for _, bound in seen] == [{"user": "kim"}] * 4


def test_a_step_that_fails_ends_all_the_same(loop, unwrap, steps):
    """Its error is the loop's to tell of."""
    errors = []
    loop.set_exception_handler(lambda _, context: errors.append(context["exception"]))

    async def main():
        loop.call_soon_threadsafe(int, "x")
        await asyncio.sleep(0)
        while not errors:
            await asyncio.sleep(0)

    run(loop, main)

    assert [type(error) for error in errors] == [ValueError]
    assert (steps.running, steps.relay) == (None, None)


def test_a_cancelled_timer_is_never_called(loop, unwrap, steps):
    """The handle is uvloop's own."""
    later = asyncio.Event()

    async def main():
        handle = loop.call_later(0.001, pytest.fail)
        handle.cancel()
        loop.call_later(0.002, later.set)
        await later.wait()
        return handle.cancelled()

    assert run(loop, main) is True
