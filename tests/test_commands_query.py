"""`tracelog query`, from its arguments to its exit code."""

from __future__ import annotations

import gzip
import argparse
import json

import pytest

from tracelog.answers.cutting import LONGEST
from tracelog.commands import query
from tracelog.errors import InputError


LINE = '{"timestamp":"2026-11-22T10:10:10.000000Z","event":"utterance","trace_id":"t","user_id":"kim","total_ms":300}\n'


@pytest.fixture(autouse=True)
def _log(tmp_path):
    (tmp_path / "app.log").write_text(LINE * 3)
    (tmp_path / "empty.log").touch()


def run(*arguments):
    parser = argparse.ArgumentParser()
    query.configure(parser)
    return query.run(parser.parse_args(arguments))


def test_a_pipe_gets_lines_with_tabs(capsys):
    """For `cut`, `sort`, `awk`."""
    assert run("app.log", "SELECT user_id, sum(total_ms) AS ms FROM utterances GROUP BY ALL") == 0
    assert capsys.readouterr() == ("user_id\tms\nkim\t900.0\n", "")


def test_json_is_for_programs(capsys):
    """A line for each row, with the line of the log as an object."""
    assert run("--json", "app.log", "SELECT time, line FROM lines") == 0

    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert records == [{"time": "2026-11-22T10:10:10.000000Z", "line": json.loads(LINE)}] * 3
    assert err == ""


def test_sql_and_file_in_each_others_place_are_told():
    """A file isn't asked to be SQL, and SQL isn't looked for in the directory."""
    with pytest.raises(
        InputError, match=r"'app\.log' is a file, no SQL\n  Try: tracelog query FILE"
    ):
        run("FROM lines", "app.log")

    assert run("app.log", f"SELECT 1 {' ' * 5_000}") == 0


def test_a_terminal_gets_a_table(capsys, monkeypatch):
    """Of as many rows as somebody may read."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr(query, "_MOST", 2)

    assert run("app.log", "SELECT user_id FROM utterances") == 0

    out = capsys.readouterr().out
    assert out.count("kim") == 2
    assert "The first 2 rows" in out

    assert run("app.log", "SELECT user_id FROM utterances LIMIT 1") == 0
    assert "The first" not in capsys.readouterr().out


def test_what_sql_cannot_read_is_counted_and_located(tmp_path, capsys):
    """Beside the answer, which is that of all other lines."""
    (tmp_path / "giant.log").write_text(
        LINE + '{"text": "' + "x" * 3 * LONGEST + '"}\nbroken\n' + LINE
    )

    assert run("giant.log", "SELECT count(*) AS n FROM lines") == 0

    out, err = capsys.readouterr()
    assert out == "n\n2\n"
    said = "Left out, as no JSON or too long to read: 2, the first at giant.log:2, giant.log:3.\n"
    assert err == said


def test_what_is_there_of_a_damaged_archive_answers(tmp_path, capsys):
    """That it is damaged is said; of its lines, none is left out."""
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(LINE.encode())[:-8])

    assert run("cut.log.gz", "SELECT count(*) AS n FROM lines") == 0

    out, err = capsys.readouterr()
    assert out == "n\n1\n"
    assert err.startswith("cut.log.gz is damaged, and read up to its byte ")
    assert "Left out" not in err


def test_an_empty_log_is_said(capsys):
    """Nothing is an answer, and no error."""
    assert run("empty.log", "SELECT event FROM lines") == 0
    assert capsys.readouterr() == ("event\n", "")


def test_a_mistake_is_an_error():
    """With what there is to ask of."""
    with pytest.raises(InputError, match="the views are lines, utterances"):
        run("app.log", "FROM nothing")


def test_help_has_examples_and_names_the_views(capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run("--help")

    out = capsys.readouterr().out
    assert 'tracelog query app.log "DESCRIBE holds"' in out
    assert "lines, utterances, holds, spans, connections, delays" in out
