"""The views in DuckDB's SQL."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog.answers.duckdb_views import (
    IS_FIRST,
    IS_ROW,
    LINES_HERE,
    columns_in,
    is_enough,
    kept,
    relation,
    select,
)
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import DELAYS, HOLDS, LINES, UTTERANCES, VIEWS


NOW = "2026-11-22T10:10:10.000000Z"
AT = datetime(2026, 11, 22, 10, 10, 10, tzinfo=UTC)
HEAD = {"timestamp": NOW, "level": "warning", "logger": "x", "trace_id": "t1", "user_id": "ada"}
VERDICT = {
    **HEAD,
    "event": "utterance",
    "connection_id": "c-1",
    "utterance": 7,
    "kind": "http",
    "path": "/chat",
    "method": "GET",
    "status": 200,
    "total_ms": 300.5,
    "late": True,
    "arrived_at": "2026-11-22T10:10:09.000000Z",
    "blocked_by": [{"ms": 200, "where": "a.py:1 f", "kind": "CPU-bound", "user_id": "nils"}],
    "held": [{"ms": 20, "where": "b.py:2 g", "kind": "blocking call"}],
    "awaits": [{"ms": 50, "what": "lock", "where": "c.py:3 h", "until": {"trace_id": "t9"}}],
    "spans": [
        {"name": "llm", "count": 1, "total_ms": 40, "own_ms": 30},
        {"name": "db", "within": ["llm"], "count": 2, "total_ms": 10, "own_ms": 10},
    ],
    "cause": "200 ms: loop held by nils's message 3 in a.py:1 f (CPU-bound); 50 ms: waiting",
}
HOLD = {**HEAD, "event": "loop held", "held_ms": 210, "where": "a.py:1 f", "kind": "CPU-bound"}
HOLD = {**HOLD, "held_at": NOW, "delayed": 3, "delayed_ms": 500.5, "user_id": "nils"}


@pytest.fixture
def rows_of(tmp_path):
    """Write lines, and give the rows of a view as mappings."""
    with Spool() as spool:

        def rows(view, *lines, only=()):
            path = tmp_path / "app.log"
            texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
            path.write_text("\n".join(texts), encoding="utf-8")
            log = Log(open_sources([str(path)], spool, io.BytesIO()), spool)
            names = [column.name for column in view.columns]
            return [dict(zip(names, row, strict=True)) for row in log.rows(select(view))]

        yield rows


def test_a_verdict_is_an_utterance(rows_of):
    """Its columns are its keys, typed; where it lost most is its place, its cause has no names."""
    (row,) = rows_of(UTTERANCES, VERDICT, HOLD, {**HEAD, "event": "the utterance"}, "broken")

    line = json.loads(row.pop("line"))
    assert row.pop("file").endswith("app.log")
    assert line == VERDICT
    assert row == {
        "time": datetime(2026, 11, 22, 10, 10, 9, tzinfo=UTC),
        "user_id": "ada",
        "connection_id": "c-1",
        "trace_id": "t1",
        "utterance": 7,
        "kind": "http",
        "route": "/chat",
        "method": "GET",
        "status": 200,
        "total_ms": 300.5,
        "socket_ms": None,
        "queue_ms": None,
        "loop_ms": None,
        "code_ms": None,
        "await_ms": None,
        "send_ms": None,
        "late": True,
        "failed": None,
        "cause": VERDICT["cause"],
        "why": "loop held in a.py:1 f (CPU-bound)",
        "place": "a.py:1 f",
    }


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (
            "285 ms: loop held by nils's message 15 in app.py:41 f (blocking call)",
            "loop held in app.py:41 f (blocking call)",
        ),
        ("60 ms: loop held by kim before app.py:41 f", "loop held before app.py:41 f"),
        (
            "1304 ms: its own code in app.py:7 g (CPU-bound)",
            "its own code in app.py:7 g (CPU-bound)",
        ),
        (
            "90 ms: waiting for a lock in a.py:1 f, until kim's message 3 let it go on; 80 ms: x",
            "waiting for a lock in a.py:1 f",
        ),
        (
            "300 ms: waiting for message 12 of the same connection",
            "waiting for the message before on the same connection",
        ),
        (
            "300 ms: the loop was busy with many short steps, most of them of ada, ben",
            "the loop was busy with many short steps",
        ),
        (None, None),
    ],
)
def test_a_cause_is_grouped_by_what_it_says_without_figures_and_names(rows_of, cause, why):
    """Two messages that the same line of code has held up have the same reason."""
    assert rows_of(UTTERANCES, {**VERDICT, "cause": cause})[0]["why"] == why


@pytest.mark.parametrize(
    ("lists", "place"),
    [
        ({"blocked_by": [{"ms": 5, "where": "a"}], "held": [{"ms": 9, "where": "b"}]}, "b"),
        ({"awaits": [{"ms": 9, "where": "c"}], "held": [{"ms": 5, "where": "b"}]}, "c"),
        ({"blocked_by": [{"where": "a"}]}, None),
        ({"blocked_by": "odd", "awaits": {}, "held": [5]}, None),
        ({}, None),
    ],
)
def test_the_place_is_where_most_time_was_lost(rows_of, lists, place):
    """Of the longest entry of the three lists."""
    line = {"event": "utterance", "total_ms": 1, **lists}

    assert rows_of(UTTERANCES, line)[0]["place"] == place


def test_a_hold_has_its_own_line(rows_of):
    """With what it cost others."""
    (row,) = rows_of(HOLDS, VERDICT, HOLD)

    assert (row["time"], row["place"], row["kind"], row["held_ms"]) == (
        AT,
        "a.py:1 f",
        "CPU-bound",
        210.0,
    )
    assert (row["delayed"], row["delayed_ms"], row["gc_ms"]) == (3, 500.5, None)


def test_spans_are_entries_of_a_verdict(rows_of):
    """Each is a row, and has its utterance's columns."""
    rows = rows_of(VIEWS["spans"], VERDICT, HOLD, {**VERDICT, "spans": []})

    assert [(row["name"], row["count"], row["total_ms"], row["own_ms"]) for row in rows] == [
        ("llm", 1, 40.0, 30.0),
        ("db", 2, 10.0, 10.0),
    ]
    assert [row["within"] for row in rows] == [None, '["llm"]']
    assert {(row["user_id"], row["late"], row["route"]) for row in rows} == {("ada", True, "/chat")}


def test_delays_are_all_that_time_was_lost_to(rows_of):
    """Entries of the lists, whose they were, and the holds' own lines."""
    rows = rows_of(DELAYS, VERDICT, HOLD)

    shown = ("source", "ms", "place", "what", "user_id", "by_user", "by_trace")
    assert sorted(tuple(row[name] for name in shown) for row in rows) == [
        ("awaits", 50.0, "c.py:3 h", "lock", "ada", None, "t9"),
        ("blocked_by", 200.0, "a.py:1 f", "CPU-bound", "ada", "nils", None),
        ("held", 20.0, "b.py:2 g", "blocking call", "ada", None, None),
        ("loop held", 500.5, "a.py:1 f", "CPU-bound", "nils", "nils", "t1"),
        ("spans", 10.0, None, "db", "ada", None, None),
        ("spans", 30.0, None, "llm", "ada", None, None),
    ]


def test_a_connection_is_the_line_it_ends_with(rows_of):
    """Its figures are columns."""
    line = {**HEAD, "event": "connection", "close_code": 1006, "sent": 5, "p95_ms": 2.5}

    (row,) = rows_of(VIEWS["connections"], line, VERDICT)

    assert (row["close_code"], row["sent"], row["p95_ms"], row["time"]) == (1006, 5, 2.5, AT)


def test_every_line_that_is_json_is_a_line(rows_of):
    """With its length in bytes."""
    rows = rows_of(LINES, VERDICT, "broken", '{"event":"Zoë"}', "5")

    assert [(row["event"], row["bytes"]) for row in rows[1:]] == [("Zoë", 16), (None, 1)]


ODD = ["x", "", 5, -1e300, True, None, [], {}, [1], {"a": 1}, "infinity", "NaN", "1e999", "\x00'"]
KEYS = [*VERDICT, *HOLD, "socket_ms", "gc_ms", "p50_ms", "close_code", "route"]


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
@settings(max_examples=30)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(KEYS), st.sampled_from(ODD), min_size=1).map(
            lambda odd: {**VERDICT, **HOLD, **odd}
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["utterance", "loop held", "connection"]),
)
def test_a_value_of_an_odd_type_spoils_no_line(view, lines, event):
    """It is NULL, and its line is a row of the view all the same."""
    with Spool() as spool:
        path = spool.new_path(".log")
        path.write_text("\n".join(json.dumps({**line, "event": event}) for line in lines))
        log = Log(open_sources([str(path)], spool, io.BytesIO()), spool)

        rows = log.rows(select(view))

    if not view.lists:
        assert len(rows) == (len(lines) if not view.events or event in view.events else 0)


def test_only_what_is_named_is_made():
    """A line is taken apart for the columns of the question, and no others."""
    columns = columns_in(UTTERANCES, ["sum(total_ms)", "user_id = $user"])

    sql = relation(UTTERANCES, columns)

    assert [column.name for column in columns] == ["user_id", "total_ms"]
    assert "'$.user_id', '$.total_ms', '$.event'" in sql
    assert "'$.cause'" not in sql
    assert IS_ROW in sql
    assert IS_FIRST in sql


def test_nothing_is_taken_apart_if_nothing_is_named():
    """Lines are counted as they are."""
    assert "NULL AS _found" in relation(LINES, ())


@pytest.mark.parametrize(("view", "line"), [(UTTERANCES, VERDICT), (LINES, None)])
def test_what_is_kept_counts_like_the_lines(view, line):
    """Rows have their line, but those of `lines`, which would be the log once more."""
    with Spool() as spool:
        path = spool.new_path(".log")
        path.write_text(f"{json.dumps(VERDICT)}\n{json.dumps(HEAD)}\noops\n")
        log = Log(open_sources([str(path)], spool, io.BytesIO()), spool)

        rows = log.rows(f"SELECT line, {IS_ROW}, {LINES_HERE} FROM ({kept(view)})")

    assert json.loads(rows[0][0]) == line
    assert sum(row[2] for row in rows) == 3
    assert all(row[0] is None for row in rows if not row[1])


def test_the_text_of_all_lines_isnt_kept():
    """What asks for it has to ask the log."""
    assert is_enough(UTTERANCES, ["json_extract_string(line, $key0)"])
    assert is_enough(LINES, ["sum(bytes)"])
    assert not is_enough(LINES, ["json_extract_string(line, $key0)"])
