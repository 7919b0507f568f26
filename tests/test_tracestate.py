"""`tracestate`, read and shortened."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.tracestate import read_state


MEMBER = re.compile(r"[a-z0-9][a-z0-9_*/@-]{0,255}=[ -~]{1,256}")
MEMBERS_32 = [f"k{number}=v" for number in range(32)]

keys = st.from_regex(r"[a-z0-9][a-z0-9_*/@-]{0,40}", fullmatch=True)
values = st.from_regex(r"[ -+\--<>-~]{0,40}[!-+\--<>-~]", fullmatch=True)


@pytest.mark.parametrize(
    ("headers", "state"),
    [
        pytest.param([], "", id="no header"),
        pytest.param(["", " ", ",, ,"], "", id="nothing in it"),
        pytest.param(["rojo=1"], "rojo=1", id="one member"),
        pytest.param(["b=1,a=2"], "b=1,a=2", id="order is kept"),
        pytest.param(["b=1", "a=2,c=3"], "b=1,a=2,c=3", id="headers are one list"),
        pytest.param([" a=1 \t,\t b=2\t,,"], "a=1,b=2", id="whitespace and empty members"),
        pytest.param(["a= 1"], "a= 1", id="a leading blank belongs to the value"),
        pytest.param(["a=1,b=2,a=3"], "a=1,b=2", id="of two the first, which is the latest"),
        pytest.param(["0a_b-c*d/e@f@=1"], "0a_b-c*d/e@f@=1", id="all that a key may have"),
        pytest.param(
            ["a=!#$%&'()*+-./:;<>?@[]^_`{|}~"], "a=!#$%&'()*+-./:;<>?@[]^_`{|}~", id="value"
        ),
        pytest.param([f"{'k' * 256}=1"], f"{'k' * 256}=1", id="256 characters of key"),
        pytest.param([f"k={'v' * 256}"], f"k={'v' * 256}", id="256 characters of value"),
        pytest.param([",".join(MEMBERS_32)], ",".join(MEMBERS_32), id="32 members"),
    ],
)
def test_a_valid_list_is_kept(headers, state):
    """As it came, in one header, without what means nothing."""
    assert read_state(headers) == state


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("a", id="no value"),
        pytest.param("a=", id="empty value"),
        pytest.param("=1", id="no key"),
        pytest.param("A=1", id="upper case"),
        pytest.param("a.b=1", id="dot in a key"),
        pytest.param("a =1", id="blank after a key"),
        pytest.param("@a=1", id="begins with @"),
        pytest.param("_a=1", id="begins with _"),
        pytest.param("a=1=2", id="= in a value"),
        pytest.param("a=1\t2", id="tab in a value"),
        pytest.param("a=1\r\nb: 2", id="another header in it"),
        pytest.param("a=1\n", id="newline after"),
        pytest.param("a=é", id="no ASCII"),
        pytest.param("a١=1", id="digits of another script"),
        pytest.param(f"{'k' * 257}=1", id="long key"),
        pytest.param(f"k={'v' * 257}", id="long value"),
        pytest.param(",".join([*MEMBERS_32, "more=1"]), id="33 members"),
        pytest.param("\0", id="refused before"),
        pytest.param("," * 20_000, id="too long"),
    ],
)
def test_a_list_with_anything_invalid_is_dropped(header):
    """All of it: what one vendor means, nobody else can tell."""
    assert read_state(["ok=1", header]) == ""


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        pytest.param(["a=" + "x" * 125] * 1, ["a"], id="fits"),
        pytest.param([f"{key}={'x' * 126}" for key in "abcd"], ["a", "b", "c"], id="from the end"),
        pytest.param(
            [f"a={'x' * 200}", *(f"{key}={'x' * 118}" for key in "bcd")],
            ["b", "c", "d"],
            id="a large one first, wherever it stands",
        ),
        pytest.param(
            [f"{key}={'x' * 200}" for key in "abc"], ["a", "b"], id="large ones, too, from the end"
        ),
        pytest.param(
            [f"a={'x' * 200}", *(f"{key}={'x' * 126}" for key in "bcdef")],
            ["b", "c", "d"],
            id="all large ones, and then from the end",
        ),
    ],
)
def test_what_is_too_long_is_shortened_by_whole_entries(members, kept):
    """To 512 characters: entries of more than 128 go first, then the oldest."""
    state = read_state(members)

    assert [member.partition("=")[0] for member in state.split(",")] == kept
    assert len(state) <= 512


@given(st.dictionaries(keys, values, max_size=5))
def test_what_is_valid_survives(entries):
    """Every list that fits is passed on as it is, and reads the same again."""
    state = ",".join(f"{key}={value}" for key, value in entries.items())

    assert read_state([state]) == state


@given(st.lists(st.text() | st.text("ab=, \t\n@")))
def test_any_text_gives_a_valid_list_or_none(headers):
    """Reading never raises, and nothing invalid is passed on."""
    state = read_state(headers)

    assert state == "" or all(MEMBER.fullmatch(member) for member in state.split(","))
    assert read_state([state]) == state
