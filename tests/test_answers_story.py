"""One utterance whole, as data."""

from __future__ import annotations

import json

from tracelog.answers.finding import line_at
from tracelog.answers.sources import Source
from tracelog.answers.story import tell
from tracelog.answers.traces import find_trace


def line(second, event, trace_id="t", **fields):
    leading = {"timestamp": f"2026-11-22T12:00:{second:09.6f}Z", "level": "info", "logger": "app"}
    return {**leading, "event": event, "trace_id": trace_id, **fields}


def verdict(began, ms, trace_id="t", **fields):
    arrived = f"2026-11-22T12:00:{began:09.6f}Z"
    done = began + ms / 1000
    return line(done, "utterance", trace_id, arrived_at=arrived, total_ms=ms, **fields)


def make_source(folder, *lines, name="a.log"):
    text = "".join(json.dumps(each) + "\n" for each in lines)
    (folder / name).write_text(text)
    return Source(name, str(folder / name))


def story_of(*sources, wanted="t", most=9, chosen=None):
    entry = line_at(sources[0], chosen) if chosen else None
    return tell(sources, find_trace(sources, wanted, most), entry)


def events(story):
    return [each.entry.event["event"] if each.entry else each.left_out for each in story.lines]


def test_its_holder_is_beside_it(tmp_path):
    """On one axis, with what is known of the holder; whoever was there at another time isn't."""
    blocked_by = [
        {"ms": 90, "trace_id": "h", "where": "a.py:1 f"},
        {"ms": 5, "trace_id": "h"},
        {"ms": 2, "trace_id": None},
        "odd",
    ]
    source = make_source(
        tmp_path,
        verdict(1, 50, "h"),
        verdict(9.9, 200, "h", held=[{"ms": 190, "where": "a.py:1 f"}]),
        line(11, "loop held", "h", held_at="2026-11-22T12:00:09.9Z", held_ms=190, where="a.py:1 f"),
        verdict(10, 300, socket_ms=300, blocked_by=blocked_by, user_id="ada"),
    )

    story = story_of(source)

    assert story.act.title == "ada's utterance"
    assert [row.is_loose for row in story.act.groups[1].rows] == [False, True, True]
    assert [round(act.began - story.act.began, 3) for act in story.holders] == [-0.1]
    assert story.others == ()


def test_the_longest_utterance_is_meant_unless_another_one_is(tmp_path):
    """A trace may have several: of other services, or of a worker; a line says which is meant."""
    source = make_source(tmp_path, verdict(10, 100), verdict(10, 300), line(10.1, "hello"))

    assert story_of(source).act.own.length_ms == 300
    assert story_of(source, chosen=1).act.own.length_ms == 100
    assert story_of(source, chosen=3).act.own.length_ms == 300
    assert [act.own.length_ms for act in story_of(source, chosen=1).others] == [300]


def test_a_trace_without_a_verdict_has_its_lines(tmp_path):
    """A verdict whose time can't be read is none."""
    source = make_source(
        tmp_path, line(1, "one"), {**verdict(1, 2), "arrived_at": 1, "timestamp": 2}
    )

    story = story_of(source)

    assert story.act is None
    assert events(story) == ["one", "utterance"]


def test_lines_stand_where_they_were_logged(tmp_path):
    """A flight recorder writes them later; what has no time stays below the line before it."""
    source = make_source(
        tmp_path,
        line(3, "three"),
        {"event": "no time", "trace_id": "t"},
        line(1, "one"),
        verdict(0, 9),
    )

    assert events(story_of(source)) == ["utterance", "one", "three", "no time"]


def test_what_is_left_out_is_told_where_it_was(tmp_path):
    """Between the first and the last of each file."""
    first = make_source(tmp_path, *[line(number, number) for number in range(1, 10)])
    other = make_source(tmp_path, line(1.5, "other"), name="b.log")

    assert events(story_of(first, other, most=2)) == [1, "other", 2, 5, 8, 9]


def test_clocks_are_set_right(tmp_path):
    """What a service with a wrong clock did is drawn, and told, where it must have been."""
    asked = {"method": "GET", "url": "http://b/x"}
    chat = make_source(
        tmp_path,
        verdict(10, 500),
        line(10.4, "call", duration_ms=300, **asked),
    )
    other = make_source(
        tmp_path, line(3.2, "asked"), verdict(3.1, 200, method="GET", path="/x"), name="b.log"
    )

    story = story_of(chat, other)

    assert round(story.skews["b.log"].total_s, 3) == -7.05
    assert round(story.others[0].began - story.act.began, 3) == 0.15
    assert events(story) == ["asked", "utterance", "call", "utterance"]


def test_a_line_that_names_its_cause_is_believed(tmp_path):
    """A service of somebody else's may have no verdicts; one without a time says nothing."""
    chat = make_source(tmp_path, verdict(10, 500, span_id="01"))
    other = make_source(
        tmp_path,
        {"event": "no time", "trace_id": "t", "parent_span_id": "01"},
        line(9.5, "hello", parent_span_id="01"),
        name="b.log",
    )

    assert round(story_of(chat, other).skews["b.log"].total_s, 3) == -0.5


def test_the_axis_is_that_of_the_chosen_one(tmp_path):
    """If the clock is wrong by which it was measured, the others' are shifted to that."""
    chat = make_source(
        tmp_path,
        line(10.4, "call", duration_ms=300, method="GET", url="http://b/x"),
        verdict(10, 100),
    )
    other = make_source(tmp_path, verdict(3.1, 200, method="GET", path="/x"), name="b.log")

    story = story_of(chat, other)

    assert story.act.source == "b.log"
    assert round(story.act.began - story.act.own.began, 6) == 0
    assert round(story.others[0].began - story.act.began, 3) == -0.15
