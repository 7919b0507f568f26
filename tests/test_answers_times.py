"""The times a person types."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers.times import Moment, read_timestamp, window
from tracelog.errors import InputError


LAST = datetime(2026, 11, 22, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T14:05:06.5Z", "2026-11-21 14:05:06.500000+00:00"),
        ("2026-11-21T14:05+02:00", "2026-11-21 12:05:00+00:00"),
        ("2026-11-21 14:05", "2026-11-21 14:05:00+00:00"),
        ("2026-11-21", "2026-11-21 00:00:00+00:00"),
        ("00:05", "2026-11-22 00:05:00+00:00"),
        ("9:05", "2026-11-22 09:05:00+00:00"),
        ("00:05:01.5", "2026-11-22 00:05:01.500000+00:00"),
        ("250ms", "2026-11-22 00:09:59.750000+00:00"),
        ("90s", "2026-11-22 00:08:30+00:00"),
        (" 10m ", "2026-11-22 00:00:00+00:00"),
        ("10 min", "2026-11-22 00:00:00+00:00"),
        ("1.5h", "2026-11-21 22:40:00+00:00"),
        ("2d", "2026-11-20 00:10:00+00:00"),
    ],
)
def test_each_way_to_write_a_time(text, expected):
    """Absolute, of the log's last day, or back from the log's last line."""
    assert str(Moment.parse(text).at(LAST)) == expected


@pytest.mark.parametrize("text", ["", "soon", "25:00", "10", "-5m", "1 week", "2026-13-01", "١0m"])
def test_what_is_no_time_is_said(text):
    """The sentence shows all three ways to write one."""
    with pytest.raises(InputError) as error:
        Moment.parse(text)

    assert str(error.value) == (
        f"{text!r} is no time\n  Try: '2026-11-22 14:05', '14:05' (UTC) or '10m' (ago)"
    )


@given(st.text())
def test_no_text_is_fatal(text):
    """Whatever is typed is a time or an `InputError`."""
    try:
        assert Moment.parse(text).at(LAST)
    except InputError:
        pass


def test_only_some_moments_need_a_log():
    """An absolute time is known without reading anything."""
    assert Moment.parse("2026-11-22").is_absolute
    assert not Moment.parse("14:05").is_absolute


def test_a_moment_shows_what_was_typed():
    """Messages quote the user's own words."""
    assert str(Moment.parse("10m")) == "10m"


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "None None"),
        ("00:05", None, "22T00:05 None"),
        ("23:40", None, "21T23:40 None"),
        ("23:40", "23:50", "21T23:40 21T23:50"),
        ("23:40", "00:05", "21T23:40 22T00:05"),
        ("23:40", "2026-11-22 00:01", "21T23:40 22T00:01"),
        ("00:01", "09:00", "22T00:01 22T09:00"),
        ("2026-11-20", "2026-11-21", "20T00:00 21T00:00"),
        (None, "14:05", "None 22T14:05"),
        ("20m", "10m", "21T23:50 22T00:00"),
    ],
)
def test_a_span_may_hold_a_midnight(since, until, expected):
    """A clock time to start at that the log's last day hasn't seen yet is of the night before."""
    ends = window(since and Moment.parse(since), until and Moment.parse(until), LAST)

    assert " ".join(f"{end:%dT%H:%M}" if end else "None" for end in ends) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T10:10:10.123456Z", "2026-11-22 10:10:10.123456+00:00"),
        ("2026-11-22 10:10:10", "2026-11-22 10:10:10+00:00"),
        ("0001-01-01T00:00:00+10:00", "None"),
        ("yesterday", "None"),
        (1790000000, "None"),
        (None, "None"),
    ],
)
def test_a_timestamp_that_is_none_reads_as_none(value, expected):
    """A log's times are UTC; nothing in it can raise."""
    assert str(read_timestamp(value)) == expected
