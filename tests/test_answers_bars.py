"""Small charts in a line of text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers.bars import bar, columns, legend, look, share, sparkline


BOXES = (10, 0, 20, 30, None, 0)


def test_each_box_has_its_part_of_the_bar():
    """As many cells as it has of the total; what no box tells of is a dot."""
    assert bar(BOXES, 80, 80, 16, is_plain=True).plain == "SSLLLLCCCCCC...."
    assert bar(BOXES, 60, 120, 12, is_plain=True).plain == "SLLCCC"


def test_colours_tell_the_boxes_apart_where_there_are_any():
    """A block looks the same in each."""
    drawn = bar(BOXES, 80, 80, 8, is_plain=False)

    assert drawn.plain == "▇" * 8
    assert [span.style for span in drawn.spans if span.start < span.end] == [
        "blue",
        "red",
        "yellow",
        "bright_black",
    ]


@given(
    st.lists(st.none() | st.floats(-10, 1e9), min_size=6, max_size=6),
    st.floats(0, 1e9),
    st.floats(0, 1e9),
    st.integers(1, 40),
)
def test_a_bar_is_as_long_as_there_is_room(boxes, total, longest, width):
    """Never longer, whatever a log says; never nothing, unless there is nothing."""
    drawn = bar(boxes, total, longest, width, is_plain=True)

    spent = max(total, sum(max(value or 0, 0) for value in boxes))
    assert len(drawn) <= width
    assert bool(drawn) == (spent > 0 and longest > 0)


def test_a_box_looks_the_same_everywhere():
    """Wherever else it is drawn."""
    assert look(0, is_plain=True) == ("S", "blue")
    assert look(5, is_plain=False) == ("▇", "green")


def test_the_legend_names_the_boxes():
    """And what isn't known only where there is some of it."""
    assert legend(is_whole=True, is_plain=True).plain == (
        "S socket   Q queue   L loop   C code   A await   R send"
    )
    assert legend(is_whole=False, is_plain=False).plain == (
        "▇▇ socket   ▇▇ queue   ▇▇ loop   ▇▇ code   ▇▇ await   ▇▇ send   ▇▇ not known"
    )


@pytest.mark.parametrize(
    ("part", "expected"), [(0, ""), (0.1, "#"), (50, "#####"), (100, "##########")]
)
def test_a_share_is_a_bar(part, expected):
    """Whatever is there is seen."""
    assert share(part, 100, 10, is_plain=True).plain == expected
    assert share(part, 100, 10, is_plain=False).plain == "▇" * len(expected)


def test_a_share_of_nothing_is_nothing():
    """There is no whole to divide by."""
    assert share(0, 0, 10, is_plain=True).plain == ""


def test_steps_are_from_nothing_to_the_largest():
    """Only nothing at all is blank."""
    assert sparkline([0, 1, 4, 8], is_plain=False) == " ▂▅█"
    assert sparkline([0, 0.001, 4, 8], is_plain=True) == " _+@"
    assert sparkline([], is_plain=True) == ""
    assert sparkline([0, 0], is_plain=False) == "  "


def test_neighbours_are_merged_where_there_is_no_room():
    """As few as it takes."""
    assert columns([1, 2, 3, 4, 5], 5, sum) == [1, 2, 3, 4, 5]
    assert columns([1, 2, 3, 4, 5], 3, sum) == [3, 7, 5]
    assert columns([1, 2, 3, 4, 5], 1, max) == [5]
    assert columns([], 3, sum) == []
