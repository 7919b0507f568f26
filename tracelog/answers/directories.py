"""The logs in a directory: what is called like one, with all that was rotated away and packed."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Final

from tracelog.errors import InputError


__all__ = ["growing_in", "logs_in"]

_NAME: Final = r"[^.].*\.(log|jsonl|ndjson|json)"
_GROWING: Final = re.compile(_NAME)
# `app.log.1`, `app.log.2026-11-22`, `app.log-20261122`, and `.gz` or `.zst` behind any.
_LOG: Final = re.compile(_NAME + r"([.-]\d[\dT:._-]*)?(\.gz|\.zst)?", re.ASCII)


def logs_in(directory: str) -> list[str]:
    """Find all logs below *directory*, in order.

    Raises:
        InputError: If there are none.
    """
    return _found(directory, _LOG)


def growing_in(directory: str) -> list[str]:
    """Find those that are still written to.

    Raises:
        InputError: If there are none.
    """
    return _found(directory, _GROWING)


def _found(directory: str, name: re.Pattern[str]) -> list[str]:
    """Walk; what is hidden, and what is no file, isn't meant."""
    found = []
    for folder, folders, files in os.walk(directory):
        folders[:] = [each for each in folders if not each.startswith(".")]
        paths = (Path(folder, each) for each in files if name.fullmatch(each))
        found += [str(path) for path in paths if path.is_file()]
    if not found:
        raise InputError(
            f"{directory!r} has no *.log, *.jsonl or *.json in it",
            hint=f"ls -R {shlex.quote(directory)}",
        )

    return sorted(found)
