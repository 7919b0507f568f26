"""Percentiles of durations, in bounded memory."""

from __future__ import annotations

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.latency.percentiles import Percentiles


def make(values):
    percentiles = Percentiles()
    for value in values:
        percentiles.add(value)
    return percentiles


@given(st.lists(st.floats(0.01, 1e7), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_within_its_step(values, share):
    """As near as it says, whatever the durations are."""
    exact = sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]

    told = make(values).at(share)

    assert told == pytest.approx(exact, rel=0.026, abs=0.001)
    assert told <= max(values)


def test_the_longest_is_exact():
    """People look for it in the log."""
    assert make([1.0, 1234.567, 2.0]).max_ms == 1234.567


def test_none_have_no_percentiles():
    """Nothing was counted: nothing took any time."""
    assert (Percentiles().at(0.5), Percentiles().count) == (0.0, 0)


def test_nothing_at_all_is_counted_too():
    """A clock may not have moved."""
    percentiles = make([0.0, 0.0, 8.0])

    assert percentiles.at(0.5) <= 0.001
    assert percentiles.count == 3


def test_a_million_take_no_more_than_a_few_hundred_counts():
    """A connection may live for a year."""
    percentiles = make(statistics.NormalDist(100, 30).samples(20_000, seed=1))

    assert len(percentiles._counts) < 200
