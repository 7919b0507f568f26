"""Bytes, cut into lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers import cutting
from tracelog.answers.cutting import Cutter


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b" ", b"\r\n", b"\0"])), st.data())
def test_lines_are_the_same_however_they_come(pieces, data):
    """Blank lines aren't lines, and the last may have no end."""
    text = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=4).map(sorted))
    cutter = Cutter()

    found = []
    for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
        found += cutter.feed(text[start:end])
    found += cutter.rest()

    stripped = [line.lstrip(b"\0") for line in text.split(b"\n")]
    assert found == [line for line in stripped if line.strip()]


def test_what_is_longer_than_a_line_may_be_is_left_out(monkeypatch):
    """Memory is bounded; the next line is whole again."""
    monkeypatch.setattr(cutting, "LONGEST", 4)
    cutter = Cutter()

    assert cutter.feed(b"abc") == cutter.feed(b"def") == cutter.feed(b"ghi") == []
    assert cutter.feed(b"j\nkl\nm") == [b"abcd", b"kl"]
    assert cutter.feed(b"\n") == [b"m"]
