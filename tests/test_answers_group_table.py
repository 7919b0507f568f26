"""Groups, and what became of them, for eyes and for programs."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from tracelog.answers import group_table
from tracelog.answers.groups import Change, Group
from tracelog.answers.question import Read, Tally


ADA = Group(
    key="ada",
    count=1200,
    late=3,
    p50_ms=4.5,
    p95_ms=290.1,
    p99_ms=1303.9,
    max_ms=1400.0,
    mean_ms=96.0,
    boxes_ms=(40.0, 1.0, 20.0, 30.0, 5.0, 0.0),
)
NOBODY = replace(
    ADA, key=None, count=2, late=0, p95_ms=20.0, mean_ms=7.0, boxes_ms=(0, 0, 5, 2, 0, 0)
)
CHANGES = (
    Change(key="/ws", before=NOBODY, after=ADA),
    Change(key="/new", before=None, after=ADA),
    Change(key="/better", before=ADA, after=NOBODY),
    Change(key="/gone", before=ADA, after=None),
)


def draw(drawings, width):
    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    for drawn in drawings:
        console.print(drawn)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            100,
            "by user, in ms\n"
            "\n"
            " user  count  late  p50   p95    p99    max  mean\n"
            " ────────────────────────────────────────────────────────────\n"
            " ada   1,200     3  4.5   290  1,304  1,400  SSSSSSSLLLCCCCCA\n"
            " -         2     0  4.5  20.0  1,304  1,400  L\n"
            "\n"
            "S socket   Q queue   L loop   C code   A await   R send\n"
            "\n",
        ),
        (
            60,
            "by user, in ms\n"
            "\n"
            " user  count  late  p50   p95    p99    max\n"
            " ──────────────────────────────────────────\n"
            " ada   1,200     3  4.5   290  1,304  1,400\n"
            " -         2     0  4.5  20.0  1,304  1,400\n"
            "\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_groups_have_figures_and_a_bar(width, expected):
    """The bar gives way before figures do."""
    assert draw(group_table.draw_groups([ADA, NOBODY], "user", width, True), width) == expected


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (
            120,
            "by route: the 95th percentile in ms, and how many were late\n"
            "\n"
            " route    before  after  change  count   then  late  then  mean grew\n"
            " ──────────────────────────────────────────────────────────────────────\n"
            " /ws        20.0    290    +270      2  1,200  0.0%  0.2%  socket +40.0\n"
            " /new          -    290     new      -  1,200     -  0.2%  -\n"
            " /better     290   20.0    -270  1,200      2  0.2%  0.0%  -\n"
            " /gone       290      -    gone  1,200      -  0.2%     -  -\n"
            "\n",
        ),
        (
            80,
            "by route: the 95th percentile in ms, and how many were late\n"
            "\n"
            " route    before  after  change  late  then  mean grew\n"
            " ────────────────────────────────────────────────────────\n"
            " /ws        20.0    290    +270  0.0%  0.2%  socket +40.0\n"
            " /new          -    290     new     -  0.2%  -\n"
            " /better     290   20.0    -270  0.2%  0.0%  -\n"
            " /gone       290      -    gone  0.2%     -  -\n"
            "\n",
        ),
        (
            50,
            "by route: the 95th percentile in ms, and how many\n"
            "were late\n"
            "\n"
            " route    before  after  change  mean grew\n"
            " ────────────────────────────────────────────\n"
            " /ws        20.0    290    +270  socket +40.0\n"
            " /new          -    290     new  -\n"
            " /better     290   20.0    -270  -\n"
            " /gone       290      -    gone  -\n"
            "\n",
        ),
    ],
    ids=lambda value: value if isinstance(value, int) else "",
)
def test_changes_have_both_sides(width, expected):
    """How many there were, and how many of them late, gives way first."""
    assert draw(group_table.draw_changes(CHANGES, "route", width, True), width) == expected


@pytest.mark.parametrize(
    ("p95_ms", "stands_out"), [(304.0, False), (305.0, True), (280.0, False)], ids=str
)
def test_only_what_got_slower_by_more_than_chance_stands_out(p95_ms, stands_out):
    """Were each of many groups red that grew by a hundredth, none would be seen."""
    ours = replace(ADA, late=0)
    change = Change(key="/ws", before=ours, after=replace(ours, p95_ms=p95_ms))
    console = Console(width=100, force_terminal=True, color_system="standard", file=io.StringIO())

    for drawn in group_table.draw_changes([change], "route", 100, False):
        console.print(drawn)

    assert ("\x1b[1;31m" in console.file.getvalue()) is stands_out


def test_time_that_no_box_tells_of_is_said():
    """Where the loop's steps aren't known."""
    known = draw(group_table.draw_groups([ADA], "user", 100, True), 100)
    half = draw(group_table.draw_groups([replace(ADA, mean_ms=192.0)], "user", 100, True), 100)

    assert ". not known" not in known
    assert ". not known" in half
    assert "........" in half


def test_no_groups_are_no_table():
    """A sentence says so."""
    assert list(group_table.draw_groups([], "user", 80, True)) == []
    assert list(group_table.draw_changes([], "user", 80, True)) == []


def test_places_are_wrapped_and_never_cut():
    """A line of code is of no use without its end."""
    long = replace(ADA, key="services/chat/application/handlers/reports.py:41 make_report")

    drawn = draw(group_table.draw_groups([long], "where", 80, True), 80)

    assert "make_report" in drawn.replace("\n ", "")
    assert draw(group_table.draw_groups([long], "user", 80, True), 80).count("…") == 1


def test_a_group_is_harmless_whatever_it_is_called():
    """It is called by what a log says."""
    evil = replace(ADA, key="\x1b[2J[bold]" + "x" * 10**6)

    drawn = draw(group_table.draw_groups([evil], "cause", 100, True), 100)

    assert "\x1b" not in drawn
    assert "\\u001b[2J[bold]" in drawn
    assert len(drawn) < 2000


def test_records_have_boxes_by_name():
    """They are means."""
    (record,) = group_table.group_records([ADA])

    assert record == {
        "key": "ada",
        "count": 1200,
        "late": 3,
        "p50_ms": 4.5,
        "p95_ms": 290.1,
        "p99_ms": 1303.9,
        "max_ms": 1400.0,
        "mean_ms": 96.0,
        "socket_ms": 40.0,
        "queue_ms": 1.0,
        "loop_ms": 20.0,
        "code_ms": 30.0,
        "await_ms": 5.0,
        "send_ms": 0.0,
    }


def test_records_of_changes_have_both_sides():
    """What is missing is null."""
    slower, new, *_ = group_table.change_records(CHANGES)

    assert (slower["key"], slower["before"]["count"], slower["after"]["count"]) == ("/ws", 2, 1200)
    assert (slower["p95_grown_ms"], slower["box"], slower["box_grown_ms"]) == (
        270.1,
        "socket_ms",
        40.0,
    )
    assert (new["before"], new["box"], new["box_grown_ms"]) == (None, None, None)


def test_what_was_counted_is_said():
    """How many are in a group, of how many; and if not all groups are shown."""
    read = Read(names=("a",), tally=Tally(lines=5000, rows=3000, broken=1), broken_at=("a:1",))

    assert list(group_table.sentences([ADA, NOBODY], 1, read)) == [
        "1,202 of 3,000 utterances, in 2 groups, in 5,000 lines.",
        "Shown: 1 of 2 groups; --top shows more.",
        "1 line is no JSON: a:1.",
    ]
    assert list(
        group_table.sentences(CHANGES, 9, replace(read, tally=Tally(lines=1, rows=5000)))
    ) == ["4,804 of 5,000 utterances, in 4 groups, in 1 line."]
    assert list(group_table.sentences([], 9, Read(names=("a",)))) == [
        "Nothing to read: a is empty."
    ]
