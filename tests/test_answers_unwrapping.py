"""Lines of any shape turned into lines of ours."""

from __future__ import annotations

import json

import pytest

from tracelog.answers import unwrapping
from tracelog.answers.shapes import CRI, DOCKER, JOURNAL, NAMINGS, Shape
from tracelog.answers.unwrapping import Unwrapper, renamed


ECS = Shape(naming=next(naming for naming in NAMINGS if naming.name == "ECS"))
GCP = Shape(naming=next(naming for naming in NAMINGS if naming.name.startswith("Google")))


def docker(text, stream="stdout"):
    return json.dumps({"log": text, "stream": stream, "time": "t"}).encode()


def test_a_line_in_no_wrapper_stays():
    """With a wrapper or without: files get mixed."""
    assert Unwrapper(None).feed(b" {} \n") == b"{}"
    assert Unwrapper(CRI).feed(b"{}") == b"{}"
    assert Unwrapper(DOCKER).feed(b'{"a":1}') == b'{"a":1}'
    assert Unwrapper(DOCKER).feed(b"oops") == b"oops"


def test_pieces_are_put_together_by_stream():
    """What stderr says meanwhile is a line of its own."""
    feed = Unwrapper(DOCKER).feed

    assert [feed(docker("{")), feed(docker("oops\n", "stderr")), feed(docker("}\n"))] == [
        *(b"", b"oops", b"{}")
    ]
    feed = Unwrapper(CRI).feed
    assert feed(b"2026-11-22T10:10:10.1Z stdout P {") == b""
    assert feed(b"2026-11-22T10:10:10.1+01:00 stderr F oops") == b"oops"
    assert feed(b"2026-11-22T10:10:10.1Z stdout F }") == b"{}"


def test_a_line_in_pieces_is_bounded(monkeypatch):
    """Somebody may never end it."""
    monkeypatch.setattr(unwrapping, "LONGEST", 4)
    unwrapper = Unwrapper(DOCKER)
    for _ in range(9):
        unwrapper.feed(docker("abc"))

    assert unwrapper.rest() == [b"abcabc"]
    assert unwrapper.rest() == []


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("{}", b"{}"),
        ("{\n}", b"{ }"),
        (list(b"{}"), b"{}"),
        (["x"], None),
        ([999], None),
        (None, None),
        ("\ud800", b"\\ud800"),
    ],
)
def test_the_journal_has_text_or_bytes(message, line):
    """Of a message that is neither, the entry itself is the line."""
    entry = json.dumps({"MESSAGE": message, "__REALTIME_TIMESTAMP": "1"}).encode()

    assert Unwrapper(JOURNAL).feed(entry) == (entry if line is None else line)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22 10:10:10,123", "2026-11-22 10:10:10.123"),
        (1795342210, "2026-11-22T10:10:10.000000Z"),
        (1795342210.5, "2026-11-22T10:10:10.500000Z"),
        (1795342210500, "2026-11-22T10:10:10.500000Z"),
        ("1795342210500000", "2026-11-22T10:10:10.500000Z"),
        (1795342210500000000, "2026-11-22T10:10:10.500000Z"),
        ({"seconds": 1795342210, "nanos": 500000000}, "2026-11-22T10:10:10.500000Z"),
        ("soon", "soon"),
        (True, "true"),
        (-5, "-5"),
        ("nan", "nan"),
        (1e300, "1e+300"),
        ([1], "[1]"),
    ],
)
def test_a_time_may_be_a_number(value, expected):
    """Seconds, or a unit that makes a date of our days of it; what is none stays what it is."""
    assert renamed({"@timestamp": value}, ECS)["timestamp"] == expected


def test_keys_are_found_flat_and_along_paths():
    """The first that is there counts; null isn't."""
    flat = {"log.level": "WARN", "message": "m", "trace.id": "t", "log.logger": None}
    nested = {"log": {"level": "Fatal", "logger": "a"}, "trace": "none", "level": "x"}

    assert renamed(flat, ECS) == {**flat, "level": "warning", "event": "m", "trace_id": "t"}
    assert renamed(nested, ECS) == {**nested, "level": "critical", "logger": "a"}
    assert renamed({"log.level": 30}, ECS)["level"] == "30"


def test_labels_are_keys_of_the_line():
    """But for those that it has by another name of ours."""
    event = {"labels": {"user_id": "kim", "level": "x"}, "user.id": "lee", "level": "info"}

    assert renamed(event, ECS) == {**event, "user_id": "lee", "level": "info"}
    assert renamed({"labels": "none"}, ECS) == {"labels": "none"}


def test_a_trace_of_google_is_the_end_of_its_path():
    """Its project isn't part of it."""
    key = "logging.googleapis.com/trace"

    assert renamed({key: "projects/p/traces/abc"}, GCP)["trace_id"] == "abc"
    assert renamed({key: "abc"}, GCP)["trace_id"] == "abc"
