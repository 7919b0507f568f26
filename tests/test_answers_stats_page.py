"""How much there is, for eyes and for programs."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from tracelog.answers import stats_page
from tracelog.answers.question import Read, Tally
from tracelog.answers.stats import Figures, Stats, Volume


START = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
TOTAL = Figures(
    start=None,
    lines=1000,
    size=250_000,
    errors=3,
    requests=50,
    failed_requests=1,
    utterances=100,
    late=2,
    p50_ms=4.5,
    p95_ms=90.0,
    p99_ms=200.0,
    max_ms=300.0,
)
INTERVALS = tuple(
    Figures(
        start=START + timedelta(seconds=30 * number),
        lines=lines,
        utterances=lines // 10,
        late=int(lines == 400),
        p50_ms=4.0 + number,
        p95_ms=50.0 if lines else None,
    )
    for number, lines in enumerate((100, 0, 400, 500))
)
CHAT = Volume(logger="app.chat", lines=800, size=200_000, traceless=0, errors=3)
SERVER = Volume(logger="uvicorn.error", lines=200, size=50_000, traceless=20, errors=0)
FOUND = Stats(
    total=TOTAL, intervals=INTERVALS, seconds=30, volumes=(CHAT, SERVER), tally=Tally(lines=1000)
)
READ = Read(names=("a",), tally=Tally(lines=1000))


def draw(found, width, top=9):
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    for drawn in stats_page.draw(found, top, width, True):
        console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            80,
            "2026-11-22 23:59:00 to 2026-11-23 00:01:00 UTC, a column is 30 seconds\n"
            "\n"
            "lines       . #@  max 500\n"
            "utterances  . #@  max 50\n"
            "late          @   max 1\n"
            "p50         +*#@  max 7.0 ms\n"
            "p95         @ @@  max 50.0 ms\n"
            "\n"
            "what fills the disk, by logger\n"
            "\n"
            " logger         lines     bytes  errors  no trace  share\n"
            " ────────────────────────────────────────────────────────────────\n"
            " app.chat         800  200.0 kB       3         0  ##############\n"
            " uvicorn.error    200   50.0 kB       0        20  ####\n"
            "\n",
        ),
        (
            60,
            "2026-11-22 23:59:00 to 2026-11-23 00:01:00 UTC, a column is\n"
            "30 seconds\n"
            "\n"
            "lines       . #@  max 500\n"
            "utterances  . #@  max 50\n"
            "late          @   max 1\n"
            "p50         +*#@  max 7.0 ms\n"
            "p95         @ @@  max 50.0 ms\n"
            "\n"
            "what fills the disk, by logger\n"
            "\n"
            " logger         lines     bytes  errors  no trace\n"
            " ────────────────────────────────────────────────\n"
            " app.chat         800  200.0 kB       3         0\n"
            " uvicorn.error    200   50.0 kB       0        20\n"
            "\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_a_chart_over_time_and_a_table_of_loggers(width, expected):
    """A figure of which there is nothing has no line."""
    assert draw(FOUND, width) == expected


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 second"), (30, "30 seconds"), (60, "1 minute"), (7200, "2 hours"), (86400, "1 day")],
)
def test_a_column_is_an_interval(seconds, said):
    """Or more than one where there is no room for all; a day is said once."""
    hour = replace(FOUND, seconds=seconds, intervals=INTERVALS[:1])

    assert f", a column is {said}\n" in draw(hour, 80)
    assert ", a column is 1 minute lines" in f"{' '.join(draw(FOUND, 32).split())}"


def test_a_chart_within_a_day_says_the_day_once():
    """The end is a clock's time then."""
    morning = tuple(replace(each, start=each.start - timedelta(hours=9)) for each in INTERVALS)

    assert "2026-11-22 14:59:00 to 15:01:00 UTC" in draw(replace(FOUND, intervals=morning), 80)


def test_what_is_not_there_is_not_drawn():
    """A log of nothing has neither chart nor table."""
    assert draw(replace(FOUND, intervals=(), volumes=()), 80) == ""


def test_loggers_are_harmless_whatever_they_are_called():
    """And at most as many as asked for are shown."""
    evil = replace(CHAT, logger="\x1b[2J[bold]" + "x" * 10**6)

    drawn = draw(replace(FOUND, volumes=(evil, SERVER)), 120, top=1)

    assert "\x1b" not in drawn
    assert "\\u001b[2J[bold]" in drawn
    assert "uvicorn.error" not in drawn


def test_records_are_the_whole_the_intervals_and_the_loggers():
    """Told apart by `what`."""
    records = list(stats_page.records(FOUND, READ))

    assert [record["what"] for record in records] == ["total", *["interval"] * 4, *["logger"] * 2]
    assert records[0]["lines"] == 1000
    assert (records[1]["seconds"], records[1]["start"]) == (30, START)
    assert records[-1]["traceless"] == 20


def test_what_was_counted_is_said():
    """Rates are of what there is."""
    assert list(stats_page.sentences(FOUND, READ)) == [
        "1,000 lines, 250.0 kB; 3 of them errors (0.3%).",
        "50 requests; 1 failed with 500 or more (2.0%).",
        "100 utterances; 2 late (2.0%), none failed; p50 4.5, p95 90.0, p99 200, max 300 ms.",
        "20 without a trace (2.0%), most of them of uvicorn.error.",
    ]


def test_what_there_is_none_of_is_not_said():
    """Nor is a rate of it."""
    bare = replace(FOUND, total=Figures(start=None, lines=1, size=5), volumes=(CHAT,))
    broken = replace(READ, tally=Tally(lines=2, broken=1), broken_at=("a:2",))

    assert list(stats_page.sentences(bare, broken)) == [
        "1 line, 5 B; none of them errors.",
        "1 line is no JSON: a:2.",
    ]
    assert list(stats_page.sentences(bare, Read(names=("a",)))) == ["Nothing to read: a is empty."]
