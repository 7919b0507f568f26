"""asyncio's own event loop, which tells of its steps. Real loops, and a clock that tests move."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import socket
import threading
import time
from asyncio import BaseEventLoop, Handle, TimerHandle

import pytest
import uvloop

from tracelog.context import Context, current_context, enter_context
from tracelog.latency import hooks
from tracelog.latency.hooks import hook, is_known
from tracelog.latency.ledger import Ledger
from tracelog.latency.steps import Steps


class Clock:
    """Stands still, unless it is moved."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def steps(clock):
    return Steps(clock, hold_s=0.05, make_hold=lambda *about: about)


@pytest.fixture
def loop():
    loop = asyncio.SelectorEventLoop()
    yield loop
    loop.close()


@pytest.fixture
def unhook(loop, steps):
    return hook(loop, steps)


def state_of(loop):
    """What there is to be changed: its attributes, and its handles' kinds."""
    keys = (loop._selector.get_map() or {}).values()
    handles = [*loop._scheduled, *(handle for key in keys for handle in key.data if handle)]
    return {*vars(loop)}, [(id(handle), type(handle)) for handle in handles]


def test_asyncios_loop_is_known(loop):
    """And nothing else is: not uvloop's, and not one that somebody has changed."""
    assert is_known(loop) is True
    other = uvloop.new_event_loop()
    assert is_known(other) is False
    other.close()


@pytest.mark.parametrize("name", ["call_soon", "call_at"])
def test_a_loop_that_overrides_what_is_built_on_is_not_known(name):
    """A subclass does as it likes."""
    kind = type("Loop", (asyncio.SelectorEventLoop,), {name: lambda *_: None})
    loop = kind()

    assert is_known(loop) is False
    loop.close()


@pytest.mark.parametrize("name", hooks._OVERRIDDEN)
def test_a_loop_on_which_somebody_put_methods_is_not_known(loop, name):
    """Another profiler, or we ourselves."""
    vars(loop)[name] = getattr(BaseEventLoop, name, print)

    assert is_known(loop) is False
    delattr(loop, name)


def test_a_loop_without_the_parts_that_are_built_on_is_not_known(loop):
    """Another version's, some day."""
    del loop._scheduled

    assert is_known(loop) is False
    loop._scheduled = []


def test_undone_a_loop_is_exactly_as_it_was(loop, steps):
    """Its methods, and the handles of its timers and sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, print)
        loop.add_writer(theirs, print)
        loop.call_later(1000, print)
        before = state_of(loop)

        unhook = hook(loop, steps)
        hooked = state_of(loop)
        unhook()

        assert state_of(loop) == before
        assert hooked[0] - before[0] == {*hooks._OVERRIDDEN} - {"time"}
        assert {kind.__name__ for _, kind in hooked[1]} == {"Ready", "Timer"}
        loop.remove_reader(ours)
        loop.remove_writer(theirs)


def test_handles_that_were_made_meanwhile_become_asyncios_again(loop, unhook):
    """They may be called long after."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, print)
        loop.call_later(1000, print)

        unhook()

        assert {kind for _, kind in state_of(loop)[1]} == {Handle, TimerHandle}
        loop.remove_reader(ours)


def test_no_class_of_asyncios_is_changed(loop, unhook):
    """Other loops are none of our business."""
    other = asyncio.SelectorEventLoop()

    assert is_known(other) is True
    assert vars(other).keys().isdisjoint(hooks._OVERRIDDEN)
    other.close()


def test_what_somebody_has_put_on_the_loop_since_stays(loop, unhook):
    """It is theirs to give back."""
    loop.call_soon = theirs = print

    unhook()

    assert loop.call_soon is theirs
    del loop.call_soon


def test_handles_of_somebody_elses_kind_stay(loop, steps):
    """Only those that asyncio makes are known."""

    class Special(TimerHandle):
        """Does as it likes."""

    special = Special(loop.time() + 1000, print, (), loop)
    loop._scheduled.append(special)

    hook(loop, steps)()

    assert type(special) is Special


def test_a_closed_loop_can_be_let_go_of(steps):
    """It has no selector any more."""
    loop = asyncio.SelectorEventLoop()
    unhook = hook(loop, steps)
    loop.close()

    unhook()

    assert vars(loop).keys().isdisjoint(hooks._OVERRIDDEN)


def run(loop, main):
    return loop.run_until_complete(asyncio.wait_for(main(), 10))


def test_each_step_of_a_task_is_told_of(loop, unhook, steps, clock):
    """Whose it was, from when to when."""
    whose = Context.make({}, None, None, Ledger(100.0))

    async def main():
        enter_context(whose)
        await asyncio.sleep(0)
        clock.now += 0.3
        await asyncio.sleep(0)
        clock.now += 0.2

    run(loop, main)

    assert [round(step.ended - step.began, 1) for step in steps.recent] == [0.3, 0.2]
    assert [step.context for step in steps.recent] == [whose, whose]
    assert whose.ledger.code == pytest.approx(0.5)


def test_a_step_is_ready_when_it_was_asked_for(loop, unhook, clock):
    """From then on something else held the loop, until it began."""
    ledger = Ledger(100.0)

    def mine():
        """Charged to the utterance."""

    async def main():
        loop.call_soon(setattr, clock, "now", 100.7)
        context = Context.make({}, None, None, ledger)
        enter_context(context)
        loop.call_soon(mine)
        enter_context(Context.make({}, None, None))
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    run(loop, main)

    assert (ledger.loop, ledger.waiting) == (pytest.approx(0.7), 0.0)


def test_who_let_a_task_go_on_is_known(loop, unhook, clock):
    """The waker of a step is whose step asked for it."""
    handles = []

    async def main():
        enter_context(Context.make({"user": "kim"}, None, None))
        handles.append(loop.call_soon(print))
        handles.append(loop.call_soon_threadsafe(print))
        for handle in handles:
            handle.cancel()
        return current_context()

    waker = run(loop, main)

    assert [(handle.waker, handle.ready) for handle in handles] == [(waker, 100.0)] * 2


def test_whoever_opened_a_connection_let_nobody_go_on(loop, unhook):
    """Its reader is called in their context, also for all who are given it by a pool later."""
    handles, read = [], asyncio.Event()

    def reader():
        handles.append(loop.call_soon(read.set))

    async def main():
        enter_context(Context.make({"user": "kim"}, None, None))
        with connected() as (client, served):
            loop.add_reader(served, reader)
            client.send(b"data")
            await read.wait()
            loop.remove_reader(served)
        handles.append(loop.call_soon(print))
        handles[-1].cancel()
        return current_context()

    kim = run(loop, main)

    assert [handle.waker for handle in (handles[0], handles[-1])] == [None, kim]


def test_a_call_from_another_thread_wakes_the_loop_up(loop, unhook, clock):
    """What it passes on was ready when it asked."""
    passed_on, done = [], asyncio.Event()

    def call():
        clock.now = 100.2
        loop.call_soon_threadsafe(asked)

    def asked():
        clock.now = 100.9
        passed_on.append(loop.call_soon(done.set))

    async def main():
        thread = threading.Thread(target=call)
        thread.start()
        await done.wait()
        thread.join()

    run(loop, main)

    assert [handle.ready for handle in passed_on] == [100.2]


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
def test_it_is_called_with_arguments_and_in_a_context(loop, unhook, debug):
    """As without us; in debug mode, where it was asked for is where the user did."""
    loop.set_debug(debug)
    loop.slow_callback_duration = 1000
    context = contextvars_of(user="kim")
    seen = []

    def see(*args):
        seen.append((args, current_context().bound))

    async def main():
        handles = [
            loop.call_soon(see, 1, context=context),
            loop.call_soon_threadsafe(see, 2, context=context),
            loop.call_later(0, see, 3, context=context),
            loop.call_at(0, see, 4, context=context),
        ]
        while len(seen) < 4:
            await asyncio.sleep(0)
        return handles

    handles = run(loop, main)

    assert sorted(seen) == [((number,), {"user": "kim"}) for number in (1, 2, 3, 4)]
    sources = [handle._source_traceback[-1].name for handle in handles if debug]
    assert sources == ["main"] * 4 * debug


def contextvars_of(**bound):
    variables = contextvars.copy_context()
    variables.run(enter_context, Context.make(bound, None, None))
    return variables


def test_in_debug_mode_what_makes_no_sense_is_refused(loop, unhook):
    """As asyncio does: a coroutine, a call from another thread."""
    loop.set_debug(True)

    async def main():
        for call in (loop.call_soon, loop.call_soon_threadsafe):
            with pytest.raises(TypeError, match="coroutines cannot be used"):
                call(main)
        with pytest.raises(RuntimeError, match="Non-thread-safe"):
            await asyncio.to_thread(loop.call_soon, print)

    run(loop, main)


def test_a_closed_loop_takes_no_more(steps):
    """As without us."""
    loop = asyncio.SelectorEventLoop()
    hook(loop, steps)
    loop.close()

    for call in (loop.call_soon, loop.call_soon_threadsafe):
        with pytest.raises(RuntimeError, match="closed"):
            call(print)


@contextlib.contextmanager
def connected():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        served, _ = server.accept()
    served.setblocking(False)
    with client, served:
        yield client, served


def test_a_reader_passes_on_when_its_data_came(loop, unhook, steps, clock, monkeypatch):
    """While the loop was busy, nobody looked: the kernel knows."""
    monkeypatch.setattr(hooks, "last_data_s", lambda _: 0.3)
    ready = []

    async def main():
        done = loop.create_future()

        def read():
            served.recv(1)
            handle = loop.call_soon(done.set_result, None)
            ready.append(handle.ready)
            loop.remove_reader(served)

        loop.add_reader(served, read)
        client.sendall(b"x")
        while not readable(served):
            pass
        clock.now += 0.5  # a long step: then the loop looks
        await done

    with connected() as (client, served):
        run(loop, main)

    assert ready == [pytest.approx(100.2)]
    assert steps.arrivals == {}


def readable(sock):
    try:
        return bool(sock.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


@pytest.mark.parametrize(
    ("wait", "arrivals"),
    [(0.3, [99.7]), (5.0, [99.0]), (0.0, []), (None, [])],
    ids=["meanwhile", "before the last look", "just now", "nobody knows"],
)
def test_an_arrival_is_between_two_looks_or_not_known(loop, monkeypatch, wait, arrivals):
    """What was there at the last look was read then."""
    monkeypatch.setattr(hooks, "last_data_s", lambda _: wait)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, print)
        loop.add_writer(theirs, print)
        keys = [(loop._selector.get_key(sock), 0) for sock in (ours, theirs)]

        found = hooks._arrivals(keys, 99.0, 100.0)

        assert [*found.values()] == arrivals
        assert [*found] == [keys[0][0].data[0]] * len(arrivals)
        loop.remove_reader(ours)
        loop.remove_writer(theirs)


@pytest.mark.parametrize(
    ("slept", "busy", "events"),
    [(0.3, 0.0, True), (0.0, 0.001, True), (0.0, 0.3, False)],
    ids=["it slept", "it was hardly busy", "nothing came"],
)
def test_the_kernel_is_asked_only_if_it_may_know_more(
    loop, unhook, steps, clock, monkeypatch, slept, busy, events
):
    """After a busy while, if there is anything to be read."""
    monkeypatch.setattr(hooks, "last_data_s", lambda _: pytest.fail("asked"))
    clock.now += busy
    steps.began = clock.now
    clock.now += slept

    loop._process_events([(loop._selector.get_key(loop._ssock), 0)] * events)

    assert steps.polled == clock.now


def test_it_works_with_asyncios_own_clock(loop):
    """For real: a sleep of nobody's, and one of an utterance's."""
    steps = Steps(time.monotonic, hold_s=0.05, make_hold=lambda *_: None)
    ledger = Ledger(time.monotonic())

    async def main():
        enter_context(Context.make({}, None, None, ledger))
        await asyncio.sleep(0.01)

    unhook = hook(loop, steps)
    run(loop, main)
    unhook()

    assert ledger.waiting >= 0.005
    assert ledger.code > 0
