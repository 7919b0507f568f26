"""An utterance's story, drawn."""

from __future__ import annotations

import io
import json
import time

import pytest
from rich.console import Console

from tracelog.answers.drawing import Drawing
from tracelog.answers.sources import Source
from tracelog.answers.story import tell
from tracelog.answers.story_page import document, draw, draw_lines
from tracelog.answers.traces import find_trace
from tracelog.layout import Layout


HOLDER = "9e3779b97f4a7c15f39cc0605cedc834"


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def line(second, event, trace_id="t", **fields):
    leading = {"timestamp": f"2026-11-22T12:00:{second:09.6f}Z", "level": "info", "logger": "app"}
    return {**leading, "event": event, "trace_id": trace_id, **fields}


def verdict(began, ms, trace_id="t", **fields):
    arrived = f"2026-11-22T12:00:{began:09.6f}Z"
    return line(began + ms / 1000, "utterance", trace_id, arrived_at=arrived, total_ms=ms, **fields)


ADA = {
    "user_id": "ada",
    "connection_id": "c-1",
    "kind": "websocket",
    "utterance": 4,
    "socket_ms": 90,
    "await_ms": 10,
}
LATE = {
    **ADA,
    "late": True,
    "budget_ms": 50,
    "path": "/chat",
    "blocked_by": [{"ms": 89, "trace_id": HOLDER, "user_id": "nils", "where": "a.py:1 f"}],
    "cause": "89 ms: loop held by nils in a.py:1 f",
}
NILS = {"user_id": "nils", "utterance": 7, "code_ms": 150, "queue_ms": 0}
PAGE = """\
ada's message 4  100.0 ms, late
89 ms: loop held by nils in a.py:1 f

arrived     2026-11-22 12:00:10.000 UTC  trace      t
user        ada                          path       /chat
connection  c-1                          late from  50 ms
in          a.log

Where 100.0 ms went       0        20      40       60      80                ms
  Boxes
    socket                SSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSSS           90.0
    await                                                        AAAA       10.0
  The loop was held by
    nils                  llllllllllllllllllllllllllllllllllllll            89.0
      a.py:1 f

nils's utterance 7, meanwhile: 150.0 ms, began 50.0 ms before its arrival
  Boxes
    code                  <CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC      150.0

The boxes are sums: an utterance comes back to the loop, its code and its waits
many times. What is a small letter has its length here, but not its place.

"""
LINES = [
    "Its 4 lines, in local time; in front, ms since its arrival",
    "      1.0 12:00:10.001 info  t        app               1",
    "      ... 2 lines left out",
    "    100.0 12:00:10.100 info  t        app               late utterance 4, 89 ms: loop held by",
]


def story_of(folder, *files, most=9):
    sources = []
    for number, lines in enumerate(files):
        name = f"{'abc'[number]}.log"
        (folder / name).write_text("".join(json.dumps(each) + "\n" for each in lines))
        sources.append(Source(name, str(folder / name)))
    return tell(sources, find_trace(sources, "t", most))


def page(story, width=80):
    console = Console(width=width, file=io.StringIO(), color_system=None, markup=False)
    for drawn in draw(story, width, True):
        console.print(drawn)
    return "\n".join(each.rstrip() for each in console.file.getvalue().split("\n"))


def lines_of(story):
    names = [flow.source for flow in story.trace.flows]
    return [*draw_lines(story, Drawing(Layout(colors=False), names))]


def test_an_utterance_is_drawn_whole(tmp_path):
    """Who, how long and why; where the time went; who else was there on the same axis."""
    holder = verdict(9.95, 150, HOLDER, **NILS)

    assert page(story_of(tmp_path, [holder, verdict(10, 100, **LATE)])) == PAGE


def test_in_a_narrow_terminal_facts_stand_below_each_other(tmp_path):
    """Nothing is cut."""
    text = page(story_of(tmp_path, [verdict(10, 100, **LATE)]), width=50)

    assert "trace       t\nuser        ada\n" in text


def test_what_is_not_known_is_not_told(tmp_path):
    """A verdict may say next to nothing."""
    text = page(story_of(tmp_path, [verdict(10, 100, failed=True)]))

    assert text.startswith("utterance  100.0 ms, failed\n\narrived")
    assert "user" not in text
    assert "ms went" not in text


def test_a_time_out_of_the_calendar_is_none(tmp_path):
    """It was on some clock."""
    early = {**verdict(1, 1e9), "arrived_at": None, "timestamp": "0001-01-01T00:00:00Z"}

    story = story_of(tmp_path, [early])

    assert "arrived  -" in page(story)
    assert document(story)["utterance"]["began"] is None


def test_a_trace_without_a_verdict_says_so(tmp_path):
    """Its lines are shown all the same."""
    story = story_of(tmp_path, [line(10, "hello")])

    assert page(story).startswith("Trace t has no verdict in a.log: no utterance has ended in it,")
    assert lines_of(story) == [
        "Its 1 line, in local time",
        "12:00:10.000 info  t        app               hello",
    ]


def test_lines_are_the_consoles(tmp_path):
    """Each with its time since the arrival; what is left out is counted."""
    lines = [line(10.001, 1), line(10.002, 2), line(10.003, 3), verdict(10, 100, **LATE)]

    shown = lines_of(story_of(tmp_path, lines, most=1))

    assert [text[: len(expected)] for text, expected in zip(shown, LINES, strict=True)] == LINES


def test_several_files_are_named(tmp_path):
    """At each line, and where some are left out."""
    other = [line(10.01, "one"), line(10.02, "two"), {"event": "three", "trace_id": "t"}]

    shown = lines_of(story_of(tmp_path, [verdict(10, 100)], other, most=1))

    assert [text[:27] for text in shown[1:]] == [
        "     10.0 b.log 12:00:10.01",
        "      ... 1 line of b.log l",
        '          b.log {"event": "',
        "    100.0 a.log 12:00:10.10",
    ]


@pytest.mark.parametrize(
    ("began", "sentence"),
    [
        (9.0, "The clock of b.log is behind that of a.log, by 1,025 ms or so: it began before"),
        (10.5, "The clock of b.log is ahead of that of a.log, by 475 ms or so: it ended after"),
    ],
)
def test_clocks_that_disagree_are_told(tmp_path, began, sentence):
    """And by how much what is drawn was shifted."""
    call = line(10.1, "call", method="GET", url="http://b/x", duration_ms=100)
    asked = verdict(began, 50, method="GET", path="/x")

    story = story_of(tmp_path, [call, verdict(10, 100)], [asked])

    assert sentence in page(story, width=200)
    assert "GET /x, in b.log: 50.0 ms, began 25.0 ms after its arrival" in page(story)
    assert document(story)["skews"][0]["file"] == "b.log"


def test_a_trace_of_many_utterances_is_bounded(tmp_path):
    """A caller's own id may be on all of them."""
    text = page(story_of(tmp_path, [verdict(10, 100 - number) for number in range(20)]))

    assert text.count("in a.log: ") == 10
    assert "and 9 more utterances of its trace" in text


def test_programs_get_a_document(tmp_path):
    """What stands in the log, and where each part of the waterfall is, if it is anywhere."""
    holder = verdict(9.95, 150, HOLDER, **NILS)
    hold = line(
        10.2, "loop held", HOLDER, held_at="2026-11-22T12:00:09.95Z", held_ms=150, where="a.py:1 f"
    )

    found = document(
        story_of(
            tmp_path, [holder, hold, line(10, 1), line(10, 2), verdict(10, 100, **LATE)], most=1
        )
    )

    assert found["utterance"]["verdict"]["cause"] == LATE["cause"]
    assert [(row["label"], row["start_ms"]) for row in found["utterance"]["rows"]] == [
        ("socket", None),
        ("await", None),
        ("nils", 0.0),
    ]
    assert found["holders"][0]["title"] == "nils's utterance 7"
    assert [each.get("left_out") for each in found["lines"]] == [None, 1, None]
    assert found["files"] == [{"file": "a.log", "lines": 3}]


def test_what_a_log_says_is_harmless(tmp_path):
    """No sequence of it reaches the terminal, and numbers that JSON hasn't are texts."""
    evil = "\x1b[2J\u202e"
    odd = {
        "user_id": evil,
        "path": evil,
        "cause": evil * 999,
        "odd": float("nan"),
        "x": "x" * 10**6,
    }
    story = story_of(tmp_path, [verdict(10, 100, **odd, budget_ms=evil, connection_id=evil)])

    text = page(story) + "".join(lines_of(story))

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len(text) < 20_000
    assert document(story)["utterance"]["verdict"]["odd"] == "NaN"
