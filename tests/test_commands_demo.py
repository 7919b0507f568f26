"""`tracelog demo`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path

import pytest

from tracelog.commands import demo
from tracelog.demo import run as demo_run


PATIENCE_S = 30.0
VERDICT = (
    '{"timestamp":"2026-11-22T10:10:10.123456Z","level":"warning","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","connection_id":"c-7f3a90d2",'
    '"user_id":"kim","utterance":1,"kind":"websocket","arrived_at":"2026-11-22T10:10:09.600000Z",'
    '"socket_ms":500.0,"queue_ms":0.1,"total_ms":523.4,"late":true}\n'
)


def parse(*arguments):
    parser = ArgumentParser()
    demo.configure(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def fake_run(monkeypatch):
    """Put a log in the place of a run."""
    calls = []

    def install(text):
        def run(folder, *, seconds):
            calls.append((folder, seconds))
            log = Path("chat.jsonl")
            if text is not None:
                log.write_text(text)
            return log

        monkeypatch.setattr(demo_run, "run_demo", run)
        return calls

    return install


def test_by_default_it_takes_a_few_seconds():
    """A newcomer types `tracelog demo`, and nothing else."""
    args = parse()

    assert (args.seconds, args.folder) == (4.0, Path("tracelog-demo"))


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_have_to_be_some(seconds, capsys):
    """Said by the argument's name."""
    with pytest.raises(SystemExit) as exit_:
        parse("--seconds", seconds)

    assert exit_.value.code == 2
    assert "argument --seconds: " in capsys.readouterr().err


def test_after_the_run_comes_the_answer(fake_run, capfd):
    """With the command that gives it once more."""
    calls = fake_run(VERDICT)

    code = demo.run(parse("--seconds", "1.5", "--folder", "here"))

    out = capfd.readouterr().out
    assert calls == [(Path("here"), 1.5)]
    assert code == 0
    assert out.startswith("\n$ tracelog late chat.jsonl\n")
    assert re.search(r"kim .* 523\.4 .* late", out)


def test_an_answer_that_fails_is_a_failure(fake_run, capfd):
    """The exit code is that of `tracelog late`."""
    fake_run(None)

    assert demo.run(parse()) == 2
    assert "chat.jsonl" in capfd.readouterr().err


@pytest.mark.parametrize("module", ["starlette", "uvicorn", "websockets", "duckdb"])
def test_a_missing_extra_is_named(monkeypatch, fake_run, module):
    """Before anything runs, with the command that installs it."""
    calls = fake_run(VERDICT)
    monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(ImportError, match=rf"'{module}' is needed.*\n  Try: .*'tracelog\[all\]'"):
        demo.run(parse())

    assert calls == []


# For real


def test_the_demo_ends_with_who_was_late(tmp_path):
    """Lines as a person would see them, then a table; the costly user isn't the only one in it."""
    done = subprocess.run(
        [sys.executable, "-m", "tracelog", "demo", "--seconds", "1.5"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
        env={**os.environ, "COLUMNS": "80"},
    )

    lines, _, answer = done.stdout.partition("\n$ tracelog late tracelog-demo/chat.jsonl\n")
    assert re.search(r"chat +joined +user_id=ada", lines)
    assert not lines.startswith("{")
    rows = re.findall(r"^ \S+ +(\w+) +([\d.]+)  \w+\.* +\d+ ms: (.*)", answer, re.MULTILINE)
    held = max(float(total) for user, total, _ in rows if user == "nils")
    totals = {float(total): why for user, total, why in rows if user != "nils"}
    assert 0.5 * held < max(totals) < held + 500
    assert re.match(r"loop held by nils's", totals[max(totals)])
    assert re.search(r"service\.py:\d+\s+_handle\s+\(blocking\s+call\)", answer)
    assert (done.stderr, "\x1b" in done.stdout) == ("", False)
    assert "72 utterances" in answer


def test_ctrl_c_leaves_no_process_behind(tmp_path):
    """Not even if the service's process wasn't told, as from a terminal it would be."""
    log = tmp_path / "tracelog-demo" / "chat.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "tracelog", "demo", "--seconds", "60"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        service = wait_for_service(log)
        process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE_S)
        said = process.stderr.read()

    assert (code, said) == (130, "")
    with pytest.raises(ProcessLookupError):
        os.kill(service, 0)


def wait_for_service(log):
    """Wait until somebody has joined; tell the service's process."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError, ValueError):
            events = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()]
            if "joined" in events:
                return int(re.search(r"Started server process \[(\d+)\]", "".join(events))[1])
        time.sleep(0.01)
    raise AssertionError("nobody joined")
