"""Watching an event loop: who holds it, and for whom."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time

import pytest
import uvloop

from tracelog.connections import base_of
from tracelog.context import Context, enter_context
from tracelog.errors import ConfigError
from tracelog.latency import watchdog
from tracelog.latency.clock import SYSTEM_CLOCK
from tracelog.latency.clock import Clock as SystemClock
from tracelog.latency.heartbeat import Heartbeat
from tracelog.latency.ledger import Ledger
from tracelog.latency.loop import (
    LoopWatch,
    check_watch,
    finish_watch,
    watch_if_wanted,
    watch_loop,
    watch_of_running_loop,
)


PATIENCE_S = 10.0
LOOPS = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}


class Dog:
    """A watchdog that looks only when the test does."""

    def __init__(self):
        self.watched = []

    def watch(self, watched):
        self.watched.append(watched)

    def unwatch(self, watched):
        if watched in self.watched:
            self.watched.remove(watched)


@pytest.fixture
def dog(monkeypatch):
    dog = Dog()
    monkeypatch.setattr(watchdog, "watch", dog.watch)
    monkeypatch.setattr(watchdog, "unwatch", dog.unwatch)
    return dog


@pytest.fixture(params=LOOPS)
def loop(request):
    loop = LOOPS[request.param]()
    yield loop
    loop.close()


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def look(watch):
    """Look, as the watchdog does: from another thread."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(watch.look()))
    thread.start()
    thread.join()
    return answers.pop()


def run(loop, main):
    return loop.run_until_complete(asyncio.wait_for(main(), PATIENCE_S))


def lines(caplog, name="tracelog.hold"):
    return [record for record in caplog.records if record.name == name]


def make_watch(loop, clock, mode="exact"):
    """One whose clock stands still."""
    watch = LoopWatch(loop, mode=mode)
    watch.steps.clock = clock
    watch.steps.began = watch.steps.polled = watch.steps.busy_since = clock()
    return watch


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_a_loop_that_is_watched_no_more_is_exactly_as_it_was(loop, dog, mode):
    """Its attributes, the collector's callbacks, and the watchdog's list."""

    async def main():
        before = {*vars(loop)}, [*gc.callbacks]
        watch = watch_loop(mode=mode)
        watched = {*vars(loop)}, [*gc.callbacks], [*dog.watched]
        watch.stop()
        watch.stop()
        return before, watched, ({*vars(loop)}, [*gc.callbacks]), watch

    before, (attributes, callbacks, watched), after, watch = run(loop, main)

    assert after == before
    assert attributes > before[0]
    assert len(callbacks) == len(before[1]) + 1
    assert (watched, dog.watched) == ([watch], [])


@pytest.mark.parametrize("mode", ["exact", "sampled"])
def test_a_loop_may_be_watched_again(loop, dog, mode):
    """As if it never had been."""

    async def main():
        first = watch_loop(mode=mode)
        first.stop()
        second = watch_loop(mode=mode)
        found = watch_of_running_loop()
        second.stop()
        return first is not second, found is second, watch_of_running_loop()

    assert run(loop, main) == (True, True, None)


def test_a_loop_is_watched_once(loop, dog):
    """Whoever asks again is given the same."""

    async def main():
        watch = watch_loop()
        answers = watch_loop(mode="sampled") is watch, watch.exact
        watch_if_wanted("sampled", SYSTEM_CLOCK)
        watch.stop()
        return answers

    assert run(loop, main) == (True, True)
    assert dog.watched == []


@pytest.mark.parametrize(("mode", "exact"), [("exact", True), ("sampled", False)])
def test_a_loop_is_watched_if_that_is_wanted(loop, dog, mode, exact):
    """`TraceMiddleware` is told whether."""

    async def main():
        watch_if_wanted(None, SYSTEM_CLOCK)
        watch_if_wanted(mode, SystemClock(monotonic=lambda: 1.0))  # a test's
        assert watch_of_running_loop() is None
        watch_if_wanted(mode, SYSTEM_CLOCK)
        watch = watch_of_running_loop()
        watch.stop()
        return watch.exact

    assert run(loop, main) is exact


def test_without_a_loop_there_is_none_to_watch():
    """Plain code: the same call may be made from anywhere."""
    watch_if_wanted("exact", SYSTEM_CLOCK)

    assert watch_of_running_loop() is None
    with pytest.raises(RuntimeError, match="no running event loop"):
        watch_loop()


def test_there_are_two_modes():
    """Another is refused before anything is touched."""
    with pytest.raises(
        ValueError, match=r"expected 'exact' or 'sampled', got 'fast'\n  Try: watch"
    ):
        watch_loop(mode="fast")


def test_a_mode_is_checked_where_it_is_set():
    """An integration would else refuse each request."""
    for mode in ("exact", "sampled", None):
        check_watch(mode)

    with pytest.raises(
        ConfigError, match=r"watch: expected 'exact', 'sampled' or None, got 'fast'"
    ):
        check_watch("fast")


def test_whoever_watches_the_loop_instead_is_left_alone(loop, dog):
    """A watch that is stopped late takes nothing away from the next one."""

    async def main():
        old = watch_loop()
        loop._tracelog_watch = new = LoopWatch(loop)
        old.stop()
        found = watch_of_running_loop() is new
        del loop._tracelog_watch
        return found

    assert run(loop, main) is True


def test_a_loop_that_is_not_known_is_sampled_with_one_warning(dog, caplog):
    """Nothing is put on it that might not fit."""

    class Strange(asyncio.SelectorEventLoop):
        def call_soon(self, *args, **kwargs):
            return super().call_soon(*args, **kwargs)

    loop = Strange()

    async def main():
        watch = watch_loop()
        watch_loop()
        exact, methods = watch.exact, vars(loop).keys() & {"call_soon", "call_at"}
        watch.stop()
        return exact, methods

    assert run(loop, main) == (False, set())
    loop.close()
    [warning] = lines(caplog, "tracelog.internal")
    assert warning.getMessage().startswith(f"{__name__}.")
    assert "Strange is no event loop that is known here" in warning.getMessage()


def test_a_closed_loop_is_dropped(loop, dog, caplog):
    """It is let go of, and says what it hasn't said."""
    clock = Clock()
    watch = make_watch(loop, clock)

    async def main():
        watch.start()
        await asyncio.sleep(0)
        clock.now += 0.3

    run(loop, main)
    assert look(watch) is True
    loop.close()

    assert look(watch) is False
    assert dog.watched == []
    assert lines(caplog, "tracelog.internal") == []
    assert [line.held_ms for line in lines(caplog)] == [pytest.approx(300)]


def test_a_hold_is_told_a_little_later_when_it_is_known_whom_it_has_delayed(loop, dog, caplog):
    """Half a second after its end; at once if there is no later."""
    clock = Clock()
    watch = make_watch(loop, clock)
    whose = Context.make({"user_id": "kim"}, None, None, Ledger(100.0, "message 1"))

    async def main():
        watch.start()
        enter_context(whose)
        await asyncio.sleep(0)
        clock.now += 0.3
        look(watch)
        await asyncio.sleep(0)
        told = []
        for seconds in (0.4, 0.2):
            watch.steps.began = clock.now = clock.now + seconds
            look(watch)
            told.append(len(lines(caplog)))
        watch.stop()
        return told

    assert run(loop, main) == [0, 1]

    [line] = lines(caplog)
    assert (line.user_id, line.held_ms, line.delayed) == ("kim", pytest.approx(300), 0)
    assert line.where.endswith(" look")
    assert (
        "test_a_hold_is_told_a_little_later_when_it_is_known_whom_it_has_delayed.main" in line.stack
    )
    assert [*whose.ledger.notes.own.values()] == [pytest.approx(0.3)]


def test_a_hold_of_an_utterance_that_has_ended_is_not_its_own(loop, dog):
    """A task that goes on has its line, but the verdict is written."""
    clock, ledger = Clock(), Ledger(100.0)
    ledger.end(100.0, 100.0)
    watch = make_watch(loop, clock)

    async def main():
        watch.start()
        enter_context(Context.make({}, None, None, ledger))
        await asyncio.sleep(0)
        clock.now += 0.3
        await asyncio.sleep(0)
        watch.stop()

    run(loop, main)

    assert ledger.notes is None
    assert watch.steps.recent[0].hold.seconds == pytest.approx(0.3)


@pytest.mark.parametrize(("seconds", "noted"), [(0.04, []), (0.2, [0.2])], ids=str)
def test_of_a_hold_in_which_an_utterance_begins_only_the_rest_is_its_own(loop, dog, seconds, noted):
    """What the step did before that, an import say, is none of its time."""
    clock = Clock()
    watch = make_watch(loop, clock)

    async def main():
        watch.start()
        await asyncio.sleep(0)
        clock.now += 0.3
        ledger = Ledger(clock.now)
        enter_context(Context.make({}, None, None, ledger))
        clock.now += seconds
        await asyncio.sleep(0)
        watch.stop()
        return ledger

    ledger = run(loop, main)

    assert [*(ledger.notes.own.values() if ledger.notes else ())] == pytest.approx(noted)


@pytest.mark.parametrize("loop", ["asyncio"], indirect=True)  # uvloop doesn't tell of these steps
@pytest.mark.parametrize("served", [True, False], ids=["a server's", "somebody's"])
def test_a_hold_while_a_socket_is_read_is_its_connections(loop, dog, served):
    """What a protocol does with its data is in no task; the transport knows whose it is."""
    clock, parsed = Clock(), loop.create_future()
    watch = make_watch(loop, clock)

    class Parser(asyncio.Protocol):
        def data_received(self, data):
            clock.now += 0.3
            parsed.set_result(None)

    async def main():
        ours, theirs = socket.socketpair()
        transport, _ = await loop.connect_accepted_socket(Parser, ours)
        connection = base_of(transport)[1] if served else None
        watch.start()
        theirs.send(b"x")
        await parsed
        await asyncio.sleep(0)
        watch.stop()
        transport.close()
        theirs.close()
        return connection

    connection = run(loop, main)

    [hold] = [step.hold for step in watch.steps.recent]
    assert hold.step.endswith("._read_ready")
    assert (hold.context.connection if hold.context else None) is connection


@pytest.mark.parametrize(("seconds", "noted"), [(0.04, []), (0.3, [0.3])], ids=str)
def test_an_utterance_that_ends_in_a_hold_of_its_own_knows_where(loop, dog, seconds, noted):
    """Its verdict is written before the step is over."""
    clock, ledger = Clock(), Ledger(99.0)
    watch = make_watch(loop, clock)

    async def main():
        watch.start()
        await asyncio.sleep(0)
        clock.now += seconds
        watch.note_own(ledger, clock.now)
        watch.stop()

    run(loop, main)

    assert [*(ledger.notes.own.values() if ledger.notes else ())] == pytest.approx(noted)


def test_an_utterance_has_of_a_hold_what_came_after_its_beginning(loop, dog):
    """Not what its handler had done before in the same step."""
    ledger = Ledger(1.4)
    context = Context.make({}, None, None, Ledger(1.8, "query", ledger))

    hold = make_watch(loop, Clock())._make_hold(print, None, context, 1.0, 2.0)

    assert hold.seconds == 1.0
    assert [*ledger.notes.own.values()] == [pytest.approx(0.6)]


def test_a_loop_that_is_busy_with_short_steps_is_looked_at_afresh(loop, dog, monkeypatch):
    """What its thread has had of the CPU is counted from the last look at which nothing was long."""
    clock, rested = Clock(), []
    watch = make_watch(loop, clock)
    monkeypatch.setattr(watch._sampler, "rest", lambda: rested.append(clock.now))

    async def main():
        watch.start()
        look(watch)
        await asyncio.sleep(0)
        clock.now += 0.02
        look(watch)
        clock.now += 0.02
        look(watch)
        watch.stop()

    run(loop, main)

    assert rested[0] == 100.0
    assert rested[-1] == pytest.approx(100.02)


class Open:
    def __init__(self):
        self.checked = []

    def check(self, now):
        self.checked.append(now)


def test_whoever_has_not_ended_is_asked_ten_times_a_second(loop, dog):
    """However often the watchdog looks."""
    clock, utterance = Clock(), Open()
    watch = make_watch(loop, clock)
    watch.open[1] = utterance

    for now in (100.0, 100.05, 100.2):
        clock.now = now
        look(watch)

    assert utterance.checked == [100.0, 100.2]


def test_two_threads_may_tell_of_the_same_holds(loop, dog, caplog):
    """Whoever stops a watch, and the watchdog: one finds nothing left."""
    watch = make_watch(loop, Clock())
    watch._untold.append(watch._make_hold(print, None, None, 1.0, 2.0))

    watch.finish()
    watch.finish()

    assert {line.held_ms for line in lines(caplog)} == {1000.0}


def test_what_is_untold_is_told_before_the_process_ends(loop, dog, caplog):
    """If anybody watches; a loop that ends in half a second has no later."""

    async def main():
        finish_watch()
        told = [len(lines(caplog))]
        watch = watch_loop()
        watch._make_hold(print, None, None, 1.0, 2.0)
        finish_watch()
        told.append(len(lines(caplog)))
        watch.stop()
        return told

    assert run(loop, main) == [0, 1]


def test_a_loop_that_goes_on_in_another_thread_is_seen_there(loop, dog, caplog):
    """From its second hold on: at the first, the one where it was before was still looked at."""
    clock = Clock()
    watch = make_watch(loop, clock)

    async def start():
        watch.start()

    async def main():
        for _ in range(2):
            await asyncio.sleep(0)
            clock.now += 0.3
            look(watch)
        await asyncio.sleep(0)
        watch.stop()

    run(loop, start)
    thread = threading.Thread(target=run, args=(loop, main))
    thread.start()
    thread.join()

    first, second = lines(caplog)
    assert first.kind == "not sampled"
    assert second.where.endswith(" look")


def test_a_sampled_loop_with_a_time_of_its_own_has_no_heartbeat(loop, dog):
    """Its timers would mean nothing to us."""
    watch = make_watch(loop, Clock(), "sampled")

    async def main():
        watch.start()
        undone = len(watch._undo)
        watch.stop()
        return undone

    assert run(loop, main) == 1  # what executors do


def test_sampled_a_holder_is_found(loop, dog, caplog):
    """Nothing but a heartbeat is on the loop: who holds it is seen from another thread."""
    clock = Clock()
    watch = make_watch(loop, clock, "sampled")
    loop.time = clock  # for its heartbeat; a loop with a time of its own has none

    async def hold():
        enter_context(Context.make({"user_id": "kim"}, None, None))
        clock.now += 0.3
        look(watch)

    async def main():
        watch.start()
        await asyncio.create_task(hold(), name="holder")
        heart = watch.steps.running
        heart.stop()
        heart._beat()  # late: its timer would have called it now
        watch.stop()
        return heart

    assert isinstance(run(loop, main), Heartbeat)

    [line] = lines(caplog)
    assert (line.user_id, line.held_ms) == ("kim", pytest.approx(280))
    assert line.holder.startswith("task holder ")
    assert line.where.endswith(" look")
    assert "test_sampled_a_holder_is_found.hold" in line.stack


def test_a_hold_is_told_for_real(loop, caplog):
    """With the real watchdog and the real clock, by a holder that stays until it was seen."""

    async def main():
        watch = watch_loop(hold_ms=30)
        await asyncio.sleep(0)
        began = time.monotonic()
        while watch._sampler.seen(watch.steps.began) is None or time.monotonic() < began + 0.03:
            assert time.monotonic() < began + PATIENCE_S
        await asyncio.sleep(0)
        watch.stop()

    run(loop, main)

    held = {line.where.rpartition(" ")[2]: line.held_ms for line in lines(caplog)}
    assert held["test_a_hold_is_told_for_real.main"] >= 30
