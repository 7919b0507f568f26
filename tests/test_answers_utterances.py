"""One utterance, as its verdict line tells it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers.utterances import KEYS, Utterance


LINE = {
    "timestamp": "2026-11-22T10:10:10.123456Z",
    "arrived_at": "2026-11-22T10:10:09.820000Z",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "connection_id": "c-7f3a",
    "user_id": "user-456",
    "utterance": 41,
    "kind": "websocket",
    "socket_ms": 290.1,
    "queue_ms": 1.2,
    "total_ms": 303.9,
    "late": True,
}


def read(line):
    return Utterance.read([json.dumps(line[key]) if key in line else None for key in KEYS])


def test_a_verdict_line_is_read():
    """It waited while it was in the socket and in the queue, and the rest was its handling."""
    assert read(LINE) == Utterance(
        time=datetime(2026, 11, 22, 10, 10, 9, 820000, UTC),
        user_id="user-456",
        connection_id="c-7f3a",
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        utterance=41,
        kind="websocket",
        total_ms=303.9,
        waited_ms=291.3,
        handled_ms=12.6,
        socket_ms=290.1,
        queue_ms=1.2,
        late=True,
    )


@pytest.mark.parametrize(
    ("line", "route"),
    [
        ({"route": "/r", "path": "/p"}, "/r"),
        ({"path": "/p"}, "/p"),
        ({"path": None}, None),
        ({}, None),
    ],
)
def test_its_route_is_the_route_or_else_the_path(line, route):
    """A framework knows a route; a server only a path."""
    assert read({**LINE, **line}).route == route


def test_what_is_absent_counts_as_nothing():
    """A verdict line may have a total and a time of logging only."""
    row = read({"timestamp": LINE["timestamp"], "total_ms": "12.5"})

    assert (row.total_ms, row.waited_ms, row.handled_ms, row.late) == (12.5, 0, 12.5, False)
    assert row.time == datetime(2026, 11, 22, 10, 10, 10, 123456, UTC)
    assert row.user_id is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ("[1, {}]", [1, {}]),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("1e400", "1e400"),
        ("9" * 5000, "9" * 5000),
        ("[" * 100_000 + "]" * 100_000, "[" * 100_000 + "]" * 100_000),
        ("{broken", "{broken"),
    ],
    ids=["number", "list", "nan", "infinity", "huge float", "huge int", "deep", "broken"],
)
def test_a_value_is_kept_as_it_is(text, expected):
    """What Python can't hold, or JSON couldn't write again, stays a text."""
    row = Utterance.read([text if key == "user_id" else None for key in KEYS])

    assert row.user_id == expected


@pytest.mark.parametrize(
    "value", [None, True, "abc", [], {}, 10**400, math.inf, "nan", "inf"], ids=str
)
def test_a_duration_that_is_none_counts_as_nothing(value):
    """Only numbers, and texts that read as one, are reckoned with."""
    row = read({**LINE, "socket_ms": value})

    assert row.waited_ms == 1.2


@given(st.lists(st.none() | st.text(), min_size=len(KEYS), max_size=len(KEYS)))
def test_no_line_is_fatal(texts):
    """Any texts make an utterance whose durations are finite and add up."""
    row = Utterance.read(texts)

    assert math.isclose(row.total_ms, row.waited_ms + row.handled_ms, abs_tol=0.01)
