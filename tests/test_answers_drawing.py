"""A line of a log, drawn as the console draws it."""

from __future__ import annotations

import json
import logging
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.answers.drawing import Drawing
from tracelog.answers.entries import Entry
from tracelog.console import ConsoleFormatter
from tracelog.context import Connection, Context, enter_context
from tracelog.ids import TraceContext
from tracelog.json_formatter import JsonFormatter
from tracelog.layout import ALARM, Layout


NOON = "2026-11-22T12:00:00.123456Z"
OURS = {"timestamp": NOON, "level": "warning", "logger": "tracelog.utterance", "trace_id": None}
TRACE = TraceContext("9e3779b97f4a7c15f39cc0605cedc834", "00f067aa0ba902b7")
LATE = {
    **OURS,
    "event": "utterance",
    "utterance": 3,
    "total_ms": 289.163,
    "socket_ms": 284.0,
    "loop_ms": 0.573,
    "late": True,
    "blocked_by": [{"ms": 282.857, "user_id": "nils"}],
    "cause": "283 ms: loop held by nils's message 2 in app.py:41 handle (blocking call)",
    "user_id": "kim",
    "connection_id": "c-1",
}
HOLD = {
    **OURS,
    "event": "loop held",
    "held_ms": 282.857,
    "held_at": "2026-11-22T11:59:59.840500Z",
    "where": "app.py:41 handle",
    "kind": "blocking call",
    "holder": "task Task-7 handle",
    "delayed": 3,
    "delayed_ms": 801.2,
    "stack": "app.py:41 handle < app.py:9 run",
    "user_id": "nils",
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Lines show local time; here it is UTC's."""
    monkeypatch.setattr(time, "localtime", time.gmtime)


def draw(line, *, names=("app.log",), colors=False):
    raw = line if isinstance(line, bytes) else json.dumps(line).encode()
    return Drawing(Layout(colors=colors), names).text(Entry.parse(names[0], raw))


# -- The console's look ----------------------------------------------------------------------------


def make_record(msg, level=logging.INFO, name="app.chat", **attributes):
    record = {"name": name, "levelno": level, "levelname": logging.getLevelName(level), "msg": msg}
    return logging.makeLogRecord({**record, "created": 1795348800.123456, **attributes})


@pytest.mark.parametrize("colors", [False, True])
@pytest.mark.parametrize(
    "record",
    [
        pytest.param({"msg": "message handled", "room": "lobby", "took_ms": 3.217}, id="fields"),
        pytest.param(
            {"msg": "no\x1b[2J", "level": 5, "a": None, "b": [1, {"c": "d"}]}, id="values"
        ),
        pytest.param(
            {"msg": "full", "level": 50, "free": 0, "ratio": 1 / 3, "on": True}, id="level"
        ),
        pytest.param({"msg": "event", "stack_info": "Stack:\n  here"}, id="stack"),
        pytest.param({"msg": "x" * 3_000, "name": "app.services.chat.rooms"}, id="long"),
        pytest.param(
            {
                "msg": "utterance",
                "name": "tracelog.utterance",
                "utterance": 3,
                "total_ms": 12.5,
                "queue_ms": 0.2,
                "late": False,
                "arrived_at": "2026-11-22T11:59:59.820999Z",
            },
            id="verdict",
        ),
        pytest.param(
            {"msg": "utterance", "name": "tracelog.utterance", "late": True, "cause": "a lock"},
            id="late verdict",
        ),
        pytest.param(
            {"msg": "loop held", "name": "tracelog.hold", "held_ms": 251, "where": "a.py:6 f"},
            id="hold",
        ),
    ],
)
def test_a_line_looks_as_on_the_console(record, colors):
    """What was written as JSON and read back is drawn as if it had never been away."""
    context = Context.make({"user_id": "kim"}, TRACE, Connection("c-7f3a90d2"))
    enter_context(context)
    console = ConsoleFormatter(colors=colors, env_file=None).format(make_record(**record))

    assert draw(JsonFormatter().encode(make_record(**record)), colors=colors) == console


# -- What stands out -------------------------------------------------------------------------------


def test_a_late_utterance_begins_with_its_cause():
    """Who, and how long in all, comes next; facts for programs don't."""
    assert draw(LATE) == (
        "12:00:00.123 warn           utterance         late utterance 3, 283 ms: loop held by "
        "nils's message 2 in app.py:41 handle (blocking call) user_id=kim total=289ms socket=284ms c-1"
    )


def test_a_late_utterance_without_a_cause_is_late_still():
    """Nothing stood out in its ledger."""
    line = {**LATE, "cause": "", "utterance": None}
    del line["utterance"]

    assert "late utterance             user_id=kim total=289ms" in draw(line)


def test_a_hold_begins_with_how_long_and_where():
    """And with what it cost; then whose it was; its stack is below."""
    assert draw(HOLD) == (
        "12:00:00.123 warn           utterance         loop held 283ms in app.py:41 handle "
        "(blocking call), 3 delayed by 801ms in all held_at=11:59:59.840 "
        'holder="task Task-7 handle" user_id=nils\n'
        "    app.py:41 handle < app.py:9 run"
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({}, "", id="nothing"),
        pytest.param({"held_ms": "long", "kind": ""}, "", id="text"),
        pytest.param({"held_ms": True, "where": ["a"]}, " in ['a']", id="odd"),
        pytest.param({"held_ms": 1e300, "delayed": 0, "delayed_ms": 0.0}, "", id="delayed nobody"),
        pytest.param({"held_ms": 5, "delayed": 2}, " 5ms, 2 delayed", id="not how long"),
    ],
)
def test_a_hold_of_odd_values_is_a_hold_still(fields, said):
    """A log may come from anywhere."""
    drawn = draw({**OURS, "event": "loop held", **fields})

    assert drawn == f"12:00:00.123 warn           utterance         loop held{said}"


def test_only_what_stands_out_is_red():
    """In a stream of lines it is found at a glance."""
    red = [ALARM in draw(line, colors=True) for line in (LATE, HOLD, {**LATE, "late": False})]

    assert red == [True, True, False]


# -- Whatever else is in a log ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        pytest.param(b"Traceback (most recent call last):", None, id="text"),
        pytest.param(b"\x1b[2J\x07 \xff", r"\x1b[2J\x07 \xff", id="hostile"),
        pytest.param(b'{"msg": "somebody else\'s"}', None, id="another schema"),
        pytest.param(b"x" * 1_000_000, "x" * 2_000 + "… (+998000 characters)", id="a megabyte"),
        pytest.param("größe".encode(), "größe", id="UTF-8"),
    ],
)
def test_what_is_none_of_our_lines_is_shown_as_it_is(line, shown):
    """But harmless, and not endless."""
    assert draw(line) == (line.decode() if shown is None else shown)


def test_a_megabyte_in_a_field_is_cut():
    """Nobody reads it at a terminal."""
    assert len(draw({**OURS, "event": "e" * 1_000_000, "field": "f" * 1_000_000})) < 5_000


ERROR = {"type": "ValueError", "message": "no\x1b[2J"}
FRAMES = [{"file": "app.py", "line": number, "function": f"f{number}"} for number in range(8)]


@pytest.mark.parametrize(
    ("exception", "below"),
    [
        pytest.param([ERROR], ["ValueError: no\\x1b[2J"], id="alone"),
        pytest.param(
            [{**ERROR, "frames": FRAMES[:2]}, {"type": "KeyError", "message": 1, "link": "cause"}],
            ["ValueError: no\\x1b[2J", "  in app.py:1 f1 < app.py:0 f0", "caused by KeyError: 1"],
            id="a cause",
        ),
        pytest.param(
            [{**ERROR, "frames": FRAMES, "link": "context"}],
            [
                "while handling ValueError: no\\x1b[2J",
                "  in app.py:7 f7 < app.py:6 f6 < app.py:5 f5 < app.py:4 f4 < app.py:3 f3 < 3 more",
            ],
            id="many frames",
        ),
        pytest.param(
            [{**ERROR, "frames": [{**FRAMES[0], "file": "/venv/site-packages/lib/a.py"}]}],
            ["ValueError: no\\x1b[2J", "  in lib/a.py:0 f0"],
            id="a library's",
        ),
        pytest.param(
            [{"type": "ExceptionGroup", "message": "two", "exceptions": [[ERROR], 5]}],
            ["ExceptionGroup: two", "  ValueError: no\\x1b[2J"],
            id="a group",
        ),
        pytest.param(
            ["odd", {"type": "T", "message": "m", "frames": [7], "link": ["x"]}], ["T: m"], id="odd"
        ),
        pytest.param("Traceback:\n  here", ["Traceback:", "  here"], id="text"),
    ],
)
def test_an_exception_stands_below(exception, below):
    """What it was, and its innermost frames, indented: data begin no line that looks like ours."""
    drawn = draw({**OURS, "event": "failed", "exception": exception})

    assert drawn.split("\n")[1:] == [f"    {line}" for line in below]


def test_an_exception_is_not_endless():
    """Neither in lines, nor in their length, nor in groups within groups."""
    group = {"type": "G", "message": "m" * 1_000}
    for _ in range(4):
        group = {**group, "exceptions": [[group, group, group]]}

    lines = draw({**OURS, "event": "failed", "exception": [group] * 4}).split("\n")

    assert len(lines) == 41
    assert max(map(len, lines)) == 504


def test_an_exception_of_an_odd_kind_stays_in_the_line():
    """Nothing is lost."""
    assert draw({**OURS, "event": "failed", "exception": 5}).endswith("exception=5")


# -- Several sources -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["logs/chat.log", "logs/api.log"], "chat.log hello"),
        (["a/app.log", "b/app.log"], "a/app.log hello"),
        (["\x1b[2J", "b"], "\\x1b[2J hello"),
        (["the-chat-service-in-frankfurt.log", "b"], "ice-in-frankfurt.log hello"),
    ],
    ids=["names", "paths", "hostile", "long"],
)
def test_of_several_sources_each_line_names_its_own(names, shown):
    """As short as keeps them apart."""
    assert draw(b"hello", names=names) == shown


def test_a_note_is_dim():
    """It isn't from the log."""
    assert Drawing(Layout(colors=True), ["a"]).note("note") == "\x1b[38;5;244mnote\x1b[0m"


# -- Laws ------------------------------------------------------------------------------------------

texts = st.text(st.characters())
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)
ours = st.sampled_from([*LATE, *HOLD, "exception", "arrived_at", "span_id"])
timestamps = st.sampled_from([NOON, "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "noon"])


@given(st.dictionaries(ours | texts, values), timestamps, st.booleans())
def test_any_line_is_drawn(fields, timestamp, colors):
    """Never raises; whatever a log holds, it begins no line and sends nothing but colours."""
    event = fields.pop("event", "utterance")
    leading = {"timestamp": timestamp, "level": "info", "logger": "app", "event": event}

    drawn = draw({**leading, **fields}, colors=colors)

    drawn = ANSI.sub("", drawn) if colors else drawn
    assert all(line.startswith("    ") for line in drawn.split("\n")[1:])
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202e]", drawn)
    assert drawn.encode()
