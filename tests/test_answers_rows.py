"""Rows of any kind, for eyes, for pipes, for programs."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from rich.console import Console

from tracelog.answers.rows import draw, records, tabbed


COLUMNS = (("user_id", "VARCHAR"), ("total_ms", "DOUBLE"))
ROWS = [("kim", 300.5), (None, 2.0)]


def drawn(columns, rows, width):
    console = Console(file=io.StringIO(), width=width, markup=False)
    console.print(draw(columns, rows, console))
    return "".join(f"{line.rstrip()}\n" for line in console.file.getvalue().splitlines())


def test_a_table_where_there_is_room():
    """Figures to the right; what is absent is a dash."""
    lines = drawn(COLUMNS, ROWS, 80).splitlines()

    assert lines[1] == " user_id  total_ms"
    assert lines[3:5] == [" kim         300.5", " -             2.0"]


def test_records_where_there_is_none():
    """A value a line, none of them cut to nothing."""
    columns = [*COLUMNS, ("cause", "VARCHAR")]
    rows = [("kim", 300.5, "x" * 50)]

    lines = drawn(columns, rows, 40).splitlines()

    assert lines[:3] == ["1 ──────", "user_id   kim", "total_ms  300.5"]
    assert lines[3:] == ["cause     " + "x" * 30, "          " + "x" * 20]


def test_one_column_is_a_table_whatever_its_width():
    """Names would only repeat."""
    assert "…" in drawn([("stack", "VARCHAR")], [("x" * 50,)], 20)


def test_a_pipe_gets_tabs():
    """A line each; NULL is nothing, and what would break a line is an escape."""
    assert list(tabbed(COLUMNS, [*ROWS, ("a\tb\n\x1b[2J", 1.0)])) == [
        "user_id\ttotal_ms",
        "kim\t300.5",
        "\t2.0",
        "a\\u0009b\\u000a\\u001b[2J\t1.0",
    ]


@pytest.mark.parametrize(
    ("kind", "value", "written"),
    [
        ("VARCHAR", "kim", "kim"),
        ("BOOLEAN", True, True),
        ("BIGINT", 3, 3),
        ("DECIMAL(4,2)", Decimal("1.50"), 1.5),
        ("DOUBLE", float("nan"), None),
        ("DOUBLE", None, None),
        ("JSON", '{"a":[1,1e999]}', {"a": [1, None]}),
        ("JSON", None, None),
        ("JSON", "[" * 100_000, "[" * 100_000),
        (
            "TIMESTAMP WITH TIME ZONE",
            datetime(2026, 11, 22, tzinfo=UTC),
            "2026-11-22T00:00:00.000000Z",
        ),
        ("DATE", date(2026, 11, 22), "2026-11-22"),
        ("INTERVAL", timedelta(hours=1), "1:00:00"),
        ("BLOB", b"\xff\x00", "ff00"),
        ("STRUCT(a INTEGER)[]", ({"a": 1},), [{"a": 1}]),
    ],
)
def test_programs_get_what_json_can_hold(kind, value, written):
    """Numbers as numbers, lists as lists, everything else as text."""
    (record,) = records([("x", kind)], [(value,)])

    assert record == {"x": written}
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_eyes_get_lists_as_json():
    """Short enough for a table."""
    assert "[1, 2]" in drawn([("x", "INTEGER[]")], [([1, 2],)], 80)


def test_what_is_cut_says_so():
    """In a table, and in a record, where there is room for more."""
    assert drawn([("x", "VARCHAR")], [("x" * 500,)], 300).count("x") == 1 + 119
    assert "…" in drawn([("x", "VARCHAR")], [("x" * 500,)], 300)
    assert drawn([("x", "VARCHAR"), ("y", "VARCHAR")], [("x" * 5_000, "y")], 80).count("x") == 2_000
