"""The line of code that is logging: up the stack, past `logging`'s frames and past ours."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import PurePath
from types import FrameType
from typing import Final


__all__ = ["find_caller", "stack_text"]

# Frames of these modules stand between a line of the application and its record.
_BETWEEN: Final = (
    *("callers", "console", "emit", "events", "flood", "foreign", "formatters"),
    *("handlers", "json_formatter", "logger", "records", "reentry"),
)
_INTERNAL: Final = frozenset(
    (
        logging.info.__code__.co_filename,
        *(str(PurePath(__file__).with_name(f"{module}.py")) for module in _BETWEEN),
    )
)


def find_caller(stacklevel: int) -> tuple[str, int, str]:
    """Find the line that is logging: its file, number and function.

    Args:
        stacklevel: As `logging` counts: 2 for the line that called this one's function, and so on.
    """
    frame = _find_frame(stacklevel)
    if frame is None:
        return "(unknown file)", 0, "(unknown function)"

    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def stack_text(stacklevel: int) -> str:
    """Write the stack down to the line that is logging, as `logging` writes it."""
    lines = traceback.format_stack(_find_frame(stacklevel))
    return "Stack (most recent call last):\n" + "".join(lines).rstrip("\n")


def _find_frame(stacklevel: int) -> FrameType | None:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 -- as logging does
    while frame is not None and frame.f_code.co_filename in _INTERNAL:
        frame = frame.f_back
    for _ in range(stacklevel - 1):
        frame = frame.f_back if frame is not None else None
    return frame
