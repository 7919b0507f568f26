"""One utterance on the clock."""

from __future__ import annotations

import time
from dataclasses import FrozenInstanceError

import pytest

from tracelog.latency.utterance import SYSTEM_CLOCK, Arrival, Clock, Utterance


NOON = 1763812800.0  # 2025-11-22T12:00:00Z


def utterance(*, socket_wait=0.0, started=50.0):
    return Utterance(3, "websocket", Arrival(NOON, 50.0, socket_wait), started)


def test_an_arrival_is_noted_on_both_clocks():
    """What time it is, for people; and how much has passed, for sums."""
    clock = Clock(wall=lambda: NOON, monotonic=lambda: 50.0)

    assert Arrival.now(clock) == Arrival(NOON, 50.0, 0.0)
    assert Arrival.now(clock, 0.3) == Arrival(NOON, 50.0, 0.3)


def test_the_systems_clocks_are_the_default():
    """The finest ones that Python has."""
    assert (SYSTEM_CLOCK.wall, SYSTEM_CLOCK.monotonic) == (time.time, time.perf_counter)


def test_a_ledger_tells_where_the_time_went():
    """Keys in the order of a line; the total holds the waits, the moment is before them."""
    ledger = utterance(socket_wait=0.25, started=50.5).ledger(51.0, late_ms=200)

    assert list(ledger.items()) == [
        ("utterance", 3),
        ("total_ms", 1250.0),
        ("socket_ms", 250.0),
        ("queue_ms", 500.0),
        ("late", True),
        ("kind", "websocket"),
        ("arrived_at", "2025-11-22T11:59:59.750000Z"),
    ]


def test_milliseconds_have_microseconds():
    """No more digits than the clock has."""
    ledger = utterance(socket_wait=0.0123456, started=50.0000004).ledger(50.1234567, late_ms=200)

    assert (ledger["socket_ms"], ledger["queue_ms"], ledger["total_ms"]) == (12.346, 0.0, 135.802)


@pytest.mark.parametrize(
    ("ended", "late"), [(50.2, True), (50.1999996, True), (50.199, False), (50.0, False)]
)
def test_late_is_at_or_over_the_threshold(ended, late):
    """By the total as it is shown: nobody reads 200.0 and `late: false`."""
    ledger = utterance().ledger(ended, late_ms=200)

    assert ledger["late"] == late
    assert (ledger["total_ms"] >= 200) == late


@pytest.mark.parametrize("value", [Clock(), Arrival(NOON, 50.0), utterance()], ids=str)
def test_values_are_frozen(value):
    """They travel."""
    with pytest.raises(FrozenInstanceError):
        setattr(value, value.__slots__[0], None)
