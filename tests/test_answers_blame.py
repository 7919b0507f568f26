"""Which lines of code made others late."""

from __future__ import annotations

import io
import json

import pytest

from tracelog.answers.blame import CALL, EXECUTOR, HOLD, LOCK, OTHER, QUEUE, SPAN, Culprit, blame
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources


def line(event="utterance", trace="t", user="ann", **fields):
    moment = "2026-11-22T10:00:30.000000Z"
    head = {"timestamp": moment, "event": event, "trace_id": trace, "user_id": user}
    return json.dumps({**head, **fields}) + "\n"


def blocked(ms, where="a.py:1 f", kind="CPU-bound"):
    return [{"ms": ms, "where": where, "kind": kind, "user_id": "nils", "trace_id": "n"}]


@pytest.fixture
def ask(tmp_path):
    with Spool() as spool:

        def ask(*lines, **filters):
            (tmp_path / "app.log").write_text("".join(lines))
            sources = open_sources([str(tmp_path / "app.log")], spool, io.BytesIO())
            return blame(Embedded(Log(sources, spool)), Filters(**filters))

        yield ask


HELD = line("loop held", "n", "nils", held_ms=310, where="a.py:1 f", kind="CPU-bound", delayed=5)
HELD = HELD.replace('"delayed": 5', '"delayed": 5, "delayed_ms": 900')
HITS = (
    line(trace="t1", late=True, blocked_by=blocked(300)),
    line(trace="t2", user="bob", late=True, blocked_by=blocked(250)),
    line(trace="t3", late=False, blocked_by=blocked(20)),
)


def test_a_hold_costs_all_whom_it_delays(ask):
    """Verdicts tell whom and how late; the hold's own line knows of those that left none."""
    culprits, tally = ask(*HITS, HELD)

    assert culprits == (
        Culprit(
            sort=HOLD,
            place="a.py:1 f",
            what="CPU-bound",
            delay_ms=900.0,
            utterances=5,
            late=2,
            users=2,
            holds=1,
            longest_ms=310.0,
            traces=("t1", "t2", "t3"),
        ),
    )
    assert (tally.lines, tally.rows) == (4, 4)


def test_without_holds_own_lines_verdicts_do(ask):
    """They may have been filtered out."""
    (culprit,), _ = ask(*HITS)

    assert (culprit.delay_ms, culprit.utterances, culprit.holds) == (570.0, 3, 0)


def test_holds_that_hit_nobody_known_are_told_by_their_own_lines(ask):
    """Whoever was on time may have no verdict; a hold that delayed nobody is nobody's trouble."""
    idle = line("loop held", held_ms=60, where="idle.py:1", kind="x", delayed=0, delayed_ms=0)

    (culprit,), _ = ask(HELD, idle)

    assert (culprit.utterances, culprit.late, culprit.users) == (5, 0, 0)
    assert culprit.traces == ("n",)


@pytest.mark.parametrize("filters", [{"user": "bob"}, {"where": (("user_id", "bob"),)}], ids=str)
def test_whose_fault_it_was_that_a_user_was_late(ask, filters):
    """A hold's line tells of its holder, so only the user's own verdicts count."""
    nils = line("loop held", "n", "bob", held_ms=9, where="b.py:2", delayed=5, delayed_ms=99)

    (culprit,), _ = ask(*HITS, HELD, nils, **filters)

    assert (culprit.delay_ms, culprit.utterances, culprit.traces) == (250.0, 1, ("t2",))


@pytest.mark.parametrize(
    ("what", "sort"),
    [
        ("lock", LOCK),
        ("semaphore in aiohttp", LOCK),
        ("free thread for resize", EXECUTOR),
        ("thread running resize", EXECUTOR),
        ("network read in asyncpg", CALL),
        ("DNS", CALL),
        ("queue get", QUEUE),
        ("sleep", OTHER),
        (None, OTHER),
    ],
)
def test_waits_are_sorted_by_what_was_waited_for(ask, what, sort):
    """Only those of late utterances count: a wait on time is no trouble."""
    awaits = [{"ms": 300.5, "what": what, "where": "a.py:1 f"}]
    longer = [{"ms": 999.0, "what": what, "where": "a.py:1 f"}]

    (culprit,), _ = ask(line(trace="t1", late=True, awaits=awaits), line(late=False, awaits=longer))

    assert culprit == Culprit(
        sort=sort,
        place="a.py:1 f",
        what=what,
        delay_ms=300.5,
        utterances=1,
        late=1,
        users=1,
        longest_ms=300.5,
        traces=("t1",),
    )


def test_spans_count_without_those_within_them(ask):
    """So that a sum over all of them counts nothing twice."""
    spans = [
        {"name": "llm", "total_ms": 300, "own_ms": 290},
        {"name": "db", "within": ["llm"], "total_ms": 10, "own_ms": 10},
    ]

    culprits, _ = ask(line(late=True, spans=spans))

    assert [(each.sort, each.what, each.delay_ms) for each in culprits] == [
        (SPAN, "llm", 290.0),
        (SPAN, "db", 10.0),
    ]


def test_ones_own_holds_make_nobody_else_late(ask):
    """They are in the holders' own verdicts, and not in this list."""
    assert ask(line(late=True, held=[{"ms": 300, "where": "a.py:1 f", "kind": "x"}]))[0] == ()


def test_odd_values_are_no_culprits(ask):
    """A list of something else has no figures to add."""
    odd = line(late=True, blocked_by=[5, "x", {"ms": "y"}], awaits="z", spans=[{}])
    held = line("loop held", held_ms="x", delayed_ms=[], delayed="y")

    assert ask(odd, held)[0] == ()
