"""What rules ask of a line."""

from __future__ import annotations

import pytest

from tracelog.matching import fits


@pytest.mark.parametrize(
    ("value", "wanted", "expected"),
    [
        ("user-456", "user-456", True),
        ("user-457", "user-456", False),
        ("user-456", "user-*", True),
        ("USER-456", "user-*", False),
        (456, "456", True),
        ("456", 456, True),
        (456, 456, True),
        ("457", 456, False),
        (True, True, True),
        (None, "*", False),
        (None, None, True),
    ],
)
def test_a_value_fits(value, wanted, expected):
    """As a text with wildcards, and whether an id of digits is a text or a number."""
    assert fits({"user_id": value}, {"user_id": wanted}) is expected


def test_all_of_them_have_to_fit():
    """A rule about a user in a room is about neither alone; one about nothing is about all."""
    assert fits({"user_id": "kim", "room": "lobby"}, {"user_id": "kim", "room": "lobby"})
    assert not fits({"user_id": "kim", "room": "attic"}, {"user_id": "kim", "room": "lobby"})
    assert not fits({"user_id": "kim"}, {"user_id": "kim", "room": "lobby"})
    assert fits({}, {})
