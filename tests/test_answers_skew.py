"""Clocks that disagree."""

from __future__ import annotations

import json

import pytest

from tracelog.answers.entries import Entry
from tracelog.answers.skew import estimate
from tracelog.answers.timed import Timed


def part(source, event, began, length_ms, **fields):
    raw = json.dumps({"event": event, **fields}).encode()
    return Timed(Entry.parse(source, raw), began, length_ms)


def call(began, length_ms, source="a", url="http://b/x?q=1", **fields):
    return part(source, "call", began, length_ms, method="GET", url=url, **fields)


def request(began, length_ms, source="b", path="/x", **fields):
    return part(source, "utterance", began, length_ms, method="GET", path=path, **fields)


@pytest.mark.parametrize(
    ("child", "ahead"),
    [
        (request(9.0, 60), -1.02),
        (request(10.09, 60), 0.07 / 1),
        (request(9.0, 200), -1.0),
        (request(10.02, 60), None),
        (request(9.9999, 100), None),
    ],
    ids=["before", "after", "longer", "within", "hardly"],
)
def test_an_answer_is_within_its_call(child, ahead):
    """If it isn't, a clock is wrong, and the way there is taken to be as long as the way back."""
    skews = estimate([child, call(10.0, 100)])

    assert [each.ahead_s for each in skews.values()] == (
        [] if ahead is None else [pytest.approx(ahead)]
    )


@pytest.mark.parametrize(
    ("url", "path"),
    [("http://b", "/"), ("http://[b", "/"), ("http://b/x", "/x")],
    ids=["no path", "no URL", "a path"],
)
def test_a_request_is_known_by_its_method_and_path(url, path):
    """What was asked of whom stands in both lines."""
    asked = [request(9.0, 60, path=path), call(10.0, 100, url=url)]

    assert [*estimate(asked)] == ["b"]
    assert estimate([request(9.0, 60, path="/other"), *asked[1:]]) == {}
    assert estimate([request(9.0, 60, source="a", path=path), *asked[1:]]) == {}


def test_span_ids_are_surer():
    """A line that names the span that caused it is believed first; of one id, the call counts."""
    parts = [
        part("a", "utterance", 9.9, 500, span_id="01"),
        call(10.0, 100, span_id="01", url="http://b/y"),
        part("b", "span", 9.0, 60, parent_span_id="01"),
        part("b", "span", 8.0, 60, parent_span_id="01"),
        part("a", "span", 9.0, 60, parent_span_id="01"),
        part("b", "span", 9.0, 60, parent_span_id="99"),
    ]

    skews = estimate(parts)

    assert [(each.source, each.asker) for each in skews.values()] == [("b", "a")]
    assert skews["b"].ahead_s == pytest.approx(-1.02)


def test_a_line_before_its_cause_is_told_from():
    """Where there is nothing longer: it must have been made after its parent began, no more."""
    parent = part("a", "span", 10.0, 100, span_id="01")
    lines = [part("b", "hello", 9.0, 0, span_id="02", parent_span_id="01")]

    assert estimate([parent], lines)["b"].ahead_s == -1.0
    assert estimate([part("c", "span", 5.0, 1, parent_span_id="02"), parent], []) == {}


def test_what_nobody_waits_for_may_end_later():
    """Only a call's answer has to be there before the call ends."""
    parts = [
        part("a", "utterance", 10.0, 100, span_id="01"),
        part("b", "utterance", 10.05, 900, parent_span_id="01"),
    ]

    assert estimate(parts) == {}


def test_a_chain_adds_up():
    """Each is measured by the one that asked it, and drawn by the first one's clock."""
    parts = [
        part("a", "call", 10.0, 100, span_id="01"),
        part("b", "utterance", 9.0, 100, span_id="02", parent_span_id="01"),
        part("c", "utterance", 7.0, 100, span_id="03", parent_span_id="02"),
        part("d", "utterance", 7.0, 100, parent_span_id="03"),
    ]

    totals = {source: each.total_s for source, each in estimate(parts).items()}

    assert totals == {"b": -1.0, "c": -3.0, "d": -3.0}


def test_services_that_ask_each_other_are_no_endless_chain():
    """One clock's skew is counted once."""
    parts = [
        part("a", "utterance", 10.0, 100, span_id="01", parent_span_id="02"),
        part("b", "utterance", 9.0, 100, span_id="02", parent_span_id="01"),
    ]

    assert estimate(parts)["b"].total_s == -1.0
