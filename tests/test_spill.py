"""Lines that wait for their sink."""

from __future__ import annotations

import logging
import sys

import orjson
import pytest

from tracelog import spill
from tracelog.spill import Spill


LINE = b"x" * 35 + b"\n"  # with what the interpreter needs beside it, a hundred bytes


@pytest.fixture
def waiting(monkeypatch):
    monkeypatch.setattr(spill, "MAX_BYTES", 1_000)
    return Spill()


def fill(waiting, level):
    count = 0
    while waiting.add(LINE, level):
        count += 1
    return count


def test_lines_leave_in_their_order(waiting):
    """First in, first out; how many came and went is counted."""
    waiting.add(b"one\n", logging.INFO)
    waiting.add(b"two\n", logging.INFO)

    first = waiting.first()
    waiting.remove_first()

    assert (first, waiting.first(), len(waiting)) == (b"one\n", b"two\n", 1)
    assert (waiting.added, waiting.removed) == (2, 1)


def test_errors_outlive_the_rest(waiting):
    """The last quarter is for warnings and what is worse, which then fill the whole."""
    infos = fill(waiting, logging.INFO)
    warnings = fill(waiting, logging.WARNING)

    assert (infos, warnings) == (7, 3)


def test_room_comes_back(waiting):
    """With each line that goes, and with all of them."""
    fill(waiting, logging.ERROR)
    waiting.remove_first()
    one = fill(waiting, logging.ERROR)
    waiting.clear()

    assert (one, fill(waiting, logging.ERROR)) == (1, 10)
    assert waiting.removed == 11


def test_what_is_yet_to_be_made_counts_until_it_is(monkeypatch):
    """It may keep an exception alive, frames and all; made, it is as large as it is."""
    monkeypatch.setattr(spill, "MAX_BYTES", 40_000)
    waiting = Spill()
    made = [waiting.add(lambda: LINE, logging.ERROR) for _ in range(3)]

    waiting.replace_first(LINE)

    assert made == [True, True, False]
    assert waiting.first() == LINE
    assert waiting.add(lambda: LINE, logging.ERROR)


def test_a_line_holds_no_more_memory_than_it_needs():
    """What orjson makes is cut out of something larger, which a copy leaves to others."""
    line = orjson.dumps({"pad": "x" * 100})
    waiting = Spill()

    waiting.add(line, logging.INFO)

    assert waiting.first() == line
    assert waiting.first() is not line
    assert sys.getsizeof(waiting.first()) < len(line) + 64
