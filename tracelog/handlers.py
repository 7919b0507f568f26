"""Handlers: the standard library's, over sinks that are never waited for."""

from __future__ import annotations

import codecs
import logging
import os
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, TextIO, runtime_checkable

from tracelog.context import Context
from tracelog.descriptors import PipeSink, open_sink
from tracelog.errors import ConfigError
from tracelog.fields import LOST
from tracelog.file_sinks import FileSink, RotatingSink
from tracelog.files import open_log
from tracelog.records import Bare, ContextFilter, Event
from tracelog.reentry import one_at_a_time
from tracelog.sinks import Sink
from tracelog.spill import Lines


__all__ = ["FileHandler", "LineFormatter", "RotatingFileHandler", "SinkHandler", "StreamHandler"]

_DELIVERY: Final = "tracelog.delivery"  # the logger of lines about lost ones
_NOBODY: Final = Context.make({}, None, None)
_PLAIN: Final = logging.Formatter()
_MODES: Final = ("a", "at", "a+")  # that append text


@runtime_checkable
class LineFormatter(Protocol):
    """A formatter that makes finished lines."""

    def encode(self, record: logging.LogRecord, /) -> Lines:
        """Make the lines of *record*."""


class SinkHandler(logging.Handler):
    """A handler over a sink: no lock is held, nothing raises, no native event need be completed."""

    def __init__(self, sink: Sink, level: int | str = logging.NOTSET) -> None:
        self._sink = sink
        self._lines_of: Callable[[logging.LogRecord], Lines]
        self._encode: Callable[[logging.LogRecord], Lines]
        # Writes an event without making a record of it; False if it needs one.
        self.take: Callable[[Bare], bool]
        self._write = sink.write
        self._asked: list[Callable[[logging.LogRecord], Any]] | None = None
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
        return one_at_a_time(self._handle, record, self._sink.lose)

    def _handle(self, record: logging.LogRecord) -> bool:
        try:
            # For our formatters ContextFilter has nothing to add: they read the context themselves.
            if not self._only_context and not self._passes(record):
                return False

            lines = self._encode(record)
            if lines:  # a processor may have dropped the event
                self._write(lines, record.levelno)
        except Exception as error:  # noqa: BLE001 -- a filter or formatter may raise anything
            self._sink.lose(error)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Format and write *record*, unfiltered."""
        lines = self._lines_of(record)
        if lines:
            self._write(lines, record.levelno)

    def flush(self) -> None:
        """Wait, for a moment, for lines that the descriptor refused."""
        self._sink.flush(0.1)

    def _choose(self, fmt: Any) -> None:
        """Choose the shortest way to a record's lines; whatever a subclass overrides is called."""
        ours = isinstance(fmt, LineFormatter) and not self._overrides("format")
        self._lines_of = fmt.encode if ours else self._lines_by_format
        self._encode = self._lines_by_emit if self._overrides("emit") else self._lines_of
        self._note_filters(fmt)
        line_of = getattr(fmt, "line_of", None) if self._only_context else None
        self.take = _make_taker(line_of or _no_line, self._sink)
        self._sink.tell = partial(_loss_lines, fmt)

    def _note_filters(self, fmt: Any) -> None:
        ours = isinstance(fmt, LineFormatter)
        others: list[Any] = [each for each in self.filters if not _is_idle(each)]
        self._only_context = ours and not others
        # A native event stays a half if neither the formatter nor a filter needs the rest of it.
        needs_rest = getattr(fmt, "whole", True)
        halves = not needs_rest and all(getattr(each, "halves", False) for each in others)
        self._asked = [each.filter for each in others] if ours and halves else None

    def _overrides(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(SinkHandler, method)

    def _passes(self, record: logging.LogRecord) -> bool:
        if self._asked is not None:
            for ask in self._asked:  # noqa: SIM110 -- a generator would cost as much as they do
                if not ask(record):
                    return False
            return True

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


def _make_taker(line_of: Callable[[Bare], bytes], sink: Sink) -> Callable[[Bare], bool]:
    write, lose = sink.write, sink.lose

    def take(bare: Bare) -> bool:
        try:
            line = line_of(bare)
            if line:
                write(line, bare[2])
        except Exception as error:  # noqa: BLE001 -- out of memory, or of stack
            lose(error)
            return True
        return line != b""

    return take


def _loss_lines(fmt: Any, count: int) -> Lines:
    """Make the line that says how many are lost, as any other line is made, and about nobody."""
    fields = {LOST: count}
    event = Event.of((time.time(), _DELIVERY, logging.WARNING, "lines lost", fields, _NOBODY))
    if isinstance(fmt, LineFormatter):
        return fmt.encode(event)

    event.complete()
    return f"{(fmt or _PLAIN).format(event)}\n".encode("utf-8", "backslashreplace")


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
    """Lines to the end of a file; if it is renamed or removed, to a new one of that name.

    Args:
        filename: Made if it isn't there, readable by its group (0640).
        mode: To append is the only one.
        encoding: UTF-8 is the only one.
        delay: Ignored: the file is opened at once.
        errors: Ignored: what can't be encoded is escaped.

    Raises:
        ConfigError: If another *mode* or *encoding* is asked for.
        OSError: If the file can't be opened, or is a symbolic link in a directory that anyone may
            write to.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        mode: str = "a",
        encoding: str | None = None,
        delay: bool = False,  # noqa: ARG002, FBT001, FBT002 -- as logging's own has it
        errors: str | None = None,  # noqa: ARG002
    ) -> None:
        FileHandler.check(mode=mode, encoding=encoding)
        self.baseFilename = str(Path(filename).absolute())
        super().__init__(self._open())

    @staticmethod
    def check(*, mode: Any = "a", encoding: Any = None, **_others: Any) -> None:
        """Check the options, and open nothing.

        Raises:
            ConfigError: If there is no such *mode* or *encoding*.
        """
        if mode not in _MODES:
            text = f"lines are added to the end of the file, and {mode!r} asks for something else"
            raise ConfigError("mode", text, hint="mode: a, or leave it out")

        if encoding is not None and not _is_utf8(encoding):
            text = f"lines are written as UTF-8, not as {encoding!r}"
            raise ConfigError("encoding", text, hint="encoding: utf-8, or leave it out")

    def _open(self) -> Sink:
        return _open_file(self.baseFilename)


class RotatingFileHandler(FileHandler):
    """Lines to a file that is renamed to `app.log.1`, `app.log.2` and so on when it is full.

    Several processes may write to one file: they take turns by a lock, `app.log.lock`.

    Args:
        filename: As for `FileHandler`.
        mode: As for `FileHandler`.
        maxBytes: A line that would make the file larger, in bytes, goes to a new one; 0 never
            rotates.
        backupCount: How many renamed files are kept; 0 never rotates.
        encoding: As for `FileHandler`.
        delay: Ignored, likewise.
        errors: Ignored, likewise.

    Raises:
        ConfigError: As for `FileHandler`.
        OSError: If the file, or its lock, can't be opened.
    """

    def __init__(  # noqa: PLR0913, PLR0917 -- they are logging's
        self,
        filename: str | os.PathLike[str],
        mode: str = "a",
        maxBytes: int = 0,  # noqa: N803 -- logging's names
        backupCount: int = 0,  # noqa: N803
        encoding: str | None = None,
        delay: bool = False,  # noqa: FBT001, FBT002
        errors: str | None = None,
    ) -> None:
        self.maxBytes = maxBytes
        self.backupCount = backupCount
        super().__init__(filename, mode, encoding, delay, errors)

    def _open(self) -> Sink:
        if self.maxBytes <= 0 or self.backupCount <= 0:
            return super()._open()

        return RotatingSink(self.baseFilename, self.maxBytes, self.backupCount)


def _is_utf8(encoding: Any) -> bool:
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except (LookupError, TypeError, ValueError):  # none at all, or with a null character
        return False


def _open_file(path: str) -> Sink:
    with suppress(OSError):
        if not stat.S_ISREG(Path(path).stat().st_mode):  # such as /dev/stdout
            return PipeSink(open_log(path))

    return FileSink(path)


def _is_idle(each: Any) -> bool:
    """Tell whether a filter does nothing for our formatters: they read the context themselves."""
    return type(each) is ContextFilter or bool(getattr(each, "idle", False))
