"""When a client says that it sent a message."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.envelope import ClientWait


NOON = 1763812800.0  # 2025-11-22T12:00:00Z


@pytest.mark.parametrize(
    ("sent_at", "ms"),
    [
        pytest.param(NOON - 0.25, 250.0, id="a number"),
        pytest.param(int(NOON) - 1, 1000.0, id="a whole number"),
        pytest.param(NOON, 0.0, id="just now"),
        pytest.param(NOON - 60, 60_000.0, id="a minute ago"),
        pytest.param("2025-11-22T11:59:59.750Z", 250.0, id="what a browser writes"),
        pytest.param("2025-11-22T12:59:59.750000+01:00", 250.0, id="text, another offset"),
    ],
)
def test_the_wait_is_told(sent_at, ms):
    """From when it was sent, by the client's clock, to when it arrived, by ours."""
    wait = ClientWait.of({"sent_at": sent_at}, NOON)

    assert wait == ClientWait(ms, skewed=False)
    assert wait.fields() == {"client_ms": ms}


@pytest.mark.parametrize(
    ("sent_at", "ms"),
    [
        pytest.param(NOON + 0.001, 0.0, id="sent after it arrived"),
        pytest.param(NOON - 60.001, 60_000.0, id="sent too long ago"),
        pytest.param(NOON * 1000, 0.0, id="milliseconds by mistake"),
        pytest.param(0, 60_000.0, id="no clock at all"),
        pytest.param("2035-11-22T12:00:00Z", 0.0, id="text, years ahead"),
        pytest.param(-1e308, 60_000.0, id="beyond all time"),
    ],
)
def test_what_cannot_be_is_bounded_and_marked(sent_at, ms):
    """A client's clock is never trusted: the wait is 0 to 60 seconds, and says if it is wrong."""
    wait = ClientWait.of({"sent_at": sent_at}, NOON)

    assert wait == ClientWait(ms, skewed=True)
    assert wait.fields() == {"client_ms": ms, "client_skewed": True}


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(None, id="no message"),
        pytest.param(["sent_at"], id="no mapping"),
        pytest.param({}, id="not told"),
        *(
            pytest.param({"sent_at": sent_at}, id=str(sent_at)[:30] or "empty")
            for sent_at in (
                *(None, True, [], {}, math.nan, math.inf, -math.inf, 10**400),
                *("", "noon", "2025-11-22T12:00:00", "1763812800", "١" * 20, "x" * 1_000_000),
                *("9999-99-99T00:00:00Z", "2025-11-22T12:00:00Z\r\n"),
            )
        ),
    ],
)
def test_no_time_that_can_be_read_is_none(message):
    """Other types, no number, a time of nobody knows where."""
    assert ClientWait.of(message, NOON) is None


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes().map(str),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(anything | st.builds(dict, sent_at=anything), st.floats(0, 4e9))
def test_it_is_always_bounded_and_never_raises(message, arrived):
    """Whatever a client sends."""
    wait = ClientWait.of(message, arrived)

    assert wait is None or 0 <= wait.ms <= 60_000
