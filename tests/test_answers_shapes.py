"""The shapes that lines come in."""

from __future__ import annotations

import json

import pytest

from tracelog.answers.shapes import (
    CRI,
    DOCKER,
    JOURNAL,
    Recogniser,
    Shape,
    about_shapes,
    read_object,
    recognise,
)


OURS = {"timestamp": "2026-11-22T10:00:00Z", "level": "info", "logger": "a", "event": "e"}
CASES = {
    "ours": (OURS, ""),
    "structlog, as ours": ({"timestamp": "2026-11-22T10:00:00Z", "event": "e"}, ""),
    "ours, with a message": ({**OURS, "message": "m", "severity": "s"}, ""),
    "ours, with Docker's keys": ({**OURS, "log": "l", "stream": "s", "time": "t"}, ""),
    "nobody's": ({"a": 1}, ""),
    "structlog": ({"timestamp": 1795342200.5, "event": "e"}, "structlog's JSON"),
    "structlog, named": (
        {"timestamp": "2026-11-22", "event": "e", "logger_name": "a"},
        "structlog's JSON",
    ),
    "python-json-logger": ({"message": "m", "asctime": "a"}, "python-json-logger's JSON"),
    "with timestamp": ({"message": "m", "timestamp": "t"}, "python-json-logger's JSON"),
    "ECS flat": ({"@timestamp": "t", "log.level": "info"}, "ECS"),
    "ECS nested": ({"@timestamp": "t", "log": {"level": "info"}, "message": "m"}, "ECS"),
    "GCP": ({"severity": "INFO", "message": "m"}, "Google Cloud's JSON"),
    "Datadog": ({"message": "m", "levelname": "I", "dd.trace_id": "7"}, "Datadog's JSON"),
    "Datadog, bare": ({"message": "m", "status": "info"}, "Datadog's JSON"),
}


def dumped(event):
    return json.dumps(event).encode()


@pytest.mark.parametrize(("event", "about"), CASES.values(), ids=CASES)
def test_a_line_tells_its_shape(event, about):
    """By its keys; what is ours comes first."""
    assert recognise([dumped(event)]).about == about


@pytest.mark.parametrize(
    ("wrap", "wrapper"),
    [
        (lambda text: dumped({"log": text, "stream": "stdout", "time": "t"}), DOCKER),
        (lambda text: dumped({"MESSAGE": text, "__REALTIME_TIMESTAMP": "1"}), JOURNAL),
        (lambda text: b"2026-11-22T10:10:10.1Z stdout F " + text.encode(), CRI),
    ],
    ids=["docker", "journald", "cri"],
)
def test_a_wrapped_line_is_told_by_both(wrap, wrapper):
    """What it stands in, and what it is; text for eyes tells only the first."""
    ecs = json.dumps({"@timestamp": "t", "message": "m"})

    assert recognise([wrap("hello")]) == Shape(wrapper)
    assert recognise([wrap("hello"), wrap(json.dumps(OURS))]) == Shape(wrapper)
    assert recognise([wrap("hello"), wrap(ecs)]).about == f"ECS in {wrapper.name}"


def test_bytes_in_the_journal_are_text_for_eyes():
    """journald writes them as numbers."""
    assert recognise([dumped({"MESSAGE": [1, 2], "__REALTIME_TIMESTAMP": "1"})]) == Shape(JOURNAL)


def test_the_first_line_that_tells_counts():
    """What comes later isn't looked at."""
    recogniser = Recogniser()
    for line in (b"oops", b"[1]", b'{"a":', dumped({"a": 1})):
        recogniser.see(line)
        assert not recogniser.is_sure
    recogniser.see(dumped(OURS))

    assert (recogniser.is_sure, recogniser.shape) == (True, Shape())
    assert recognise([dumped(OURS), dumped(CASES["GCP"][0])]) == Shape()


def test_what_a_person_says_counts_first():
    """Whatever the shape is, and several names for one key in their order."""
    mapped = (("event", "msg"), ("event", "text"), ("user_id", "usr"))
    shape = recognise([dumped(CASES["structlog"][0])], mapped)

    assert shape.names == (
        ("event", ("msg", "text")),
        ("user_id", ("usr",)),
        ("timestamp", ("timestamp",)),
        ("level", ("level", "log_level")),
        ("logger", ("logger", "logger_name")),
    )
    assert recognise([dumped(OURS)], mapped[:1]).names == (("event", ("msg",)),)


def test_only_an_object_is_a_line():
    """Neither a number, nor what can't be parsed, nor what is too deep."""
    assert read_object('{"a":1}') == {"a": 1}
    assert [read_object(text) for text in ("1", "{", b"\xff", "[" * 99_999)] == [None] * 4


def test_names_are_said_harmlessly():
    """A file may be called anything."""
    shape = Shape(DOCKER)

    assert list(about_shapes([("\x1b[2J", shape), ("b", Shape())])) == [
        "\\x1b[2J is read as Docker's json-file."
    ]


def test_those_of_one_shape_are_said_in_one_sentence():
    """Of ours there is nothing to say."""
    named = [("a", Shape(DOCKER)), ("b", Shape(DOCKER)), ("c", Shape())]

    assert list(about_shapes(named)) == ["a and 1 more are read as Docker's json-file."]
