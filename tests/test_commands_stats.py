"""`tracelog stats`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import json

import pytest

from tracelog.commands import stats


LINES = (
    '{"timestamp":"2026-11-22T10:10:09.000001Z","level":"info","logger":"app","event":"a","trace_id":null}\n'
    '{"timestamp":"2026-11-22T10:10:11.000001Z","level":"error","logger":"app","event":"b","trace_id":"t"}\n'
)
PAGE = """\
2026-11-22 10:10:09 to 10:10:12 UTC, a column is 1 second

lines   @ @  max 1
errors    @  max 1

what fills the disk, by logger

 logger  lines  bytes  errors  no trace  share
 ──────────────────────────────────────────────────────
 app         2  202 B       1         1  ##############

2 lines, 202 B; 1 of them errors (50.0%).
1 without a trace (50.0%), most of them of app.
"""


@pytest.fixture(autouse=True)
def _here(tmp_path):
    (tmp_path / "app.log").write_text(LINES)
    (tmp_path / "empty.log").touch()


def run(*arguments):
    parser = argparse.ArgumentParser()
    stats.configure(parser)
    return stats.run(parser.parse_args(arguments))


def shown(capsys):
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


def test_a_chart_and_a_table_are_shown(capsys):
    """And a few sentences."""
    assert run("app.log") == 0
    assert shown(capsys) == PAGE


def test_json_is_for_programs(capsys):
    """The whole, each interval, each logger."""
    assert run("app.log", "--json") == 0

    out, err = capsys.readouterr()
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["what"] for record in records] == ["total", *["interval"] * 3, "logger"]
    assert (records[0]["lines"], records[0]["broken_at"]) == (2, [])
    assert records[1]["start"] == "2026-11-22T10:10:09.000000Z"
    assert err == ""


def test_an_empty_log_is_a_sentence(capsys):
    """Beside JSON it is said on standard error."""
    assert run("empty.log") == 0
    assert run("empty.log", "--json") == 0

    said = "Nothing to read: empty.log is empty.\n"
    out, err = capsys.readouterr()
    assert out.startswith(said)
    assert err == said


def test_filters_leave_out_lines(capsys):
    """By any key."""
    assert run("app.log", "--where", "event=b") == 0
    assert "1 line, 100 B; 1 of them errors (100.0%).\n" in shown(capsys).replace("101 B", "100 B")


def test_help_has_examples(capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run("--help")

    assert "tracelog stats --since 1h 'logs/*.log*'" in capsys.readouterr().out
