"""A waterfall's rows, drawn."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from tracelog.answers.parts import Group, Row
from tracelog.answers.waterfall import Axis, draw_axis, draw_groups, legend_of_places


def drawn(rows, *, width=80, length=100.0, is_plain=True, shift=0.0, is_brief=False):
    axis = Axis(length, width, is_plain)
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(draw_axis(axis, "Where it went"))
    for text in draw_groups([Group("Boxes", tuple(rows))], axis, shift, is_brief=is_brief):
        console.print(text)
    return console.file.getvalue()


ROWS = [
    Row("socket", "socket", 0, 50, "in the kernel", is_sum=True),
    Row("send", "send", 50, 0, "the client takes the reply", is_sum=True),
    Row("nils's message 3", "loop", 20, 30, "a.py:1 f, CPU"),
    Row("lock", "await", 50, 25, is_loose=True),
    Row("llm", "span", 50, 25),
    Row("a name that is too long for its column", "span", 50, 0.01, is_loose=True),
]
PLAIN = """\
Where it went             0        20      40       60      80                ms
  Boxes
    socket                SSSSSSSSSSSSSSSSSSSSSS                            50.0
    send                                                                     0.0
    nils's message 3               LLLLLLLLLLLLL                            30.0
      a.py:1 f, CPU
    lock                                        aaaaaaaaaa                  25.0
    llm                                         ==========                  25.0
    a name that is to...                        -                            0.0
"""
COLOURED = """\
Where it went             0        20      40       60      80                ms
  Boxes
    socket                ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇    ┊       ┊               50.0
    send                  ┊        ┊       ┊        ┊       ┊                0.0
    nils's message 3      ┊        ▇▇▇▇▇▇▇▇▇▇▇▇▇    ┊       ┊               30.0
      a.py:1 f, CPU
    lock                  ┊        ┊       ┊    ░░░░░░░░░░  ┊               25.0
    llm                   ┊        ┊       ┊    ▇▇▇▇▇▇▇▇▇▇  ┊               25.0
    a name that is too …  ┊        ┊       ┊    ░   ┊       ┊                0.0
"""


@pytest.mark.parametrize(("is_plain", "expected"), [(True, PLAIN), (False, COLOURED)])
def test_rows_are_bars_on_one_axis(is_plain, expected):
    """Solid where it was, pale where nobody knows; a letter each, where there are no blocks."""
    assert drawn(ROWS, is_plain=is_plain) == expected


def test_where_there_is_room_boxes_are_explained():
    """In a narrow terminal their names have to do."""
    assert "socket  in the kernel" in drawn(ROWS, width=140)


def test_what_goes_on_outside_is_marked():
    """Another's bar may have begun before, and end after."""
    rows = [Row("code", "code", 0, 300), Row("code", "code", 0, 20), Row("code", "code", 260, 9)]

    both, before, after = drawn(rows, shift=-100, is_plain=True).splitlines()[2:]

    assert "<" in both
    assert ">" in both
    assert "C" not in before + after


def test_what_is_nothing_can_be_left_out():
    """Of others, only what there is."""
    assert "send" not in drawn(ROWS, is_brief=True)
    assert "Boxes" not in drawn(ROWS[1:2], is_brief=True)


def test_pale_is_explained():
    """In the words of the page."""
    assert "What is pale has its length here, but not its place." in legend_of_places(
        is_plain=False
    )
    assert "What is a small letter has" in legend_of_places(is_plain=True)


def test_what_a_log_says_is_harmless():
    """Nothing of it drives the terminal, or is markup."""
    text = drawn([Row("\x1b[2J[red]", "loop", 0, 1, "\u202e\x07")])

    assert "\\u001b[2J[red]" in text
    assert "\\u202e\\u0007" in text


@settings(max_examples=60)
@given(
    st.floats(0, 1e12),
    st.floats(-1e12, 1e12),
    st.floats(0, 1e12),
    st.integers(20, 300),
    st.booleans(),
)
def test_every_row_is_as_wide_as_the_axis(length, start, duration, width, is_plain):
    """Whatever the figures: a bar never leaves its track."""
    axis = Axis(length, width, is_plain)

    (line,) = [*draw_groups([Group("Boxes", (Row("x", "code", start, duration),))], axis)][1:]

    assert len(line.plain) - len(f"{duration:,.1f}".rjust(9)) == axis.label + axis.track + 4
    assert len(draw_axis(axis, "x").plain) == axis.label + axis.track + 4 + 9


@pytest.mark.parametrize(("length", "step"), [(0.005, 0.001), (6, 1), (288, 50), (70_000, 20_000)])
def test_times_are_round(length, step):
    """Steps that people count in."""
    assert Axis(length, 100, is_plain=True).ticks()[1][1] == step
