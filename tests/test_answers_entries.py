"""One line, as it was read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers.entries import Entry


NOON = "2026-11-22T12:00:00.123456Z"
OURS = {"timestamp": NOON, "level": "info", "logger": "app", "event": "hello"}


def parse(**fields):
    return Entry.parse("app.log", json.dumps(fields).encode())


@pytest.mark.parametrize(
    "raw",
    [b"Traceback:", b"3", b'{"event":', b"\xff", b"[" * 100_000, b"9" * 5_000, b"{}x"],
    ids=["text", "number", "cut off", "no UTF-8", "deep", "huge", "too much"],
)
def test_what_is_no_json_object_says_nothing(raw):
    """Broken lines are lines, too."""
    entry = Entry.parse("app.log", raw)

    assert (entry.raw, entry.event, entry.created, entry.user) == (raw, None, None, None)
    assert not (entry.is_verdict or entry.is_late or entry.is_hold or entry.stands_out)


@pytest.mark.parametrize(
    ("fields", "created"),
    [
        pytest.param(OURS, 1795348800.123456, id="ours"),
        pytest.param({**OURS, "timestamp": "noon"}, None, id="no time"),
        pytest.param({**OURS, "timestamp": 5}, None, id="a number"),
        pytest.param({"timestamp": NOON, "message": "hello"}, None, id="somebody else's"),
        pytest.param({}, None, id="empty"),
    ],
)
def test_our_lines_have_a_time(fields, created):
    """Others are shown as they are."""
    assert parse(**fields).created == created


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        pytest.param({"event": "hello", "late": True}, (False, False, False, False), id="neither"),
        pytest.param({"event": "utterance"}, (True, False, False, False), id="on time"),
        pytest.param(
            {"event": "utterance", "late": "true"}, (True, False, False, False), id="text"
        ),
        pytest.param({"event": "utterance", "late": True}, (True, True, False, True), id="late"),
        pytest.param({"event": "loop held"}, (False, False, True, True), id="hold"),
        pytest.param({"event": ["utterance"]}, (False, False, False, False), id="odd"),
    ],
)
def test_what_is_late_or_held_the_loop_stands_out(fields, kinds):
    """That is what one watches for."""
    entry = parse(**fields)

    assert (entry.is_verdict, entry.is_late, entry.is_hold, entry.stands_out) == kinds


@pytest.mark.parametrize(
    ("user", "text"), [("kim", "kim"), (7, "7"), (None, None), (["a"], '["a"]')], ids=str
)
def test_a_user_is_known_by_text(user, text):
    """As it would be typed."""
    assert parse(user_id=user).user == text


@given(st.binary() | st.text().map(lambda text: json.dumps({"user_id": text}).encode()))
def test_any_line_is_an_entry(raw):
    """Nothing that a log holds can raise."""
    entry = Entry.parse("app.log", raw)

    assert entry.stands_out is False
    assert entry.created is None
