"""What was found, for eyes and for programs."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tracelog.answers.queries import Answer
from tracelog.answers.render import escape, json_lines, make_table, sentences
from tracelog.answers.utterances import Utterance


ROW = Utterance(
    time=datetime(2026, 11, 22, 10, 10, 9, 820999, UTC),
    user_id="user-456",
    connection_id="c-7f3a",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    utterance=41,
    kind="websocket",
    total_ms=1303.94,
    waited_ms=1291.3,
    handled_ms=12.64,
    late=True,
)
SMALL = replace(
    ROW,
    user_id=None,
    connection_id=None,
    utterance=7,
    total_ms=3,
    waited_ms=0,
    handled_ms=3,
    late=False,
)
HOSTILE = "\x1b]0;evil\x07 [bold]\u202egnp.exe\x9b\x7f\u2028:smile:"


def draw(*rows, width=150, color=None):
    """Draw the table as a text; the blanks at the ends of its lines don't matter."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, color_system=color, force_terminal=color is not None, highlight=False
    )
    console.print(make_table(rows, console.width))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def test_a_table_of_one_day():
    """The day is said once, absent values are a dash, late ones are named."""
    assert draw(ROW, SMALL) == (
        "2026-11-22 UTC, in ms\n"
        "\n"
        " time          user      connection  utterance    total   waited  handled  why\n"
        " ──────────────────────────────────────────────────────────────────────────────\n"
        " 10:10:09.820  user-456  c-7f3a             41  1,303.9  1,291.3     12.6  late\n"
        " 10:10:09.820  -         -                   7      3.0      0.0      3.0\n"
        "\n"
    )


def test_a_table_of_several_days():
    """Each time then has its date."""
    rows = [ROW, replace(ROW, time=ROW.time - timedelta(days=1)), replace(ROW, time=None)]

    assert draw(*rows).splitlines()[4:-1] == [
        " 2026-11-22 10:10:09.820  user-456  c-7f3a             41  1,303.9  1,291.3     12.6  late",
        " 2026-11-21 10:10:09.820  user-456  c-7f3a             41  1,303.9  1,291.3     12.6  late",
        " -                        user-456  c-7f3a             41  1,303.9  1,291.3     12.6  late",
    ]
    assert draw(*rows, width=111).splitlines()[4] == (
        " 2026-11-22 10:10:09.820  user-456  1,303.9  1,291.3     12.6  late"
    )


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            130,
            " 10:10:09.820  kim   c-7f3a             41  1,303.9  1,291.3     12.6  1304 ms: its own code in app.py:7 resize (CPU-bound)",
        ),
        (
            120,
            " 10:10:09.820  kim   c-7f3a      1,303.9  1,291.3     12.6  1304 ms: its own code in app.py:7 resize (CPU-bound)",
        ),
        (
            100,
            " 10:10:09.820  kim   1,303.9  1,291.3     12.6  1304 ms: its own code in app.py:7 resize",
        ),
        (60, " 10:10:09.820  kim   1,303.9  1304 ms: its own code in"),
        (40, " 10:10:09.820  kim   1,303.9  1304 ms:"),
    ],
)
def test_a_narrow_terminal_shows_whose_and_when_and_why(width, expected):
    """Other columns give way before figures and reasons do; a reason is wrapped, never cut."""
    cause = "1304 ms: its own code in app.py:7 resize (CPU-bound)"
    drawn = draw(replace(ROW, user_id="kim", cause=cause), width=width)

    assert drawn.splitlines()[4] == expected
    assert drawn.count("1304") == 1
    assert "".join(drawn.splitlines()[4:]).replace(" ", "").endswith("CPU-bound)")


def test_a_long_name_gives_way():
    """It is cut before a column is."""
    row = replace(ROW, user_id="the-user-of-the-evening")

    assert draw(row, width=40).splitlines()[4] == " 10:10:09.820  the-user…  1,303.9  late"


def test_late_is_red_and_the_lesser_part_dim():
    """Where the time went is what stands out."""
    line = draw(ROW, color="standard").splitlines()[4]

    assert "\x1b[1;31m1,303.9\x1b[0m" in line
    assert "\x1b[2m   12.6\x1b[0m" in line
    assert "\x1b[1;31mlate\x1b[0m" in line
    assert "\x1b[1;31mlate" not in draw(replace(ROW, cause="late"), color="standard")


def test_what_a_log_says_is_never_a_command_to_the_terminal():
    """Controls are escaped, markup and emoji names stay what they are."""
    text = draw(
        replace(ROW, user_id=HOSTILE, connection_id=[HOSTILE], utterance="\n" * 500), width=900
    )

    assert escape(text.replace("\n", "")) == text.replace("\n", "")
    assert "\\u001b]0;evil\\u0007 [bold]\\u202egnp.exe\\u009b\\u007f\\u2028:smile:" in text
    assert len(text.splitlines()) == 6


@given(st.text(), st.text(st.characters(codec="utf-8")))
def test_escaping_leaves_json_the_same_json(text, value):
    """No character that could steer a terminal is left, and no value is changed."""
    assert not set(escape(text)) & {*map(chr, range(32)), *map(chr, range(127, 160)), "\u202e"}
    assert json.loads(escape(json.dumps(value, ensure_ascii=False))) == value


def test_rows_as_json():
    """A line for each, with raw values and the keys of a log's line where there are such."""
    lines = list(json_lines([ROW, replace(SMALL, time=None, user_id={"name": "Zoë\x9b"})]))

    assert lines == [
        '{"time": "2026-11-22T10:10:09.820999Z", "user_id": "user-456", "connection_id": "c-7f3a", '
        '"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "utterance": 41, "kind": "websocket", '
        '"total_ms": 1303.94, "waited_ms": 1291.3, "handled_ms": 12.64, "late": true, "cause": null}',
        '{"time": null, "user_id": {"name": "Zoë\\u009b"}, "connection_id": null, '
        '"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "utterance": 7, "kind": "websocket", '
        '"total_ms": 3, "waited_ms": 0, "handled_ms": 3, "late": false, "cause": null}',
    ]


@pytest.mark.parametrize(
    ("answer", "is_filtered", "said"),
    [
        (Answer(), False, ["Nothing to read: a.log is empty."]),
        (
            Answer(lines=1, broken=1, broken_at=("a.log:1",)),
            False,
            [
                'No utterance in 1 line: none has "event": "utterance", as TraceMiddleware writes.',
                "1 line is no JSON: a.log:1.",
                "Lines for eyes can't be asked: let the service write JSON, with LOG_FORMAT=json.",
            ],
        ),
        (
            Answer(lines=2000, utterances=1000),
            True,
            ["None of 1,000 utterances in 2,000 lines matches."],
        ),
        (
            Answer(lines=2, utterances=2),
            False,
            ["None of 2 utterances in 2 lines has a total_ms to go by."],
        ),
        (
            Answer(rows=(ROW,), lines=9, utterances=1, matched=1, late=1),
            False,
            ["1 utterance, 1 of them late, in 9 lines."],
        ),
        (
            Answer(
                rows=(ROW,),
                lines=9,
                utterances=6,
                matched=3,
                broken=4,
                broken_at=("a:1", "a:2", "\x9b"),
            ),
            True,
            [
                "3 of 6 utterances match, none of them late, in 9 lines.",
                "Shown: the slowest 1 of 3; --top shows more.",
                "4 lines are no JSON: the first are a:1, a:2, \\u009b.",
            ],
        ),
    ],
    ids=["empty", "no verdict", "no match", "no total", "all", "some"],
)
def test_what_was_counted_is_said(answer, is_filtered, said):
    """Nothing found is said in a sentence as well."""
    assert list(sentences(answer, ["a.log"], is_filtered=is_filtered)) == said


def test_several_empty_files_are_all_named():
    """Names are a user's data, too."""
    assert list(sentences(Answer(), ["a", "b\x1b"], is_filtered=False)) == [
        "Nothing to read: a, b\\u001b are empty."
    ]
