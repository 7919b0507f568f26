"""`tracelog tail`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import tracelog
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.slowest import slowest
from tracelog.answers.sources import Spool, open_sources
from tracelog.commands import tail
from tracelog.errors import InputError


WITHIN_S = 30.0
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def line(event="hello", user="kim", **fields):
    leading = {"timestamp": "2026-11-22T12:00:00.123456Z", "level": "info", "logger": "app.chat"}
    return json.dumps({**leading, "event": event, "trace_id": None, "user_id": user, **fields})


LATE = line("utterance", "lee", utterance=3, total_ms=304.2, late=True, cause="304 ms: a lock")
HELD = line("loop held", "nils", held_ms=212.5, where="app.py:41 handle", kind="blocking call")
LINES = [line(), line("utterance", utterance=2, late=False), "Traceback:", LATE, HELD, line("bye")]
TOTAL = "6 lines, 2 utterances, 1 of them late, 1 hold, 1 no JSON.\n"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    write(LINES)
    yield
    monkeypatch.undo()
    time.tzset()


def write(lines, name="app.log", *, mode="a"):
    with Path(name).open(mode) as file:
        file.writelines(f"{line}\n" for line in lines)


def run(monkeypatch, *arguments, stdin="app.log"):
    """Run the command itself; what it reads has an end."""
    parser = argparse.ArgumentParser()
    tail.configure(parser)
    with Path(stdin).open() as file:
        monkeypatch.setattr("sys.stdin", file)
        return tail.run(parser.parse_args(arguments))


class Running:
    """The real command, in a process of its own."""

    def __init__(self, process, out):
        self._process = process
        self._out = out
        self._shown = ""

    def until(self, text):
        """Wait until it has shown *text*; tell what came up to there."""
        deadline = time.monotonic() + WITHIN_S
        while text not in self._shown:
            assert select.select([self._out], [], [], deadline - time.monotonic())[0], self._shown
            shown = self._shown + os.read(self._out, 65536).decode()
            self._shown = ANSI.sub("", shown).replace("\r\n", "\n")
        shown, _, self._shown = self._shown.partition(text)
        return shown + text

    def end(self, number=signal.SIGINT):
        """End it; tell its exit code."""
        self._process.send_signal(number)
        return self._process.wait(WITHIN_S)


@contextmanager
def start(*arguments, out=None, rows=24, columns=100, **environment):
    """Start it, with its output in one pipe, or on a terminal of that size."""
    reader, writer = os.openpty() if out == "terminal" else os.pipe()
    if out == "terminal":
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "tracelog", "tail", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        env={**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1]), **environment},
    )
    os.close(writer)
    try:
        yield Running(process, reader)
    finally:
        process.kill()
        process.wait()
        os.close(reader)


# -- What is shown ---------------------------------------------------------------------------------


def test_a_pipe_is_shown_to_its_end(monkeypatch, capsys):
    """Lines go to stdout; what a person has to know is beside it."""
    assert run(monkeypatch, "-") == 0

    assert capsys.readouterr() == (
        "12:00:00.123 info           app.chat          hello                      user_id=kim\n"
        "12:00:00.123 info           app.chat          utterance                  user_id=kim utterance=2 late=false\n"
        "Traceback:\n"
        "12:00:00.123 info           app.chat          late utterance 3, 304 ms: a lock user_id=lee total=304ms\n"
        "12:00:00.123 info           app.chat          loop held 212ms in app.py:41 handle (blocking call) user_id=nils\n"
        "12:00:00.123 info           app.chat          bye                        user_id=kim\n",
        TOTAL,
    )


@pytest.mark.parametrize(
    ("options", "events"),
    [
        (["--late-only"], ["late", "loop"]),
        (["--user", "kim"], ["hello", "utterance", "bye"]),
        (["--user", "lee", "--late-only"], ["late"]),
        (["--user", "nobody"], []),
    ],
)
def test_only_what_was_asked_for_is_shown(monkeypatch, capsys, options, events):
    """Everything is counted still."""
    run(monkeypatch, "-", *options)

    shown, said = capsys.readouterr()
    assert [line.split()[3] for line in shown.splitlines()] == events
    assert said == TOTAL


def test_the_totals_are_those_of_late(monkeypatch, capsys):
    """Two commands that read the same log don't tell two truths."""
    with Spool() as spool:
        answer = slowest(Embedded(Log(open_sources(["app.log"], spool, None), spool)), Filters())

    run(monkeypatch, "-")

    assert capsys.readouterr().err == (
        f"{answer.tally.lines} lines, {answer.tally.rows} utterances, {answer.late} of them late, "
        f"1 hold, {answer.tally.broken} no JSON.\n"
    )


@pytest.mark.parametrize(
    ("environment", "colored"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
    ids=["pipe", "forced", "no color"],
)
def test_colors_are_for_those_who_want_them(monkeypatch, capsys, environment, colored):
    """NO_COLOR and FORCE_COLOR are heeded, and a pipe has none."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    run(monkeypatch, "-")

    assert ("\x1b[1;38;5;196mlate utterance 3" in capsys.readouterr().out) == colored


# -- What is followed ------------------------------------------------------------------------------


def test_a_log_is_followed_through_rotation():
    """By renaming, by copying and emptying; Ctrl-C ends it, and every line was counted."""
    with start("app.log", "--lines", "1") as running:
        running.until("bye")

        write([line("more")])
        running.until("more")

        write([line("last")])
        Path("app.log").rename("app.log.1")
        write([line("first")])
        running.until("last")
        running.until("first")

        shutil.copy("app.log", "app.log.1")
        write([line("anew"), line("again")], mode="w")
        running.until("anew")
        running.until("again")

        assert running.end() == 130
        assert running.until(".\n").endswith("6 lines, 0 utterances, 0 of them late, 0 holds.\n")


def test_several_logs_are_followed_and_one_that_is_not_there_yet():
    """Each line names its own."""
    with start("app.log", "new.log", "--lines", "2") as running:
        assert "Waiting for new.log: there is no such file yet.\n" in running.until("bye")

        write([LATE], "new.log")

        assert running.until("a lock").endswith(
            "\nnew.log 12:00:00.123 info           app.chat          late utterance 3, 304 ms: a lock"
        )
        assert running.end(signal.SIGTERM) == 143
        assert "3 lines, 1 utterance, 1 of them late, 1 hold.\n" in running.until(".\n")


def test_a_reader_that_left_ends_it_quietly():
    """`tracelog tail app.log | head -1` is no error to speak of."""
    home = str(Path(tracelog.__file__).parents[1])
    command = f"{sys.executable} -m tracelog tail - | head -1"

    # More than a pipe holds.
    write([line()] * 20_000)
    with Path("app.log").open() as file:
        done = subprocess.run(
            ["bash", "-c", command],
            stdin=file,
            capture_output=True,
            env={**os.environ, "PYTHONPATH": home},
            timeout=WITHIN_S,
        )

    assert (done.stdout.count(b"\n"), done.stderr) == (1, b"")


# -- On a terminal ---------------------------------------------------------------------------------


def test_a_terminal_has_a_status():
    """It is there when nothing happens, and gone at the end."""
    with start("app.log", out="terminal") as running:
        shown = running.until("in the last minute")
        assert shown.endswith("bye user_id=kim\n6 lines, 0 late in the last minute")

        write([line()])
        running.until("\r\x1b[K12:00:00.123 info  app.chat hello user_id=kim\n")
        running.until("7 lines, 0 late in the last minute")

        assert running.end() == 130
        assert (
            running.until(".\n")
            == "\r\x1b[K7 lines, 2 utterances, 1 of them late, 1 hold, 1 no JSON.\n"
        )


def test_a_narrow_terminal_is_not_overflowed():
    """The status keeps to its row."""
    with start("app.log", out="terminal", columns=12) as running:
        running.until("\n6 lines, 0 ")

        write([line()])

        assert running.until("12:00") == "\r\x1b[K12:00"


def test_a_terminal_that_knows_no_controls_has_no_status():
    """Nothing is taken away where nothing can be."""
    with start("app.log", out="terminal", TERM="dumb", NO_COLOR="1") as running:
        running.until("bye user_id=kim\n")

        assert running.end() == 130
        assert running.until(".\n") == TOTAL


def test_a_burst_is_counted_though_not_drawn():
    """What stands out is drawn all the same, and the totals are exact."""
    with start("app.log", out="terminal") as running:
        running.until("in the last minute")

        burst = [line(f"event {number}") for number in range(30_000)]
        write([*burst[:15_000], LATE, *burst[15_000:]])
        shown = running.until("event 29999")

        assert shown.count("late utterance 3") == 1
        assert "lines not drawn" in shown
        assert running.end() == 130
        total = running.until(" not drawn.\n").rpartition("\x1b[K")[2]

    left_out = 30_001 - len(re.findall(r"event \d+ user_id=kim\n", shown)) - 2
    assert total == (
        f"30,007 lines, 3 utterances, 2 of them late, 1 hold, 1 no JSON, {left_out:,} not drawn.\n"
    )


def test_as_many_lines_as_were_asked_for_are_drawn():
    """They are no burst."""
    write([line(f"event {number}") for number in range(1_000)])

    with start("app.log", "--lines", "1000", out="terminal") as running:
        shown = running.until("event 999")

    assert shown.count("event ") == 1_000


# -- Arguments, and how it ends --------------------------------------------------------------------


@pytest.mark.parametrize("lines", ["few", "-1", "1000000"])
def test_an_argument_that_makes_no_sense_is_said(monkeypatch, capsys, lines):
    """Before anything is read."""
    with pytest.raises(SystemExit) as exit_:
        run(monkeypatch, "-", f"--lines={lines}")

    assert exit_.value.code == 2
    assert f"argument --lines: '{lines}' is no number between 0" in capsys.readouterr().err


def test_a_wrapped_log_is_shown_as_the_plain_one(monkeypatch, capsys):
    """Only at the end, what it was is said."""
    write(
        [json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "t"}) for line in LINES],
        "docker.log",
    )
    run(monkeypatch, "-")
    plain = capsys.readouterr().out

    assert run(monkeypatch, "-", stdin="docker.log") == 0

    assert capsys.readouterr() == (plain, f"stdin is read as Docker's json-file.\n{TOTAL}")


def test_what_is_not_there_is_waited_for(monkeypatch, capsys):
    """Until the user has had enough."""
    write([])
    monkeypatch.setattr(tail, "wait", lambda *_: signal.raise_signal(signal.SIGINT))

    assert run(monkeypatch, "no.log", "--lines=3") == 128 + signal.SIGINT

    assert capsys.readouterr().err.startswith("Waiting for no.log: there is no such file yet.\n")


def test_a_directory_without_logs_is_an_input_error(monkeypatch, tmp_path):
    """The command line turns it into a sentence."""
    (tmp_path / "none").mkdir()

    with pytest.raises(InputError, match="has no .* in it"):
        run(monkeypatch, str(tmp_path / "none"))


def test_a_second_ctrl_c_ends_at_once():
    """Whatever the first one is waiting for; afterwards all is as before."""
    before = signal.getsignal(signal.SIGINT)

    with tail._first_signal() as seen:
        signal.raise_signal(signal.SIGINT)
        assert seen == [signal.SIGINT]
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    assert signal.getsignal(signal.SIGINT) is before


def test_help_has_examples(monkeypatch, capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run(monkeypatch, "--help")

    assert "kubectl logs -f chat-0 | tracelog tail -" in capsys.readouterr().out


def test_the_first_screen_comes_at_once():
    """Neither DuckDB nor rich nor yaml nor structlog is imported for it."""
    script = (
        "import sys\nfrom tracelog.cli import main\nmain(['tail', '-'])\n"
        "print(*{'_duckdb', 'rich', 'structlog', 'yaml'} & {*sys.modules})"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1])},
    )

    assert done.stdout == "\n"
