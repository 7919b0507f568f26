"""A real uvicorn with our logging.yaml: every line that it writes is in our schema."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect


CONFIG = Path(__file__).parent.parent.parent / "logging.yaml"
PATIENCE_S = 60

APP = """
import asyncio
import logging
import warnings

logging.captureWarnings(True)
log = logging.getLogger("app.chat")


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await chat(receive, send)
    else:
        await page(scope, send)


async def lifespan(receive, send):
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def chat(receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        log.info("said %s", message["text"], extra={"room": "lobby"})
        await send({"type": "websocket.send", "text": message["text"]})


async def page(scope, send):
    if scope["path"] == "/boom":
        raise ValueError("boom")
    if scope["path"] == "/warn":
        warnings.warn("old way", UserWarning)
    if scope["path"] == "/task":
        asyncio.get_running_loop().call_exception_handler(
            {"message": "nobody waits", "exception": KeyError("k")}
        )
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})
"""

TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
LEVELS = {"trace", "debug", "info", "warning", "error", "critical"}
ACCESS = {"client": str, "method": str, "path": str, "http_version": str, "status": int}


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def check_frames(exception):
    assert isinstance(exception, list)
    for entry in exception:
        assert isinstance(entry["type"], str)
        assert isinstance(entry["message"], str)
        for frame in entry["frames"]:
            assert {key: type(value) for key, value in frame.items()} == {
                "file": str,
                "line": int,
                "function": str,
            }
        for member in entry.get("exceptions", ()):
            check_frames(member)


def checked(text):
    """Read one line, and hold it against the schema."""
    line = json.loads(text, parse_constant=refuse)
    assert list(line)[:5] == ["timestamp", "level", "logger", "event", "trace_id"]
    assert TIMESTAMP.fullmatch(line["timestamp"])
    assert line["level"] in LEVELS
    assert isinstance(line["logger"], str) and line["logger"]
    assert isinstance(line["event"], str)
    assert line["trace_id"] is None or re.fullmatch(r"[0-9a-f]{32}", line["trace_id"])
    assert not line.keys() & {"color_message", "taskName", "message", "exc_info", "levelname"}
    assert "Traceback" not in line["event"]
    assert "\x1b" not in text
    if "exception" in line:
        assert list(line)[-1] == "exception"
        check_frames(line["exception"])
    if line["logger"] == "uvicorn.access":
        assert {key: type(line[key]) for key in ACCESS} == ACCESS
    if "websocket" in line:
        assert isinstance(line["websocket"], str)
    return line


class Service:
    """A uvicorn in a process of its own, and what it has written."""

    def __init__(self, process, path, port):
        self.process, self.path, self.port = process, path, port

    def lines(self):
        text = self.path.read_text("utf-8")
        return [checked(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def await_line(self, found):
        """Wait for a line that is *found*; tell it."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for line in self.lines():
                if found(line):
                    return line
            assert self.process.poll() is None, self.path.read_text()
            time.sleep(0.02)  # between two looks
        raise AssertionError(f"no such line in\n{self.path.read_text()}")

    def await_event(self, event):
        return self.await_line(lambda line: event in line["event"])

    def await_socket(self):
        """Wait until connections are accepted."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE_S).close()
            except ConnectionRefusedError:
                time.sleep(0.02)  # between two tries
            else:
                return
        raise AssertionError(f"nobody listens\n{self.path.read_text()}")

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        connection.request("GET", path)
        status = connection.getresponse().status
        connection.close()
        return status

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(PATIENCE_S)
        return self.lines()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def serve(tmp_path):
    services = []

    @contextmanager
    def serve(*options, **variables):
        (tmp_path / "service").mkdir()
        (tmp_path / "service" / "chat.py").write_text(APP)
        path, port = tmp_path / "lines", free_port()
        command = [sys.executable, "-m", "uvicorn", "chat:app", "--log-config", str(CONFIG)]
        with path.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--port", str(port), *options],
                cwd=tmp_path / "service",
                env={
                    **os.environ,
                    "ENVIRONMENT": "production",
                    "PYTHONUNBUFFERED": "1",
                    **variables,
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        service = Service(process, path, port)
        services.append(service)
        yield service

    yield serve

    for service in services:
        if service.process.poll() is None:
            os.killpg(service.process.pid, signal.SIGKILL)
            service.process.wait(PATIENCE_S)


def use(service):
    """Do what clients do: requests, one that fails, one that warns, and a chat."""
    assert service.get("/?q=1") == 200
    assert service.get("/boom") == 500
    assert service.get("/warn") == 200
    assert service.get("/task") == 200
    with connect(f"ws://127.0.0.1:{service.port}/chat") as websocket:
        websocket.send("hi")
        assert websocket.recv(timeout=PATIENCE_S) == "hi"
    service.await_event("said hi")


def test_every_line_of_a_service_is_in_the_schema(serve):
    """Startup, access, websocket, exceptions, warnings, asyncio's own, and the end."""
    with serve() as service:
        service.await_socket()
        use(service)
        lines = service.stop()

    by_event = {line["event"]: line for line in lines}
    access = [line for line in lines if line["logger"] == "uvicorn.access"]
    assert [(line["method"], line["path"], line["status"]) for line in access] == [
        ("GET", "/?q=1", 200),
        ("GET", "/boom", 500),
        ("GET", "/warn", 200),
        ("GET", "/task", 200),
    ]
    assert by_event["said hi"]["room"] == "lobby"
    assert by_event["Exception in ASGI application"]["exception"][0]["type"] == "ValueError"
    assert by_event["nobody waits"]["exception"][0]["type"] == "KeyError"
    assert any("UserWarning: old way" in event for event in by_event)
    assert any(event.startswith("Started server process") for event in by_event)
    assert any(event.startswith("Finished server process") for event in by_event)
    assert {line["logger"] for line in lines} == {
        "uvicorn.error",
        "uvicorn.access",
        "py.warnings",
        "asyncio",
        "app.chat",
    }


@pytest.mark.parametrize("library", ["websockets", "wsproto"])
def test_libraries_debug_lines_are_in_the_schema(serve, library):
    """With LOG_LEVEL=TRACE, websockets tells of every frame, and asyncio of its selector."""
    options = ["--ws", library, "--loop", "asyncio", "--log-level", "trace"]
    with serve(*options, LOG_LEVEL="TRACE") as service:
        service.await_socket()
        use(service)
        lines = service.stop()

    levels = {line["level"] for line in lines}
    assert {"trace", "debug", "info"} <= levels
    assert any(line["event"].startswith("Using selector") for line in lines)
    if library == "websockets":
        frames = [line for line in lines if line["event"].startswith("< TEXT")]
        assert frames
        assert all(line["logger"] == "uvicorn.error" for line in frames)


def test_workers_share_a_stream(serve):
    """Each child process configures itself; no line is cut by another process's."""
    with serve("--workers", "2") as service:
        deadline = time.monotonic() + PATIENCE_S
        while sum("startup complete" in line["event"] for line in service.lines()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)  # between two looks
        service.await_socket()
        for _ in range(50):
            assert service.get("/") == 200
        lines = service.stop()

    assert sum(line["logger"] == "uvicorn.access" for line in lines) == 50
    assert sum(line["event"].startswith("Started server process") for line in lines) == 2


def test_reloading_keeps_the_schema(serve, tmp_path):
    """The supervisor's lines and those of each new child are in the schema, too."""
    with serve("--reload") as service:
        service.await_socket()
        assert service.get("/") == 200
        app = tmp_path / "service" / "chat.py"
        deadline = time.monotonic() + PATIENCE_S
        while sum("startup complete" in line["event"] for line in service.lines()) < 2:
            assert time.monotonic() < deadline
            app.write_text(APP + f"# changed at {time.monotonic()}\n")
            time.sleep(0.5)  # the watcher looks now and then
        lines = service.stop()

    assert any("Reloading" in line["event"] for line in lines)
    assert sum(line["event"].startswith("Started server process") for line in lines) >= 2
