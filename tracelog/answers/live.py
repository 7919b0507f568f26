"""The loop that follows sources: everything is counted, what is wanted is shown.

Clock and sleep are the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tracelog.answers.counts import Counts
from tracelog.answers.entries import Entry
from tracelog.answers.follow import Source
from tracelog.answers.frames import Frame, in_time
from tracelog.answers.screen import Screen


__all__ = ["Live"]

_FRAME_S: Final = 0.05  # what comes in that time is shown at once
_PAUSE_S: Final = 0.05  # if nothing came


@dataclass(slots=True, kw_only=True)
class Live:
    """Some sources, as they go on.

    Attributes:
        sources: What is read.
        frame: How much of it is shown at a time.
        screen: Where.
        wanted: Which lines are shown.
        clock: Tells seconds, from wherever on.
        now: Tells seconds since the epoch.
        sleep: Waits for so many.
        counts: What went by.
        left_out: How many lines should have been shown, but came too fast.
    """

    sources: Sequence[Source]
    frame: Frame
    screen: Screen
    wanted: Callable[[Entry], bool]
    clock: Callable[[], float]
    now: Callable[[], float]
    sleep: Callable[[float], None]
    counts: Counts = field(default_factory=Counts)
    left_out: int = 0

    def run(self, is_over: Callable[[], bool]) -> None:
        """Go on until there is no more, or until *is_over*."""
        seconds = _FRAME_S
        while not is_over() and not self._has_ended():
            is_busy = self._read_for(seconds, is_over)
            began = self.clock()
            self._show()
            # A slow terminal is given fewer frames: half of the time belongs to the sources.
            seconds = max(_FRAME_S, self.clock() - began)
            if not is_busy and not self._has_ended():
                self.sleep(_PAUSE_S)
        if is_over():  # what was written before is counted, too
            self._read()
            self._show()
        self.screen.close()

    def _read_for(self, seconds: float, is_over: Callable[[], bool]) -> bool:
        """Read, and tell whether there may be more at once."""
        end = self.clock() + seconds
        while self.clock() < end and not is_over():
            if not self._read():
                return False

        return True

    def _has_ended(self) -> bool:
        return all(source.ended for source in self.sources)

    def _read(self) -> bool:
        """Let each source have its turn."""
        now = self.now()
        read = 0
        for source in self.sources:
            lines = source.read()
            read += len(lines)
            for line in lines:
                entry = Entry.parse(source.name, line)
                self.counts.add(entry, now)
                if self.wanted(entry):
                    self.frame.add(entry)
        return read > 0

    def _show(self) -> None:
        entries, left_out = self.frame.take()
        self.left_out += left_out
        status = self.counts.status(self.now(), self.left_out) if self.screen.terminal else ""
        self.screen.show(in_time(entries), left_out=left_out, status=status)
