"""From when on an utterance is late, and which of them get a line."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.errors import ConfigError
from tracelog.ids import TraceContext
from tracelog.latency.policy import Policy


BUDGETS = [
    {"user_id": "user-456", "late_ms": 50},
    {"path": "/report/*", "kind": "http", "late_ms": 2000},
    {"path": "/report/??", "late_ms": 1000},
    {"room": 7, "late_ms": 10.5},
]


def trace(number):
    return TraceContext(f"{number:032x}", "1" * 16)


def test_without_options_it_is_the_default():
    """Every verdict is written; late is from 200 ms on."""
    policy = Policy.of({})

    assert policy == Policy()
    assert (policy.late_ms, policy.still_ms, policy.on_time) == (200.0, 5000.0, logging.INFO)
    assert policy.keeps(trace(2**128 - 1))


@pytest.mark.parametrize(
    ("on_time", "level"), [("info", logging.INFO), ("debug", logging.DEBUG), (None, None)], ids=str
)
def test_verdicts_on_time_have_a_level_or_no_line(on_time, level):
    """Late ones are warnings, whatever it says."""
    assert Policy.of({"on_time": on_time}).on_time == level


@pytest.mark.parametrize(
    "options",
    [
        {"late_ms": 0},
        {"late_ms": float("inf")},
        {"still_ms": None},
        {"still_ms": 100},
        {"keep": 0},
        {"keep": 1},
        {"budgets": BUDGETS},
    ],
    ids=str,
)
def test_what_makes_sense_is_kept(options):
    """As it was given."""
    policy = Policy.of(options)

    assert {name: getattr(policy, name) for name in options} == options


@pytest.mark.parametrize(
    ("options", "where", "problem"),
    [
        ({"on_time": "warning"}, "on_time", "expected 'info', 'debug' or None, got 'warning'"),
        ({"late_ms": "200"}, "late_ms", "expected a number of milliseconds, got '200'"),
        ({"late_ms": None}, "late_ms", "expected a number of milliseconds, got None"),
        ({"late_ms": True}, "late_ms", "expected a number of milliseconds, got True"),
        ({"still_ms": "5s"}, "still_ms", "expected a number of milliseconds or None, got '5s'"),
        ({"keep": 10}, "keep", "expected a share from 0.0 to 1.0, got 10"),
        ({"keep": -0.1}, "keep", "expected a share from 0.0 to 1.0, got -0.1"),
        ({"keep": "all"}, "keep", "expected a share from 0.0 to 1.0, got 'all'"),
        (
            {"budgets": [BUDGETS[0], {"path": "/"}]},
            "budgets[1]",
            "{'path': '/'} has no late_ms, a number of milliseconds",
        ),
        (
            {"budgets": [{"late_ms": "50"}]},
            "budgets[0]",
            "{'late_ms': '50'} has no late_ms, a number of milliseconds",
        ),
        ({"budgets": None}, "budgets", "expected a list, got None"),
        ({"budgets": ["/"]}, "budgets[0]", "'/' has no late_ms, a number of milliseconds"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_what_makes_no_sense_is_refused_at_once(options, where, problem):
    """With what to write instead; later, it would be in the way of an utterance."""
    with pytest.raises(ConfigError) as caught:
        Policy.of(options)

    assert caught.value.where == where
    assert str(caught.value).startswith(f"{where}: {problem}\n  Try: {where.partition('[')[0]}=")


def test_an_option_that_is_not_there_is_refused():
    """As a keyword of any function's."""
    with pytest.raises(
        TypeError, match="no option 'lateness'\n  Try: one of budgets, keep, late_ms"
    ):
        Policy.of({"lateness": 200})


def test_what_is_not_its_own_is_left():
    """An integration has options of its own."""
    options = {"late_ms": 50, "keep": 0.5, "access_log": False}

    policy = Policy.taken_from(options)

    assert policy == Policy(late_ms=50, keep=0.5)
    assert options == {"access_log": False}


@pytest.mark.parametrize(
    ("fields", "late_ms"),
    [
        ({}, 200.0),
        ({"user_id": "user-4567", "path": "/"}, 200.0),
        ({"user_id": "user-456", "path": "/report/x", "kind": "http"}, 50.0),
        ({"path": "/report/x/y", "kind": "http"}, 2000.0),
        ({"path": "/report/x", "kind": "websocket"}, 200.0),
        ({"path": "/report/xy", "kind": "websocket"}, 1000.0),
        ({"path": "/report/xy"}, 1000.0),
        ({"path": None}, 200.0),
        ({"room": 7}, 10.5),
        ({"room": "7"}, 10.5),
    ],
    ids=str,
)
def test_the_first_budget_that_fits_counts(fields, late_ms):
    """All that it asks for has to be shown; texts may hold `*` and `?`."""
    limit = Policy.of({"budgets": BUDGETS}).late_ms_of(fields)

    assert limit == late_ms
    assert type(limit) is float


def test_a_text_fits_what_reads_the_same():
    """A user may be bound as a number, or as anything."""
    policy = Policy.of({"budgets": [{"user_id": "45?", "late_ms": 50}]})

    assert policy.late_ms_of({"user_id": 456}) == 50.0


class Raises:
    __hash__ = None

    def __str__(self):
        raise RuntimeError

    def __eq__(self, other):
        raise RuntimeError


def test_a_value_that_can_not_be_read_fits_nothing():
    """It is a user's, and this is the end of their utterance."""
    policy = Policy.of({"budgets": [{"user_id": "kim", "late_ms": 50}, BUDGETS[3]]})

    assert policy.late_ms_of({"user_id": Raises(), "room": Raises()}) == 200.0


@pytest.mark.parametrize(
    ("keep", "number", "kept"),
    [
        (0.0, 0, False),
        (0.5, 0, True),
        (0.5, 2**55 - 1, True),
        (0.5, 2**55, False),
        (0.5, 2**56, True),
        (1.0, 2**56 - 1, True),
    ],
)
def test_a_share_is_drawn_by_the_random_part_of_the_trace_id(keep, number, kept):
    """Its last 56 bits, as W3C Trace Context says: all services keep the same ones."""
    assert Policy.of({"keep": keep}).keeps(trace(number)) is kept


def test_what_has_no_trace_is_kept():
    """There is nothing to draw by."""
    assert Policy.of({"keep": 0.0}).keeps(None)


@given(st.integers(0, 2**128 - 1), st.floats(0, 1), st.floats(0, 1))
def test_what_a_smaller_share_keeps_a_larger_one_does_too(number, one, other):
    """So that a trace is whole, whatever each service keeps."""
    small, large = sorted((one, other))

    if Policy.of({"keep": small}).keeps(trace(number)):
        assert Policy.of({"keep": large}).keeps(trace(number))
