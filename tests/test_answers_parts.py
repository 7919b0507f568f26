"""Rows of a waterfall."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog import fields
from tracelog.answers.entries import Entry
from tracelog.answers.parts import groups_of, title_of, who
from tracelog.answers.timed import Timed


BOXES = {
    "socket_ms": 100,
    "queue_ms": 20,
    "loop_ms": 30,
    "code_ms": 40,
    "await_ms": 50,
    "send_ms": 0,
}


def part(event, began=10.0, length_ms=240.0, **fields):
    raw = json.dumps({"event": event, "trace_id": "t", **fields}).encode()
    return Timed(Entry.parse("app.log", raw), began, length_ms)


def rows_of(title, parts=(), holds=(), **verdict):
    groups = groups_of(part("utterance", **{**BOXES, **verdict}), parts, holds)
    return next((group.rows for group in groups if group.title == title), ())


def told(rows):
    return [
        (row.label, row.box, row.start_ms, row.length_ms, row.small, row.is_loose) for row in rows
    ]


def test_boxes_stand_one_after_the_other():
    """They are sums; one that nobody measured isn't there."""
    rows = rows_of("Boxes", send_ms=None, socket_bound=True)

    assert [(row.label, row.start_ms, row.length_ms, row.is_sum) for row in rows] == [
        ("socket", 0, 100, True),
        ("queue", 100, 20, True),
        ("loop", 120, 30, True),
        ("code", 150, 40, True),
        ("await", 190, 50, True),
        ("send", 240, 0, True),
    ]
    assert rows[0].small == "in the kernel, at most"
    assert groups_of(part("utterance"), [], []) == []


def test_a_hold_stands_where_its_line_says():
    """It may have begun before the utterance came; without a line it has a length only."""
    blocked_by = [
        {"ms": 90, "trace_id": "h", "user_id": "nils", "where": "a.py:1 f", "kind": "CPU"},
        {"ms": 30, "holder": "task Task-1", "where": "b.py:1 g"},
        "odd",
    ]
    holds = [
        part("loop held", 5.0, 100, trace_id="h", where="a.py:1 f"),
        part("loop held", 10.01, 100, trace_id="h", where="other"),
        part("span", 10.01, 100, trace_id="h", where="a.py:1 f"),
        part("loop held", 9.95, 140, trace_id="h", where="a.py:1 f"),
    ]

    assert told(rows_of("The loop was held by", holds=holds, blocked_by=blocked_by)) == [
        ("nils", "loop", 0.0, 90.0, "a.py:1 f, CPU", False),
        ("task Task-1", "loop", 0.0, 30.0, "b.py:1 g", True),
    ]


def test_its_own_holds_stand_where_they_were():
    """Or else at the beginning of its code."""
    held = [{"ms": 35, "where": "a.py:1 f", "kind": "CPU"}, {"ms": 5}]
    holds = [part("loop held", 10.125, 35, where="a.py:1 f")]

    assert told(rows_of("Its own holds", holds=holds, held=held)) == [
        ("CPU", "code", 125.0, 35.0, "a.py:1 f", False),
        ("hold", "code", 150.0, 5.0, "", True),
    ]


def test_what_it_waited_for_has_no_place():
    """But it says where, until whose step, and to whom."""
    awaits = [
        {
            "ms": 40,
            "what": "lock",
            "where": "a.py:1 f",
            "until": {"user_id": "mia", "what": "message 2"},
        },
        {"ms": 9, "what": "send", "where": "", "to": {"user_id": "ben"}},
        {"ms": 1, "until": {}},
        {"until": None},
    ]

    assert told(rows_of("It waited for", awaits=awaits)) == [
        ("lock", "await", 190, 40.0, "a.py:1 f, until mia's message 2 let it go on", True),
        ("send", "await", 190, 9.0, "to ben", True),
        ("somebody", "await", 190, 1.0, "until somebody let it go on", True),
        ("somebody", "await", 190, 0.0, "until somebody let it go on", True),
    ]


def test_others_were_in_the_way():
    """With many short steps, or as items of the same worker."""
    about = [{"ms": 12, "trace_id": "0123456789ab", "what": "item"}]

    assert told(rows_of("Many short steps of", busiest=about)) == [
        ("item of trace 01234567", "loop", 120, 12.0, "", True)
    ]
    assert told(rows_of("Its worker was at", ahead=about)) == [
        ("item of trace 01234567", "queue", 100, 12.0, "", True)
    ]


def test_spans_and_calls_that_were_logged_have_a_place():
    """A span that was there more than once has several, and stands nowhere."""
    spans = [
        {"name": "llm", "count": 1, "total_ms": 30, "own_ms": 5},
        {"name": "db", "within": ["store", "all"], "count": 3, "total_ms": 9, "own_ms": 9},
        {"count": 1},
    ]
    parts = [
        part("span", 10.125, 30, name="llm"),
        part("span", 10.125, 3, name="db"),
        part("call", 10.125, 25, method="GET", url="http://b/x", status=200),
        part("call", 10.125, 25, error="TimeoutError"),
        part("call", 30.0, 25),
    ]

    assert told(rows_of("Spans", parts, spans=spans)) == [
        ("llm", "span", 125.0, 30.0, "5.0 ms its own", False),
        ("db", "span", 120, 9.0, "within store > all, 3 times, 9.0 ms its own", True),
        ("span", "span", 120, 0.0, "0.0 ms its own", True),
    ]
    assert told(rows_of("Calls", parts)) == [
        ("GET 200", "await", 125.0, 25.0, "http://b/x", False),
        ("call TimeoutError", "await", 125.0, 25.0, "", False),
    ]


@pytest.mark.parametrize(
    ("verdict", "title"),
    [
        ({"user_id": "ada", "kind": "websocket", "utterance": 4}, "ada's message 4"),
        ({"user_id": 7, "kind": "queue", "utterance": 1}, "7's item 1"),
        ({"connection_id": "c-1", "method": "GET", "path": "/x"}, "GET /x of connection c-1"),
        ({"method": "GET", "kind": []}, "GET"),
        ({"kind": []}, "utterance"),
        ({"kind": "task", "utterance": 2}, "utterance 2"),
    ],
)
def test_an_utterance_has_a_name(verdict, title):
    """As the causes call it."""
    assert title_of(verdict) == title


@pytest.mark.parametrize(
    ("about", "name"),
    [
        ({"user_id": "nils", "what": "message 3"}, "nils's message 3"),
        ({"user_id": "nils"}, "nils"),
        ({"trace_id": "0123456789"}, "trace 01234567"),
        ({"holder": "task Task-7"}, "task Task-7"),
        (None, "somebody"),
    ],
)
def test_others_have_names(about, name):
    """Users first, traces if there is no user."""
    assert who(about) == name


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [*(v for k, v in vars(fields).items() if k.isupper() and k != "LEADING")]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["blocked_by", "held", "busiest", "ahead", "awaits", "spans", *BOXES]), ODD
    ),
    ODD,
)
def test_whatever_a_log_says_can_be_laid_out(verdict, odd):
    """Values of odd types are nobody's fault."""
    others = [part(event, where=odd, name=odd, method=odd, url=odd) for event in ("span", "call")]
    own = part("utterance", **verdict, user_id=odd, utterance=odd, kind=odd, path=odd)

    for group in groups_of(own, others, others):
        assert all(row.length_ms >= 0 for row in group.rows)
    assert isinstance(title_of(own.event), str)
