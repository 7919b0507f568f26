"""What went by."""

from __future__ import annotations

import json

import pytest

from tracelog.answers import counts as module
from tracelog.answers.counts import Counts
from tracelog.answers.entries import Entry


NOON = 1795348800.0  # 2026-11-22 12:00:00 UTC


def make_entry(event="hello", at="12:00:00", **fields):
    leading = {"timestamp": f"2026-11-22T{at}Z", "level": "info", "logger": "app", "event": event}
    return Entry.parse("app.log", json.dumps({**leading, **fields}).encode())


def late(user=None, at="12:00:00"):
    return make_entry("utterance", at, late=True, **({"user_id": user} if user else {}))


def counted(*entries, now=NOON):
    counts = Counts()
    for entry in entries:
        counts.add(entry, now)
    return counts


def test_totals_are_exact():
    """Each line counts, and as what it is."""
    counts = counted(
        make_entry(),
        Entry.parse("app.log", b"Traceback:"),
        make_entry("utterance"),
        late("kim"),
        make_entry("loop held"),
    )

    assert (counts.lines, counts.broken, counts.utterances, counts.late, counts.holds) == (
        5,
        1,
        2,
        1,
        1,
    )
    assert counts.total(0) == "5 lines, 2 utterances, 1 of them late, 1 hold, 1 no JSON."
    assert Counts().total(3) == "0 lines, 0 utterances, 0 of them late, 0 holds, 3 not drawn."


@pytest.mark.parametrize(
    ("at", "now", "lately"),
    [
        pytest.param("12:00:00", NOON, 1, id="now"),
        pytest.param("12:00:00", NOON + 59.5, 1, id="within the minute"),
        pytest.param("12:00:00", NOON + 60, 0, id="a minute ago"),
        pytest.param("11:00:00", NOON, 0, id="an hour ago"),
        pytest.param("12:05:00", NOON, 1, id="by a clock that is ahead"),
        pytest.param("noon", NOON, 1, id="nobody knows when"),
    ],
)
def test_lately_is_the_last_minute_of_the_lines_own_time(at, now, lately):
    """A log that was written yesterday isn't news."""
    counts = counted(late(at=at))

    assert counts.lately(now) == lately


def test_what_was_long_ago_when_it_was_read_is_no_news():
    """It isn't even kept."""
    counts = counted(late(), now=NOON + 61)

    assert (counts.late, counts.lately(NOON)) == (1, 0)


def test_the_worst_is_who_was_late_most_often():
    """In the last minute; lines that are nobody's don't count for that."""
    counts = counted(late("kim"), late("lee", "12:00:01"), late("lee"), *[late()] * 3, now=NOON + 1)

    assert counts.worst(NOON) == ("lee", 2)
    assert counts.lately(NOON) == 6
    assert counts.worst(NOON + 60.5) == ("lee", 1)
    assert counted(late()).worst(NOON) is None


def test_memory_is_bounded(monkeypatch):
    """In users of a second, in their ids, in seconds."""
    monkeypatch.setattr(module, "_USERS", 2)
    crowd = [late(f"user-{number}" + "x" * 200) for number in range(5)]
    minutes = [late("kim", f"12:{number // 60:02}:{number % 60:02}") for number in range(200)]

    counts = counted(*crowd, crowd[0])
    for number, entry in enumerate(minutes):
        counts.add(entry, NOON + number)

    assert len(counts._seconds) <= 61
    assert counted(*crowd, crowd[0]).worst(NOON) == (crowd[0].user[:100], 2)
    assert counted(*crowd).lately(NOON) == 5


def test_the_status_is_a_line():
    """How much, how late, who, and what one didn't see; what a user is called is harmless."""
    assert Counts().status(NOON, 0) == "0 lines, 0 late in the last minute"
    assert counted(late("a\x1b[2J")).status(NOON, 1234) == (
        "1 line, 1 late in the last minute, worst: a\\x1b[2J (1), 1,234 not drawn"
    )
