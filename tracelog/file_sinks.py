"""Sinks over files by name: whoever renames them, or is told to."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from tracelog.delivery import report_failure
from tracelog.descriptors import DescriptorSink
from tracelog.files import open_log, replace_descriptor
from tracelog.process_lock import ProcessLock
from tracelog.sinks import Sink
from tracelog.spill import Lines


__all__ = ["FileSink", "RotatingSink"]


class FileSink(DescriptorSink):
    """The file of a name. Once another has that name, or none, lines go to a new one.

    So does logrotate work, by renaming; where it copies and truncates there is nothing to notice.

    Args:
        path: Of the file.

    Raises:
        OSError: If it can't be opened.
    """

    _look_every_s = 0.5

    def __init__(self, path: str) -> None:
        super().__init__(open_log(path))
        self._path = path
        self._identity = _identity_of(os.fstat(self._descriptor))
        self._size = 0
        self._due = 0.0

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._due and not self._rest:
            self._due = now + self._look_every_s
            self._follow()

    def _follow(self) -> bool:
        """Open the file anew if it isn't the one of that name any more, and note its size.

        Returns:
            False if that can't be: lines go on to the one that is open.
        """
        follows = self._is_named()
        if not follows:
            with suppress(OSError):
                replace_descriptor(self._descriptor, open_log(self._path))
                follows = True
        found = os.fstat(self._descriptor)
        self._identity, self._size = _identity_of(found), found.st_size
        return follows

    def _is_named(self) -> bool:
        try:
            return _identity_of(os.stat(self._path)) == self._identity  # noqa: PTH116 -- less than half
        except OSError:
            return False


class RotatingSink(FileSink):
    """A file that is renamed to `app.log.1`, `app.log.2` and so on when it is full.

    Several processes may write to it. Whoever finds it full has the lock of a file beside it,
    `app.log.lock`, and looks again; the others notice soon.

    Args:
        path: Of the file.
        max_bytes: A line that would make it larger goes to a new one.
        backup_count: How many renamed files are kept.

    Raises:
        OSError: If it, or its lock, can't be opened.
    """

    _look_every_s = 0.05

    def __init__(self, path: str, max_bytes: int, backup_count: int) -> None:
        super().__init__(path)
        self._max_bytes = max_bytes
        self._backup_count = backup_count
        self._lock_file = open_log(f"{path}.lock")
        self._process_lock = ProcessLock(self._lock_file)

    def __del__(self) -> None:
        super().__del__()
        try:  # noqa: SIM105 -- as in `Sink`
            os.close(self._lock_file)
        except (AttributeError, OSError):  # the lock was refused
            pass

    def write(self, lines: Lines, level: int = 0) -> None:
        """Write *lines* at once, or in turn if there is no room for them."""
        self._look()
        size = len(lines) if isinstance(lines, bytes) else self._max_bytes
        self._size += size
        if self._size > self._max_bytes:
            Sink.write(self, lines, level)
        else:
            super().write(lines, level)

    def forget(self) -> None:
        """Leave what waits, and the lock, to the parent process: have a description of our own."""
        super().forget()
        with suppress(OSError):
            replace_descriptor(self._lock_file, open_log(f"{self._path}.lock"))
        self._process_lock = ProcessLock(self._lock_file)

    def _put(self, data: bytes) -> int:
        self._process_lock.take()
        try:
            if not self._rest:
                self._make_room(len(data))
            return os.write(self._descriptor, data)
        finally:
            self._process_lock.give()

    def _await(self, timeout: float | None) -> None:
        self._process_lock.wait(timeout)  # there is nothing else that a file would wait for

    def _make_room(self, size: int) -> None:
        if self._follow() and self._size and self._size + size > self._max_bytes:
            self._rotate()
            self._follow()
        self._size += size

    def _rotate(self) -> None:
        """Rename the files, oldest first; if that is refused, go on in the one that is open."""
        folder, name = os.path.split(self._path)
        try:
            taken = set(os.listdir(folder))  # noqa: PTH208 -- and this is one call for all of them
            names = [name, *(f"{name}.{n}" for n in range(1, self._backup_count + 1))]
            free = next((n for n, each in enumerate(names) if each not in taken), len(names) - 1)
            for old, new in reversed([*pairwise(names[: free + 1])]):
                Path(folder, old).replace(Path(folder, new))
        except OSError as error:
            report_failure("the rotation of a file", error)


def _identity_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
