"""`tracelog schema`."""

from __future__ import annotations

import pytest

from tracelog.answers.clickhouse_table import create
from tracelog.cli import main


def test_the_table_is_printed(capsys):
    """Nothing else is, so that it can be piped."""
    assert main(["schema", "clickhouse"]) == 0

    assert capsys.readouterr().out == create("default", "lines", days=30)


def test_the_table_is_called_as_one_likes(capsys):
    """And lines stay as long."""
    arguments = ["--table", "logs.chat", "--days", "7", "--cluster", "main"]
    assert main(["schema", "clickhouse", *arguments]) == 0
    named = capsys.readouterr().out
    assert main(["schema", "clickhouse", "--table", "chat"]) == 0

    assert named == create("logs", "chat", days=7, cluster="main")
    assert capsys.readouterr().out == create("default", "chat", days=30)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "required: {clickhouse}"),
        (["oracle"], "invalid choice: 'oracle'"),
        (["clickhouse", "--table", "a.b;c"], "'b;c' is no name of letters, digits and '_'"),
        (["clickhouse", "--table", "a.b.c"], "'a.b' is no name"),
        (["clickhouse", "--table", ".b"], "'' is no name"),
        (["clickhouse", "--cluster", "a b"], "'a b' is no name"),
        (["clickhouse", "--days", "0"], "'0' is no number between 1 and 36,500"),
        (["clickhouse", "--days", "soon"], "'soon' is no number between 1"),
    ],
)
def test_what_makes_no_table_is_said(capsys, arguments, problem):
    """No name that would need quotes becomes part of the SQL."""
    with pytest.raises(SystemExit) as exit_:
        main(["schema", *arguments])

    assert exit_.value.code == 2
    assert problem in capsys.readouterr().err


def test_help_has_examples(capsys):
    """As they are typed."""
    with pytest.raises(SystemExit):
        main(["schema", "--help"])

    assert "  tracelog schema clickhouse | clickhouse-client\n" in capsys.readouterr().out
