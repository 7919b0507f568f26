"""`tracelog report`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

import tracelog
from tracelog.answers.progress import Progress
from tracelog.commands import report
from tracelog.errors import InputError


LINES = (
    '{"timestamp":"2026-11-22T10:10:10.123456Z","level":"warning","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","user_id":"user-456",'
    '"utterance":41,"kind":"websocket","arrived_at":"2026-11-22T10:10:09.820000Z",'
    '"socket_ms":290.1,"queue_ms":1.2,"total_ms":303.9,"late":true}\n'
    '{"timestamp":"2026-11-22T10:10:11.000000Z","level":"info","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":null,"user_id":"user-7","total_ms":5.0}\n'
)
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>')


@pytest.fixture(autouse=True)
def _log(tmp_path):
    (tmp_path / "app.log").write_text(LINES)


def run(*arguments):
    parser = argparse.ArgumentParser()
    report.configure(parser)
    return report.run(parser.parse_args(arguments))


def written(name="report.html"):
    return json.loads(DATA.search(Path(name).read_text("utf-8"))[1])


def test_a_page_is_written_and_named(capsys):
    """With what a person may do next: open it."""
    assert run("app.log") == 0

    out, err = capsys.readouterr()
    assert re.fullmatch(r"Wrote report\.html \(0\.\d MB\): 1 of 2 utterances late\.\n", out)
    assert err == ""
    assert written()["users"] == ["user-456", "user-7"]
    assert written()["log"]["names"] == ["app.log"]


def test_a_log_of_another_shape_makes_the_same_page(capsys):
    """What it was is said beside."""
    entries = [{"log": f"{line}\n", "stream": "s", "time": "t"} for line in LINES.splitlines()]
    Path("docker.log").write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))

    assert run("docker.log") == 0

    assert capsys.readouterr().err == "docker.log is read as Docker's json-file.\n"
    assert written()["users"] == ["user-456", "user-7"]


def test_it_is_written_where_one_wants(capsys):
    """A name that could drive the terminal is shown harmless."""
    assert run("app.log", "-o", "a\x1b[2J.html") == 0

    assert "Wrote a\\x1b[2J.html" in capsys.readouterr().out
    assert written("a\x1b[2J.html")["log"]["late"] == 1


def test_where_nothing_can_be_written_nothing_is_read(monkeypatch):
    """A gigabyte takes its time: that it was in vain is said before."""
    monkeypatch.setattr(report, "gather", None)

    with pytest.raises(InputError, match="'no/such.html' can't be written: No such file"):
        run("app.log", "-o", "no/such.html")


def test_a_pipe_is_read(monkeypatch):
    """`-` is standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINES.encode())))

    assert run("-", "--output", "x.html") == 0
    assert written("x.html")["log"]["names"] == ["stdin"]


def test_an_empty_log_is_a_page(tmp_path, capsys):
    """An empty answer is an answer."""
    (tmp_path / "app.log").write_text("")

    assert run("app.log") == 0
    assert "0 of 0 utterances late" in capsys.readouterr().out


@pytest.mark.parametrize("output", ["app.log", "./app.log", "link.html"])
def test_a_log_is_never_written_over(tmp_path, output):
    """Whatever it is called."""
    (tmp_path / "link.html").symlink_to("app.log")

    with pytest.raises(InputError, match="is one of the logs to read"):
        run("app.log", "-o", output)

    assert (tmp_path / "app.log").read_text() == LINES


def test_a_terminal_is_told_what_is_read(monkeypatch, capsys):
    """A gigabyte takes a while."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("tracelog.commands.report.Progress", partial(Progress, patience_s=0))

    run("app.log")

    assert "reading: counting" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing(tmp_path, monkeypatch):
    """Interrupted while it reads, it has written no page yet, and what was there is as it was."""
    (tmp_path / "report.html").write_text("old")

    def interrupted(_log, on_step):
        on_step("counting")
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "gather", interrupted)

    with pytest.raises(KeyboardInterrupt):
        run("app.log")

    assert (tmp_path / "report.html").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"app.log", "report.html"}


def test_help_has_examples_and_needs_no_duckdb():
    """`--help` answers at once."""
    script = (
        "import sys\nfrom tracelog.cli import main\n"
        "try: main(['report', '--help'])\nexcept SystemExit: pass\n"
        "print('_duckdb' in sys.modules, file=sys.stderr)"
    )
    home = str(Path(tracelog.__file__).parents[1])

    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": home},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "tracelog report app.log -o monday.html" in done.stdout
    assert done.stderr == "False\n"
