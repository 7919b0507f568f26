"""Any value, made plain."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import math
import pathlib
import uuid
from collections import OrderedDict, deque
from collections.abc import Mapping
from types import MappingProxyType, SimpleNamespace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.plain import SCALARS, Limits, Plain, text_of


WIDE = Limits(text=1_000, items=1_000)


class Color(enum.Enum):
    RED = "red"


class Count(int):
    pass


class Ratio(float):
    pass


class Text(str):
    """A string whose own code can't be trusted."""

    def __str__(self):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")


class Unprintable:
    def __str__(self):
        raise RuntimeError("no")


class Liar:
    """What it says it is raises."""

    @property
    def __class__(self):
        raise RuntimeError("no")

    def __str__(self):
        return "a liar"


class Endless(Mapping):
    """A mapping without an end."""

    def __getitem__(self, key):
        return key

    def __len__(self):
        return 1

    def __iter__(self):
        number = 0
        while True:
            yield number
            number += 1


@dataclasses.dataclass
class Point:
    x: int
    y: object


ERROR = ValueError("no")
PLAIN = (str, int, float, bool, type(None), list, dict)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.timedeltas()
    | st.uuids()
    | st.decimals()
    | st.complex_numbers()
    | st.builds(Text, st.text())
    | st.sampled_from([Color.RED, Unprintable(), Unprintable, ERROR])
    | st.builds(Liar)
)
keys = (
    st.text(st.characters())
    | st.builds(Text, st.text())
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.binary()
    | st.builds(Unprintable)
)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(keys, inner)
        | st.builds(Point, st.integers(), inner)
    ),
)


def of(value, limits=WIDE, default=None):
    return Plain(limits, default).of(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param(Text("text"), "text", id="a string of another class"),
        pytest.param("\ud800", "\\ud800", id="lone surrogate"),
        pytest.param(None, None, id="None"),
        pytest.param(True, True, id="true"),
        pytest.param(2**64 - 1, 2**64 - 1, id="largest number"),
        pytest.param(-(2**63), -(2**63), id="smallest number"),
        pytest.param(2**64, "18446744073709551616", id="too large a number"),
        pytest.param(-(2**63) - 1, "-9223372036854775809", id="too small a number"),
        pytest.param(1.5, 1.5, id="float"),
        pytest.param(Count(3), 3, id="a number of another class"),
        pytest.param(Ratio(0.5), 0.5, id="a float of another class"),
        pytest.param(Ratio("nan"), None, id="not a number of another class"),
        pytest.param(math.nan, None, id="not a number"),
        pytest.param(-math.inf, None, id="infinity"),
        pytest.param(decimal.Decimal("1.50"), "1.50", id="decimal"),
        pytest.param(b"abc", "YWJj", id="bytes"),
        pytest.param(bytearray(b"abc"), "YWJj", id="bytearray"),
        pytest.param(Color.RED, "red", id="enum member"),
        pytest.param(int, "int", id="class"),
        pytest.param(ERROR, "ValueError: no", id="exception"),
        pytest.param(
            datetime.datetime(2026, 11, 22, 10, 10, tzinfo=datetime.UTC),
            "2026-11-22T10:10:00+00:00",
            id="datetime",
        ),
        pytest.param(datetime.date(2026, 11, 22), "2026-11-22", id="date"),
        pytest.param(datetime.time(10, 10), "10:10:00", id="time"),
        pytest.param(datetime.timedelta(seconds=1), "0:00:01", id="timedelta"),
        pytest.param(uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param(pathlib.PurePosixPath("/a/b"), "/a/b", id="path"),
        pytest.param((1, [2]), [1, [2]], id="tuple"),
        pytest.param({1}, [1], id="set"),
        pytest.param(frozenset({1}), [1], id="frozenset"),
        pytest.param(deque([1, 2]), [1, 2], id="deque"),
        pytest.param(OrderedDict(a=1), {"a": 1}, id="another dict"),
        pytest.param(MappingProxyType({"a": 1}), {"a": 1}, id="mapping"),
        pytest.param(Point(1, {2}), {"x": 1, "y": [2]}, id="dataclass"),
        pytest.param(SimpleNamespace(a=1), "namespace(a=1)", id="any object"),
        pytest.param(Unprintable(), "<unprintable Unprintable object>", id="unprintable"),
        pytest.param(Liar(), "<unprintable Liar object>", id="liar"),
        pytest.param([Liar(), 1], ["<unprintable Liar object>", 1], id="liar among others"),
    ],
)
def test_each_kind_of_value(value, expected):
    """What JSON has stays; the rest becomes the text or the structure its reader expects."""
    plain = of(value)

    assert plain == expected
    assert type(plain) in PLAIN


def test_a_number_that_python_refuses_to_write_in_decimals():
    """Past `sys.set_int_max_str_digits`, a number is written in hex."""
    assert of(10**5_000, Limits(text=10_000, items=1)) == hex(10**5_000)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        pytest.param("a", "a", id="text"),
        pytest.param(1, "1", id="number"),
        pytest.param(None, "null", id="None"),
        pytest.param(True, "true", id="true"),
        pytest.param("\ud800", "\\ud800", id="lone surrogate"),
        pytest.param(Text("text"), "text", id="a string of another class"),
        pytest.param(Unprintable(), "<unprintable Unprintable object>", id="unprintable"),
    ],
)
def test_keys_become_text(key, name):
    """JSON has no other keys, and names those of Python as `json` does."""
    assert of({key: 1}) == {name: 1}


def test_keys_that_look_the_same_stay_apart():
    """No value is lost because another key is written the same way."""
    assert of({1: "a", "1": "b", 1.5: "c", "1.5": "d"}) == {
        "1": "a",
        "1_1": "b",
        "1.5": "c",
        "1.5_3": "d",
    }


@pytest.mark.parametrize("bottom", [[], {}], ids=["list", "dict"])
def test_a_value_that_holds_itself_is_no_endless_loop(bottom):
    """The place where it would begin again says so; the same value beside it is shown twice."""
    if isinstance(bottom, list):
        bottom.append(bottom)
    else:
        bottom["self"] = bottom
    shared = [1]

    plain = of([bottom, shared, shared])

    inner = ["<circular>"] if isinstance(bottom, list) else {"self": "<circular>"}
    assert plain == [inner, [1], [1]]


def test_too_long_a_text_is_cut_and_says_how_much():
    """The beginning is kept, and the number of characters that weren't."""
    plain = Plain(Limits(text=3, items=10))

    assert plain.of("abc") == "abc"
    assert not plain.cut
    assert plain.of("abcde") == "abc… (+2 characters)"
    assert plain.cut


def test_all_texts_together_are_bounded():
    """One text, held ten thousand times, isn't written ten thousand times."""
    plain = Plain(Limits(text=4, items=10, total=6))

    assert plain.of(["abcd", "abcd", "abcd"]) == [
        "abcd",
        "ab… (+2 characters)",
        "… (+4 characters)",
    ]
    assert plain.cut


def test_items_are_counted_over_the_whole_value():
    """Keys and elements, wherever they are, share one budget."""
    plain = Plain(Limits(text=10, items=4))

    assert plain.of({"a": [1, 2], "b": 3, "c": 4}) == {"a": [1, 2], "b": 3}
    assert plain.cut


def test_a_list_is_cut_where_the_budget_ends():
    """The first elements are kept."""
    plain = Plain(Limits(text=10, items=2))

    assert plain.of([1, 2, 3]) == [1, 2]
    assert plain.cut


def test_a_mapping_without_an_end():
    """Only as much is read as is written."""
    assert of(Endless(), Limits(text=10, items=2)) == {"0": 0, "1": 1}


def test_too_deep_a_value_is_cut():
    """Below the last level it says so."""
    plain = Plain(Limits(text=100, items=100, depth=2))

    assert plain.of([[[]], {"a": 1}]) == [["<too deep>"], {"a": 1}]
    assert plain.cut


def test_a_caller_s_default_converts_what_json_lacks():
    """It is asked in place of ours, for that only, and what it gives is made plain in turn."""
    asked = []

    def default(value):
        asked.append(value)
        return {"bytes": bytearray(value)} if type(value) is bytes else list(value)

    assert of([b"ab", "text", 1, None], default=default) == [{"bytes": [97, 98]}, "text", 1, None]
    assert asked == [b"ab", bytearray(b"ab")]


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        pytest.param(lambda value: value, "<circular>", id="gives the same back"),
        pytest.param(lambda value: 1 / 0, "namespace(a=1)", id="raises"),
        pytest.param(lambda value: SimpleNamespace(b=value), "<too deep>", id="never gets there"),
    ],
)
def test_a_default_that_does_not_help(default, expected):
    """Whatever it does, there is something to write."""
    assert of(SimpleNamespace(a=1), default=default) == expected


def test_no_text_of_an_object_is_no_error():
    """`text_of` is what everything falls back on."""
    assert text_of(Unprintable()) == "<unprintable Unprintable object>"
    assert text_of(Text("text\udc80")) == "text\\udc80"


def test_a_tzinfo_that_raises_never_meets_orjson():
    """orjson would take the interpreter down: a datetime is no scalar."""

    class Broken(datetime.tzinfo):
        def utcoffset(self, _when):
            raise RuntimeError("no")

    value = datetime.datetime(2026, 11, 22, tzinfo=Broken())

    assert type(value) not in SCALARS
    assert of(value) == "<unprintable datetime object>"


@given(scalars.filter(lambda value: type(value) in SCALARS))
def test_a_scalar_is_written_by_orjson_as_by_us(value):
    """Which of the two ways an event takes isn't seen in its line."""
    try:
        theirs = orjson.loads(orjson.dumps(value))
    except orjson.JSONEncodeError:
        theirs = None  # it refuses, and the event comes to us

    assert theirs is None or theirs == of(value, Limits(text=10_000, items=1))


@given(anything)
def test_any_value_becomes_strict_json(value):
    """Never raises; the result has JSON's types only, and valid UTF-8."""
    plain = of(value)

    json.dumps(plain, allow_nan=False, ensure_ascii=False).encode()


@given(
    anything,
    st.builds(
        Limits,
        text=st.integers(0, 20),
        items=st.integers(0, 20),
        depth=st.integers(0, 5),
        total=st.integers(0, 50),
    ),
)
def test_the_result_is_bounded(value, limits):
    """Whatever the value, its plain form is as small as the limits say."""
    longest = max(limits.text + 30, len("<unprintable Unprintable object>"))

    def measure(plain, depth):
        assert depth <= limits.depth + 1
        if isinstance(plain, str):
            assert len(plain) <= longest * len("\\U0010ffff")
        inner = [*plain, *plain.values()] if isinstance(plain, dict) else plain
        if isinstance(plain, dict | list):
            return len(plain) + sum(measure(item, depth + 1) for item in inner)
        return 0

    assert measure(of(value, limits), 0) <= limits.items


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_what_is_plain_stays_as_it_is(value):
    """Making plain is idempotent."""
    assert of(value) == value


class Masks:
    """Masks whatever is named so, and texts that have a digit."""

    known = frozenset({"room"})

    def knows(self, names):
        return set(names) <= {"other"}

    def text(self, text):
        return "§" if any(map(str.isdigit, text)) else text

    def number(self, value):
        return "[redacted]" if value == 4 else value

    def hides(self, name, _value):
        return name == "secret"

    def elements(self, value):
        return [(each[0], "[redacted]") if each == ("secret", "x") else each for each in value]

    def keeps(self, name, _value):
        return name == "span_id"


def test_secrets_are_masked_by_what_is_given():
    """Keys, pairs, texts, numbers, and bytes, which as base64 anybody can read."""
    walk = Plain(WIDE, masks=Masks())

    plain = walk.of(
        {
            "secret": 1,
            "room": {"secret": [2], "r2": "a"},
            "list": [("secret", "x"), ("host", "h"), b"a1", b"a", 4, 2**70],
            "span_id": 4,
            "other": 4,
        }
    )

    assert plain == {
        "secret": "[redacted]",
        "room": {"secret": "[redacted]", "§": "a"},
        "list": [["secret", "[redacted]"], ["host", "h"], "§", "YQ==", "[redacted]", "§"],
        "span_id": 4,
        "other": "[redacted]",
    }


def test_a_text_is_masked_before_it_is_cut():
    """Half a secret is one, too; and where nothing is shown, nothing is searched."""
    walk = Plain(Limits(text=3, items=10, total=4), masks=Masks())

    assert walk.of(["abcd1", "abcd", "abcd", "abcd"]) == [
        "§… (+2 characters)",
        "a… (+3 characters)",
        "… (+4 characters)",
        "… (+4 characters)",
    ]
