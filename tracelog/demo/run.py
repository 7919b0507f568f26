"""The demo's run: the service in a process of its own, and its users."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from tracelog.config import DEFAULT_CONFIG
from tracelog.demo.clients import drive


__all__ = ["LOG_FILE", "run_demo"]

LOG_FILE: Final = "chat.jsonl"
_CONFIG_FILE: Final = "logging.yaml"
_STARTS_WITHIN_S: Final = 20.0
_ENDS_WITHIN_S: Final = 10.0


def run_demo(folder: Path, *, seconds: float) -> Path:
    """Run the service and its users for *seconds*; its lines on stdout, and as JSON in a file.

    Args:
        folder: Made if it isn't there; the logging configuration and the log are left in it.
        seconds: How long the users talk.

    Returns:
        The log's path.

    Raises:
        RuntimeError: If the service doesn't come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / LOG_FILE
    log.unlink(missing_ok=True)
    config = folder / _CONFIG_FILE
    config.write_text(yaml.safe_dump(_config(log), sort_keys=False), "utf-8")
    with _service(config) as port:
        asyncio.run(drive(port, seconds=seconds))
    return log


def _config(log: Path) -> dict[str, Any]:
    """Take what `tracelog init` writes, with a file beside the console."""
    config: dict[str, Any] = yaml.safe_load(DEFAULT_CONFIG.read_bytes())
    config["formatters"]["json"] = {"()": "tracelog.JsonFormatter"}
    config["handlers"]["file"] = {
        "class": "tracelog.FileHandler",
        "filename": os.fspath(log),
        "formatter": "json",
        "filters": ["context"],
    }
    config["root"]["handlers"].append("file")
    return config


@contextmanager
def _service(config: Path) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = [
            *(sys.executable, "-m", "uvicorn", "tracelog.demo.service:app"),
            *("--log-config", os.fspath(config), "--fd", str(listening.fileno())),
        ]
        colors = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
        process = subprocess.Popen(  # noqa: S603 -- our own command
            command,
            env={**colors, **os.environ, "LOG_FORMAT": "console"},
            pass_fds=[listening.fileno()],
        )
        try:
            port = listening.getsockname()[1]
            _wait_until_up(process, port)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(_ENDS_WITHIN_S)


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait for an answer: the socket is open before there is anyone to answer."""
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
                probe.sendall(b"GET / HTTP/1.1\r\nHost: demo\r\nConnection: close\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            continue
    raise RuntimeError("the demo's service didn't come up; its own lines above say why")
