"""Bytes, cut into lines as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final


__all__ = ["LONGEST", "Cutter"]

LONGEST: Final = 16 << 20  # bytes of a line: nobody here reads a longer one, be it in pieces


class Cutter:
    """Cuts bytes into lines; what is longer than a line may be is left out."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that *data* end, without blank ones."""
        first, newline, data = data.partition(b"\n")
        self._keep(first)
        if not newline:
            return []

        lines = self.rest()
        *others, unfinished = data.split(b"\n")
        self._keep(unfinished)
        return [*lines, *_without_blanks(others)]

    def rest(self) -> list[bytes]:
        """Return the line that has no end, if there is one: nothing will follow it."""
        line = b"".join(self._pieces)
        self._pieces, self._size = [], 0
        return [*_without_blanks([line])]

    def _keep(self, piece: bytes) -> None:
        piece = piece[: LONGEST - self._size]
        self._pieces.append(piece)
        self._size += len(piece)


def _without_blanks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out blank lines, and the rest of a hole in front of a line."""
    stripped = (line.lstrip(b"\0") for line in lines)
    return (line for line in stripped if line and not line.isspace())
