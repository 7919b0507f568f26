"""Handlers: the standard library's, over sinks that are never waited for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable

from tracelog.delivery import report_loss
from tracelog.records import Bare, ContextFilter, Event
from tracelog.sinks import DescriptorSink, Lines, Sink, open_sink


__all__ = ["FileHandler", "LineFormatter", "RotatingFileHandler", "SinkHandler", "StreamHandler"]


@runtime_checkable
class LineFormatter(Protocol):
    """A formatter that makes finished lines."""

    def encode(self, record: logging.LogRecord, /) -> Lines:
        """Make the lines of *record*."""


class SinkHandler(logging.Handler):
    """A handler over a sink: no lock is held, nothing raises, and native events may stay halves."""

    def __init__(self, sink: Sink, level: int | str = logging.NOTSET) -> None:
        self._sink = sink
        self._lines_of: Callable[[logging.LogRecord], Lines]
        self._encode: Callable[[logging.LogRecord], Lines]
        # Writes an event without making a record of it; False if it needs one.
        self.take: Callable[[Bare], bool]
        self._write = sink.write
        super().__init__(level)
        self._choose(None)

    @property
    def terminal(self) -> bool:
        """Lines are read on a terminal."""
        return False

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 -- logging's name
        """Take *fmt*; a copy of one of ours, told whether its lines are read on a terminal."""
        if fmt is not None and hasattr(fmt, "on_terminal"):
            fmt = copy(fmt)  # a YAML file's one formatter may serve a terminal and a file
            fmt.on_terminal(self.terminal)
        super().setFormatter(fmt)
        self._choose(fmt)

    def addFilter(self, filter: Any) -> None:  # noqa: A002, N802 -- logging's names
        """Add a filter."""
        super().addFilter(filter)
        self._choose(self.formatter)

    def removeFilter(self, filter: Any) -> None:  # noqa: A002, N802 -- logging's names
        """Remove a filter."""
        super().removeFilter(filter)
        self._choose(self.formatter)

    def handle(self, record: logging.LogRecord) -> bool:
        """Format and write *record*, if the filters let it pass."""
        try:
            # For our formatters ContextFilter has nothing to add: they read the context themselves.
            if not self._only_context and not self._passes(record):
                return False

            lines = self._encode(record)
            if lines:  # a processor may have dropped the event
                self._write(lines)
        except Exception as error:  # noqa: BLE001 -- a filter or formatter may raise anything
            report_loss(error)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Format and write *record*, unfiltered."""
        lines = self._lines_of(record)
        if lines:
            self._write(lines)

    def flush(self) -> None:
        """Wait, for a moment, for lines that the descriptor refused."""
        self._sink.flush(0.1)

    def _choose(self, fmt: Any) -> None:
        """Choose the shortest way to a record's lines; whatever a subclass overrides is called."""
        self._lines_of = fmt.encode if isinstance(fmt, LineFormatter) else self._lines_by_format
        if self._overrides("format"):
            self._lines_of = self._lines_by_format
        self._encode = self._lines_by_emit if self._overrides("emit") else self._lines_of
        ours = isinstance(fmt, LineFormatter)
        self._only_context = ours and all(type(f) is ContextFilter for f in self.filters)
        line_of = getattr(fmt, "line_of", None) if self._only_context else None
        self.take = _make_taker(line_of or _no_line, self._write)

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(SinkHandler, method)

    def _passes(self, record: logging.LogRecord) -> bool:
        if isinstance(record, Event):
            record.complete()
        return bool(self.filter(record))

    def _lines_by_emit(self, record: logging.LogRecord) -> bytes:
        if isinstance(record, Event):
            record.complete()
        self.emit(record)
        return b""  # written already

    def _lines_by_format(self, record: logging.LogRecord) -> bytes:
        if isinstance(record, Event):
            record.complete()
        return f"{self.format(record)}\n".encode("utf-8", "backslashreplace")


def _no_line(_bare: Bare) -> bytes:
    return b""


def _make_taker(
    line_of: Callable[[Bare], bytes], write: Callable[[Lines], None]
) -> Callable[[Bare], bool]:
    def take(bare: Bare) -> bool:
        try:
            line = line_of(bare)
            if line:
                write(line)
        except Exception as error:  # noqa: BLE001 -- out of memory, or of stack
            report_loss(error)
            return True
        return line != b""

    return take


class StreamHandler(SinkHandler):
    """Lines to a stream, by default stdout.

    Args:
        stream: Anything with `write`; if it has a descriptor, lines go to that directly.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        super().__init__(open_sink(self.stream))

    @property
    def terminal(self) -> bool:
        """The stream is a terminal."""
        try:
            return bool(self.stream.isatty())
        except (AttributeError, ValueError):  # no stream at all, or a closed one
            return False


class FileHandler(SinkHandler):
    """Lines to the end of a file.

    Args:
        filename: Made if it isn't there, readable by its group (0640).

    Raises:
        OSError: If the file can't be opened.
    """

    def __init__(self, filename: str | os.PathLike[str]) -> None:
        self.baseFilename = str(Path(filename).absolute())
        super().__init__(_open(self.baseFilename))


class RotatingFileHandler(FileHandler):
    """Lines to a file that is renamed to `app.log.1`, `app.log.2` and so on when it is full.

    One process at a time.

    Args:
        filename: As for `FileHandler`.
        maxBytes: A line that would make the file larger, in bytes, goes to a new one; 0 never
            rotates.
        backupCount: How many renamed files are kept; 0 never rotates.

    Raises:
        OSError: If the file can't be opened.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        maxBytes: int = 0,  # noqa: N803 -- logging's names
        backupCount: int = 0,  # noqa: N803
    ) -> None:
        super().__init__(filename)
        self.maxBytes = maxBytes
        self.backupCount = backupCount
        self._size = Path(self.baseFilename).stat().st_size
        if maxBytes > 0 and backupCount > 0:
            self._write = self._write_or_rotate

    def _write_or_rotate(self, lines: Lines) -> None:
        size = len(lines) if isinstance(lines, bytes) else 0
        self.acquire()  # logging's lock: free again in the child of a fork
        try:
            if self._size + max(size, 1) > self.maxBytes and self._size:
                self._rotate()
            self._sink.write(lines if isinstance(lines, bytes) else partial(self._made, lines))
            self._size += size
        finally:
            self.release()

    def _made(self, lines: Callable[[], bytes]) -> bytes:
        """Make *lines*, in the sink's thread, and count them."""
        data = lines()
        self._size += len(data)
        return data

    def _rotate(self) -> None:
        """Rename the files, oldest first; if that is refused, go on in the one that is open."""
        with suppress(OSError):
            # Gone if somebody removed it, or if the last rotation couldn't open the new one.
            if Path(self.baseFilename).exists():
                self._rename()
            self._sink = _open(self.baseFilename)
            self._size = 0

    def _rename(self) -> None:
        for number in range(self.backupCount - 1, 0, -1):
            with suppress(FileNotFoundError):
                Path(f"{self.baseFilename}.{number}").replace(f"{self.baseFilename}.{number + 1}")
        Path(self.baseFilename).replace(f"{self.baseFilename}.1")


def _open(path: str) -> DescriptorSink:
    # Non-blocking: it may be a pipe, such as /dev/stdout.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
    return DescriptorSink(os.open(path, flags, 0o640))
