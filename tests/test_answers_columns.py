"""What was gathered, as the page's script reads it."""

from __future__ import annotations

import json
import math

import pytest

from tracelog.answers.columns import page_data
from tracelog.answers.gathered import Gathered, Limits


def utterance(moment=1_000_000, *, user="u", boxes=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0), why=None):
    return (moment, 300.0, True, [*boxes], user, "c-1", "t", "7", "http", why)


def text(moment, event):
    return [str(moment), "info", "app", event, "{}"]


def test_an_empty_page_is_whole():
    """The script finds every column, and a sentence about why they are empty."""
    data = page_data(Gathered(lines=2), ["app.log"])

    assert data["utterances"]["total"] == []
    assert data["holds"]["at"] == []
    assert data["log"]["span_ms"] is None
    assert data["log"]["left_out"] == [
        'No utterance in 2 lines: none has "event": "utterance".',
    ]


def test_times_count_from_the_first():
    """Numbers stay short, and exact to the microsecond; what has no time has none here."""
    rows = [utterance(5_000_123), utterance(7_500_000), utterance(None)]

    data = page_data(Gathered(utterances=3, utterance_rows=rows), [])

    assert data["base"] == 5000.0
    assert data["utterances"]["at"] == [0.123, 2500.0, None]
    assert data["log"]["span_ms"] == 2500.0


def test_a_word_stands_there_once():
    """A user of many utterances is a number in all of them."""
    rows = [utterance(user="a"), utterance(user="b"), utterance(user="a"), utterance(user=None)]

    data = page_data(Gathered(utterances=4, utterance_rows=rows), [])

    assert (data["users"], data["utterances"]["user"]) == (["a", "b"], [0, 1, 0, -1])
    assert (data["kinds"], data["connections"]) == (["http"], ["c-1"])


@pytest.mark.parametrize("odd", [None, math.nan, math.inf], ids=str)
def test_a_box_that_is_no_number_is_null(odd):
    """JSON has no other word for it."""
    rows = [utterance(boxes=(odd, 2.0, 3.0, 4.0, 5.0, odd))]

    columns = page_data(Gathered(utterances=1, utterance_rows=rows), [])["utterances"]

    assert (columns["socket"], columns["queue"], columns["send"]) == ([None], [2.0], [None])


def test_causes_are_of_the_first():
    """A row beyond those that say why has none, and no place is kept for it."""
    rows = [utterance(why=['"a"']), utterance(why=['"b"']), utterance()]

    data = page_data(Gathered(utterances=3, utterance_rows=rows), [], Limits(detailed=2))

    assert data["why"] == [['"a"'], ['"b"']]


def test_holds_are_columns():
    """Their times count from the first utterance's, too."""
    row = (2_000_000, 90.0, "a.py:1 f", "CPU-bound", "task", "u", "t", 3, math.inf)
    found = Gathered(utterances=1, utterance_rows=[utterance()], holds=1, hold_rows=[row])

    holds = page_data(found, [])["holds"]

    assert (holds["at"], holds["ms"], holds["where"]) == ([1000.0], [90.0], ["a.py:1 f"])
    assert (holds["delayed"], holds["delayed_ms"]) == ([3], [None])


def test_lines_are_all_there_or_say_where_some_are_not():
    """Of a long trace its first and its last, in the order in which they were made."""
    short = ("s", 2, [text(1_001_000, "a"), text(1_002_000, "b")], [])
    first = [text(1_000_000 + n * 1000, str(n)) for n in range(4)]
    last = [text(1_009_000, "9"), text(1_008_000, "8")]
    found = Gathered(
        utterances=1,
        utterance_rows=[utterance()],
        trace_rows=[short, ("l", 10, first, last)],
    )

    lines = page_data(found, [], Limits(lines=2))["lines"]

    assert lines["s"] == {
        "count": 2,
        "gap": None,
        "lines": [[1.0, "info", "app", "a", "{}"], [2.0, "info", "app", "b", "{}"]],
    }
    assert (lines["l"]["count"], lines["l"]["gap"]) == (10, 2)
    assert [each[3] for each in lines["l"]["lines"]] == ["0", "1", "8", "9"]


def test_what_was_left_out_is_said():
    """A page that shows a part of a log says so, and which part."""
    found = Gathered(
        **{"lines": 9_000, "broken": 1, "utterances": 5_000, "utterance_rows": [utterance()] * 3},
        **{"holds": 2, "hold_rows": [], "users": 7, "user_rows": [("u", 1, 1, 1.0, 1.0)]},
        place_rows=[("held", "a.py:1 f", "CPU-bound", 1, 1.0, 1.0, 1, "t")],
    )

    data = page_data(found, [], Limits(detailed=2, traced=1, lines=25, places=1))

    assert data["log"]["left_out"] == [
        "3 of 5,000 utterances: late ones, and then the slowest.",
        "Causes: of the worst 2 utterances.",
        "Lines: of the worst 1, 50 of each at most.",
        "0 of 2 holds: the longest.",
        "1 of 7 users: those who waited longest.",
        "What is to blame: the costliest 1.",
        "1 of 9,000 lines are no JSON.",
    ]


def test_it_is_json():
    """Whatever was found: a browser's parser has to take it."""
    found = Gathered(utterances=1, quantiles=(1.0, 2.0, 3.0), utterance_rows=[utterance()])

    assert json.dumps(page_data(found, ["a"]), allow_nan=False)
