"""A source that is followed, its lines turned into lines of ours as they come."""

from __future__ import annotations

import json

from tracelog.answers.follow import Source
from tracelog.answers.shapes import Recogniser, Shape, read_object
from tracelog.answers.unwrapping import Unwrapper, renamed
from tracelog.fields import EVENT, LEVEL, LOGGER, TIMESTAMP


__all__ = ["Shaped", "renamed_line"]


class Shaped:
    """What *source* has, in our shape.

    Attributes:
        name: What the user calls it.
    """

    def __init__(self, source: Source, mapped: tuple[tuple[str, str], ...] = ()) -> None:
        self.name = source.name
        self._source = source
        self._recogniser = Recogniser(mapped)
        self._unwrapper = Unwrapper(None)

    @property
    def shape(self) -> Shape:
        """How its lines look, as far as is known by now."""
        return self._recogniser.shape

    @property
    def ended(self) -> bool:
        """Whether there will be no more."""
        return self._source.ended

    @property
    def is_there(self) -> bool:
        """Whether it has been found by now."""
        return self._source.is_there

    def read(self) -> list[bytes]:
        """Return some of the lines that are new; none if there are none by now."""
        found = [self._unwrapped(line) for line in self._source.read()]
        if self.ended:
            found += self._unwrapper.rest()
        return [renamed_line(line, self.shape) for line in found if line]

    def close(self) -> None:
        """Let go of it."""
        self._source.close()

    def _unwrapped(self, line: bytes) -> bytes:
        """Take a line out of its wrapper, which the first lines tell."""
        if not self._recogniser.is_sure:
            before = self.shape.wrapper
            self._recogniser.see(line)
            if self.shape.wrapper is not before:
                self._unwrapper = Unwrapper(self.shape.wrapper)
        return self._unwrapper.feed(line) if self.shape.wrapper else line


def renamed_line(line: bytes, shape: Shape) -> bytes:
    """Call a line's keys as ours are called; what is still missing can be done without."""
    if not shape.names:
        return line

    event = read_object(line)
    if event is None:
        return line

    event = renamed(event, shape)
    if event.keys() >= {TIMESTAMP, EVENT}:
        event = {LEVEL: "info", LOGGER: "-", **event}
    return json.dumps(event).encode()
