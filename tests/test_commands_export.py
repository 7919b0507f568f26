"""`tracelog export`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import json
import re

import pytest

from tracelog.commands import export
from tracelog.errors import InputError


LINE = '{"timestamp":"2026-11-22T10:10:10Z","event":"utterance","user_id":"kim","total_ms":300}\n'


@pytest.fixture(autouse=True)
def _log(tmp_path):
    (tmp_path / "app.log").write_text(LINE)


def run(*arguments):
    parser = argparse.ArgumentParser()
    export.configure(parser)
    return export.run(parser.parse_args(arguments))


@pytest.mark.parametrize("name", ["x.parquet", "x.json", "x.otlp.json"])
def test_a_file_is_written_and_named(name, tmp_path, capsys):
    """With its size."""
    assert run("app.log", "-o", name) == 0

    assert re.fullmatch(rf"Wrote {name} \(0\.0 MB\)\.\n", capsys.readouterr().out)
    assert {path.name for path in tmp_path.iterdir()} == {"app.log", name}


def test_the_format_can_be_said(tmp_path):
    """Whatever the file is called."""
    assert run("app.log", "-o", "x", "--format", "otlp", "--user", "nobody") == 0
    assert (tmp_path / "x").read_text() == ""


def test_an_empty_log_is_an_empty_file(tmp_path):
    """An empty answer is an answer."""
    (tmp_path / "app.log").write_text("")

    for name in ("x.json", "x.parquet"):
        assert run("app.log", "-o", name) == 0
    assert json.loads((tmp_path / "x.json").read_text())["traceEvents"] == []


def test_interrupting_leaves_nothing(tmp_path, monkeypatch):
    """What was there is as it was."""
    (tmp_path / "x.json").write_text("old")

    def interrupted(_log, _filters, _kind, path, _view):
        path.write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "export", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run("app.log", "-o", "x.json")

    assert (tmp_path / "x.json").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"app.log", "x.json"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-o", "app.log", "--format", "otlp"], "'app.log' is one of the logs to read"),
        (["-o", "x.json", "--view", "holds"], "'--view' is for Parquet"),
        (["-o", "x"], "'x' doesn't say what it is to be"),
        (["-o", "no/x.json"], "can't be written"),
    ],
)
def test_what_cant_be_is_said(arguments, problem, tmp_path):
    """And the log is as it was."""
    with pytest.raises(InputError, match=problem):
        run("app.log", *arguments)

    assert (tmp_path / "app.log").read_text() == LINE


def test_help_has_examples(capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run("--help")

    assert "tracelog export app.log -o trace.json --since 10m" in capsys.readouterr().out
