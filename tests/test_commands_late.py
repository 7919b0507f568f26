"""`tracelog late`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

import tracelog
from tracelog.commands import late
from tracelog.errors import InputError


LINES = (
    '{"timestamp":"2026-11-22T10:10:09.000001Z","level":"info","logger":"app","event":"hello","trace_id":null}\n'
    "Traceback (most recent call last):\n"
    '{"timestamp":"2026-11-22T10:10:10.123456Z","level":"warning","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7",'
    '"connection_id":"c-7f3a","user_id":"user-456","utterance":41,"kind":"websocket","route":"/ws",'
    '"arrived_at":"2026-11-22T10:10:09.820000Z","socket_ms":290.1,"queue_ms":1.2,"total_ms":303.9,"late":true}\n'
    '{"timestamp":"2026-11-22T10:10:11.000000Z","level":"info","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"5bf92f3577b34da6a3ce929d0e0e4736","span_id":"10f067aa0ba902b7",'
    '"user_id":"user-7","utterance":1,"kind":"http","arrived_at":"2026-11-22T10:10:10.995000Z","total_ms":5.0}\n'
)
TABLE = """\
2026-11-22 UTC, in ms

 time          user      connection  utterance  total  waited  handled  why
 ───────────────────────────────────────────────────────────────────────────
 10:10:09.820  user-456  c-7f3a             41  303.9   291.3     12.6  late
 10:10:10.995  user-7    -                   1    5.0     0.0      5.0

2 utterances, 1 of them late, in 4 lines.
1 line is no JSON: {name}:2.
"""


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "app.log").write_text(LINES)
    (tmp_path / "empty.log").touch()


def run(*arguments):
    parser = argparse.ArgumentParser()
    late.configure(parser)
    return late.run(parser.parse_args(arguments))


def shown(capsys):
    """Return what was printed, without the blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


def start(*arguments, encoding, **options):
    """Run the real command in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "tracelog", "late", *arguments]
    home = str(Path(tracelog.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": home, "PYTHONIOENCODING": encoding}
    return subprocess.run(command, capture_output=True, check=False, env=environment, **options)


def test_the_slowest_are_shown(capsys):
    """In a file or a pipe the table is as wide as it needs to be."""
    assert run("app.log") == 0
    assert shown(capsys) == TABLE.format(name="app.log")


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_packed_files_are_read_as_they_are(capsys, tmp_path, suffix, pack):
    """Rotated logs needn't be unpacked first."""
    (tmp_path / f"app.log.1{suffix}").write_bytes(pack(LINES.encode()))

    assert run(f"*{suffix}") == 0
    assert shown(capsys) == TABLE.format(name=f"app.log.1{suffix}")


def test_a_pipe_is_read():
    """`-` is standard input, here that of a real process."""
    done = start("-", encoding="utf-8", input=LINES.encode())

    text = "".join(f"{line.rstrip()}\n" for line in done.stdout.decode().splitlines())
    assert (done.returncode, done.stderr, text) == (0, b"", TABLE.format(name="stdin"))


def test_an_encoding_that_lacks_a_character_is_not_fatal(tmp_path):
    """A user called Zoë is shown in ASCII as well as may be."""
    (tmp_path / "app.log").write_text(LINES.replace("user-7", "Zoë"), encoding="utf-8")

    done = start("app.log", encoding="ascii")

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Zo\\xeb" in done.stdout


def test_json_is_for_programs(capsys):
    """Standard output has nothing but JSON lines; what a person has to know is beside it."""
    assert run("app.log", "--json", "--top", "1") == 0

    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "time": "2026-11-22T10:10:09.820000Z",
        "user_id": "user-456",
        "connection_id": "c-7f3a",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "utterance": 41,
        "kind": "websocket",
        "total_ms": 303.9,
        "waited_ms": 291.3,
        "handled_ms": 12.6,
        "late": True,
        "cause": None,
    }
    assert "1 line is no JSON: app.log:2." in err


def test_json_of_a_sound_log_is_silent_beside(capsys, tmp_path):
    """Nobody has to be told that all is well."""
    (tmp_path / "app.log").write_text(LINES.replace("Traceback (most recent call last):", "{}"))

    assert run("app.log", "--json", "--user", "user-7") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["empty.log"], "Nothing to read: empty.log is empty.\n"),
        (["app.log", "--user", "nobody"], "None of 2 utterances in 4 lines matches.\n"),
        (["app.log", "--over", "303.9ms"], "None of 2 utterances in 4 lines matches.\n"),
        (
            ["app.log", "--since", "10:11", "--until", "10:12"],
            "None of 2 utterances in 4 lines matches.\n",
        ),
    ],
    ids=["empty", "user", "over", "since"],
)
def test_nothing_found_is_a_sentence_and_no_error(capsys, arguments, said):
    """An empty answer is an answer."""
    assert run(*arguments) == 0
    assert shown(capsys).startswith(said)


def test_a_time_ago_counts_from_the_last_line(capsys):
    """A log is read the morning after."""
    assert run("app.log", "--json", "--since", "500ms") == 0
    assert json.loads(capsys.readouterr().out)["user_id"] == "user-7"


def test_a_missing_file_is_an_input_error():
    """The command line turns it into a sentence."""
    with pytest.raises(InputError, match="'missing.log' doesn't exist"):
        run("missing.log")


@pytest.mark.parametrize("option", ["--since", "--until"])
def test_an_empty_time_is_no_time(option):
    """A shell's unset variable doesn't quietly ask for everything."""
    with pytest.raises(InputError, match="'' is no time"):
        run("app.log", option, "")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--over", "soon"], "argument --over: 'soon' is no number of milliseconds, such as 250"),
        (["--over", "nan"], "argument --over: 'nan' is no number of milliseconds"),
        (["--top", "few"], "argument --top: 'few' is no number between 1 and 999,999"),
        (["--top", "0"], "argument --top: '0' is no number between 1 and 999,999"),
        (["--top", "1000000"], "argument --top: '1000000' is no number between 1 and 999,999"),
    ],
)
def test_an_argument_that_makes_no_sense_is_said(capsys, arguments, problem):
    """Before anything is read."""
    with pytest.raises(SystemExit) as exit_:
        run("app.log", *arguments)

    assert exit_.value.code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1", "TERM": "xterm"}, True),
        ({"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": "1"}, False),
    ],
    ids=["pipe", "forced", "no color"],
)
def test_colors_are_for_those_who_want_them(capsys, monkeypatch, environment, expected):
    """NO_COLOR and FORCE_COLOR are heeded, and a pipe has none."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    run("app.log")

    assert ("\x1b[1;31m" in capsys.readouterr().out) == expected


def test_a_width_that_was_asked_for_is_kept(capsys, monkeypatch):
    """COLUMNS counts without a terminal, too."""
    monkeypatch.setenv("COLUMNS", "40")

    run("app.log")

    assert " time          user      total  why\n" in shown(capsys)


def test_help_has_examples(capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run("--help")

    assert "tracelog late --over 250 --since 10m app.log" in capsys.readouterr().out


def test_standard_input_may_be_packed(capsys, monkeypatch):
    """`kubectl cp - | tracelog late -` needs no zcat."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LINES.encode()))))

    assert run("-") == 0
    assert shown(capsys) == TABLE.format(name="stdin")
