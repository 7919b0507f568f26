"""The demo: its service, its users, and the run of both."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections import defaultdict

import pytest
import yaml
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosedError

from tracelog.context import get_context
from tracelog.demo import clients, run, service
from tracelog.errors import InputError, TracelogError


PAUSE_S = 0.25
BUSY = "nils"


@pytest.fixture
def processes(monkeypatch):
    """The processes that are started meanwhile."""
    started = []
    popen = subprocess.Popen

    def start(*args, **kwargs):
        started.append(popen(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    return started


@pytest.fixture
def drive(monkeypatch):
    """Put something in the users' place."""

    def install(error):
        async def failing(_port, *, seconds):
            raise error

        monkeypatch.setattr(run, "drive", failing)

    return install


def read(log):
    return [json.loads(line) for line in log.read_text("utf-8").splitlines()]


# For real


def test_the_demo_leaves_a_log_that_tells_who_waited(tmp_path, processes):
    """Users who did nothing costly were late, each as long as the hold still lasted."""
    log = run.run_demo(tmp_path / "demo", seconds=1.5)

    verdicts = [line for line in read(log) if line["event"] == "utterance"]
    held = max(line["total_ms"] for line in verdicts if line["user_id"] == BUSY)
    late = [line for line in verdicts if line["user_id"] != BUSY and line["late"]]
    waits = [line["socket_ms"] + line["queue_ms"] for line in late]
    assert {line["user_id"] for line in verdicts} == set(clients.USERS)
    assert len(verdicts) == len(clients.USERS) * 6
    assert late
    assert 0.5 * held < max(waits) < held + 500
    assert len({round(wait) for wait in waits}) > 1 or len(waits) == 1
    assert [process.poll() is not None for process in processes] == [True]


def test_a_second_run_begins_a_new_log(tmp_path, drive, processes):
    """The log of the run before is gone; the folder, and what else is in it, stays."""
    drive(KeyboardInterrupt())
    (tmp_path / run.LOG_FILE).write_text("old\n")
    (tmp_path / "notes").write_text("mine")

    with pytest.raises(KeyboardInterrupt):
        run.run_demo(tmp_path, seconds=1)

    assert "old" not in (tmp_path / run.LOG_FILE).read_text()
    assert (tmp_path / "notes").read_text() == "mine"
    assert [process.poll() is not None for process in processes] == [True]
    config = yaml.safe_load((tmp_path / "logging.yaml").read_text())
    assert config["root"]["handlers"] == ["stdout", "file"]


# What can go wrong


@pytest.mark.parametrize(
    "error", [ConnectionResetError(), ConnectionClosedError(None, None)], ids=repr
)
def test_a_service_that_goes_away_is_said(tmp_path, drive, error):
    """In a sentence; the service's own lines are above it."""
    drive(error)

    with pytest.raises(TracelogError, match="the demo's service went away .its own lines above"):
        run.run_demo(tmp_path, seconds=1)


def test_a_service_that_does_not_come_up_is_said(tmp_path, monkeypatch, processes, capfd):
    """As soon as it has given up."""
    monkeypatch.setattr(run, "_config", lambda _log: {"version": 7})

    with pytest.raises(TracelogError, match="the demo's service didn't come up"):
        run.run_demo(tmp_path, seconds=1)

    assert processes[0].returncode == 1
    assert "version" in capfd.readouterr().err


def test_a_service_that_takes_too_long_is_ended(tmp_path, monkeypatch, processes):
    """Nothing is left running."""
    monkeypatch.setattr(run, "_STARTS_WITHIN_S", 0.0)

    with pytest.raises(TracelogError, match="didn't come up"):
        run.run_demo(tmp_path, seconds=1)

    assert [process.poll() is not None for process in processes] == [True]


def test_a_service_that_does_not_end_is_killed(monkeypatch):
    """Asked first, and then not asked any more."""
    monkeypatch.setattr(run, "_ENDS_WITHIN_S", 0.05)
    deaf = "import signal; signal.signal(15, signal.SIG_IGN); print(flush=True); signal.pause()"
    with subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE) as process:
        process.stdout.readline()

        run._end(process)

    assert process.returncode == -9


def test_a_folder_that_can_not_be_used_is_said(tmp_path, processes):
    """Before anything is started."""
    (tmp_path / "demo").write_text("a file")

    with pytest.raises(
        InputError, match=r"nothing can be left in .*demo: .*\n  Try: tracelog demo"
    ):
        run.run_demo(tmp_path / "demo", seconds=1)

    assert processes == []


@pytest.mark.parametrize(
    ("terminal", "environment", "color"),
    [(True, {}, "1"), (False, {}, None), (True, {"FORCE_COLOR": "0"}, "0")],
    ids=["terminal", "pipe", "chosen"],
)
def test_a_terminal_is_passed_on(tmp_path, monkeypatch, terminal, environment, color):
    """The service writes where we do: in colour, if a person looks; the environment wins."""
    started = []

    class Gone(subprocess.Popen):
        def __init__(self, _command, *, env, pass_fds):
            started.append(env)
            super().__init__([sys.executable, "-c", ""])
            self.wait()

    monkeypatch.setattr(subprocess, "Popen", Gone)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(TracelogError, match="didn't come up"):
        run.run_demo(tmp_path, seconds=1)

    assert [env.get("FORCE_COLOR") for env in started] == [color]
    assert started[0]["LOG_FORMAT"] == "console"


# The users


def test_users_speak_by_the_clock():
    """A service that was busy for a while finds them spread as before: they don't speak in unison."""
    spoken = defaultdict(list)

    async def answer(websocket):
        user = websocket.request.path.removeprefix("/chat/")
        async for text in websocket:
            spoken[user].append((asyncio.get_running_loop().time(), text))
            if len(spoken) == 1 and len(spoken[user]) == 1:
                time.sleep(PAUSE_S)
            await websocket.send("ok")

    async def main():
        async with serve(answer, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await clients.drive(port, seconds=3 * PAUSE_S)

    answered = asyncio.run(main())

    last = [said[2][0] for said in spoken.values()]
    reports = {user for user, said in spoken.items() for _, text in said if "/report" in text}
    assert answered == 3 * len(clients.USERS)
    assert set(spoken) == set(clients.USERS)
    assert max(last) - min(last) > PAUSE_S / 3
    assert reports == {BUSY}


# The service


def handled(*texts):
    """Let the service handle *texts*; tell what it answered."""
    incoming = [{"type": "websocket.connect"}]
    incoming += [{"type": "websocket.receive", "text": text} for text in texts]
    incoming += [{"type": "websocket.disconnect", "code": 1001}]
    answers = []

    async def receive():
        return incoming.pop(0)

    async def send(message):
        if message["type"] == "websocket.send":
            answers.append(message["text"])

    scope = {
        **{"type": "websocket", "path": "/chat/kim", "headers": [], "query_string": b""},
        **{"root_path": "", "scheme": "ws", "subprotocols": []},
    }
    asyncio.run(service.app(scope, receive, send))
    return answers


def test_messages_are_answered(caplog):
    """With lines that name the user."""
    caplog.set_level(logging.DEBUG)

    assert handled("hello", "brb") == ["ok: hello", "ok: brb"]

    said = [
        (record.getMessage(), record.user_id) for record in caplog.records if record.name == "chat"
    ]
    events = ["joined", "message stored", "message stored", "left"]
    assert said == [(event, "kim") for event in events]
    assert "user_id" not in get_context()


def test_a_report_holds_the_loop(caplog, monkeypatch):
    """That is the bug which the demo is about."""
    held = []
    monkeypatch.setattr(service.time, "sleep", held.append)
    caplog.set_level(logging.INFO)

    assert handled("/report 30d") == ["ok: /report 30d"]

    assert held == [0.3]
    assert "report made" in [record.getMessage() for record in caplog.records]
