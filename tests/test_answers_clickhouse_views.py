"""The views in ClickHouse are those in DuckDB, row by row, column by column."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tracelog import fields
from tracelog.answers import duckdb_views
from tracelog.answers.address import Address
from tracelog.answers.clickhouse_views import is_row, relation
from tracelog.answers.log import Log
from tracelog.answers.server import connect
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import DELAYS, LINES, UTTERANCES, VIEWS


def line(event, **values):
    first = {"timestamp": "2026-11-22T10:10:10.123456Z", "level": "info", "logger": "app"}
    return json.dumps({**first, "event": event, **values}) + "\n"


# As JSON: each stands under every key that a view reads.
VALUES = [
    *("1", "1.0", "1.50", "1e3", "-0.0", "0.1", "12345678901234567890", "9007199254740993"),
    *("12.5", "13.5", "-2.5", "1e-7", "123456789.123456789", "1e22", "1e300", "true", "false"),
    *("null", '"x"', '"12"', '"12.5"', '"1e3"', '"nan"', '"inf"', '"true"', "[1, 2]", "[]"),
    *('{"a": 1}', '"a\\nb"', '"a\\u0000b"', '"\\u00e9"', '"\u202e<b>"', '""', '"\\ud83d\\ude00"'),
    *(f'"{text}"' for text in ("2026-11-22T10:10:10.123456Z", "2026-11-22T10:10:10.1234567+02:00")),
    *(f'"{text}"' for text in ("2026-11-22 10:10", "2026-11-22", "2026-02-30T10:10:10Z", "inf")),
    *(f'"{text}"' for text in ("2026-11-22T25:10:10Z", "1732270210", "22/11/2026", "now")),
    *(f'"{text}"' for text in ("0001-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "1969-12-31")),
    *('[{"ms": 1, "where": "a"}]', '[{"ms": "x"}, null, 3, {"name": "n", "own_ms": 2}]', '[""]'),
]
KEYS = sorted(
    {key for view in VIEWS.values() for column in view.columns for key in column.keys}
    | {key for view in VIEWS.values() for key in view.lists}
)
CAUSES = [
    "312 ms: held by user-1 in chat.py:12 answer; 12 ms: lock, until user-2 let it go on",
    "90.5 ms: lock (chat.py:1 f), until x y let it go on, most of them of z",
    "5 ms: waited for message 12 of the same connection",
    "held by a in b held by c before d",
]
ENTRIES = {
    "blocked_by": [{"ms": 3, "where": "a.py:1 f", "kind": "k", "user_id": "u", "trace_id": "t"}],
    "held": [{"ms": 4.0, "where": "b.py:2 g", "kind": "k"}],
    "awaits": [
        {"ms": 4, "where": "c", "what": "lock", "until": {"user_id": "v", "trace_id": "w"}},
        {"ms": "x", "where": 5, "what": None, "kind": "q"},
    ],
    "spans": [{"name": "llm", "within": ["a", "b"], "count": 2, "total_ms": 9, "own_ms": 7.5}],
}


def sample():
    for event in (fields.EVENT_UTTERANCE, fields.EVENT_HOLD, fields.EVENT_CONNECTION, "started"):
        yield line(event)
        for key in KEYS:
            for value in VALUES if event in ("utterance", "loop held") else VALUES[::7]:
                if key not in ("event", "timestamp"):
                    yield line(event)[:-2] + f', "{key}": {value}}}\n'
    for value in VALUES:
        yield f'{{"timestamp": {value}, "event": "utterance"}}\n'
        yield f'{{"event": {value}}}\n'
    for cause in CAUSES:
        yield line("utterance", cause=cause, **ENTRIES)
    for key, value in ENTRIES.items():
        yield line("utterance", **{key: value, "total_ms": 1})
        yield line("loop held", **{key: value, "delayed_ms": 12, "held_ms": 13, "delayed": 3})
    yield from ("oops\n", "[1, 2]\n", "3\n", '"x"\n', '{"a":"\\ud800"}\n')
    yield from ('{"a":1}}\n', "{}\n", '{"event":"a","event":"utterance"}\n', '{"a\\u0062":1}\n')


@pytest.fixture(scope="module")
def lines():
    return "".join(sample())


def in_duckdb(view, lines, tmp_path):
    (tmp_path / "app.log").write_text(lines)
    with Spool() as spool:
        log = Log(open_sources(["app.log"], spool, None), spool)
        return log.rows(duckdb_views.select(view))


def in_clickhouse(view, address):
    address = Address.parse(address)
    server = connect(address, "")
    names = {"database": address.database, "table": address.table}
    rows = server.rows(relation(view, view.columns), names)
    server.close()
    return rows


def plain(view, row):
    """Write a row such that those of both engines compare: a time in UTC, JSON without spaces."""
    return json.dumps({c.name: _plain(c, v) for c, v in zip(view.columns, row, strict=True)})


def _plain(column, value):
    if column.name == "file" or value is None:
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat() if value.tzinfo else f"{value.isoformat()}+00:00"
    if column.type == "JSON":
        return json.loads(value)
    return bool(value) if column.type == "BOOLEAN" else value


def test_every_view_is_the_same_in_both(make_table, lines, tmp_path):
    """Whatever stands under whatever key."""
    address = make_table(lines)

    for view in VIEWS.values():
        mine, theirs = in_clickhouse(view, address), in_duckdb(view, lines, tmp_path)
        found = sorted(plain(view, row) for row in mine)
        assert found == sorted(plain(view, row) for row in theirs), view.name
        assert len(found) > 10


def test_only_what_is_wanted_is_read():
    """Columns are what a table like this is read by."""
    sql = relation(UTTERANCES, [UTTERANCES.column("time"), UTTERANCES.column("total_ms")])

    assert sql == (
        'SELECT arrived AS "time", total_ms AS "total_ms" '
        "FROM {database:Identifier}.{table:Identifier} WHERE event IN ('utterance')"
    )


def test_a_list_is_taken_apart_of_lines_that_have_one():
    """The index serves the lines first."""
    sql = relation(DELAYS, [DELAYS.column("ms")])

    assert "WHERE event IN ('utterance', 'loop held')) ARRAY JOIN _entries" in sql
    assert relation(LINES, ()).startswith("SELECT 1 FROM ")
    assert is_row(LINES) == "is_json = 1"
