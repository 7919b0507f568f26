"""What a question leaves out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tracelog.answers.duckdb_question import DuckDialect
from tracelog.answers.filters import Conditions, Filters, resolve
from tracelog.answers.times import Moment
from tracelog.errors import InputError


class Engine:
    """One whose log ends at a given time."""

    dialect = DuckDialect()

    def __init__(self, end=None):
        self._end = end

    def end(self):
        return self._end


END = datetime(2026, 11, 22, 10, 13, tzinfo=UTC)


def test_without_filters_nothing_is_left_out():
    """Then the log's end doesn't matter, either."""
    assert not Filters().is_any
    assert not Filters().is_whose
    assert Filters().conditions(Engine()) == Conditions((), {})


def test_what_a_user_typed_is_a_parameter():
    """It is never part of the SQL, whatever it is."""
    evil = "'); DROP TABLE lines; --"
    filters = Filters(over=2.5, user=evil, where=((evil, evil), ("a/b~c", "1")))

    conditions = filters.conditions(Engine())

    assert conditions.sql == (
        "total_ms > $over",
        "user_id = $user",
        "json_extract_string(line, $key0::VARCHAR) = $value0",
        "json_extract_string(line, $key1::VARCHAR) = $value1",
    )
    assert conditions.parameters == {
        "over": 2.5,
        "user": evil,
        "key0": f"/{evil}",
        "value0": evil,
        "key1": "/a~1b~0c",
        "value1": "1",
    }


def test_times_are_resolved_by_the_logs_end():
    """`10m` counts back from it, `10:05` is of its day."""
    filters = Filters(since=Moment.parse("10m"), until=Moment.parse("10:05"))

    conditions = filters.conditions(Engine(END))

    assert conditions.sql == ("time >= $since::TIMESTAMPTZ", "time <= $until::TIMESTAMPTZ")
    assert conditions.parameters == {
        "since": "2026-11-22T10:03:00+00:00",
        "until": "2026-11-22T10:05:00+00:00",
    }


@pytest.mark.parametrize(
    ("filters", "is_any", "is_whose"),
    [
        (Filters(over=0.0), True, False),
        (Filters(user=""), True, True),
        (Filters(where=(("a", "b"),)), True, True),
        (Filters(until=Moment.parse("5m")), True, False),
    ],
    ids=["over", "user", "where", "until"],
)
def test_a_filter_is_known_by_what_it_is_about(filters, is_any, is_whose):
    """Some lines tell of somebody else than whom they delayed."""
    assert (filters.is_any, filters.is_whose) == (is_any, is_whose)


def test_a_point_in_time_is_resolved_alone():
    """An absolute one needs no log; a clock's is of the night before if it were to come."""
    assert resolve(Engine(), Moment.parse("2026-11-22 09:00")) == datetime(
        2026, 11, 22, 9, tzinfo=UTC
    )
    assert resolve(Engine(END), Moment.parse("13m")) == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert resolve(Engine(END), Moment.parse("23:00")) == datetime(2026, 11, 21, 23, tzinfo=UTC)


def test_a_log_without_times_cannot_be_counted_back_from():
    """The sentence says what would do."""
    with pytest.raises(InputError, match="no line has a time that '10m' could be counted from"):
        resolve(Engine(), Moment.parse("10m"))
