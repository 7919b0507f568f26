"""How values are read in ClickHouse: as DuckDB reads them, by what the table stores."""

from __future__ import annotations

import pytest

from tracelog.answers.address import Address
from tracelog.answers.clickhouse_columns import IS_JSON, STORED, read, text
from tracelog.answers.server import connect
from tracelog.answers.views import FLAG, INTEGER, JSON, LINES, NUMBER, TEXT, TIME, UTTERANCES


@pytest.fixture
def ask(clickhouse_port):
    server = connect(Address.parse(f"clickhouse://127.0.0.1:{clickhouse_port}/lines"), "")

    def ask(sql, line):
        return server.rows(f"SELECT {sql} FROM (SELECT {{line:String}} AS line)", {"line": line})[0]

    yield ask
    server.close()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12", ("12", 12.0, 12, False)),
        ("1.0", ("1.0", 1.0, 1, False)),
        ("1e3", ("1000.0", 1000.0, 1000, False)),
        ("-2.5", ("-2.5", -2.5, -3, False)),
        ("9007199254740993", ("9007199254740993", None, 9007199254740993, False)),
        ("1e300", ("1e300", None, None, False)),
        ('"12.5"', ("12.5", 12.5, 13, False)),
        ('"nan"', ("nan", None, None, False)),
        ("true", ("true", None, None, True)),
        ("null", (None, None, None, None)),
        ('{"b": [1]}', ('{"b":[1]}', None, None, False)),
    ],
    ids=str,
)
def test_a_value_is_read_as_what_is_wanted(ask, value, expected):
    """As a text, a number, a whole number, a flag; what isn't one is NULL."""
    kinds = ", ".join(read(kind, "line", "'a'") for kind in (TEXT, NUMBER, INTEGER, FLAG))

    assert ask(kinds, f'{{"a": {value}}}') == expected


def test_a_path_leads_into_lists_and_objects(ask):
    """Of what isn't there, everything is NULL."""
    line = '{"a": [{"b": "x"}]}'

    assert ask(text("line", "'a'", "1", "'b'"), line) == ("x",)
    assert ask(read(JSON, "line", "'a'"), line) == ('[{"b":"x"}]',)
    assert ask(", ".join(read(k, "line", "'z'") for k in (TEXT, JSON, TIME, NUMBER)), line) == (
        (None,) * 4
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-11-22T10:10:10.123456Z", "2026-11-22 10:10:10.123456"),
        ("2026-11-22T10:10:10+02:00", "2026-11-22 08:10:10.000000"),
        ("2026-11-22 10:10", "2026-11-22 10:10:00.000000"),
        ("2026-02-30T10:10:10Z", None),
        ("2026-11-22T25:00:00Z", None),
        ("1732270210", None),
        ("22/11/2026", None),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_only_a_time_is_a_time(ask, value, expected):
    """ClickHouse alone would take much else for one."""
    moment = read(TIME, "line", "'a'")

    assert ask(f"toString({moment})", f'{{"a": "{value}"}}') == (expected,)


def test_the_table_has_what_lines_and_utterances_are_asked_by():
    """Each key has one column, called as it is."""
    keys = {key for view in (LINES, UTTERANCES) for c in view.columns for key in c.keys}

    assert set(STORED) == keys | {"arrived", "bytes", "why", "place"}
    assert IS_JSON not in STORED
    assert all(stored.about and stored.sql for stored in STORED.values())
