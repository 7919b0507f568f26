"""What a command was given to read (files, directories, globs, URLs, `-`), as DuckDB can open it.

DuckDB globs the paths it gets and decides by their suffix how to unpack them. A file whose name
would mislead it is therefore read through a link of a plain name.
"""

from __future__ import annotations

import glob
import os
import shlex
import shutil
import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import BinaryIO, Final

from tracelog.answers.directories import logs_in
from tracelog.answers.shapes import OURS, Shape
from tracelog.errors import InputError


__all__ = ["STDIN", "Source", "Spool", "is_url", "open_sources"]

STDIN: Final = "-"

_PACKED: Final = {b"\x1f\x8b": ".gz", b"\x28\xb5\x2f\xfd": ".zst"}  # by their first bytes
_URLS: Final = ("s3://", "https://", "http://", "gs://", "gcs://", "r2://")
_GLOB: Final = frozenset("*?[]{}\\")


@dataclass(frozen=True, slots=True)
class Source:
    """One input.

    Attributes:
        name: What the user calls it.
        path: Where DuckDB finds its bytes.
        packing: `.gz`, `.zst`, or nothing.
        shape: How its lines look.
        is_copy: Whether those bytes are gone when the command ends.
        is_damaged: Whether they are all that could be unpacked, and there were more.
    """

    name: str
    path: str
    packing: str = ""
    shape: Shape = OURS
    is_copy: bool = False
    is_damaged: bool = False

    @property
    def is_remote(self) -> bool:
        """Whether it is no file here, and only DuckDB can read it."""
        return is_url(self.path)

    @property
    def is_empty(self) -> bool:
        """Whether it has no byte at all."""
        return not self.is_remote and Path(self.path).stat().st_size == 0


class Spool(AbstractContextManager["Spool"]):
    """A directory for copies and links: made when it is needed, gone when the command ends."""

    def __init__(self) -> None:
        self._directory: TemporaryDirectory[str] | None = None
        self._made = 0

    def __exit__(self, *_exception: object) -> None:
        if self._directory is not None:
            self._directory.cleanup()

    def new_path(self, suffix: str) -> Path:
        """Name a file that doesn't exist yet."""
        if self._directory is None:
            self._directory = TemporaryDirectory(prefix="tracelog-")

        self._made += 1
        return Path(self._directory.name, f"{self._made}{suffix}")


def open_sources(names: Iterable[str], spool: Spool, stdin: BinaryIO | None) -> tuple[Source, ...]:
    """Find everything that *names* name, each file once, in the order given.

    Raises:
        InputError: If one of them doesn't exist or can't be read.
    """
    found = [name for pattern in names for name in _expand(pattern)]
    # The last word of a shell's glob is often a link to a file that is there, too.
    unique = {name if is_url(name) else os.path.realpath(name): name for name in reversed(found)}
    return tuple(_open(name, spool, stdin) for name in reversed(unique.values()))


def is_url(name: str) -> bool:
    """Whether *name* is on another machine, where DuckDB's extension reads it."""
    return name.lower().startswith(_URLS)


def _expand(pattern: str) -> list[str]:
    """Resolve a directory or a glob; a file that is really called so comes first."""
    if Path(pattern).is_dir():
        return logs_in(pattern)

    if pattern == STDIN or os.path.lexists(pattern) or is_url(pattern):
        return [pattern]

    matches = glob.glob(pattern, recursive=True)  # noqa: PTH207 -- takes absolute patterns, too
    names = [name for name in matches if not Path(name).is_dir()]
    if not names:
        raise _missing(pattern)

    return sorted(names)


def _missing(pattern: str) -> InputError:
    """Say that there is nothing of that name."""
    problem = "matches no file" if glob.has_magic(pattern) else "doesn't exist"
    return InputError(f"{pattern!r} {problem}", hint="ls -d *.log* */*.log*")


def _open(name: str, spool: Spool, stdin: BinaryIO | None) -> Source:
    """Make one name readable for DuckDB."""
    if name == STDIN:
        return _piped(stdin, spool)

    if is_url(name):
        suffix = PurePosixPath(name.partition("?")[0]).suffix.lower()
        return Source(name, name, suffix if suffix in _PACKED.values() else "")

    try:
        return _opened(name, spool)
    except OSError as error:
        problem = f"{name!r} can't be read: {error.strerror}"
        raise InputError(problem, hint=f"ls -l {shlex.quote(name)}") from error


def _piped(stdin: BinaryIO | None, spool: Spool) -> Source:
    """Copy standard input, if there is one: a service manager may have closed it."""
    if stdin is None:
        raise InputError("standard input is closed", hint="cat app.log | tracelog late -")

    return _spooled("stdin", stdin, spool)


def _opened(name: str, spool: Spool) -> Source:
    """Look into a file: a pipe is copied, a misleading name is linked."""
    with Path(name).open("rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return _spooled(name, file, spool)

        packing = _packing(file.read(4))
    return Source(name, _readable(str(Path(name).absolute()), packing, spool), packing)


def _spooled(name: str, stream: BinaryIO, spool: Spool) -> Source:
    """Copy a stream that can be read only once."""
    copy = spool.new_path(".log")
    with copy.open("wb") as file:
        shutil.copyfileobj(stream, file, 1 << 20)
    with copy.open("rb") as file:
        packing = _packing(file.read(4))
    return Source(name, _readable(str(copy), packing, spool), packing, is_copy=True)


def _packing(start: bytes) -> str:
    """Tell from its first bytes how a file is packed."""
    return next((suffix for magic, suffix in _PACKED.items() if start.startswith(magic)), "")


def _readable(path: str, packing: str, spool: Spool) -> str:
    """Return *path*, or a link to it if DuckDB would misread its name."""
    suffix = Path(path).suffix.lower()
    claimed = suffix if suffix in _PACKED.values() else ""
    if claimed == packing and _GLOB.isdisjoint(path) and path.isprintable():
        return path

    link = spool.new_path(packing or ".log")
    link.symlink_to(path)
    return str(link)
