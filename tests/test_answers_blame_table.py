"""The list to fix on Monday, for eyes and for programs."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tracelog.answers import blame_table
from tracelog.answers.blame import HOLD, LOCK, Culprit
from tracelog.answers.question import Read, Tally


REPORT = Culprit(
    sort=HOLD,
    place="app/reports.py:41 make_report",
    what="blocking call",
    delay_ms=26116.2,
    utterances=71,
    late=69,
    users=12,
    holds=21,
    longest_ms=544.1,
    traces=("4bf92f3577b34da6a3ce929d0e0e4736", "b"),
)
ROOM = Culprit(
    sort=LOCK,
    place="app/rooms.py:52 broadcast",
    what="lock",
    delay_ms=90.04,
    utterances=3,
    late=3,
    users=1,
    longest_ms=50.5,
)


def draw(culprits, width, top=9):
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    for drawn in blame_table.draw(culprits, top, width, True):
        console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            160,
            "what held the event loop, and the delay of all whom that hit, in ms\n"
            "\n"
            "  delay  hit  late  users  holds  longest  where                          kind           example\n"
            " ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────\n"
            " 26,116   71    69     12     21      544  app/reports.py:41 make_report  blocking call  4bf92f3577b34da6a3ce929d0e0e4736\n"
            "\n"
            "what late utterances waited for, and their spans, in ms\n"
            "\n"
            " delay  late  users  longest  where                      what  sort  example\n"
            " ───────────────────────────────────────────────────────────────────────────\n"
            "  90.0     3      1     50.5  app/rooms.py:52 broadcast  lock  lock\n"
            "\n",
        ),
        (
            120,
            "what held the event loop, and the delay of all whom that hit, in ms\n"
            "\n"
            "  delay  hit  late  users  holds  longest  where                          kind\n"
            " ──────────────────────────────────────────────────────────────────────────────────────\n"
            " 26,116   71    69     12     21      544  app/reports.py:41 make_report  blocking call\n"
            "\n"
            "what late utterances waited for, and their spans, in ms\n"
            "\n"
            " delay  late  users  longest  where                      what  sort\n"
            " ──────────────────────────────────────────────────────────────────\n"
            "  90.0     3      1     50.5  app/rooms.py:52 broadcast  lock  lock\n"
            "\n",
        ),
        (
            80,
            "what held the event loop, and the delay of all whom that hit, in ms\n"
            "\n"
            "  delay  hit  late  users  where                          kind\n"
            " ──────────────────────────────────────────────────────────────────────\n"
            " 26,116   71    69     12  app/reports.py:41 make_report  blocking call\n"
            "\n"
            "what late utterances waited for, and their spans, in ms\n"
            "\n"
            " delay  late  users  where                      what\n"
            " ───────────────────────────────────────────────────\n"
            "  90.0     3      1  app/rooms.py:52 broadcast  lock\n"
            "\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_holds_come_first_and_then_waits(width, expected):
    """Each with what it has cost, and whom; an example is for those who have room."""
    assert draw([ROOM, REPORT], width) == expected


def test_a_table_of_nothing_is_not_drawn():
    """Each sort may be missing."""
    assert draw([], 80) == ""
    assert "wait" not in draw([REPORT], 80)
    assert "held" not in draw([ROOM], 80)


def test_top_is_of_each_sort():
    """The list is for one morning."""
    drawn = draw([REPORT, REPORT, ROOM, ROOM], 80, top=1)

    assert (drawn.count("make_report"), drawn.count("broadcast")) == (1, 1)


def test_places_are_harmless_whatever_they_are_called():
    """A log says so."""
    evil = Culprit(
        **{name: getattr(ROOM, name) for name in Culprit.__slots__}
        | {"place": "\x1b[2J[bold]", "what": "w" * 10**6, "traces": ("\x9b" * 10**6,)}
    )

    drawn = draw([evil], 200)

    assert not set(drawn) & {"\x1b", "\x9b"}
    assert "\\u001b[2J[bold]" in drawn
    assert len(drawn) < 4000


def test_records_are_the_culprits():
    """Key by key."""
    (record,) = blame_table.records([REPORT])

    assert record["place"] == "app/reports.py:41 make_report"
    assert record["traces"] == ("4bf92f3577b34da6a3ce929d0e0e4736", "b")


@pytest.mark.parametrize(
    ("culprits", "read", "said"),
    [
        ([], Read(names=("a",)), ["Nothing to read: a is empty."]),
        (
            [],
            Read(names=("a",), tally=Tally(lines=7)),
            ["Nothing held the event loop, and nobody late waited, in 7 lines."],
        ),
        (
            [REPORT, ROOM],
            Read(names=("a",), tally=Tally(lines=7, broken=1), broken_at=("a:3",)),
            [
                "1 place held the event loop; 1 thing made others wait, in 7 lines.",
                "1 line is no JSON: a:3.",
            ],
        ),
    ],
    ids=["empty", "nobody", "some"],
)
def test_what_was_counted_is_said(culprits, read, said):
    """Nothing found is good news."""
    assert list(blame_table.sentences(culprits, read)) == said
