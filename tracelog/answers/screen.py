"""Where lines are shown as they come: a terminal, with a status below them, or a pipe."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import Final, TextIO

from tracelog.answers.drawing import Drawing
from tracelog.answers.entries import Entry


__all__ = ["Screen", "fit"]

_CLEAR: Final = "\r\x1b[K"
_WIDE: Final = "\u1100"  # from here on, a character may take two columns


class Screen:
    """A stream that shows lines.

    Args:
        out: Where they are written.
        drawing: How they are drawn.
        terminal: Somebody looks at it: the status is kept below the last line.
    """

    def __init__(self, out: TextIO, drawing: Drawing, *, terminal: bool) -> None:
        self._out = out
        self._drawing = drawing
        self.terminal = terminal
        self._status = ""

    def show(self, entries: Iterable[Entry], *, left_out: int, status: str) -> None:
        """Draw lines, and say how many before them were left out."""
        text = "".join(f"{self._drawing.text(entry)}\n" for entry in entries)
        if left_out:
            noun = "line" if left_out == 1 else "lines"
            text = f"{self._drawing.note(f'... {left_out:,} {noun} not drawn')}\n{text}"
        if not self.terminal:
            self._write(text)
        elif text or fit(status, _columns()) != self._status:
            self._write(f"{self._take_away()}{text}{self._put(status)}")

    def close(self) -> None:
        """Take the status away."""
        self._write(self._take_away())

    def _put(self, status: str) -> str:
        self._status = fit(status, _columns())
        return self._drawing.note(self._status)

    def _take_away(self) -> str:
        clear = _CLEAR if self._status else ""
        self._status = ""
        return clear

    def _write(self, text: str) -> None:
        if text:
            self._out.write(text)
            self._out.flush()


def fit(text: str, columns: int) -> str:
    """Cut *text* so that it never fills its row: a terminal would begin another.

    >>> fit("twelve lines", 7)
    'twelve'
    """
    room = columns - 1
    for index, character in enumerate(text):
        room -= 2 if character >= _WIDE else 1
        if room < 0:
            return text[:index]

    return text


def _columns() -> int:
    return shutil.get_terminal_size().columns
