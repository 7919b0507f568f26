"""The slowest utterances, for eyes and for programs."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from tracelog.answers import late_table
from tracelog.answers.question import Read, Tally
from tracelog.answers.slowest import Answer
from tracelog.answers.utterances import Utterance


CAUSE = "1290 ms: loop held by nils's message 3 in app/reports.py:41 make_report (blocking call)"
ROW = Utterance(
    time=datetime(2026, 11, 22, 10, 10, 9, 820999, UTC),
    user_id="user-456",
    connection_id="c-7f3a",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    utterance=41,
    kind="websocket",
    route="/ws",
    total_ms=1303.94,
    waited_ms=1291.3,
    handled_ms=12.64,
    socket_ms=1290.0,
    queue_ms=1.3,
    loop_ms=0.0,
    code_ms=12.64,
    await_ms=0.0,
    send_ms=0.0,
    late=True,
    cause=CAUSE,
)
SMALL = Utterance(
    time=ROW.time,
    user_id=None,
    connection_id=None,
    trace_id=None,
    utterance=None,
    kind="http",
    total_ms=300.0,
    waited_ms=0.0,
    handled_ms=300.0,
    late=False,
)
HOSTILE = "\x1b]0;evil\x07 [bold]\u202egnp.exe\x9b\x7f\u2028:smile:"


def draw(*rows, width=120, color=None, is_plain=True):
    """Draw the table as a text; the blanks at the ends of its lines don't matter."""
    out = io.StringIO()
    console = Console(
        file=out, width=width, color_system=color, force_terminal=color is not None, highlight=False
    )
    for drawn in late_table.draw(rows, console.width, is_plain):
        console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            140,
            "2026-11-22 UTC, in ms\n"
            "\n"
            " time          user      connection  what      total  boxes                     why\n"
            " ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────\n"
            " 10:10:09.820  user-456  c-7f3a      /ws 41  1,303.9  SSSSSSSSSSSSSSSSSSSSSSSS  1290 ms: loop held by nils's message 3 in app/reports.py:41\n"
            "                                                                                make_report (blocking call)\n"
            " 10:10:09.820  -         -           http      300.0  ......\n"
            "\n"
            "S socket   Q queue   L loop   C code   A await   R send   . not known\n"
            "\n",
        ),
        (
            120,
            "2026-11-22 UTC, in ms\n"
            "\n"
            " time          user      what      total  boxes             why\n"
            " ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────\n"
            " 10:10:09.820  user-456  /ws 41  1,303.9  SSSSSSSSSSSSSSSS  1290 ms: loop held by nils's message 3 in app/reports.py:41\n"
            "                                                            make_report (blocking call)\n"
            " 10:10:09.820  -         http      300.0  ....\n"
            "\n"
            "S socket   Q queue   L loop   C code   A await   R send   . not known\n"
            "\n",
        ),
        (
            80,
            "2026-11-22 UTC, in ms\n"
            "\n"
            " time          user        total  boxes     why\n"
            " ──────────────────────────────────────────────────────────────────────────────\n"
            " 10:10:09.820  user-456  1,303.9  SSSSSSSS  1290 ms: loop held by nils's\n"
            "                                            message 3 in app/reports.py:41\n"
            "                                            make_report (blocking call)\n"
            " 10:10:09.820  -           300.0  ..\n"
            "\n"
            "S socket   Q queue   L loop   C code   A await   R send   . not known\n"
            "\n",
        ),
        (
            50,
            "2026-11-22 UTC, in ms\n"
            "\n"
            " time          user        total  why\n"
            " ────────────────────────────────────────────────\n"
            " 10:10:09.820  user-456  1,303.9  1290 ms: loop\n"
            "                                  held by nils's\n"
            "                                  message 3 in\n"
            "                                  app/reports.py:\n"
            "                                  41 make_report\n"
            "                                  (blocking call)\n"
            " 10:10:09.820  -           300.0\n"
            "\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_a_table_of_one_day(width, expected):
    """The day is said once; other columns give way before times, users, totals and reasons do."""
    assert draw(ROW, SMALL, width=width) == expected


def test_no_rows_are_no_table():
    """A sentence says so."""
    assert draw() == ""


def test_a_table_of_several_days():
    """Each time then has its date, which takes its room."""
    rows = [ROW, replace(ROW, time=ROW.time - timedelta(days=1)), replace(ROW, time=None)]

    drawn = draw(*rows, width=160)

    assert [line[:27].rstrip() for line in drawn.splitlines() if "user-456" in line] == [
        " 2026-11-22 10:10:09.820  u",
        " 2026-11-21 10:10:09.820  u",
        " -                        u",
    ]
    assert drawn.startswith("UTC, in ms\n")
    assert "c-7f3a" in drawn
    assert "c-7f3a" not in draw(*rows, width=145)


def test_a_day_that_nobody_knows_is_not_said():
    """There may be no time at all."""
    assert draw(replace(ROW, time=None)).startswith("UTC, in ms\n")


def test_late_is_red_and_boxes_are_blocks():
    """Where the time went is what stands out."""
    line = draw(replace(ROW, cause=None), color="standard", is_plain=False).splitlines()[4]

    assert "\x1b[1;31m1,303.9\x1b[0m" in line
    assert "\x1b[34m▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇\x1b[0m" in line
    assert "\x1b[1;31mlate\x1b[0m" in line


def test_what_a_log_says_is_never_a_command_to_the_terminal():
    """Controls are escaped, markup and emoji names stay what they are."""
    odd = replace(
        ROW, user_id=HOSTILE, connection_id=[HOSTILE], utterance="\n" * 500, route=HOSTILE
    )

    text = draw(replace(odd, cause=HOSTILE), width=900)

    assert not set(text) & {"\x1b", "\x07", "\x9b", "\x7f", "\u202e", "\u2028"}
    assert "\\u001b]0;evil\\u0007 [bold]\\u202egnp.exe\\u009b\\u007f\\u2028:smile:" in text
    assert len(text.splitlines()) == 8


def test_a_megabyte_is_a_line_of_the_table():
    """It is cut, and the table stays one."""
    text = draw(replace(ROW, user_id="x" * 10**6, cause="y" * 10**6, route="z" * 10**6), width=100)

    assert len(text) < 3000


def test_rows_as_json():
    """A record each, with raw values and the keys of a log's line where there are such."""
    (record,) = late_table.records([ROW])

    assert record == {
        "time": ROW.time,
        "user_id": "user-456",
        "connection_id": "c-7f3a",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "utterance": 41,
        "kind": "websocket",
        "route": "/ws",
        "total_ms": 1303.94,
        "waited_ms": 1291.3,
        "handled_ms": 12.64,
        "socket_ms": 1290.0,
        "queue_ms": 1.3,
        "loop_ms": 0.0,
        "code_ms": 12.64,
        "await_ms": 0.0,
        "send_ms": 0.0,
        "late": True,
        "cause": CAUSE,
    }


def tally(lines=0, rows=0, matched=0, broken=0):
    return Tally(lines=lines, broken=broken, rows=rows, matched=matched)


@pytest.mark.parametrize(
    ("answer", "is_filtered", "said"),
    [
        (Answer(), False, ["Nothing to read: a.log is empty."]),
        (
            Answer(tally=tally(1, broken=1)),
            False,
            [
                'No utterance in 1 line: none has "event": "utterance", as TraceMiddleware writes.',
                "1 line is no JSON: a.log:1.",
                "Lines for eyes can't be asked: let the service write JSON, with LOG_FORMAT=json.",
            ],
        ),
        (
            Answer(tally=tally(2000, 1000)),
            True,
            ["None of 1,000 utterances in 2,000 lines matches."],
        ),
        (
            Answer(tally=tally(2, 2)),
            False,
            ["None of 2 utterances in 2 lines has a total_ms to go by."],
        ),
        (
            Answer(rows=(ROW,), tally=tally(9, 1, 1), late=1),
            False,
            ["1 utterance, 1 of them late, in 9 lines."],
        ),
        (
            Answer(rows=(ROW,), tally=tally(9, 6, 3)),
            True,
            [
                "3 of 6 utterances match, none of them late, in 9 lines.",
                "Shown: the slowest 1 of 3; --top shows more.",
            ],
        ),
        (
            Answer(rows=(ROW,), tally=tally(9, 3, 3), by="loop"),
            False,
            [
                "3 utterances, none of them late, in 9 lines.",
                "Shown: the 1 longest in `loop`, of 3; --top shows more.",
            ],
        ),
    ],
    ids=["empty", "no verdict", "no match", "no total", "all", "some", "box"],
)
def test_what_was_counted_is_said(answer, is_filtered, said):
    """Nothing found is said in a sentence as well."""
    read = Read(names=("a.log",), tally=answer.tally, broken_at=("a.log:1",))

    assert list(late_table.sentences(answer, read, is_filtered=is_filtered)) == said
