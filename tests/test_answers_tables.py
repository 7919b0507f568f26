"""The views as tables, for SQL that isn't ours."""

from __future__ import annotations

import io
import json

import pytest

from tracelog.answers.cutting import LONGEST
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.tables import Tables
from tracelog.answers.views import VIEWS
from tracelog.errors import InputError


LINE = {
    "timestamp": "2026-11-22T10:10:10.123456Z",
    "event": "utterance",
    "trace_id": "t",
    "user_id": "kim",
    "total_ms": 300,
    "late": True,
    "spans": [{"name": "llm", "total_ms": 9}],
    "room": "lobby",
}


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "a'$paths.log").write_text(json.dumps(LINE) + "\nbroken\n")
    with Spool() as spool:
        yield Tables(Log(open_sources(["a'$paths.log"], spool, io.BytesIO()), spool))


def rows(tables, sql):
    return list(tables.ask(sql).rows)


def test_every_view_is_a_table(tables):
    """With the columns that are documented, in their order."""
    for view in VIEWS.values():
        asked = tables.ask(f"FROM {view.name}")
        assert asked.columns == tuple((c.name, c.type) for c in view.columns)
        assert len(list(asked.rows)) == (view.name in ("lines", "utterances", "spans", "delays"))


@pytest.mark.parametrize(
    ("sql", "answer"),
    [
        ("SELECT user_id, total_ms FROM utterances", [("kim", 300.0)]),
        ("WITH late AS (FROM utterances WHERE late) SELECT count(*) FROM late", [(1,)]),
        ("SELECT line->>'room' FROM lines -- a comment", [("lobby",)]),
        ("SELECT file FROM lines", [("a'$paths.log",)]),
        ("SELECT name FROM spans JOIN utterances USING (trace_id)", [("llm",)]),
        ("SELECT name FROM (SHOW TABLES) LIMIT 1", [("connections",)]),
    ],
)
def test_any_question_can_be_asked(tables, sql, answer):
    """In DuckDB's whole SQL; a file is called what its user calls it."""
    assert rows(tables, sql) == answer


def test_columns_have_a_name_each(tables):
    """JSON has no room for two of one name."""
    assert tables.ask("SELECT 1 AS a, 2 AS a").columns == (("a", "INTEGER"), ("a_", "INTEGER"))


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO 'b.csv'",
        "COPY (SELECT 1) TO '{log}' (USE_TMP_FILE false)",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{log}' (USE_TMP_FILE false)",
        "EXPORT DATABASE 'b'",
        "ATTACH 'b.db' AS b",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET lock_configuration = false",
        "SET VARIABLE paths = ['/etc/passwd']",
        "CREATE TABLE b AS SELECT 1",
        "DROP VIEW lines",
        "PRAGMA enable_profiling",
        "CALL enable_logging(storage = 'file', storage_path = 'b')",
        "SELECT 1; COPY (SELECT 1) TO 'b.csv'",
        "",
    ],
)
def test_nothing_but_one_select_is_run(tables, sql, tmp_path):
    """DuckDB itself would write to a log that it may read."""
    log = tmp_path / "a'$paths.log"
    before = log.read_text()

    with pytest.raises(InputError, match="SELECT"):
        tables.ask(sql.format(log=str(log).replace("'", "''")))

    assert [path.name for path in tmp_path.iterdir()] == [log.name]
    assert log.read_text() == before


@pytest.mark.parametrize(
    "sql",
    [
        "FROM read_text('/etc/passwd')",
        "FROM read_csv('{log}/../../b')",
        "FROM glob('/etc/*')",
        "FROM 'http://127.0.0.1:9/x.parquet'",
        "FROM 's3://bucket/x.parquet'",
        "FROM query('COPY (SELECT 1) TO ''b''')",
        "FROM enable_logging(storage = 'file', storage_path = 'b')",
        "FROM tables",  # a variable of this function, in Python
    ],
)
def test_a_select_reads_the_logs_and_nothing_else(tables, sql, tmp_path):
    """Neither other files, nor the network, nor this program."""
    with pytest.raises(InputError, match="Error: "):
        rows(tables, sql.format(log=tmp_path))

    assert len(list(tmp_path.iterdir())) == 1


def test_the_doors_are_shut_even_if_what_is_run_werent_looked_at(tables, tmp_path):
    """DuckDB's own settings are locked, and know of no other file."""
    for sql in (
        "COPY (SELECT 1) TO 'b.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
    ):
        with pytest.raises(tables.log.trouble, match=r"disabled|locked"):
            tables.log.stream(sql)

    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT usr_id FROM utterances", '"usr_id" not found in FROM clause!'),
        (
            "SELECT usr_id FROM utterances",
            "\n       user_id: a column of lines, utterances, holds,",
        ),
        ("SELECT usr_id FROM utterances", "\n               ^"),
        ("FROM utterence", 'Did you mean "utterances"?'),
        ("FROM utterence", "the views are lines, utterances, holds, spans, connections, delays"),
        ("SELEC 1", 'syntax error at or near "SELEC"'),
        ("SELECT level::INT FROM lines", '"DESCRIBE utterances"'),
        ("SELECT user_id::INT FROM utterances", "Could not convert string 'kim'"),
        ("SELECT \x1b[2J", "\\x1b"),
    ],
)
def test_a_mistake_is_said_with_what_there_is(tables, sql, said):
    """In DuckDB's words, with the views and the columns that are called almost like it."""
    try:
        found = rows(tables, sql)
    except InputError as error:
        assert said in str(error)
    else:
        assert found == [(None,)]  # no level
        assert "level" in sql


def test_a_log_without_a_line_has_empty_tables(tmp_path):
    """They can be asked, and looked at."""
    (tmp_path / "empty.log").touch()
    with Spool() as spool:
        asked = Tables(Log(open_sources(["empty.log"], spool, io.BytesIO()), spool))

        assert rows(asked, "FROM spans") == []
        assert rows(asked, "SELECT count(*) FROM lines") == [(0,)]


@pytest.mark.parametrize("before", [2, 1_500])
def test_a_gigantic_line_costs_itself_only(before, tmp_path):
    """Whether it is met before the first row is given or after: none is missing, none comes twice."""
    with (tmp_path / "giant.log").open("w") as file:
        for number in range(before):
            file.write(f'{{"event": "{number}", "text": "{"x" * 40_000}"}}\n')
        file.write('{"text": "' + "x" * 3 * LONGEST + '"}\n{"event": "last"}\n')
    with Spool() as spool:
        log = Log(open_sources(["giant.log"], spool, None), spool)
        tables = Tables(log)

        events = [json.loads(line)["event"] for (line,) in rows(tables, "SELECT line FROM lines")]

        assert events == [*map(str, range(before)), "last"]
        assert tables.log is not log


def test_a_gigantic_line_is_left_out_of_what_is_counted(tmp_path):
    """Such a question has read all lines before it gives a row."""
    (tmp_path / "giant.log").write_text(
        '{"text": "' + "x" * 3 * LONGEST + '"}\n{"event": "last"}\n'
    )
    with Spool() as spool:
        tables = Tables(Log(open_sources(["giant.log"], spool, None), spool))

        assert rows(tables, "SELECT count(event) FROM lines ORDER BY 1") == [(1,)]
