"""The loop that follows sources: everything is counted, what is wanted is shown.

Clock and sleep are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from tracelog.answers.counts import Counts
from tracelog.answers.entries import Entry
from tracelog.answers.follow import Source
from tracelog.answers.frames import Frame, in_time
from tracelog.answers.screen import Screen


__all__ = ["Live"]

_FRAME_S: Final = 0.05  # what comes in that time is shown at once
_PAUSE_S: Final = 0.05  # if nothing came


class Live:
    """Some sources, as they go on.

    Args:
        sources: What is read.
        frame: How much of it is shown at a time.
        screen: Where.
        wanted: Which lines are shown.
        clock: Tells seconds, from anywhere.
        sleep: Waits for so many.

    Attributes:
        counts: What went by.
        left_out: How many lines should have been shown, but came too fast.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        frame: Frame,
        screen: Screen,
        *,
        wanted: Callable[[Entry], bool],
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.counts = Counts()
        self.left_out = 0
        self._sources = sources
        self._frame = frame
        self._screen = screen
        self._wanted = wanted
        self._clock = clock
        self._sleep = sleep

    def run(self, is_over: Callable[[], bool]) -> None:
        """Go on until there is no more, or until *is_over*."""
        while not is_over() and not all(source.ended for source in self._sources):
            is_busy = self._read_for_a_while(is_over)
            self._show()
            if not is_busy:
                self._sleep(_PAUSE_S)
        self._screen.close()

    def _read_for_a_while(self, is_over: Callable[[], bool]) -> bool:
        """Read, and tell whether there may be more at once."""
        end = self._clock() + _FRAME_S
        while self._clock() < end and not is_over():
            if not self._read():
                return False

        return True

    def _read(self) -> bool:
        """Let each source have its turn."""
        now = self._clock()
        read = 0
        for source in self._sources:
            lines = source.read()
            read += len(lines)
            for line in lines:
                entry = Entry.parse(source.name, line)
                self.counts.add(entry, now)
                if self._wanted(entry):
                    self._frame.add(entry)
        return read > 0

    def _show(self) -> None:
        entries, left_out = self._frame.take()
        self.left_out += left_out
        status = self.counts.status(self._clock(), self.left_out) if self._screen.terminal else ""
        self._screen.show(in_time(entries), left_out=left_out, status=status)
