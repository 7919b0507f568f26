"""Utterances in groups, and before and after a point in time."""

from __future__ import annotations

import io
import json

import pytest

from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.groups import Change, Group, compare, group
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.times import Moment


def verdict(total, minute, user="ann", path="/a", **fields):
    moment = f"2026-11-22T10:{minute:02}:30.000000Z"
    line = {"timestamp": moment, "event": "utterance", "total_ms": total, "user_id": user}
    return json.dumps({**line, "path": path, **fields}) + "\n"


LOG = (
    verdict(10, 0, loop_ms=4, code_ms=6)
    + verdict(20, 1, loop_ms=4, code_ms=16)
    + verdict(400, 2, "bob", late=True, cause="400 ms: its own code in a.py:1 f (CPU-bound)")
    + verdict(300, 2, "ann", late=True, held=[{"ms": 290, "where": "a.py:1 f"}], loop_ms=300)
    + verdict(50, 3, "bob", "/b")
    + verdict("odd", 3)
)


@pytest.fixture
def make_engine(tmp_path):
    with Spool() as spool:

        def make(content):
            (tmp_path / "app.log").write_text(content)
            return Embedded(
                Log(open_sources([str(tmp_path / "app.log")], spool, io.BytesIO()), spool)
            )

        yield make


def test_a_group_has_counts_percentiles_and_mean_boxes(make_engine):
    """Those with most late utterances come first, then the slowest; boxes that are absent are 0."""
    groups, tally = group(make_engine(LOG), Filters(), "user")

    assert [each.key for each in groups] == ["bob", "ann"]
    assert groups[1] == Group(
        key="ann",
        count=3,
        late=1,
        p50_ms=20.0,
        p95_ms=272.0,
        p99_ms=294.4,
        max_ms=300.0,
        mean_ms=110.0,
        boxes_ms=(0.0, 0.0, 102.667, 7.333, 0.0, 0.0),
    )
    assert (tally.lines, tally.rows, tally.matched) == (6, 6, 5)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("route", [("/a", 4), ("/b", 1)]),
        ("where", [("a.py:1 f", 1)]),
        ("cause", [("its own code in a.py:1 f (CPU-bound)", 1)]),
        (
            "minute",
            [
                ("2026-11-22T10:00Z", 1),
                ("2026-11-22T10:01Z", 1),
                ("2026-11-22T10:02Z", 2),
                ("2026-11-22T10:03Z", 1),
            ],
        ),
    ],
)
def test_groups_may_be_of_anything(make_engine, by, expected):
    """Those on time have neither a place nor a cause, and are in no such group."""
    groups, _ = group(make_engine(LOG), Filters(), by)

    assert [(each.key, each.count) for each in groups] == expected


@pytest.mark.parametrize("by", ["user", "minute"])
def test_those_of_nobody_are_a_group(make_engine, by):
    """And those of no time, too."""
    line = '{"event":"utterance","total_ms":5}\n'

    groups, _ = group(make_engine(line), Filters(), by)

    assert [(each.key, each.count) for each in groups] == [(None, 1)]


def test_filters_leave_out_what_they_do_elsewhere(make_engine):
    """Groups are of the rest."""
    groups, tally = group(make_engine(LOG), Filters(user="bob", over=60.0), "user")

    assert [(each.key, each.count) for each in groups] == [("bob", 1)]
    assert tally.matched == 1


def test_what_got_slower_comes_first(make_engine):
    """With the box that has grown most on average; new groups have nothing to grow from."""
    changes, tally = compare(make_engine(LOG), Filters(), "route", Moment.parse("10:02"))

    assert [(each.key, each.grown_ms, each.box) for each in changes] == [
        ("/a", 375.5, ("loop_ms", 146.0)),
        ("/b", 50.0, None),
    ]
    assert changes[0].before.count == changes[0].after.count == 2
    assert changes[1].before is None
    assert tally.matched == 5


def test_what_is_gone_comes_last(make_engine):
    """Its change is what is saved."""
    changes, _ = compare(make_engine(LOG), Filters(), "user", Moment.parse("10:03"))

    assert [each.key for each in changes] == ["ann", "bob"]
    assert (changes[0].after, changes[0].grown_ms, changes[0].box) == (None, -272.0, None)
    assert changes[1].grown_ms == -350.0


def test_a_box_that_shrank_has_not_grown():
    """Nothing is named then."""
    side = dict(key="a", count=1, late=0, p50_ms=1, p95_ms=1, p99_ms=1, max_ms=1, mean_ms=1)
    before = Group(**side, boxes_ms=(5, 5, 5, 5, 5, 5))
    after = Group(**side, boxes_ms=(5, 4, 3, 2, 1, 0))

    assert Change(key="a", before=before, after=after).box is None


def test_utterances_of_no_time_are_on_neither_side(make_engine):
    """Nobody knows when they were."""
    content = LOG + '{"event":"utterance","total_ms":5,"path":"/c"}\n'

    changes, _ = compare(make_engine(content), Filters(), "route", Moment.parse("10:02"))

    assert [each.key for each in changes] == ["/a", "/b"]


def test_places_are_compared_without_those_on_time(make_engine):
    """As they are grouped."""
    changes, _ = compare(make_engine(LOG), Filters(), "where", Moment.parse("10:02"))

    assert [each.key for each in changes] == ["a.py:1 f"]
