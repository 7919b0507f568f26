"""Tests of tracelog.escapes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.escapes import CONTROLS, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain, café, 你好", "plain, café, 你好", id="harmless"),
        pytest.param("\x1b[2J", r"\x1b[2J", id="escape sequence"),
        pytest.param("a\nb\rc", r"a\nb\rc", id="line ends"),
        pytest.param("\u202egnp.exe", r"\u202egnp.exe", id="direction"),
        pytest.param("\ud800", r"\ud800", id="half a character"),
        pytest.param("👩\u200d💻", "👩\u200d💻", id="joined characters"),
    ],
)
def test_controls_are_shown_and_nothing_else_is_changed(text, shown):
    """What drives a terminal, or begins a line, is written as an escape."""
    assert printable(text) == shown


@given(st.text())
def test_what_is_printable_stays_so(text):
    """Nothing dangerous is left, and to escape twice changes nothing more."""
    shown = printable(text)

    assert not CONTROLS.search(shown)
    assert printable(shown) == shown
