"""Real servers, in processes of their own, and their lines."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracelog.fields import LEADING


ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0
SCRIPTS = Path(sys.executable).parent

LEVELS = {"trace", "debug", "info", "warning", "error", "critical"}
TEXT = re.compile(r".+", re.DOTALL)
SHAPES = {
    "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
    "level": re.compile("|".join(LEVELS)),
    "logger": TEXT,
    "event": TEXT,
    "span_id": re.compile(r"[0-9a-f]{16}"),
    "connection_id": re.compile(r"c-[0-9a-f]{8}"),
    "arrived_at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"),
}


def check_line(text):
    """Hold a line against the schema, and give what it says."""
    line = json.loads(text)
    assert tuple(line)[: len(LEADING)] == LEADING, text
    for key, shape in SHAPES.items():
        assert key not in line or shape.fullmatch(line[key]), (key, text)
    trace_id = line["trace_id"]
    assert trace_id is None or re.fullmatch(r"[0-9a-f]{32}", trace_id), text
    assert (trace_id is None) == ("span_id" not in line), text
    if "exception" in line:
        assert list(line)[-1] == "exception", text
        assert all({"type", "message", "frames"} <= entry.keys() for entry in line["exception"])
    return line


class Server:
    """A server that listens on *port*; its stdout and stderr go to one file."""

    def __init__(self, command, folder, env):
        folder.mkdir(exist_ok=True)
        self._output = folder / "output.log"
        with socket.socket() as bound, self._output.open("wb") as output:
            bound.bind(("127.0.0.1", 0))
            self.port = bound.getsockname()[1]
            self._process = subprocess.Popen(
                [
                    part.replace("{fd}", str(bound.fileno())).replace("{port}", str(self.port))
                    for part in command
                ],
                cwd=folder,
                env={**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **env},
                # Who can't be given a socket is given its port, free again in a moment.
                pass_fds=[bound.fileno()] if "{fd}" in "".join(command) else [],
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self):
        self._wait_until(self._listens)

    def url(self, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    @property
    def output(self):
        return self._output.read_text("utf-8")

    def lines(self, **wanted):
        """Tell the lines so far, those that have *wanted* in them; each is held against the schema."""
        whole = self.output.rpartition("\n")[0]
        lines = map(check_line, whole.split("\n") if whole else [])
        return [line for line in lines if wanted.items() <= line.items()]

    def wait_for(self, count, **wanted):
        """Wait for *count* lines that have *wanted* in them."""
        self._wait_until(lambda: len(self.lines(**wanted)) >= count)
        return self.lines(**wanted)

    def stop(self):
        """Ask it to end, and tell its exit code."""
        self._process.terminate()
        try:
            return self._process.wait(WITHIN_S)
        finally:
            self._process.kill()
            self._process.wait()

    def _wait_until(self, is_so):
        deadline = time.monotonic() + WITHIN_S
        while not is_so():
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.01)

    def _listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture(scope="module")
def serve(tmp_path_factory):
    """Start a server: `{fd}` in its command is its socket. It ends with the module's tests."""
    started = []

    def start(*command, folder=None, **env):
        server = Server(command, folder or tmp_path_factory.mktemp("server"), env)
        started.append(server)
        server.wait_until_up()
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def serve_talk(serve):
    """Start uvicorn with `talk.py`, and the logging.yaml that a user has."""

    def start(*options, **env):
        return serve(
            *(
                sys.executable,
                "-m",
                "uvicorn",
                "talk:app",
                "--app-dir",
                str(ROOT / "tests/stories"),
            ),
            *("--log-config", str(ROOT / "logging.yaml"), "--fd", "{fd}"),
            *("--timeout-graceful-shutdown", "3", *options),
            **env,
        )

    return start
