"""One utterance: from its arrival to the end of its handling."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from io import StringIO

import pytest
import trio

from tracelog.config import configure_logging
from tracelog.context import Connection, Context, enter_context
from tracelog.ids import TraceContext
from tracelog.latency.awaits import send_to
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.holds import Hold
from tracelog.latency.ledger import Ledger
from tracelog.latency.loop import watch_loop
from tracelog.latency.policy import Policy
from tracelog.latency.steps import Step
from tracelog.latency.utterance import Arrival, Before, Turn, Utterance


NOON = 1763812800.0  # 2025-11-22T12:00:00Z


class Time:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.now = 50.0
        self.clock = Clock(lambda: NOON, lambda: self.now)


@pytest.fixture
def time():
    return Time()


def begin(clock, arrival, **options):
    """Begin the third message of a connection, in a context of its own."""
    given = {"policy": Policy(), "about": {"path": "/chat"}, **options}
    utterance = Utterance(3, "websocket", "message 3", arrival, clock=clock, **given)
    context = Context.make({"user_id": "kim"}, TraceContext.new(), None, utterance.ledger)
    utterance.context = context
    enter_context(context)
    return utterance


def before(number, ended):
    """The utterance before this one, which nothing had delayed."""
    return Before(number, ended, Ledger(ended), ())


def watched(story):
    """Run *story* on an event loop that is watched; it gets the watch."""

    async def main():
        watch = watch_loop()
        await asyncio.sleep(0)  # its first step of all was not seen
        try:
            return await story(watch)
        finally:
            watch.stop()

    return asyncio.run(main())


def test_an_arrival_is_noted_on_both_clocks(time):
    """What time it is, for people; and how much has passed, for sums."""
    assert Arrival.now(time.clock) == Arrival(NOON, 50.0, 0.0)
    assert Arrival.now(time.clock, lambda: 0.3) == Arrival(NOON, 50.0, 0.3)
    assert Arrival.now(time.clock, lambda: None) == Arrival(NOON, 50.0, 0.0)


def test_a_loop_that_has_been_looking_has_kept_no_message_waiting():
    """Then the kernel isn't even asked."""

    async def story(watch):
        watch.steps.busy_since = SYSTEM_CLOCK.monotonic()
        seen = Arrival.now(SYSTEM_CLOCK, lambda: 0.3)
        watch.steps.blind = True  # a loop that doesn't tell when it looks
        return seen, Arrival.now(SYSTEM_CLOCK, lambda: 0.3)

    seen, unseen = watched(story)

    assert (seen.socket_wait, unseen.socket_wait) == (0.0, 0.3)


def test_what_the_kernel_can_not_tell_has_a_bound():
    """A message came, at the earliest, when the loop hadn't looked; little is told as it is."""

    async def story(watch):
        watch.steps.busy_since = SYSTEM_CLOCK.monotonic() - 0.3
        return [Arrival.now(SYSTEM_CLOCK, lambda w=waited: w) for waited in (None, 0.1, 0.008)]

    unknown, known, little = watched(story)

    assert (unknown.bound, known.bound, little.bound) == (True, False, False)
    assert unknown.socket_wait == pytest.approx(0.3, abs=0.05)
    assert (known.socket_wait, little.socket_wait) == (0.1, 0.008)


def test_an_arrival_is_frozen(time):
    """It travels."""
    with pytest.raises(AttributeError):
        Arrival.now(time.clock).read = 0.0


def test_its_time_runs_until_it_ends(time):
    """Of its handling, and of its ledger."""
    utterance = begin(time.clock, Arrival(NOON, 49.5))
    time.now = 51.0

    assert utterance.elapsed() == 1.0
    assert utterance.end() is utterance.context
    assert (utterance.ended, utterance.ledger.ended) == (51.0, 51.0)


def test_it_may_have_been_behind_another(time):
    """One connection's messages are handled one after the other: the second waits for the first."""
    utterance = begin(time.clock, Arrival(NOON, 49.0), before=before(2, 49.75))

    assert (utterance.behind, utterance.behind_s) == (2, 0.75)


@pytest.mark.parametrize("ended", [48.0, 49.001], ids=["long before", "just then"])
def test_what_was_over_is_not_in_the_way(time, ended):
    """When it came, the one before it had ended: something else has kept it waiting."""
    utterance = begin(time.clock, Arrival(NOON, 49.0), before=before(2, ended))

    assert utterance.behind is None


def test_the_items_before_it_had_their_turns(time):
    """A worker's: it waited for all that ended after it had come, not only for the last one."""
    turns = []
    before = None
    for number in range(70):
        arrival = Arrival(NOON, 50.0 if number else 49.0)
        item = begin(time.clock, arrival, before=before)
        time.now += 0.1
        item.end()
        before = item.as_turn()
        turns.append(Turn(item.started, item.ended, item.context))

    late = begin(time.clock, Arrival(NOON, 53.05), before=before)
    later = begin(time.clock, Arrival(NOON, time.now), before=before)

    assert before.number is None
    assert before.turns == tuple(turns[-64:])
    assert late.ahead == tuple(turns[30:])
    assert (later.ahead, later.as_turn().turns[0].context) == ((), later.context)


@pytest.mark.parametrize("delayed", [True, False], ids=["delayed it", "delayed nobody"])
def test_behind_another_only_what_delayed_that_one_counts(delayed):
    """What had nothing to do with the one before it has nothing to do with this one."""
    hold = Hold(0, 0, NOON, None, "task janitor", "app.py:1 clean", "CPU-bound")

    async def story(watch):
        now = SYSTEM_CLOCK.monotonic()
        watch.steps.recent.append(Step(now - 0.3, now - 0.1, None, hold))
        watch.steps.held_until = now - 0.1
        before = Before(1, now, delayed_by=(hold,) if delayed else ())
        return begin(SYSTEM_CLOCK, Arrival(NOON, now - 0.4), before=before).ledger.notes.holds

    assert watched(story) == ({hold: pytest.approx(0.2)} if delayed else {})


def test_the_one_behind_it_learns_what_delayed_it():
    """And which holds were its own: the one behind it had to wait for those, too."""
    hold = Hold(0, 0, NOON, None, "task janitor", "app.py:1 clean", "CPU-bound")

    async def story(watch):
        now = SYSTEM_CLOCK.monotonic()
        watch.steps.recent.append(Step(now - 0.3, now - 0.1, None, hold))
        watch.steps.held_until = now - 0.1
        utterance = begin(SYSTEM_CLOCK, Arrival(NOON, now - 0.4))
        own = Context.make({}, None, None, utterance.ledger)
        utterance.end()
        before = utterance.as_before()
        return [
            before.was_delayed_by(Step(0, 1, context, held))
            for context, held in ((None, hold), (own, object()), (own, None), (None, object()))
        ]

    assert watched(story) == [True, True, False, False]


def test_a_hold_before_it_was_read_is_found():
    """Nobody could read it meanwhile; who held the loop is known all the same."""
    hold = Hold(0, 0, NOON, None, "task janitor", "app.py:1 clean", "CPU-bound")

    async def story(watch):
        now = SYSTEM_CLOCK.monotonic()
        watch.steps.recent.append(Step(now - 0.3, now - 0.1, None, hold))
        watch.steps.held_until = now - 0.1
        return begin(SYSTEM_CLOCK, Arrival(NOON, now - 0.1, 0.2)).ledger.notes.holds

    assert watched(story) == {hold: pytest.approx(0.2)}


def test_it_is_open_until_it_ends():
    """The watchdog looks at what is open."""

    async def story(watch):
        utterance = begin(SYSTEM_CLOCK, Arrival.now(SYSTEM_CLOCK))
        opened = [*watch.open.values()]
        task = utterance.ledger.task
        utterance.end()
        return utterance, opened, [*watch.open.values()], task

    utterance, before, after, task = watched(story)

    assert (before, after) == ([utterance], [])
    assert isinstance(task, asyncio.Task)
    assert utterance.ledger.task is None


def test_a_guest_of_the_loop_is_not_watched():
    """trio may run on asyncio's loop, which knows nothing of its tasks: no box is guessed."""

    async def guest():
        return begin(SYSTEM_CLOCK, Arrival.now(SYSTEM_CLOCK)).watch

    async def story(watch):
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        soon = loop.call_soon_threadsafe
        trio.lowlevel.start_guest_run(
            guest, run_sync_soon_threadsafe=soon, done_callback=ended.set_result
        )
        return (await ended).unwrap(), begin(SYSTEM_CLOCK, Arrival.now(SYSTEM_CLOCK)).watch is watch

    assert watched(story) == (None, True)


@pytest.mark.parametrize("is_nobodys", [True, False])
def test_it_may_end_in_a_context_that_is_nobodys(is_nobodys):
    """A callback that runs after everything, say."""

    async def story(watch):
        utterance = begin(SYSTEM_CLOCK, Arrival.now(SYSTEM_CLOCK))
        ledger = None if is_nobodys else utterance.ledger
        enter_context(Context.make({}, None, None, ledger))
        while SYSTEM_CLOCK.monotonic() - watch.steps.began < 0.001:
            pass  # a brief step is nobody's business
        utterance.end()
        return utterance

    assert not watched(story).ledger.is_open


def test_who_watches_by_another_clock_does_not_count(time):
    """Sums of two clocks' times would mean nothing."""

    async def story(watch):
        return begin(time.clock, Arrival.now(time.clock)).watch

    assert watched(story) is None


@pytest.fixture
def lines():
    stream = StringIO()
    configure_logging(format="json", sink=stream, level="INFO", env_file=None)

    def lines():
        found = [json.loads(line) for line in stream.getvalue().splitlines()]
        return [line for line in found if line["logger"] == "tracelog.utterance"]

    return lines


def test_one_that_takes_very_long_is_told_of_while_it_runs(lines):
    """Once; from another thread, with what it is doing: where it waits, and for what."""

    async def story(watch):
        gate, done = asyncio.Event(), asyncio.Event()

        async def handle():
            utterance = begin(SYSTEM_CLOCK, Arrival.now(SYSTEM_CLOCK), policy=Policy(still_ms=1000))
            done.utterance = utterance
            await gate.wait()
            utterance.end()

        task = asyncio.create_task(handle())
        await asyncio.sleep(0)
        now = SYSTEM_CLOCK.monotonic()
        for seconds in (0.9, 2.0, 3.0):
            thread = threading.Thread(target=done.utterance.check, args=(now + seconds,))
            thread.start()
            thread.join()
        gate.set()
        await task

    watched(story)

    [line] = lines()
    assert (line["level"], line["event"], line["what"]) == ("warning", "still running", "event")
    assert (line["user_id"], line["path"]) == ("kim", "/chat")
    assert line["where"].endswith("handle")
    assert line["where"] in line["stack"]
    assert 1900 < line["running_ms"] < 2500


def test_one_that_sends_for_very_long_says_to_whom(lines):
    """Somebody else's client, which doesn't read."""
    bob = Context.make({"user_id": "bob"}, None, Connection("c-1"))

    async def story(watch):
        gate, begun = asyncio.Event(), []

        async def handle():
            utterance = begin(SYSTEM_CLOCK, Arrival.now(SYSTEM_CLOCK), policy=Policy(still_ms=0))
            begun.append(utterance)
            await send_to(bob, gate.wait())
            utterance.end()

        task = asyncio.create_task(handle())
        await asyncio.sleep(0)
        begun[0].check(SYSTEM_CLOCK.monotonic())
        gate.set()
        await task

    watched(story)

    [line] = lines()
    assert line["what"] == "send"
    assert line["to"] == {"connection_id": "c-1", "user_id": "bob"}


def test_what_it_is_doing_may_be_unknown(time, lines):
    """Outside of tasks there is nothing to look at."""
    utterance = begin(time.clock, Arrival(NOON, 50.0))

    utterance.check(60.0)

    [line] = lines()
    assert (line["running_ms"], line["where"]) == (10000.0, "")
    assert "stack" not in line


@pytest.mark.parametrize(
    ("policy", "level"),
    [(Policy(still_ms=None), logging.INFO), (Policy(), logging.ERROR)],
    ids=["switched off", "level"],
)
def test_nobody_has_to_hear_of_it(time, lines, policy, level):
    """A policy without the limit, or a level without the line."""
    logging.getLogger("tracelog.utterance").setLevel(level)
    utterance = begin(time.clock, Arrival(NOON, 50.0), policy=policy)

    utterance.check(60.0)

    assert lines() == []
