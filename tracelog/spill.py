"""Lines that wait for their sink, in their order: bounded, and errors outlive the rest."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias


__all__ = ["MAX_BYTES", "Lines", "Spill"]

# Finished lines, newline included, or what makes them, for a thread that has the time.
Lines: TypeAlias = bytes | Callable[[], bytes]

MAX_BYTES: Final = 8 * 1024 * 1024
_URGENT: Final = logging.WARNING  # from here on, lines have the last quarter for themselves
_UNMADE: Final = 16 * 1024  # bytes that lines count as which are yet to be made
_OBJECT: Final = 64  # bytes that the interpreter needs beside each line


class Spill:
    """A queue of lines; not thread-safe: its user has a lock.

    Attributes:
        added: How many came, ever.
        removed: How many went, ever.
    """

    __slots__ = ("_lines", "_size", "added", "removed")

    def __init__(self) -> None:
        self._lines: deque[Lines] = deque()
        self._size = 0
        self.added = self.removed = 0

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, lines: Lines, level: int) -> bool:
        """Let *lines* wait, if there is room for that *level*; False if there is none."""
        size = _size_of(lines)
        room = MAX_BYTES if level >= _URGENT else MAX_BYTES * 3 // 4
        if self._size + size > room:
            return False

        if isinstance(lines, bytes):  # what orjson made holds several times its size in memory
            lines = bytes(memoryview(lines))
        self._lines.append(lines)
        self._size += size
        self.added += 1
        return True

    def first(self) -> Lines:
        """Tell which lines are next."""
        return self._lines[0]

    def replace_first(self, lines: Lines) -> None:
        """Put what was made in the place of what made it."""
        self._size += _size_of(lines) - _size_of(self._lines[0])
        self._lines[0] = lines

    def remove_first(self) -> None:
        """Take the next ones out."""
        self._size -= _size_of(self._lines.popleft())
        self.removed += 1

    def clear(self) -> None:
        """Take out all."""
        self.removed += len(self._lines)
        self._lines.clear()
        self._size = 0


def _size_of(lines: Lines) -> int:
    return _OBJECT + (len(lines) if isinstance(lines, bytes) else _UNMADE)
