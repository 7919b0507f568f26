"""Where an answer goes."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tracelog.answers import printing


def test_a_file_is_as_wide_as_needed(capsys):
    """Where there is no terminal to say how wide it is."""
    printing.show(lambda width, is_plain: [Text("x" * width), Text(str(is_plain))], ["a sentence."])

    assert capsys.readouterr().out == f"{'x' * 1000}\nTrue\na sentence.\n"


def test_a_width_that_was_asked_for_is_kept(capsys, monkeypatch):
    """COLUMNS counts without a terminal, too."""
    monkeypatch.setenv("COLUMNS", "40")

    printing.show(lambda width, _: [Text(str(width))], [])

    assert capsys.readouterr().out == "40\n"


def test_no_line_ends_in_blanks(capsys):
    """A pager would wrap those of a table, and a ticket keep them."""
    table = Table("one", "two")
    table.add_row("1", "")

    printing.show(lambda _width, _plain: [Padding(table, (1, 5))], [])

    lines = capsys.readouterr().out.split("\n")
    assert [line.rstrip() for line in lines] == lines
    assert len(lines) == 8


def test_what_is_said_is_neither_markup_nor_emoji(capsys):
    """It may have a file's name in it."""
    printing.show(lambda _width, _plain: [], ["[bold]x[/bold] :smile:"])

    assert capsys.readouterr().out == "[bold]x[/bold] :smile:\n"


@pytest.mark.parametrize(
    ("options", "encoding", "expected"),
    [
        ({"color_system": None}, "utf-8", True),
        ({"color_system": "standard", "no_color": True}, "utf-8", True),
        ({"color_system": "standard"}, "utf-8", False),
        ({"color_system": "standard"}, "ascii", True),
        ({"color_system": "standard"}, "cp1252", True),
    ],
)
def test_without_colours_or_blocks_it_has_to_be_plain(options, encoding, expected):
    """Letters tell apart what blocks of one colour wouldn't."""
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)

    assert printing.is_plain(Console(file=file, force_terminal=True, **options)) == expected


def test_programs_get_json_and_people_the_rest(capsys):
    """Standard output has nothing but JSON lines, harmless for a terminal."""
    at = datetime(2026, 11, 22, 10, 10, 9, 820000, UTC)

    printing.show_json([{"time": at, "user": "Zoë\x9b"}], ["1 line is no JSON."], is_sound=False)

    out, err = capsys.readouterr()
    assert out == '{"time": "2026-11-22T10:10:09.820000Z", "user": "Zoë\\u009b"}\n'
    assert json.loads(out)["user"] == "Zoë\x9b"
    assert err == "1 line is no JSON.\n"


def test_nobody_has_to_be_told_that_all_is_well(capsys):
    """A sound answer is silent beside."""
    printing.show_json([{}], ["1 utterance."], is_sound=True)

    assert capsys.readouterr() == ("{}\n", "")


@pytest.mark.parametrize(
    ("variable", "expected"), [("FORCE_COLOR", True), ("NO_COLOR", False), ("OTHER", False)]
)
def test_colours_are_there_if_they_are_wanted(capsys, monkeypatch, variable, expected):
    """A file has none, unless somebody asks for them."""
    monkeypatch.delenv("TERM", raising=False)
    monkeypatch.setenv(variable, "1")

    assert printing.has_colors() is expected
    assert capsys.readouterr().out == ""
