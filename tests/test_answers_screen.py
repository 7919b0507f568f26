"""Where lines are shown."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers.drawing import Drawing
from tracelog.answers.entries import Entry
from tracelog.answers.screen import Screen, fit
from tracelog.layout import Layout


@pytest.fixture(autouse=True)
def _width(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")


def make_screen(*, terminal):
    out = io.StringIO()
    return out, Screen(out, Drawing(Layout(colors=False), ["a"]), terminal=terminal)


def entries(*texts):
    return [Entry("a", text.encode(), None) for text in texts]


def test_a_pipe_gets_lines_and_nothing_else():
    """No status, no control sequence."""
    out, screen = make_screen(terminal=False)

    screen.show(entries("one", "two"), left_out=0, status="2 lines")
    screen.show([], left_out=0, status="2 lines")
    screen.close()

    assert out.getvalue() == "one\ntwo\n"


def test_a_terminal_has_a_status_below_the_last_line():
    """It gives way to the next lines, and to whatever comes at the end."""
    out, screen = make_screen(terminal=True)

    screen.show(entries("one"), left_out=0, status="1 line")
    screen.show(entries("two"), left_out=0, status="2 lines")
    screen.close()
    screen.close()

    assert out.getvalue() == "one\n1 line\r\x1b[Ktwo\n2 lines\r\x1b[K"


def test_a_status_that_says_the_same_is_not_written_again():
    """A terminal at rest is left alone, until a minute has passed and there is something to say."""
    out, screen = make_screen(terminal=True)
    for status in ("1 late", "1 late", "0 late"):
        screen.show([], left_out=0, status=status)

    assert out.getvalue() == "1 late\r\x1b[K0 late"


@pytest.mark.parametrize(
    ("count", "note"), [(1, "... 1 line not drawn\n"), (1234, "... 1,234 lines not drawn\n")]
)
def test_what_is_left_out_is_said(count, note):
    """Where it would have been."""
    out, screen = make_screen(terminal=False)

    screen.show(entries("last"), left_out=count, status="")

    assert out.getvalue() == f"{note}last\n"


@given(st.text(st.characters(exclude_categories=["C", "M"])), st.integers(1, 40))
def test_a_status_never_fills_its_row(text, columns):
    """A terminal would begin another, and the status couldn't be taken away."""
    fitted = fit(text, columns)

    assert text.startswith(fitted)
    assert len(fitted) < columns
    assert fitted == text or sum(1 + (c >= "\u1100") for c in text[: len(fitted) + 1]) >= columns


def test_wide_characters_take_two_columns():
    """What a user is called may be in any script."""
    assert fit("日本語", 5) == "日本"
