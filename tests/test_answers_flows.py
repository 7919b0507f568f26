"""The lines of one trace in one file."""

from __future__ import annotations

import json

import pytest

from tracelog.answers import flows
from tracelog.answers.entries import Entry
from tracelog.answers.finding import Hit
from tracelog.answers.flows import Flow


def hit(event, text=""):
    return Hit(0, Entry.parse("app.log", json.dumps({"event": event, "text": text}).encode()))


def flow_of(count, most):
    flow = Flow("app.log", most)
    for number in range(count):
        flow.add(hit(number))
    return flow


def events(entries):
    return [entry.event["event"] for entry in entries]


@pytest.mark.parametrize(
    ("count", "first", "left_out", "last"),
    [
        (0, [], 0, []),
        (3, [0, 1, 2], 0, []),
        (5, [0, 1, 2], 0, [3, 4]),
        (9, [0, 1, 2], 3, [6, 7, 8]),
    ],
)
def test_the_first_and_the_last_are_kept(count, first, left_out, last):
    """And those between them are counted."""
    flow = flow_of(count, most=3)

    assert (events(flow.first), flow.left_out, events(flow.last)) == (first, left_out, last)


def test_what_has_a_time_of_its_own_is_kept_besides(monkeypatch):
    """A waterfall is drawn from it, however many lines are left out; it is bounded, too."""
    monkeypatch.setattr(flows, "_MOST_TOLD", 2)
    flow = flow_of(5, most=1)

    for event in ("utterance", ["span"], "span", "loop held"):
        flow.add(hit(event))

    assert events(hit.entry for hit in flow.told) == ["utterance", "span"]
    assert flow.count == 9


def test_bytes_are_bounded(monkeypatch):
    """Lines of a megabyte don't fill the memory; there is always one."""
    monkeypatch.setattr(flows, "_MOST_BYTES", 100)
    flow = Flow("app.log", 50)

    for number in range(6):
        flow.add(hit("span", f"{number}" * 80))

    assert [len(flow.first), flow.left_out, len(flow.last), len(flow.told)] == [1, 4, 1, 1]
