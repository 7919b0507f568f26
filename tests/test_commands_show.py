"""`tracelog show`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tracelog
from tracelog.commands import show
from tracelog.errors import InputError


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OTHER = "9e3779b97f4a7c15f39cc0605cedc834"


def line(second, event, trace_id=TRACE, **fields):
    leading = {"timestamp": f"2026-11-22T12:00:{second:09.6f}Z", "level": "info", "logger": "app"}
    return json.dumps({**leading, "event": event, "trace_id": trace_id, **fields})


def verdict(second, trace_id=TRACE, **fields):
    arrived = f"2026-11-22T12:00:{second:09.6f}Z"
    return line(second + 0.3, "utterance", trace_id, arrived_at=arrived, total_ms=300, **fields)


LINES = [
    line(1, "hello", None),
    line(2, "stored"),
    "Traceback:",
    verdict(2, late=True, user_id="ada"),
    verdict(5, OTHER, late=True, user_id="ben"),
    verdict(6, OTHER, late=False, user_id="ben"),
]


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TZ", "UTC")
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    time.tzset()
    Path("app.log").write_text("\n".join(LINES))
    Path("other.log").write_text(line(2.1, "asked") + "\n")
    Path("logs").mkdir()
    Path("logs/a.log").write_text(line(2.1, "asked") + "\n")
    yield
    monkeypatch.undo()
    time.tzset()


def run(*arguments):
    parser = argparse.ArgumentParser()
    show.configure(parser)
    return show.run(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        ([TRACE, "app.log"], "ada's utterance"),
        (["4bf9", "app.log", "other.log"], "ada's utterance"),
        (["app.log:2"], "ada's utterance"),
        (["app.log:6", "other.log"], "ben's utterance"),
        (["--last-late", "app.log", "other.log"], "ben's utterance"),
    ],
    ids=["trace", "beginning", "line", "line and more", "last late"],
)
def test_an_utterance_is_shown(capsys, arguments, title):
    """However it is named."""
    assert run(*arguments) == 0

    assert capsys.readouterr().out.startswith(f"{title}  300.0 ms")


def test_lines_of_all_files_are_shown(capsys):
    """In order, each with its file."""
    run(TRACE, "app.log", "other.log")

    shown = capsys.readouterr().out.splitlines()[-3:]
    assert [text[:40].split()[:4] for text in shown] == [
        ["0.0", "app.log", "12:00:02.000", "info"],
        ["100.0", "other.log", "12:00:02.100", "info"],
        ["300.0", "app.log", "12:00:02.300", "info"],
    ]


def test_how_many_lines_can_be_said(capsys):
    """At the beginning, and at the end."""
    Path("many.log").write_text("\n".join(line(1, number) for number in range(9)))

    run("--lines", "2", TRACE, "many.log")

    assert "... 5 lines left out" in capsys.readouterr().out


def test_programs_get_json(capsys):
    """One document."""
    run("--json", "--last-late", "app.log")

    assert json.loads(capsys.readouterr().out)["utterance"]["verdict"]["arrived_at"][17:19] == "05"


def test_a_pipe_is_read(capsys, monkeypatch):
    """Packed or not."""
    packed = gzip.compress("\n".join(LINES).encode())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(packed)))

    run("4bf9", "-")

    assert capsys.readouterr().out.startswith("ada's utterance")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["77", "app.log"], "no line of app.log has a trace_id that is, or begins with, '77'"),
        (["", "app.log"], "'' is no trace"),
        (
            ["app.log"],
            "which utterance of 'app.log' is meant?\n  Try: tracelog show --last-late app",
        ),
        (["4bf9"], "there is no file to look for '4bf9' in\n  Try: tracelog show 4bf9 app.log"),
        (["app.log:1"], "app.log:1 has no trace_id"),
        (["app.log:3"], "app.log:3 is no JSON"),
        (["app.log:1234"], "'app.log' has fewer than 1,234 lines"),
        (["missing.log:1"], "'missing.log' doesn't exist"),
        (["missing.log:1", "app.log"], "begins with, 'missing.log:1'"),
        (["--last-late", "other.log"], "no utterance in other.log was late"),
        (
            ["logs:2"],
            "'logs' is more than one file, and a line is of one\n  Try: tracelog show logs/a.log:2",
        ),
    ],
)
def test_what_cannot_be_shown_has_a_way_out(arguments, message):
    """An error says what is wrong, and what to type."""
    with pytest.raises(InputError) as error:
        run(*arguments)

    assert message in str(error.value)
    assert "\n  Try: " in str(error.value)


@pytest.mark.parametrize("number", ["0", "-1", "many", "10000"])
def test_a_number_of_lines_is_one(capsys, number):
    """The usage says which."""
    with pytest.raises(SystemExit):
        run("--lines", number, TRACE, "app.log")

    assert "no number between 1 and 9,999" in capsys.readouterr().err


def test_help_and_errors_are_quick():
    """They load neither DuckDB nor rich."""
    script = (
        "import sys; from tracelog.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([name for name in ('_duckdb', 'rich') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1])}

    for arguments in (["show", "--help"], ["show", "77", "app.log"]):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.endswith("[]\n")


def test_a_log_of_another_shape_is_shown_alike(capsys):
    """What it was is said beside; keys of other names are found by `--map`."""
    theirs = [each.replace("user_id", "uid") for each in LINES]
    Path("docker.log").write_text(
        "".join(
            f"{json.dumps({'log': each + chr(10), 'stream': 's', 'time': 't'})}\n"
            for each in theirs
        )
    )

    run("--json", "--last-late", "--map", "user_id=uid", "docker.log")

    out, err = capsys.readouterr()
    assert json.loads(out)["utterance"]["verdict"]["user_id"] == "ben"
    assert err == "docker.log is read as Docker's json-file.\n"
