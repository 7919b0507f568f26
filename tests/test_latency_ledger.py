"""The boxes of a span: each stretch of its time is in exactly one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.latency.ledger import Ledger


BOXES = ("code", "loop", "waiting", "send")


def boxes(ledger):
    return {name: getattr(ledger, name) for name in BOXES if getattr(ledger, name)}


def test_a_step_is_code_and_what_was_before_it_is_waiting():
    """Ready when it began: nothing held it up."""
    ledger = Ledger(10.0)

    ledger.resume(13.0, 13.0)
    ledger.ran(13.0, 14.0)

    assert boxes(ledger) == {"waiting": 3.0, "code": 1.0}


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        (9.0, {"loop": 5.0}),
        (10.0, {"loop": 5.0}),
        (12.0, {"waiting": 2.0, "loop": 3.0}),
        (15.0, {"waiting": 5.0}),
        (16.0, {"waiting": 5.0}),
    ],
    ids=["before it began", "at once", "meanwhile", "just now", "by a coarse clock, later"],
)
def test_from_ready_to_resumed_something_else_held_the_loop(ready, expected):
    """Before that, there was nothing to run."""
    ledger = Ledger(10.0)

    ledger.resume(ready, 15.0)

    assert boxes(ledger) == expected


def test_time_that_was_passed_is_not_counted_again():
    """Several tasks of one span resume one after the other: the span has one time."""
    ledger = Ledger(10.0)
    ledger.resume(11.0, 11.0)
    ledger.ran(11.0, 13.0)

    ledger.resume(12.0, 13.0)
    ledger.ran(13.0, 13.0)

    assert boxes(ledger) == {"waiting": 1.0, "code": 2.0}


def test_a_step_that_entered_it_is_its_own_from_its_beginning_on():
    """A step that was somebody else's at first: nobody knows where in it that changed."""
    ledger = Ledger(10.0)

    ledger.ran(12.0, 15.0)

    assert boxes(ledger) == {"waiting": 2.0, "code": 3.0}


def test_a_step_that_began_before_it_is_its_own_only_since():
    """A message may be read in the middle of a step."""
    ledger = Ledger(10.0)

    ledger.ran(8.0, 11.0)

    assert boxes(ledger) == {"code": 1.0}


def test_its_end_is_in_a_step_of_its_own():
    """What it ran until then is code; between two steps nothing was."""
    ledger = Ledger(10.0)

    ledger.end(12.0, 13.0)

    assert boxes(ledger) == {"waiting": 2.0, "code": 1.0}
    assert (ledger.ended, ledger.is_open) == (13.0, False)


def test_what_has_ended_stays_as_it_is():
    """Tasks that it started may go on for hours."""
    ledger = Ledger(10.0)
    ledger.task = object()
    ledger.end(10.0, 13.0)

    ledger.resume(14.0, 15.0)
    ledger.ran(15.0, 16.0)
    ledger.end(16.0, 17.0)

    assert boxes(ledger) == {"code": 3.0}
    assert (ledger.ended, ledger.cursor, ledger.task) == (13.0, math.inf, None)


def test_its_parents_time_is_accounted_for_too():
    """By cursors of their own: the parent has been waiting for longer."""
    parent = Ledger(10.0, "message 1")
    child = Ledger(12.0, "query", parent)

    child.resume(14.0, 15.0)
    child.ran(15.0, 16.0)

    assert boxes(child) == {"waiting": 2.0, "loop": 1.0, "code": 1.0}
    assert boxes(parent) == {"waiting": 4.0, "loop": 1.0, "code": 1.0}
    assert child.root is parent.root is parent


def test_a_span_that_outlives_its_parent_goes_on_alone():
    """A background task's, whose utterance has its verdict already."""
    parent = Ledger(10.0)
    child = Ledger(11.0, "", parent)
    parent.end(10.0, 12.0)

    child.ran(12.0, 15.0)
    child.end(12.0, 15.0)

    assert boxes(parent) == {"code": 2.0}
    assert boxes(child) == {"waiting": 1.0, "code": 3.0}


def test_waiting_for_the_client_is_sending():
    """Only what nobody else can be blamed for is moved there."""
    ledger = Ledger(10.0)
    ledger.resume(11.0, 11.0)

    ledger.begin_send()
    ledger.resume(14.0, 15.0)
    ledger.end_send()

    assert boxes(ledger) == {"waiting": 1.0, "loop": 1.0, "send": 3.0}
    assert not ledger.sending


def test_sends_that_overlap_are_counted_once_and_in_full():
    """Two tasks may send at a time: from the first's begin to the last's end."""
    ledger = Ledger(10.0)
    ledger.resume(11.0, 11.0)
    ledger.begin_send()
    ledger.resume(15.0, 15.0)
    ledger.begin_send()
    ledger.resume(18.0, 18.0)

    ledger.end_send()
    ledger.resume(20.0, 20.0)
    ledger.end_send()
    ledger.resume(21.0, 21.0)

    assert boxes(ledger) == {"waiting": 2.0, "send": 9.0}


def test_a_send_that_is_not_over_counts_up_to_the_end():
    """Nobody takes it any more seriously after that."""
    ledger = Ledger(10.0)
    ledger.begin_send()
    ledger.resume(14.0, 14.0)

    ledger.end(14.0, 15.0)
    ledger.resume(19.0, 19.0)
    ledger.end_send()

    assert boxes(ledger) == {"send": 4.0, "code": 1.0}


def test_what_else_it_waits_for_meanwhile_is_not_the_clients():
    """A task of it sends, but another one has waited for something by name."""
    ledger = Ledger(10.0)
    ledger.begin_send()

    ledger.wait_besides(3.0)
    ledger.resume(13.0, 13.0)
    ledger.resume(15.0, 15.0)
    ledger.end(15.0, 15.0)

    assert boxes(ledger) == {"waiting": 3.0, "send": 2.0}


def test_its_own_time_is_without_the_spans_within_it():
    """Two that overlap cover what at least one of them does."""
    ledger = Ledger(10.0)
    first, second = Ledger(11.0, "", ledger), Ledger(12.0, "", ledger)
    first.end(13.0, 13.0)
    second.end(15.0, 15.0)
    third = Ledger(17.0, "", ledger)
    third.end(18.0, 18.0)

    ledger.end(20.0, 20.0)

    assert (ledger.covered, ledger.own) == (5.0, 5.0)
    assert third.own == 1.0


def test_a_span_that_is_still_open_covers_its_parent_up_to_the_end():
    """And not beyond."""
    ledger = Ledger(10.0)
    inner = Ledger(12.0, "", ledger)

    ledger.end(14.0, 14.0)
    inner.end(18.0, 18.0)

    assert (ledger.covered, ledger.own, inner.own) == (2.0, 2.0, 6.0)


class Story:
    """Spans of one utterance, as a loop would tell of them: opened, stepped and ended at random."""

    def __init__(self):
        self.now = 0.0
        self.ledgers = [Ledger(0.0)]

    def open(self, of):
        self.ledgers.append(Ledger(self.now, "", self.ledgers[of % len(self.ledgers)]))

    def step(self, of, waits, ready, runs):
        ledger = self.ledgers[of % len(self.ledgers)]
        before, began = self.now, self.now + waits
        ledger.resume(before + waits * ready, began)
        self.now = began + runs
        ledger.ran(began, self.now)

    def send(self, of, waits):
        ledger = self.ledgers[of % len(self.ledgers)]
        ledger.begin_send()
        self.step(of, waits, 1.0, 0.0)
        ledger.end_send()

    def end(self, of, runs):
        began, self.now = self.now, self.now + runs
        self.ledgers[of % len(self.ledgers)].end(began, self.now)


numbers, spells = st.integers(0, 9), st.floats(0, 10)
events = st.one_of(
    st.tuples(st.just("open"), numbers),
    st.tuples(st.just("step"), numbers, spells, st.floats(-1, 1.5), spells),
    st.tuples(st.just("send"), numbers, spells),
    st.tuples(st.just("end"), numbers, spells),
)


@given(st.lists(events, max_size=30))
def test_the_boxes_sum_to_the_total(story):
    """Of every span, nested, concurrent, or ended after its parent; none of them is negative."""
    told = Story()
    for name, *args in story:
        getattr(told, name)(*args)
    for ledger in told.ledgers:
        ledger.end(told.now, told.now)

    for ledger in told.ledgers:
        sizes = [getattr(ledger, name) for name in BOXES]
        assert sum(sizes) == pytest.approx(ledger.ended - ledger.begun, abs=1e-9)
        assert min(sizes) >= 0
        assert -1e-9 <= ledger.own <= ledger.ended - ledger.begun
