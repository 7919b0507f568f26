"""What was found out about one utterance's waits."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.context import Context, enter_context
from tracelog.ids import TraceContext
from tracelog.latency.awaits import send_back, send_to
from tracelog.latency.findings import Awaited, Findings, explain
from tracelog.latency.holds import Hold
from tracelog.latency.ledger import NOTABLE_S, Ledger
from tracelog.latency.steps import Step, Steps
from tracelog.latency.threads import Job


LIMIT = 64


def context(number=1, ledger=None):
    return Context.make({}, TraceContext(f"{number:032x}", f"{number:016x}"), None, ledger)


def trace_id(number):
    return f"{number:032x}"


def hold(began, ended, whose=None):
    return Hold(began, ended, 0.0, whose, "f", "app.py:1 f", "CPU-bound")


def held(began, ended, whose=None):
    return Step(began, ended, whose, hold(began, ended, whose))


@pytest.fixture
def root():
    return Ledger(0.0, "message 1")


@pytest.fixture
def findings(root):
    return Findings.of(root)


def test_an_utterance_has_one_for_all_of_its_spans(root):
    """Made when there is something to note."""
    assert root.notes is None

    found = Findings.of(Ledger(1.0, "query", Ledger(1.0, "page", root)))

    assert found is Findings.of(root) is root.notes


def test_a_wait_is_noted_by_what_for_and_until_whose_step(findings):
    """And added up, if it is the same."""
    findings.note_await(None, 1.0, 3.0, context(7))
    findings.note_await(None, 4.0, 5.0, context(7))
    findings.note_await(None, 5.0, 6.0, None)

    assert findings.awaits == {
        Awaited("future", "", trace_id(7)): 3.0,
        Awaited("future", "", None): 1.0,
    }
    assert findings.who == {trace_id(7): context(7)}


@pytest.mark.parametrize(("ended", "after"), [(2.0, True), (3.5, False), (None, False)])
def test_a_step_may_come_after_its_utterance(findings, ended, after):
    """It is of a task that this has left behind; whoever lets others go on first may end then."""
    ledger = Ledger(0.0, "message 7")
    if ended is not None:
        ledger.end(1.0, ended)

    findings.note_await(None, 1.0, 3.0, context(7, ledger))

    assert [awaited.after for awaited in findings.awaits] == [after]


@pytest.mark.parametrize("own", [True, False], ids=["its own", "nobody's"])
def test_a_waker_that_says_nothing_is_not_named(findings, root, own):
    """A task of its own, or a step without a trace."""
    waker = context(1, Ledger(1.0, "query", root)) if own else Context.make({}, None, None)

    findings.note_await(None, 1.0, 3.0, waker)

    assert findings.awaits == {Awaited("future", "", None): 2.0}
    assert findings.who == {}


def test_a_client_that_takes_nothing_lets_nobody_go_on(findings):
    """Whoever sent it something waited for that client, whatever step of whose it was at the end."""

    async def main():
        task = asyncio.create_task(send_to(context(8), asyncio.Event().wait()))
        await asyncio.sleep(0)
        findings.note_await(task, 1.0, 3.0, context(7))
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())

    [awaited] = findings.awaits
    assert (awaited.what, awaited.until, awaited.to) == ("send", None, trace_id(8))
    assert findings.who == {trace_id(8): context(8)}


def test_another_utterances_step_is_not_its_own(findings):
    """Whose ledger has another root."""
    findings.note_await(None, 1.0, 3.0, context(7, Ledger(0.0)))

    assert [awaited.until for awaited in findings.awaits] == [trace_id(7)]


def test_where_it_waits_is_told_by_its_own_task(findings, root):
    """If what goes on is no code of the user's."""

    async def user():
        await asyncio.Event().wait()

    async def main():
        root.task = asyncio.create_task(user())
        await asyncio.sleep(0)
        findings.note_await(None, 1.0, 3.0, None)
        root.task.cancel()
        await asyncio.wait([root.task])

    asyncio.run(main())

    [awaited] = findings.awaits
    assert awaited.what == "event"
    assert awaited.where.endswith(".user")


async def user_wants(lock):
    await lock.acquire()


def aside(findings, root, *last):
    """Notes twice that a ping has slept while the handler waits for a lock, and then as told."""

    async def main():
        lock = asyncio.Lock()
        await lock.acquire()
        root.task = asyncio.create_task(user_wants(lock))
        ping = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        findings.note_await(ping, 1.0, 2.0, None)
        findings.note_await(ping, 2.0, 3.0, None)
        for waker in last:
            findings.note_await(root.task, 3.0, 3.5, waker)
        findings.settle()
        for task in (root.task, ping):
            task.cancel()
        await asyncio.wait([root.task, ping])

    asyncio.run(main())
    return {(awaited.what, awaited.until): s for awaited, s in findings.awaits.items()}


def test_while_the_handler_waits_what_others_of_its_tasks_do_is_beside_that(findings, root):
    """One that pings all the time is not why it is late."""
    whose = context(7, Ledger(0.0))

    assert aside(findings, root, whose) == {("lock", trace_id(7)): 2.5}


def test_if_a_task_of_its_own_lets_it_go_on_that_is_what_it_waited_for(findings, root):
    """What that waited for, that is."""
    assert aside(findings, root, context(1, root)) == {("sleep", None): 2.0, ("lock", None): 0.5}


def test_if_nobody_knows_what_let_it_go_on_it_was_whatever_went_on(findings, root):
    """It was too soon after that to be asked."""
    assert aside(findings, root) == {("sleep", None): 2.0}


def test_what_was_beside_another_wait_is_settled_before(findings, root):
    """The handler has gone on meanwhile, and waits for something else."""

    async def main():
        first, second = asyncio.Event(), asyncio.Event()

        async def user():
            await first.wait()
            await second.wait()

        root.task = asyncio.create_task(user())
        ping = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        findings.note_await(ping, 1.0, 2.0, None)
        first.set()
        await asyncio.sleep(0)
        findings.note_await(root.task, 2.0, 3.0, None)
        for task in (root.task, ping):
            task.cancel()
        await asyncio.wait([root.task, ping])

    asyncio.run(main())

    assert {awaited.what: s for awaited, s in findings.awaits.items()} == {
        "sleep": 1.0,
        "event": 1.0,
    }


def test_a_wait_for_a_thread_is_told_apart(findings):
    """Until one was free, and while it ran; the rest is whatever the task waited for."""
    findings.jobs.append(Job("resize", 1.0, 2.0, 4.0))

    findings.note_await(None, 1.0, 7.0, None)

    assert findings.awaits == {
        Awaited("free thread for resize", "", None): 1.0,
        Awaited("thread running resize", "", None): 2.0,
        Awaited("future", "", None): 3.0,
    }


def test_a_thread_that_ran_at_another_time_has_no_part(findings):
    """Nor has a part that is too short to be told."""
    findings.jobs.extend(
        [Job("resize", 0.0, 0.5, 0.9), Job("resize", 1.0, 1.0005, 2.0), Job("x", 2.0, 8.0, 9.0)]
    )

    findings.note_await(None, 1.0, 2.0, None)

    assert findings.awaits == {Awaited("thread running resize", "", None): pytest.approx(0.9995)}


def test_a_hold_is_charged_by_how_much_it_overlaps(findings, root):
    """Only what was ready while it lasted was delayed by it, and the hold knows whom."""
    steps = [held(1.0, 2.0), held(2.0, 5.0), held(5.0, 9.0)]

    findings.note_loop(reversed(steps), 3.0, 7.0)

    last, middle = steps[2].hold, steps[1].hold
    assert findings.holds == {last: 2.0, middle: 2.0}
    assert (middle.delayed, steps[0].hold.delayed) == ({root: 2.0}, {})


def test_steps_after_the_wait_have_no_part(findings):
    """The latest come first."""
    findings.note_loop([held(8.0, 9.0), held(1.0, 2.0)], 1.0, 3.0)

    assert [*findings.holds.values()] == [1.0]


def test_steps_that_were_no_holds_are_charged_to_their_traces(findings):
    """Many short ones may be one user's; nobody's, and its own, are named by no trace."""
    steps = [
        Step(1.0, 1.01, context(7), None),
        Step(1.01, 1.03, context(8), None),
        Step(1.03, 1.04, context(7), None),
        Step(1.04, 1.05, None, None),
        Step(1.05, 1.06, Context.make({}, None, None), None),
        Step(1.06, 1.07, context(9, findings._root), None),
    ]

    findings.note_loop(reversed(steps), 1.0, 2.0)

    assert findings.others == {trace_id(8): pytest.approx(0.02), trace_id(7): pytest.approx(0.02)}
    assert findings.holds == {}


def test_whose_the_short_steps_were_is_asked_at_the_end(findings):
    """Of each wait for the loop, the steps within it; its own between two waits don't count."""
    steps = Steps(lambda: 0.0, hold_s=0.05, make_hold=lambda *_: None)
    steps.recent.extend(
        [
            Step(0.9, 1.0, context(6), None),
            Step(1.0, 1.01, context(7), None),
            Step(1.01, 1.02, context(9, findings._root), None),
            Step(1.02, 1.05, context(8), None),
            Step(1.05, 1.06, context(6), None),
        ]
    )
    findings.note_wait(steps, 1.0, 1.01)
    findings.note_wait(steps, 1.02, 1.05)
    before = {**findings.others}

    findings.note_others(steps)

    assert before == {}
    assert findings.others == {trace_id(8): pytest.approx(0.03), trace_id(7): pytest.approx(0.01)}


def test_only_the_latest_steps_are_asked(findings):
    """There may be thousands, and everybody who waits would ask them all."""
    steps = Steps(lambda: 0.0, hold_s=0.05, make_hold=lambda *_: None)
    steps.recent.extend(Step(n, n + 1, context(n), None) for n in range(1000))
    findings.note_wait(steps, 0, 1000)

    findings.note_others(steps)

    assert trace_id(999) in findings.others
    assert trace_id(100) not in findings.others


def test_a_hold_is_noted_at_once(findings, root):
    """And told whom it has delayed: its line is written soon."""
    steps = Steps(lambda: 0.0, hold_s=0.05, make_hold=lambda *_: None)
    step = held(1.0, 2.0)
    steps.recent.append(step)
    steps.held_until = 2.0

    findings.note_wait(steps, 1.5, 3.0)

    assert (findings.holds, step.hold.delayed) == ({step.hold: 0.5}, {root: 0.5})


def test_some_steps_may_not_count(findings):
    """Behind another message of its own, only what held that one up is worth a word."""
    steps = [Step(1.0, 1.01, context(7), None), held(2.0, 3.0)]

    findings.note_loop(reversed(steps), 1.0, 4.0, only=lambda step: step.hold)

    assert (findings.others, len(findings.holds)) == ({}, 1)


def test_its_own_steps_delay_nobody_else(findings, root):
    """They are its code."""
    findings.note_loop([held(1.0, 2.0, context(1, root))], 1.0, 3.0)
    findings.note_own("app.py:1 f", "CPU-bound", 1.0)
    findings.note_own("app.py:1 f", "CPU-bound", 0.5)

    assert findings.holds == {}
    assert findings.own == {("app.py:1 f", "CPU-bound"): 1.5}


def test_spans_are_summed_up_by_their_names(findings, root):
    """From the outermost to the innermost: how many, how long, and how long on their own."""
    for begun in (1.0, 5.0):
        page = Ledger(begun, "page", root)
        query = Ledger(begun + 1, "query", page)
        query.end(begun + 2, begun + 2)
        findings.note_span(query)
        page.end(begun + 3, begun + 3)
        findings.note_span(page)

    assert findings.spans == {("page", "query"): [2, 2.0, 2.0], ("page",): [2, 6.0, 4.0]}


def test_a_span_of_another_root_is_told_up_to_that():
    """A task may keep a context for longer than the utterance is open."""
    findings = Findings(Ledger(0.0))
    span = Ledger(1.0, "query", Ledger(0.0, "message 2"))
    span.end(2.0, 2.0)

    findings.note_span(span)

    assert [*findings.spans] == [("message 2", "query")]


def test_it_is_bounded_whatever_the_utterance_does(findings, root):
    """What there is no room for is in the boxes all the same."""
    idle = Steps(lambda: 0.0, hold_s=0.05, make_hold=lambda *_: None)
    for number in range(1000):
        span = Ledger(0.0, f"span {number}", root)
        span.end(1.0, 1.0)
        findings.note_span(span)
        findings.note_own(f"app.py:{number} f", "CPU-bound", 1.0)
        findings.note_loop([held(0.0, 1.0)], 0.0, 1.0)
        findings.note_loop([Step(0.0, 1.0, context(number), None)], 0.0, 1.0)
        findings.note_wait(idle, 0.0, 1.0)
        findings.note_await(None, 0.0, 1.0, context(10_000 + number))
        findings.jobs.append(Job("f", 0.0, 1.0, 2.0))

    kept = (findings.spans, findings.own, findings.holds, findings.others, findings.awaits)
    assert max(map(len, (*kept, findings.who, findings.jobs, findings.waits))) == LIMIT


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 200)), max_size=300))
def test_whoever_is_named_is_known(notes):
    """A verdict shows whose each trace is."""
    findings = Findings(Ledger(0.0))

    for awaited, number in notes:
        if awaited:
            findings.note_await(None, 0.0, 1.0, context(number))
        else:
            findings.note_loop([Step(0.0, 1.0, context(number), None)], 0.0, 1.0)

    named = {*findings.others, *(awaited.until for awaited in findings.awaits)} - {None}
    assert named <= findings.who.keys()


def step_of(task):
    """A callback that *task* goes on by, as its own do; or anybody's."""
    return task.set_name if task is not None else print


class Waits:
    """An utterance that waited from 10.0 until now, 20.0."""

    def __init__(self):
        self.root = Ledger(10.0)
        self.steps = Steps(lambda: 20.0, hold_s=0.05, make_hold=lambda *_: None)
        self.steps.recent.append(held(12.0, 19.0))
        self.steps.held_until = 19.0

    def explain(self, ready, *, task=None, waker=None):
        ledger = Ledger(10.0, "query", self.root)
        explain(self.steps, ledger, step_of(task), (), ready, waker)
        found = self.root.notes
        return ([*found.awaits.values()], [*found.holds.values()]) if found else None


@pytest.mark.parametrize(
    ("ready", "awaited", "held_for"),
    [
        (15.0, [5.0], [4.0]),
        (20.0, [10.0], []),
        (30.0, [10.0], []),
        (10.0, [], [7.0]),
        (0.0, [], [7.0]),
        (10.004, [], [7.0]),
        (19.996, [pytest.approx(9.996)], []),
    ],
    ids=["meanwhile", "now", "later", "at once", "before", "almost at once", "almost now"],
)
def test_a_late_step_is_explained(ready, awaited, held_for):
    """Before it was ready something was awaited, and after that something held the loop."""
    assert Waits().explain(ready) == (awaited, held_for)


def test_a_wait_for_the_client_needs_no_other_reason():
    """The box says it all."""
    waits = Waits()
    waits.root.begin_send()

    assert waits.explain(20.0) is None


@pytest.mark.parametrize(
    ("wait", "is_last", "awaited"),
    [
        (lambda root: asyncio.sleep(3600), True, [10.0]),
        (lambda root: asyncio.sleep(3600), False, None),
        (lambda root: asyncio.wait([asyncio.create_task(asyncio.sleep(3600))]), True, None),
        (lambda root: asyncio.get_running_loop().create_future(), True, None),
        (lambda root: send_back(root, asyncio.Event().wait()), True, None),
        (lambda root: send_to(context(8), asyncio.Event().wait()), True, [10.0]),
    ],
    ids=["something else", "of another task", "tasks", "whatever", "it", "another client"],
)
def test_a_wait_beside_that_for_the_client_has_its_reason(wait, is_last, awaited):
    """It is the client's time unless the task that is to end it all waits for something by name."""
    waits = Waits()
    root = waits.root

    async def handle():
        await wait(root)

    async def main():
        task = asyncio.create_task(handle())
        for _ in range(3):
            await asyncio.sleep(0)
        root.task = task if is_last else object()
        root.begin_send()
        found = waits.explain(20.0, task=task)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for other in others:
            other.cancel()
        await asyncio.wait(others)
        root.resume(20.0, 20.0)
        root.end(20.0, 20.0)
        return found and found[0]

    assert asyncio.run(main()) == awaited
    assert (root.waiting, root.send) == ((10.0, 0.0) if awaited else (0.0, 10.0))


def test_what_has_ended_is_asked_for_no_reasons():
    """A task that goes on after its utterance."""
    waits = Waits()
    waits.root.end(10.0, 11.0)

    assert waits.explain(15.0) is None


def test_a_reason_is_not_worth_a_step():
    """Whatever other people's objects do when they are looked at."""

    class Proxy:
        @property
        def __self__(self):
            raise ReferenceError

    waits = Waits()

    explain(waits.steps, waits.root, Proxy(), (), 15.0, None)

    assert waits.steps.failures == 1


@pytest.mark.parametrize(
    ("who", "awaited"),
    [
        ("the handler, by another's", {"lock": 10.002}),
        ("the handler, by its own", {"sleep": 10.0, "lock": 0.002}),
        ("the ping", {"sleep": 10.0}),
    ],
)
def test_what_lets_a_handler_go_on_is_asked_however_soon_after_a_ping_that_is(who, awaited):
    """Or it would be told to have waited for the ping."""

    async def main():
        lock, waits = asyncio.Lock(), Waits()
        root, steps = waits.root, waits.steps
        await lock.acquire()
        enter_context(context(1, root))
        root.task = asyncio.create_task(user_wants(lock))
        ping = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        explain(steps, root, step_of(ping), (), 20.0, None)
        asked = root.notable
        root.cursor, steps.began = 20.0, 20.002
        task = ping if who == "the ping" else root.task
        waker = context(1, root) if who == "the handler, by its own" else context(7)
        explain(steps, root, step_of(task), (), 20.002, waker)
        root.notes.settle()
        for each in (root.task, ping):
            each.cancel()
        await asyncio.wait([root.task, ping])
        return asked, root.notable, {a.what: s for a, s in root.notes.awaits.items()}

    asked, again, found = asyncio.run(main())

    assert (asked, found) == (0.0, pytest.approx(awaited))
    assert again == (0.0 if who == "the ping" else NOTABLE_S)
