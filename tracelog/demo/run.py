"""The demo's run: the service in a process of its own, and its users."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml
from websockets.exceptions import WebSocketException

from tracelog.config import DEFAULT_CONFIG
from tracelog.demo.clients import drive
from tracelog.errors import InputError, TracelogError


__all__ = ["LOG_FILE", "run_demo"]

LOG_FILE: Final = "chat.jsonl"
_CONFIG_FILE: Final = "logging.yaml"
_STARTS_WITHIN_S: Final = 20.0
_LOOKS_EVERY_S: Final = 0.05
_ENDS_WITHIN_S: Final = 10.0
_SEE_ABOVE: Final = "(its own lines above say why)"


def run_demo(folder: Path, *, seconds: float) -> Path:
    """Run the service and its users for *seconds*; its lines on stdout, and as JSON in a file.

    Args:
        folder: Made if it isn't there; the logging configuration and the log are left in it.
        seconds: How long the users talk.

    Returns:
        The log's path.

    Raises:
        InputError: If nothing can be left in *folder*.
        TracelogError: If the service doesn't come up, or goes away.
    """
    log = folder / LOG_FILE
    config = folder / _CONFIG_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        log.unlink(missing_ok=True)
        config.write_text(yaml.safe_dump(_config(log), sort_keys=False), "utf-8")
    except OSError as error:
        hint = "tracelog demo --folder /tmp/demo"
        raise InputError(f"nothing can be left in {folder}: {error.strerror}", hint=hint) from error

    with _service(config) as port:
        _drive(port, seconds)
    return log


def _drive(port: int, seconds: float) -> None:
    try:
        asyncio.run(drive(port, seconds=seconds))
    except (OSError, WebSocketException) as error:
        raise TracelogError(f"the demo's service went away {_SEE_ABOVE}") from error


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
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # ours to name; whoever serves it listens
        command = [
            *(sys.executable, "-m", "uvicorn", "tracelog.demo.service:app"),
            *("--log-config", os.fspath(config), "--fd", str(bound.fileno())),
        ]
        colors = {"FORCE_COLOR": "1"} if sys.stdout.isatty() else {}
        process = subprocess.Popen(  # noqa: S603 -- our own command
            command,
            env={**colors, **os.environ, "LOG_FORMAT": "console"},
            pass_fds=[bound.fileno()],
        )
        try:
            port = bound.getsockname()[1]
            _wait_until_up(process, port)
            yield port
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask first; whatever happens meanwhile, a second Ctrl-C too, no process is left behind."""
    process.terminate()
    try:
        process.wait(_ENDS_WITHIN_S)
    except subprocess.TimeoutExpired:
        pass
    finally:
        process.kill()
        process.wait()


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until somebody listens; a request would be a line in the log."""
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(_LOOKS_EVERY_S)
        else:
            return
    raise TracelogError(f"the demo's service didn't come up {_SEE_ABOVE}")
