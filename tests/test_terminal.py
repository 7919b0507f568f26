"""Text for terminals."""

from __future__ import annotations

import datetime
import decimal
import math
import re
import uuid
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracelog import terminal
from tracelog.escapes import printable
from tracelog.terminal import color_of, duration_text, event_text, value_text, wanted_colors


CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

texts = st.text(st.characters())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts | st.binary() | st.dates(),
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
)


class Unprintable:
    def __str__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain é 🦊", "plain é 🦊", id="plain text"),
        pytest.param("[red]", "[red]", id="markup"),
        pytest.param("a\nb\r\tc", r"a\nb\r\tc", id="lines"),
        pytest.param("\x1b[2J\x07", r"\x1b[2J\x07", id="terminal controls"),
        pytest.param("\x7f\x9b2J\x85", r"\x7f\x9b2J\x85", id="DEL and C1"),
        pytest.param("\u2028\u2029", r"\u2028\u2029", id="line separators"),
        pytest.param("a\u202eb\u2066c\u200fd", r"a\u202eb\u2066c\u200fd", id="direction"),
        pytest.param("\ufeff", r"\ufeff", id="byte order mark"),
    ],
)
def test_controls_are_shown_as_escapes(text, shown):
    """Data can't drive the terminal, begin a line, or turn the text around."""
    assert printable(text) == shown


@given(texts)
def test_printing_is_idempotent(text):
    """What is printable stays as it is."""
    assert not CONTROLS.search(printable(text))
    assert printable(printable(text)) == printable(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("lobby", "lobby", id="word"),
        pytest.param("/ws/lobby?a:b", "/ws/lobby?a:b", id="path"),
        pytest.param("größe", "größe", id="word, not ASCII"),
        pytest.param("", '""', id="nothing"),
        pytest.param("two words", '"two words"', id="two words"),
        pytest.param("a=b", '"a=b"', id="like a pair"),
        pytest.param("[red]", '"[red]"', id="markup"),
        pytest.param('say "hi"', r'"say \"hi\""', id="quotes"),
        pytest.param("a\nb", r'"a\nb"', id="two lines"),
        pytest.param("\x1b[31m", r'"\u001b[31m"', id="terminal control"),
        pytest.param("\x9b31m", r'"\x9b31m"', id="C1 control"),
        pytest.param("a\u202eb", r'"a\u202eb"', id="direction"),
        pytest.param("\ud800", r'"\\ud800"', id="lone surrogate"),
        pytest.param(5, "5", id="number"),
        pytest.param(10**30, "1" + "0" * 30, id="large number"),
        pytest.param(0.1 + 0.2, "0.3", id="float"),
        pytest.param(2 / 3, "0.666667", id="float, endless"),
        pytest.param(1732270210.123456, "1732270210.123456", id="float, large"),
        pytest.param(math.nan, "nan", id="not a number"),
        pytest.param(-math.inf, "-inf", id="infinity"),
        pytest.param(None, "null", id="None"),
        pytest.param(True, "true", id="true"),
        pytest.param(["a", 1], '["a", 1]', id="list"),
        pytest.param({"a": {"b": None}}, '{"a": {"b": null}}', id="dict"),
        pytest.param(["\x1b", "\u202e"], r'["\u001b", "\u202e"]', id="controls in a list"),
        pytest.param(decimal.Decimal("1.50"), "1.50", id="decimal"),
        pytest.param(datetime.date(2026, 11, 22), "2026-11-22", id="date"),
        pytest.param(uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param(SimpleNamespace(a=1), '"namespace(a=1)"', id="any object"),
        pytest.param(Unprintable(), '"<unprintable Unprintable object>"', id="unprintable"),
        pytest.param("x" * 2_000, "x" * 2_000, id="long"),
        pytest.param("x" * 2_003, f'"{"x" * 2_000}… (+3 characters)"', id="too long"),
    ],
)
def test_how_a_value_is_written(value, text):
    """As it is if that is clear, quoted if not, never interpreted."""
    assert value_text(value) == text


@given(values)
def test_any_value_is_one_printable_text(value):
    """Never raises; no controls, no lone surrogates; bare where no doubt can arise."""
    text = value_text(value)

    assert text.encode()
    assert not CONTROLS.search(text)
    assert " " not in text or text[0] in '"[{'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("two words, [red]", "two words, [red]", id="text"),
        pytest.param("a\x1b[2J\nb", r"a\x1b[2J\nb", id="controls"),
        pytest.param("\ud800", r"\ud800", id="lone surrogate"),
        pytest.param(5, "5", id="number"),
        pytest.param(Unprintable(), "<unprintable Unprintable object>", id="unprintable"),
        pytest.param("x" * 2_003, "x" * 2_000 + "… (+3 characters)", id="too long"),
    ],
)
def test_how_an_event_is_written(value, text):
    """Never quoted, never interpreted, never endless."""
    assert event_text(value) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-5, "-5.00ms"),
        (0, "0.00ms"),
        (0.214, "0.21ms"),
        (1, "1ms"),
        (12.34, "12.3ms"),
        (304.2, "304ms"),
        (999.4, "999ms"),
        (999.6, "1s"),
        (1_234, "1.23s"),
        (61_500, "61.5s"),
        (999_400, "999s"),
        (999_600, "1000s"),
        (86_400_000, "86400s"),
    ],
)
def test_how_a_duration_is_written(milliseconds, text):
    """Three digits, in the unit that suits."""
    assert duration_text(milliseconds) == text


@given(st.floats(0, 1e12))
@example(999.5)
@example(999_500)
def test_a_duration_is_never_written_with_an_exponent(milliseconds):
    """Rounding to three digits doesn't go over into 1e+03."""
    assert re.fullmatch(r"\d+(\.\d+)?m?s", duration_text(milliseconds))


def test_a_colour_follows_from_its_text():
    """The same id has the same colour in every process."""
    assert color_of("9e3779b97f4a7c15f39cc0605cedc834") == "\x1b[38;5;28m"
    assert color_of("\ud800") == color_of("?")


@given(texts)
def test_every_text_has_a_colour(text):
    """One of those that can be read."""
    assert re.fullmatch("\x1b\\[38;5;(\\d+)m", color_of(text))


def luminance(color):
    """Of one of the 256 colours, as WCAG 2 defines it."""
    steps = (0, 95, 135, 175, 215, 255)
    number = color - 16
    levels = (
        [8 + (color - 232) * 10] * 3
        if color >= 232
        else [steps[number // 36], steps[number // 6 % 6], steps[number % 6]]
    )
    linear = [
        level / 255 / 12.92 if level <= 10 else ((level / 255 + 0.055) / 1.055) ** 2.4
        for level in levels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("color", [*terminal._HUES, int(re.search(r"5;(\d+)m", terminal.DIM)[1])])
def test_colours_can_be_read_on_both_grounds(color):
    """The contrast is 3.5:1 at least with a dark terminal (#1e1e1e) and with a white one."""
    contrast_with_dark = (luminance(color) + 0.05) / (0.0130 + 0.05)
    contrast_with_white = 1.05 / (luminance(color) + 0.05)

    assert min(contrast_with_dark, contrast_with_white) >= 3.5


@pytest.mark.parametrize(
    ("variables", "wanted"),
    [
        ({}, None),
        ({"NO_COLOR": "", "FORCE_COLOR": ""}, None),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_what_variables_ask_of_colors(variables, wanted):
    """Whoever wants none has the last word; what is empty doesn't count."""
    assert wanted_colors(variables) is wanted
