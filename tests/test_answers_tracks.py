"""A log as Chrome's trace events."""

from __future__ import annotations

import json

import pytest

from tracelog.answers.tracks import document, trace_events


BLANK = dict.fromkeys(
    (
        *("service", "route", "path", "kind", "method", "status", "user_id", "connection_id"),
        *("trace_id", "utterance", "late", "failed", "cause", "place", "holder"),
        *("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms"),
    )
)
HOLD = {
    **BLANK,
    **{"file": "a.log", "us": 1_000_000, "held_ms": 200.0, "trace_id": "t1", "place": "a.py:1 f"},
}
LATE = {
    **BLANK,
    **{"file": "a.log", "us": 1_050_000, "total_ms": 300.0, "late": True, "connection_id": "c-1"},
    **{"trace_id": "t2", "kind": "websocket", "spans": []},
    **{"socket_ms": 150.0, "queue_ms": 10.0, "code_ms": 200.0},
    "blocked_by": [{"trace_id": "t1", "where": "a.py:1 f", "ms": 150}, {"trace_id": 1}],
}


def test_a_hold_and_whom_it_delayed():
    """The hold is on the event loop's track, and an arrow leads to the utterance."""
    events = list(trace_events([HOLD], [LATE]))

    named = [event["args"].get("name") for event in events if event["ph"] == "M"]
    hold, late = (e for e in events if e["ph"] == "X" and e["cat"] != "box")
    start, finish = (e for e in events if e["ph"] in "sf")
    assert [name for name in named if name] == ["a.log", "event loop", "c-1"]
    assert (hold["name"], hold["cat"], hold["ts"], hold["dur"]) == (
        *("a.py:1 f", "hold", 1_000_000),
        200_000,
    )
    assert (late["name"], late["cat"], late["args"]["total_ms"]) == ("websocket", "late", 300.0)
    assert (start["tid"], finish["tid"], start["ts"], finish["ts"]) == (
        *(hold["tid"], late["tid"]),
        *(1_050_000, 1_050_000),
    )
    assert start["id"] == finish["id"]


def test_boxes_lie_within_their_utterance():
    """End to end, and never beyond its end."""
    boxes = [e for e in trace_events([], [LATE]) if e.get("cat") == "box"]

    assert [(e["name"], e["ts"] - 1_050_000, e["dur"]) for e in boxes] == [
        *(("socket", 0, 150_000), ("queue", 150_000, 10_000), ("code", 160_000, 140_000)),
    ]


def test_a_hold_that_was_over_delayed_nobody():
    """One of the same place and trace, but before or after."""
    holds = [{**HOLD, "us": 0}, {**HOLD, "us": 9_000_000}]

    assert not [e for e in trace_events(holds, [LATE]) if e["ph"] in "sf"]


@pytest.mark.parametrize("odd", ["x", None, -1])
def test_spans_lie_within_those_around_them(odd):
    """On a track of their own, from where the handling began; an odd length is none."""
    spans = [
        {"name": "llm", "within": ["answer"], "total_ms": 50},
        {"name": "more", "within": ["answer"], "total_ms": 80},
        {"name": "answer", "total_ms": 100, "within": []},
        {"name": "odd", "total_ms": odd, "within": ["nobody"]},
    ]

    slices = [e for e in trace_events([], [{**LATE, "spans": spans}]) if e.get("cat") == "span"]

    assert [(e["name"], e["ts"] - 1_210_000, e["dur"]) for e in slices] == [
        *(("answer", 0, 100_000), ("llm", 0, 50_000), ("more", 50_000, 50_000)),
        ("odd", 100_000, 0),
    ] or [e["name"] for e in slices] == ["answer", "llm", "more", "odd"]
    assert all(e["tid"] == slices[0]["tid"] for e in slices)


@pytest.mark.parametrize(
    ("record", "process", "thread"),
    [
        ({"service": "shop", "user_id": "kim", "connection_id": None}, "shop", "kim"),
        ({"connection_id": None}, "a.log", "no connection"),
    ],
)
def test_without_a_connection_there_is_a_user(record, process, thread):
    """And a service rather than a file."""
    events = list(trace_events([], [{**LATE, **record, "late": False}]))

    assert [e["args"]["name"] for e in events if "name" in e.get("args", ())] == [process, thread]
    assert "utterance" in {e.get("cat") for e in events}


def test_a_document_is_json():
    """Whatever stands in it; none at all is one, too."""
    events = [{"name": "\x1b</script>\u202e"}, {"name": "b"}]

    assert json.loads("".join(document(events)))["traceEvents"] == events
    assert json.loads("".join(document([])))["traceEvents"] == []
    assert "".join(document(events)).isascii()


def test_the_formats_rules_are_kept():
    """All that Perfetto asks of a file: what it would leave out, or draw in the wrong place."""
    late = [{**LATE, "us": LATE["us"] + 1000 * n, "connection_id": f"c-{n % 2}"} for n in range(6)]
    span = {"name": "llm", "total_ms": 20.0, "within": []}
    events = list(trace_events([HOLD], [*late, {**late[0], "us": 1_400_000, "spans": [span]}]))

    slices = [event for event in events if event["ph"] == "X"]
    lanes = {(event["pid"], event["tid"]): [] for event in events if event["name"] == "thread_name"}
    for event in slices:
        assert event["ts"] >= 0 and event["dur"] >= 0
        lanes[event["pid"], event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for lane in lanes.values():
        around = []
        for start, end in sorted(lane, key=lambda each: (each[0], -each[1])):
            around = [each for each in around if each > start] or [end]
            assert end <= around[-1]
            around.append(end)
    arrows = [event for event in events if event["ph"] in "sf"]
    assert {event["ph"] for event in events} == {"M", "X", "s", "f"}
    assert [event["ph"] for event in arrows] == ["s", "f"] * (len(arrows) // 2)
    assert [event["id"] for event in arrows] == [1 + n // 2 for n in range(len(arrows))]
    for arrow in arrows:  # it is drawn from slice to slice only
        lane = lanes[arrow["pid"], arrow["tid"]]
        assert any(start <= arrow["ts"] <= end for start, end in lane)
