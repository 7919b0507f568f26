"""What has a time of its own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog.answers.entries import Entry
from tracelog.answers.timed import number_of, timed


AT = "2026-11-22T12:00:01.000000Z"
NOON = 1795348800.0


def entry(**event):
    return Entry.parse("app.log", json.dumps(event).encode())


@pytest.mark.parametrize(
    ("event", "began", "length"),
    [
        ({"event": "utterance", "arrived_at": AT, "total_ms": 500}, 1.0, 500.0),
        ({"event": "utterance", "timestamp": AT, "total_ms": 500}, 0.5, 500.0),
        ({"event": "loop held", "held_at": AT, "timestamp": "x", "held_ms": 2.5}, 1.0, 2.5),
        ({"event": "span", "timestamp": AT, "total_ms": 250}, 0.75, 250.0),
        ({"event": "call", "timestamp": AT, "duration_ms": 1000}, 0.0, 1000.0),
        ({"event": "call", "timestamp": AT, "duration_ms": "x"}, 1.0, 0.0),
    ],
    ids=["arrival", "no arrival", "hold", "span", "call", "no length"],
)
def test_a_line_tells_when_something_was(event, began, length):
    """When it began, if the line says so; else it ended as the line was made."""
    (found,) = timed([entry(**event)])

    assert (found.began - NOON, found.length_ms) == (began, length)
    assert found.ended == pytest.approx(NOON + began + length / 1000)
    assert found.kind == event["event"]


@pytest.mark.parametrize(
    "each",
    [
        entry(event="hello", timestamp=AT),
        entry(event=["span"], timestamp=AT),
        entry(event="span", timestamp="yesterday"),
        Entry.parse("app.log", b"no JSON"),
    ],
)
def test_other_lines_have_none(each):
    """A log may come from anywhere."""
    assert timed([each]) == []


@settings(max_examples=30)
@given(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.just(10**400)))
def test_a_number_is_one_that_can_be_reckoned_with(value):
    """Whatever stands there, a length is finite and not negative."""
    assert 0 <= number_of(value) <= 1e12
