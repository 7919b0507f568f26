"""A sink over a text stream, whose `write` is whatever its author made of it."""

from __future__ import annotations

import threading
from typing import Any

from tracelog.delivery import report_loss
from tracelog.sinks import Sink, Step
from tracelog.spill import Lines


__all__ = ["TextSink"]


class TextSink(Sink):
    """A text stream without a descriptor of its own: a StringIO, a test's capture, an IDE."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream
        self._drains = False  # the drainer is in the stream's own code

    def write(self, lines: Lines, level: int = 0) -> None:
        """Write *lines* without a turn: a text stream's `write` is what its author made of it."""
        if self._drains and self._draining == threading.get_ident():
            # The stream logs what is written to it. To say so in the log would be written to it.
            report_loss(RecursionError(), self.counts)
        elif self._busy or not isinstance(lines, bytes):
            super().write(lines, level)
        elif self._write_next(lines) is not Step.MOVED:
            self._keep(lines, level)

    def _put(self, data: bytes) -> int:
        drains = self._draining == threading.get_ident()
        self._drains = self._drains or drains
        try:
            self._stream.write(data.decode("utf-8", "backslashreplace"))
            if hasattr(self._stream, "flush"):
                self._stream.flush()
        finally:
            self._drains = self._drains and not drains
        return len(data)
