"""W3C Baggage, written and read."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.baggage import read_baggage, write_baggage


class Unprintable:
    def __str__(self):
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("values", "header"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"user_id": "kim", "n": 7}, "user_id=kim,n=7", id="two, of any type"),
        pytest.param({"a": 'x, y; z="\\%'}, "a=x%2C%20y%3B%20z=%22%5C%25", id="what has a meaning"),
        pytest.param({"a": "é"}, "a=%C3%A9", id="UTF-8"),
        pytest.param({"a": "1\r\nset-cookie: x"}, "a=1%0D%0Aset-cookie:%20x", id="another header"),
        pytest.param({"a": ""}, "a=", id="an empty value"),
        pytest.param({"a": None, "b": 1}, "b=1", id="None is no value"),
        pytest.param({"a b": 1, "é": 2, "": 3, "a=b": 4, "ok": 5}, "ok=5", id="no tokens"),
        pytest.param({"a": "\ud800"}, "a=%5Cud800", id="no Unicode"),
        pytest.param({"a": Unprintable()}, "a=<unprintable%20Unprintable%20object>", id="no text"),
    ],
)
def test_values_are_written_so_that_any_peer_can_read_them(values, header):
    """Percent-encoded where it must be; what can't be written is left out."""
    assert write_baggage(values) == header


def test_what_was_there_stays_but_for_the_keys():
    """Properties and all."""
    beside = "region=eu;ttl=1, user_id =lee,,x"

    assert (
        write_baggage({"user_id": "kim", "room": None}, beside) == "region=eu;ttl=1,x,user_id=kim"
    )


def test_what_is_too_long_in_all_is_left_out():
    """8,192 characters; a value isn't cut into two."""
    values = {"a": "x" * 8000, "b": "y" * 200, "c": "z"}

    assert write_baggage(values) == f"a={'x' * 8000}"
    assert len(write_baggage({"a": "x" * 8189})) == 8191
    assert write_baggage({"a": "x" * 8190}) == ""


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        pytest.param([], {}, id="none"),
        pytest.param(["a=1,b=2,c=3"], {"a": "1", "b": "2"}, id="only what is named"),
        pytest.param(["c=3", "b=2"], {"b": "2"}, id="in several headers"),
        pytest.param([" a = x%20y ; prop=1 , b=2"], {"a": "x y", "b": "2"}, id="as others write"),
        pytest.param(["a=1,a=2", "a=3"], {"a": "1"}, id="the first of several"),
        pytest.param(["a,b"], {"a": "", "b": ""}, id="no value"),
        pytest.param(["a=1=2"], {"a": "1=2"}, id="= in a value"),
        pytest.param(["a=%E9%zz"], {"a": "�%zz"}, id="badly encoded"),
        pytest.param(["a=1%0D%0Ab,b=%1B[2J"], {}, id="control characters"),
        pytest.param(["a=1" + "," * 8192], {}, id="too long"),
    ],
)
def test_named_values_are_read(headers, found):
    """From whatever a peer sends; of no other key."""
    assert read_baggage(headers, keys=("a", "b")) == found


@given(st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), st.text(max_size=20), max_size=9))
def test_what_is_written_can_be_read(values):
    """All but control characters, which nobody reads; and it is a header whatever it says."""
    header = write_baggage(values)

    wanted = {key: value for key, value in values.items() if value.isprintable()}
    assert re.fullmatch(r"[!-~]*", header)
    assert wanted.items() <= read_baggage([header], keys=values).items()


@given(st.lists(st.text() | st.text("ab=,;% \t\n")))
def test_reading_never_raises(headers):
    """And nothing that it gives has control characters in it."""
    assert all(value.isprintable() for value in read_baggage(headers, keys=("a", "b")).values())
