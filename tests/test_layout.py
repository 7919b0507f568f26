"""How a line looks."""

from __future__ import annotations

import re
import time

import pytest

from tracelog.layout import ALARM, BOLD, Layout, in_words, taken_below


NOON = 1795348800.123456  # 2026-11-22 12:00:00 UTC
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Lines show local time; here it is UTC's."""
    monkeypatch.setattr(time, "localtime", time.gmtime)


def make_event(**fields):
    leading = {"level": "info", "logger": "app.chat", "event": "message handled", "trace_id": None}
    return {"timestamp": "2026-11-22T12:00:00.123456Z", **leading, **fields}


def verdict_in_words(event):
    return in_words(event, verdict=True, hold=False)


TRACE = "9e3779b97f4a7c15f39cc0605cedc834"


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        pytest.param(
            {}, "12:00:00.123 info           app.chat          message handled", id="outside"
        ),
        pytest.param(
            {"trace_id": TRACE, "span_id": "00f0", "connection_id": "c-1", "user_id": "kim"},
            "12:00:00.123 info  9e3779b9 app.chat          message handled            "
            "user_id=kim c-1",
            id="in a trace",
        ),
        pytest.param(
            {"level": 20, "logger": "app.services.chat.rooms", "event": 5, "took_ms": 3.2},
            "12:00:00.123 20             chat.rooms        5                          took=3.2ms",
            id="odd values",
        ),
    ],
)
def test_a_line(fields, shown):
    """Time, level, trace, logger, event in columns; then the fields, and the connection."""
    assert Layout().line(make_event(**fields), NOON) == shown


def test_colours_only_add_to_a_line():
    """A coloured line says what the plain one says."""
    event = make_event(trace_id=TRACE, room="lobby")

    colored = Layout(colors=True).line(event, NOON)

    assert ANSI.sub("", colored) == Layout().line(event, NOON)
    assert "\x1b[1mmessage handled" in colored


def test_an_event_may_have_a_colour_of_its_own():
    """What stands out needs more than bold."""
    assert "\x1b[31mmessage handled" in Layout(colors=True).line(make_event(), NOON, "\x1b[31m")


@pytest.mark.parametrize(
    ("colors", "terminal", "colored"),
    [(None, False, False), (None, True, True), (False, True, False), (True, False, True)],
)
def test_terminals_have_colours_unless_told_otherwise(colors, terminal, colored):
    """Whoever asks for colours, or for none, knows better."""
    layout = Layout(colors=colors, terminal=terminal)

    assert (layout.colors, layout.paint("a", "\x1b[1m") != "a") == (colored, colored)


def test_a_narrow_terminal_gets_no_columns(monkeypatch):
    """Below 120 columns nothing is padded; a resized window is noticed with the next second."""
    monkeypatch.setenv("COLUMNS", "80")
    layout = Layout(colors=False, terminal=True)
    narrow = layout.line(make_event(size=1), NOON)

    monkeypatch.setenv("COLUMNS", "140")
    same_second = layout.line(make_event(size=1), NOON)
    next_second = layout.line(make_event(size=1), NOON + 1)

    assert narrow == same_second == "12:00:00.123 info  app.chat message handled size=1"
    assert len(next_second) == 79
    assert layout.width == 140


@pytest.mark.parametrize(
    ("arrived_at", "shown"), [("2026-11-22T11:59:59.820999Z", "11:59:59.820"), ("noon", "noon")]
)
def test_a_verdict_says_nothing_twice(arrived_at, shown):
    """Its number stands beside the event, its cause in front, and boxes of nothing nowhere."""
    event = make_event(event="utterance", utterance=3, queue_ms=0.2, late=False, cause="a lock")

    verdict, color = verdict_in_words({**event, "arrived_at": arrived_at, "send_ms": None})

    assert (verdict["event"], color) == ("utterance 3", BOLD)
    assert list(verdict)[5:] == ["cause", "arrived_at", "send_ms"]
    assert verdict["arrived_at"] == shown


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"cause": "a lock"}, "late utterance 3, a lock"), ({"cause": ""}, "late utterance 3")],
)
def test_a_late_verdict_says_why_first(fields, said):
    """Among the lines of everybody else it is found at a glance."""
    late = make_event(event="utterance", utterance=3, late=True, total_ms=289.1, **fields)

    verdict, color = verdict_in_words(late)

    assert (verdict["event"], color) == (said, ALARM)
    assert list(verdict)[5:] == ["total_ms"]


def test_a_verdict_without_an_arrival_is_shown_still():
    """A processor may have taken anything out."""
    verdict, _color = verdict_in_words(make_event(event="utterance"))

    assert verdict["event"] == "utterance "


def test_whatever_is_not_ours_is_in_its_authors_words():
    """Even if it looks like ours."""
    event = make_event(late=True)

    assert in_words(event, verdict=False, hold=False) == (event, BOLD)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param(
            {"held_ms": 251, "where": "a.py:6 f", "kind": "C", "delayed": 10, "delayed_ms": 431},
            " 251ms in a.py:6 f (C), 10 delayed by 431ms in all",
            id="whole",
        ),
        pytest.param({"held_ms": 1e300, "delayed": 0, "delayed_ms": 0.0}, "", id="nothing"),
        pytest.param({"held_ms": 5, "delayed": 2}, " 5ms, 2 delayed", id="not how long"),
    ],
)
def test_a_hold_says_what_it_cost(fields, said):
    """In the event's text: `delayed` and `delayed_ms` would look alike as fields."""
    hold = in_words(make_event(event="loop held", **fields), verdict=False, hold=True)

    assert hold == (make_event(event=f"loop held{said}"), ALARM)


def test_a_hold_began_at_a_local_time():
    """As the clock in front of the line shows it."""
    event = make_event(event="loop held", held_at="2026-11-22T11:59:59.840Z")

    hold, _color = in_words(event, verdict=False, hold=True)

    assert hold["held_at"] == "11:59:59.840"


def test_what_does_not_fit_a_line_goes_below_it():
    """Indented, so that no data begin a line that looks like one of ours."""
    event = make_event(stack="Stack:\n  here\x1b[2J", exception="ValueError: no\n")

    below = taken_below(event)

    assert below == "\n    Stack:\n      here\\x1b[2J\n    ValueError: no"
    assert event == make_event()


def test_what_is_no_text_stays_in_the_line():
    """Programs may have put anything there."""
    event = make_event(stack=3, exception=["a"])

    assert taken_below(event) == ""
    assert Layout().line(event, NOON).endswith('stack=3 exception=["a"]')


def test_what_is_remembered_is_bounded():
    """A thousand keys, and long ones, are shown as the first was."""
    layout = Layout()

    lines = [
        layout.line(make_event(**{f"{'k' * 150}_{n}": n, f"n{n}": n}), NOON) for n in range(600)
    ]

    assert [line.split()[-1] for line in lines] == [f"n{n}={n}" for n in range(600)]
