"""What answers are drawn with."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from tracelog.answers import render
from tracelog.answers.question import Read, Tally


HOSTILE = "\x1b]0;evil\x07 [bold]\u202egnp.exe\x9b\x7f\u2028:smile:"


def draw(drawn, width):
    out = io.StringIO()
    Console(file=out, width=width, highlight=False).print(drawn)
    return [line.rstrip() for line in out.getvalue().splitlines()]


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_escaping_leaves_json_the_same_json(text, value):
    """No character that could steer a terminal is left, and no value is changed."""
    escaped = render.escape(text)

    assert not set(escaped) & {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e"}
    assert json.loads(render.escape(json.dumps(value, ensure_ascii=False))) == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        ("kim", "kim"),
        (5, "5"),
        ([1, "Zoë"], '[1, "Zoë"]'),
        (HOSTILE, "\\u001b]0;evil\\u0007 [bold]\\u202egnp.exe\\u009b\\u007f\\u2028:smile:"),
        ("x" * 1_000_000, "x" * 120),
    ],
    ids=["none", "text", "number", "list", "hostile", "long"],
)
def test_a_value_is_one_short_harmless_word(value, expected):
    """Whatever the log says."""
    assert render.name(value) == expected


def test_a_sentence_may_be_longer():
    """But not without end."""
    assert render.reason("x" * 1_000_000) == "x" * 300


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "-"),
        (0, "0.0"),
        (99.96, "100.0"),
        (100.4, "100"),
        (-12.34, "-12.3"),
        (12345, "12,345"),
        (-1.7e308, "-2e+308"),
    ],
)
def test_milliseconds_have_tenths_where_they_tell_something(value, expected):
    """A tenth of 300 ms is noise; and a figure that is no time has no 300 digits."""
    assert render.ms(value) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_500, "1.5 kB"),
        (2e6, "2.0 MB"),
        (3e9, "3.0 GB"),
        (4e15, "4,000.0 TB"),
    ],
)
def test_bytes_have_a_unit(number, expected):
    """The largest that leaves a number before the point."""
    assert render.size(number) == expected


def test_names_give_way_and_figures_do_not():
    """Sentences are wrapped."""
    table = render.make_table()
    render.add_name(table, "name", 80)
    render.add_figure(table, "figure")
    render.add_bar(table, "bar")
    render.add_reason(table, "reason")
    table.add_row("a-name-that-is-long", "123,456", "#####", "a reason that is long, too")

    lines = draw(render.titled("a title that is not wrapped", table), 46)

    assert lines[0] == "a title that is not wrapped"
    assert lines[4:6] == [
        " a-name-that…  123,456  #####  a reason that",
        "                               is long, too",
    ]


def test_a_title_is_no_markup():
    """It may have a value of the log in it."""
    assert draw(render.titled("[bold]x", Text("y")), 40) == ["[bold]x", "y"]


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (Read(names=("a",), tally=Tally(lines=5)), []),
        (
            Read(names=("a",), tally=Tally(lines=5, broken=1), broken_at=("a:1",)),
            ["1 line is no JSON: a:1."],
        ),
        (
            Read(names=("a",), tally=Tally(lines=9, broken=4), broken_at=("a:1", "\x9b")),
            ["4 lines are no JSON: the first are a:1, \\u009b."],
        ),
        (
            Read(names=("a",), tally=Tally(lines=1, broken=1), broken_at=("a:1",)),
            [
                "1 line is no JSON: a:1.",
                "Lines for eyes can't be asked: let the service write JSON, with LOG_FORMAT=json.",
            ],
        ),
    ],
    ids=["sound", "one", "some", "all"],
)
def test_broken_lines_are_said(read, said):
    """How many, and where the first are."""
    assert list(render.broken(read)) == said


def test_empty_files_are_all_named():
    """Names are a user's data, too."""
    assert render.nothing(Read(names=("a", "b\x1b"))) == "Nothing to read: a, b\\u001b are empty."
    assert render.nothing(Read(names=("a",))) == "Nothing to read: a is empty."
