"""The lines that will be shown next."""

from __future__ import annotations

import json

from tracelog.answers.entries import Entry
from tracelog.answers.frames import Frame, in_time


def quiet(text):
    return Entry("app.log", text.encode(), None)


def loud(text):
    return Entry("app.log", text.encode(), {"event": "loop held"})


def made(source, at):
    timestamp = f"2026-11-22T12:00:{at:02}Z"
    line = {"timestamp": timestamp, "level": "info", "logger": "app", "event": "e"}
    return Entry.parse(source, json.dumps(line).encode())


def take(frame, *entries):
    for entry in entries:
        frame.add(entry)
    kept, left_out = frame.take()
    return " ".join(entry.raw.decode() for entry in kept), left_out


def test_lines_are_shown_as_they_came():
    """Of whatever kind."""
    assert take(Frame(), quiet("a"), loud("B"), quiet("c")) == ("a B c", 0)


def test_of_too_many_the_last_are_shown():
    """What stands out doesn't give way to what doesn't."""
    frame = Frame(2)

    taken = take(frame, loud("A"), *map(quiet, "bcde"), loud("F"))

    assert taken == ("A d e F", 2)
    assert take(frame, quiet("g")) == ("g", 0)


def test_what_stands_out_is_bounded_too():
    """A burst may be of nothing else."""
    assert take(Frame(2), quiet("a"), *map(loud, "BCDE")) == ("a D E", 2)


def test_bytes_are_bounded():
    """But for one line, which is shown however long it is."""
    assert take(Frame(9, 4), quiet("aaa"), quiet("bb"), quiet("cc")) == ("bb cc", 1)
    assert take(Frame(9, 4), quiet("a"), quiet("bbbbbbbbb")) == ("bbbbbbbbb", 1)


def test_several_sources_are_merged_by_time():
    """What has no time stays behind the line before it, and no source's order is changed."""
    broken = Entry.parse("b", b"Traceback:")
    a, b = [made("a", at) for at in (1, 4, 3)], [made("b", at) for at in (2, 5)]

    merged = in_time([*a, b[0], broken, b[1]])

    assert merged == [a[0], b[0], broken, a[1], a[2], b[1]]
