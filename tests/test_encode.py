"""An event, as one line of strict JSON."""

from __future__ import annotations

import datetime
import enum
import json
import math
import re
import uuid
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracelog.encode import MAX_LINE, encode
from tracelog.plain import SCALARS
from tracelog.redact import make_redactor


NULS = "\x00" * 200  # six bytes each, in JSON
RAW_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class Unprintable:
    def __str__(self):
        raise RuntimeError("no")


class Color(enum.IntEnum):
    RED = 1


def refuse_constant(name):
    raise AssertionError(f"{name} is no JSON")


def unique(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys))
    return dict(pairs)


def read(line):
    """Read one line, as strictly as can be."""
    assert line.endswith(b"\n")
    assert len(line) <= MAX_LINE
    text = line[:-1].decode("utf-8", "strict")
    assert not RAW_CONTROLS.search(text)
    return json.loads(text, object_pairs_hook=unique, parse_constant=refuse_constant)


texts = st.text(st.characters()) | st.sampled_from(
    ["\x7f", "\x9b2J", "\u2028", "\u202e", "\ud800", "\\ud800"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.dates() | st.uuids()
values = st.recursive(
    scalars
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC))
    | st.times(timezones=st.none() | st.just(datetime.UTC))
    | st.decimals()
    | st.sampled_from(
        [Unprintable(), Unprintable, Color.RED, ValueError("no"), SimpleNamespace(a=1)]
    ),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(texts | st.integers() | st.none() | st.booleans(), inner)
    ),
    max_leaves=15,
)
# Texts and lists that only together are too much for a line, and ones that are by themselves.
large = st.builds(
    lambda text, times: text * times, texts, st.sampled_from([1, 100, 10_000, 70_000])
) | st.builds(lambda value, times: [value] * times, scalars, st.sampled_from([1, 150, 20_000]))


@given(st.dictionaries(texts, scalars))
def test_any_scalars_become_one_strict_line(event):
    """The short way: every key is there, unique; no raw controls, valid UTF-8, bounded."""
    assert len(read(encode(event))) == len(event)


@given(st.dictionaries(texts | st.integers(), values))
def test_any_values_become_one_strict_line(event):
    """The long way: the same of any value at all."""
    assert len(read(encode(event))) == len(event)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(texts, large, max_size=8))
def test_any_amount_becomes_one_bounded_line(event):
    """However much it is, the line has at most 65,536 bytes and is whole."""
    assert read(encode(event)) or not event


@given(st.dictionaries(texts, scalars))
def test_both_ways_tell_the_same(event):
    """Which way an event takes isn't seen in what its line says."""
    assert set(map(type, event.values())) <= SCALARS
    assert read(encode({**event, "nested": []})) == {**read(encode(event)), "nested": []}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("text", '"text"', id="text"),
        pytest.param("é🦊", '"é🦊"', id="not ASCII"),
        pytest.param('"\\', r'"\"\\"', id="quotes"),
        pytest.param("a\nb", r'"a\nb"', id="newline"),
        pytest.param("\x1b[2J", r'"\u001b[2J"', id="terminal control"),
        pytest.param("\x7f", r'"\u007f"', id="DEL"),
        pytest.param("\x9b2J", r'"\u009b2J"', id="C1 control"),
        pytest.param("\x85", r'"\u0085"', id="next line"),
        pytest.param("\u2028\u2029", r'"\u2028\u2029"', id="line separators"),
        pytest.param("\u202eabc", r'"\u202eabc"', id="directions"),
        pytest.param("\ud83e", r'"\\ud83e"', id="lone surrogate"),
        pytest.param(None, "null", id="None"),
        pytest.param(True, "true", id="true"),
        pytest.param(1, "1", id="number"),
        pytest.param(2**64 - 1, "18446744073709551615", id="largest number"),
        pytest.param(2**64, '"18446744073709551616"', id="too large a number"),
        pytest.param(1.5, "1.5", id="float"),
        pytest.param(math.nan, "null", id="not a number"),
        pytest.param(math.inf, "null", id="infinity"),
        pytest.param(uuid.UUID(int=1), '"00000000-0000-0000-0000-000000000001"', id="uuid"),
        pytest.param(datetime.date(2026, 11, 22), '"2026-11-22"', id="date"),
        pytest.param(datetime.date(1, 1, 1), '"0001-01-01"', id="first date"),
    ],
)
def test_how_each_scalar_is_written(value, written):
    """The bytes of a line, either way: what a control character would do, it can't."""
    short, long = encode({"key": value}), encode({"nested": [], "key": value})

    assert re.sub(r'^\{"key": ?', "", short.decode()) == f"{written}}}\n"
    assert re.sub(r'^\{"nested":\[\],"key":', "", long.decode()) == f"{written}}}\n"


def test_an_ordinary_line_is_compact():
    """Nothing between the parts, so that a line can be searched for `"level":"error"`."""
    assert encode({"level": "error", "size": 1}) == b'{"level":"error","size":1}\n'


def test_keys_are_written_alike_on_every_line():
    """A reader that looks for `"level":"error"` finds lines with containers in them, too."""
    line = encode({"level": "error", "tags": ["a", 1]})

    assert line == b'{"level":"error","tags":["a", 1]}\n'


def test_a_default_converts_what_json_lacks():
    """A caller's own conversion is asked in place of ours."""
    assert read(encode({"key": b"ab"}, default=list)) == {"key": [97, 98]}


def test_too_long_a_text_is_shortened_and_said():
    """The line is marked as truncated, and the text says how much is missing."""
    line = read(encode({"event": "x" * 100_000, "user": "kim"}))

    assert line == {
        "event": "x" * 8_192 + "… (+91808 characters)",
        "user": "kim",
        "truncated": True,
    }


def test_a_line_that_just_fits_is_whole():
    """65,536 bytes with the newline is the most."""
    event = {"event": "x" * (MAX_LINE - len(b'{"event":""}\n'))}

    assert read(encode(event)) == event
    assert len(encode(event)) == MAX_LINE
    assert read(encode({"event": event["event"] + "x"}))["truncated"] is True


def test_too_many_values_are_left_out_and_said():
    """The first ones are kept."""
    line = read(encode({"numbers": [*range(100_000)], "user": "kim"}))

    assert line["truncated"] is True
    assert line["numbers"] == [*range(len(line["numbers"]))]
    assert len(line["numbers"]) > 100


def test_when_nothing_fits_the_leading_keys_are_left():
    """Time, level, logger, event and trace are on every line, whatever the others are."""
    event = {
        "timestamp": "2026-11-22T10:10:10.123456Z",
        "level": "info",
        "logger": "app",
        "event": NULS,
        "trace_id": None,
        **{f"{number}{NULS}": NULS for number in range(100)},
    }

    assert read(encode(event)) == {
        "timestamp": "2026-11-22T10:10:10.123456Z",
        "level": "info",
        "logger": "app",
        "event": "\x00" * 64 + "… (+136 characters)",
        "trace_id": None,
        "truncated": True,
    }


@pytest.mark.parametrize(
    "leading",
    [
        pytest.param({"trace_id": {f"{n}{NULS}": NULS for n in range(100)}}, id="too large"),
        pytest.param({"event": "\x7f\x9b2J\u2028"}, id="raw controls"),
    ],
)
def test_the_last_resort_is_as_strict_as_all_lines(leading):
    """A caller's own trace_id may be anything; its line is bounded and escaped all the same."""
    filler = {f"{number}{NULS}": NULS for number in range(100)}

    assert read(encode({**leading, **filler}))["truncated"] is True


def test_secrets_are_masked_either_way():
    """Among scalars, and in what has to be walked."""
    scalars = encode({"event": "password=abc", "api_key": "k", "n": 1})
    nested = encode({"event": "hello", "headers": {"Cookie": "a=b"}})

    assert read(scalars) == {"event": "password=[redacted]", "api_key": "[redacted]", "n": 1}
    assert read(nested) == {"event": "hello", "headers": {"Cookie": "[redacted]"}}


def test_no_half_of_a_secret_is_left_where_a_text_is_cut():
    """It is masked first, wherever the cut is."""
    for size in (8_180, 65_530):
        line = encode({"event": "x" * size + " password=" + "hunter2" * 9 + " x" * 60_000})

        assert b"hunter" not in line
        assert read(line)["truncated"] is True


def test_a_caller_s_own_names_are_masked():
    """By a redactor that has them."""
    assert read(encode({"iban": "DE1"}, None, make_redactor(["iban"]))) == {"iban": "[redacted]"}
