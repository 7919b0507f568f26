"""Utterances and holds whole, for whoever takes all of them elsewhere."""

from __future__ import annotations

import io
import json

import pytest

from tracelog.answers.filters import Conditions
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.verdicts import holds, title, utterances, waited_ms, within
from tracelog.errors import InputError


ALL = Conditions((), {})
AT = "2026-11-22T10:10:10.000001Z"
US = 1795342210000001


def line(**values):
    return json.dumps({"timestamp": AT, "event": "utterance", "total_ms": 5, **values})


@pytest.fixture
def make_log(tmp_path):
    with Spool() as spool:

        def make(*lines):
            (tmp_path / "a[1].log").write_text("\n".join(lines))
            return Log(open_sources(["a[1].log"], spool, io.BytesIO()), spool)

        yield make


def test_they_come_in_their_order(make_log):
    """With the columns of the view, and what else a line says of them."""
    log = make_log(
        line(arrived_at="2026-11-22T10:10:11Z", user_id="kim"),
        line(path="/a", service="shop", span_id="s", spans=[{"name": "llm"}, 7]),
    )

    first, second = utterances(log, ALL)

    assert (first["us"], first["path"], first["service"], first["span_id"]) == (
        US,
        "/a",
        "shop",
        "s",
    )
    assert (first["spans"], first["blocked_by"]) == ([{"name": "llm"}], [])
    assert (second["user_id"], second["file"], second["total_ms"]) == ("kim", "a[1].log", 5.0)


def test_what_has_no_place_in_time_is_left_out(make_log):
    """No time, no length, or an absurd one; holds have a length of their own."""
    log = make_log(
        line(timestamp="?"),
        line(total_ms=-1),
        line(total_ms=1e300),
        line(event="loop held", held_ms=9),
    )

    assert list(utterances(log, ALL)) == []
    assert [each["held_ms"] for each in holds(log, ALL)] == [9.0]


def test_conditions_hold_for_all(make_log):
    """What they compare with is a parameter."""
    log = make_log(line(user_id="kim"), line(user_id="ada"))

    found = utterances(log, Conditions(("user_id = $user",), {"user": "ada"}))

    assert [each["user_id"] for each in found] == ["ada"]


def test_lists_may_be_anything(make_log):
    """What is no entry is left out, and numbers that nobody can reckon with."""
    log = make_log(
        line(spans="x"),
        line(spans={"a": 1}),
        line(spans=[[], {"ms": 10**400, "total_ms": 1.5}]),
        line().replace("}", ', "spans": [{"ms": ' + "9" * 5_000 + "}]}"),
    )

    assert [each["spans"] for each in utterances(log, ALL)] == [
        *([], [], [{"ms": None, "total_ms": 1.5}]),
        [],
    ]


def test_what_cant_be_read_is_said(make_log):
    """In the middle, too."""
    log = make_log(line())

    with pytest.raises(InputError, match="nonsense"):
        list(utterances(log, Conditions(("nonsense",), {})))


def test_a_record_is_described():
    """As one says it of a request; and when it began to be handled."""
    record = {"route": None, "path": "/a", "kind": "http", "method": "GET", "total_ms": 5.0}

    assert title(record) == "GET /a"
    assert title({**record, "path": None, "method": None}) == "http"
    assert waited_ms({**record, "socket_ms": 9.0, "queue_ms": None}) == 5.0
    assert within({"within": ["a", 1]}) == ("a", "1")
    assert within({"within": 1}) == ()
