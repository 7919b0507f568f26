"""Files and pipes, followed as they grow: each of their lines, whole, and once.

A file is followed by its name. Another file may take the name (rotation), the file may be emptied
and filled again (copytruncate), or be there only later. Nothing here reads a clock: whoever follows
asks again and again.
"""

from __future__ import annotations

import glob
import os
import select
import shlex
import stat
from collections.abc import Iterable
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from tracelog.answers.cutting import Cutter
from tracelog.answers.directories import growing_in
from tracelog.errors import InputError


__all__ = ["Source", "follow", "wait"]

_STDIN: Final = "-"
_CHUNK: Final = 1 << 18  # bytes that are read at a time
_CHUNKS: Final = 256  # of a line without an end, before others have their turn
_PATIENCE: Final = 100  # times that there was nothing more in a file that was rotated away
_MARK: Final = 64  # bytes by which a file is known to be what it was
_PACKED: Final = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd")  # gzip, zstd


class Source(Protocol):
    """What has lines, now and later."""

    @property
    def name(self) -> str:
        """What the user calls it."""

    @property
    def ended(self) -> bool:
        """Whether there will be no more."""

    @property
    def is_there(self) -> bool:
        """Whether it has been found by now."""

    def read(self) -> list[bytes]:
        """Return some of the lines that are new; none if there are none by now."""

    def close(self) -> None:
        """Let go of it."""


def follow(names: Iterable[str], *, last: int, stdin: BinaryIO | None) -> list[Source]:
    """Begin with the *last* lines of each file that *names* name; `-` is *stdin*, from now on.

    Raises:
        InputError: If one of them can't be followed. A file that isn't there is waited for.
    """
    found = dict.fromkeys(name for pattern in names for name in _expand(pattern))
    return [_open(name, last, stdin) for name in found]


def wait(sources: Iterable[Source], seconds: float) -> None:
    """Wait until a pipe has something, or for so long: files don't tell when they have.

    Whoever writes into a pipe must not wait for us: it holds no more than some hundred lines.
    """
    pipes = [source for source in sources if isinstance(source, Pipe) and not source.ended]
    select.select(pipes, [], [], seconds)


class Pipe:
    """A pipe, or whatever else can be read only once."""

    is_there = True

    def __init__(self, name: str, file: FileIO) -> None:
        self.name = name
        self.ended = False
        self._file = file
        self._cutter = Cutter()

    def fileno(self) -> int:
        """Tell by what number the system knows it."""
        return self._file.fileno()

    def read(self) -> list[bytes]:
        """Return some of the lines that are new, without waiting for any."""
        for _ in range(_CHUNKS):
            if self.ended or not select.select([self], [], [], 0)[0]:
                break
            data = os.read(self.fileno(), _CHUNK)
            self.ended = not data
            if lines := self._cutter.feed(data) if data else self._cutter.rest():
                return lines
        return []

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


class GrowingFile:
    """Whatever file has a name, one after the other."""

    ended = False

    def __init__(self, name: str, *, last: int) -> None:
        self.name = name
        self._current: _Opened | None = None
        self._former: _Opened | None = None
        self._patience = 0
        if Path(name).exists():
            self._current = _Opened(name)
            self._current.skip_to_last(last)

    @property
    def is_there(self) -> bool:
        """Whether there has been a file of that name."""
        return self._current is not None

    def read(self) -> list[bytes]:
        """Return some of the lines that are new: first those of the file that was rotated away."""
        for file in (self._former, self._current):
            if file is not None and (lines := file.read()):
                return lines
        return self._look_again()

    def close(self) -> None:
        """Let go of it."""
        for file in (self._former, self._current):
            if file is not None:
                file.end()

    def _look_again(self) -> list[bytes]:
        """Turn to another file of that name, if there is one by now."""
        # Absent between two steps of a rotation, or not to be read as yet.
        with suppress(OSError):
            if self._current is None or not self._current.is_called(self.name):
                following = _Opened(self.name)
                lines = self._end_former()
                self._former, self._current = self._current, following
                if self._former is not None:
                    self._former.only_grows = True
                self._patience = _PATIENCE
                return lines

        # Others may have it open and write to it for a while: workers, a logger about to reopen.
        self._patience -= 1
        return [] if self._patience > 0 else self._end_former()

    def _end_former(self) -> list[bytes]:
        former, self._former = self._former, None
        return [] if former is None else former.end()


class _Opened:
    """A file that is open, whatever its name is by now.

    Attributes:
        only_grows: What takes its place in it, later, isn't ours: the copy of another file.
    """

    def __init__(self, path: str) -> None:
        self.only_grows = False
        self._file = FileIO(path)
        self._descriptor = self._file.fileno()
        self._cutter = Cutter()
        self._position = 0
        self._before = b""  # the bytes in front of the position

    def is_called(self, path: str) -> bool:
        """Whether it is what *path* names."""
        return os.path.samestat(os.fstat(self._descriptor), Path(path).stat())

    def skip_to_last(self, count: int) -> None:
        """Leave out all but the last *count* lines, and what has no end yet."""
        end = os.fstat(self._descriptor).st_size
        wanted = count + 1  # the newline in front of them, too
        while end > 0:
            start = max(0, end - _CHUNK)
            block = os.pread(self._descriptor, end - start, start)
            found = block.count(b"\n")
            if found >= wanted:
                self._go_to(start + len(block.rsplit(b"\n", wanted)[0]) + 1)
                break
            wanted -= found
            end = start

    def read(self) -> list[bytes]:
        """Return some of the lines that are new."""
        if os.pread(self._descriptor, len(self._before), self._mark()) != self._before:
            if self.only_grows:
                return []
            self._start_again()
        for _ in range(_CHUNKS):
            data = os.pread(self._descriptor, _CHUNK, self._position)
            if not data:
                break
            self._position += len(data)
            self._before = (self._before + data)[-_MARK:]
            if lines := self._cutter.feed(data):
                return lines
        return []

    def end(self) -> list[bytes]:
        """Close it, and return the line that was never finished."""
        self._file.close()
        return self._cutter.rest()

    def _start_again(self) -> None:
        """Begin where there is something: who writes on at the old place leaves a hole before."""
        self._cutter = Cutter()
        start = 0
        with suppress(OSError):  # it is empty
            start = os.lseek(self._descriptor, 0, os.SEEK_DATA)
        self._go_to(start)

    def _go_to(self, position: int) -> None:
        self._position = position
        self._before = b""
        self._before = os.pread(self._descriptor, min(_MARK, position), max(0, position - _MARK))

    def _mark(self) -> int:
        return self._position - len(self._before)


def _expand(pattern: str) -> list[str]:
    """Resolve a directory or a glob; a file that is really called so, or will be, comes first."""
    if Path(pattern).is_dir():
        return growing_in(pattern)

    if pattern == _STDIN or os.path.lexists(pattern) or not glob.has_magic(pattern):
        return [pattern]

    names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 -- takes absolute ones, too
    if not names:
        raise InputError(f"{pattern!r} matches no file", hint="ls -d *.log* */*.log*")

    return names


def _open(name: str, last: int, stdin: BinaryIO | None) -> Source:
    """Begin to follow one."""
    if name == _STDIN:
        if stdin is None:
            raise InputError("standard input is closed", hint="cat app.log | tracelog tail -")

        return Pipe("stdin", FileIO(stdin.fileno(), closefd=False))

    try:
        return _open_path(name, last)
    except OSError as error:
        problem = f"{name!r} can't be read: {error.strerror}"
        raise InputError(problem, hint=f"ls -l {shlex.quote(name)}") from error


def _open_path(name: str, last: int) -> Source:
    """Tell a file from a pipe, and from what can't be followed."""
    path = Path(name)
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        return Pipe(name, FileIO(name))

    if path.exists() and _is_packed(path):
        hint = f"tracelog late {shlex.quote(name)}"
        raise InputError(f"{name!r} is packed, and won't grow", hint=hint)

    return GrowingFile(name, last=last)


def _is_packed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4).startswith(_PACKED)
