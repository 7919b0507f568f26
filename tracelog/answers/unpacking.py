"""Sources as bytes, unpacked: to their end, or as far as they go.

A host that died, and a log that is still being packed, leave an archive that breaks off.
"""

from __future__ import annotations

import gzip
import shlex
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib import import_module
from io import SEEK_END, BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from tracelog.answers.sources import Source, Spool
from tracelog.errors import InputError
from tracelog.escapes import printable


__all__ = ["open_bytes", "salvaged"]

_PIECE: Final = 1 << 20  # bytes
_STEP: Final = 1 << 16  # bytes: as much may be lost before the damage
_PADDED: Final = bytes(8)


def open_bytes(source: Source) -> BinaryIO:
    """Open *source*; where it can't be unpacked any further, it ends, and a person is told.

    Raises:
        InputError: If it is packed in a way this Python can't unpack, or not on this machine.
    """
    if source.is_remote:
        raise InputError(
            f"{source.name!r} has lines that can't be read from afar",
            hint="a copy of it on this machine",
        )

    if source.packing:
        return cast("BinaryIO", BufferedReader(_unpacked(source), _PIECE))

    return Path(source.path).open("rb")


def salvaged(source: Source, spool: Spool) -> Source:
    """Return *source*; or a copy of what there is of it, if DuckDB can't unpack it."""
    if source.is_remote or not source.packing:
        return source

    try:
        with _unpacked(source) as unpacked:
            while unpacked.read(_STEP):
                pass
    except (InputError, OSError):  # DuckDB says what is wrong
        return source

    if not (unpacked.is_damaged or _is_padded(source)):
        return source

    copy = spool.new_path(".log")
    with open_bytes(source) as stream, copy.open("wb") as file:
        shutil.copyfileobj(stream, file, _PIECE)
    is_damaged = unpacked.is_damaged
    return replace(source, path=str(copy), packing="", is_copy=True, is_damaged=is_damaged)


def _is_padded(source: Source) -> bool:
    """Whether zeros follow, as after a crash: only DuckDB minds them."""
    with Path(source.path).open("rb") as file:
        file.seek(-min(len(_PADDED), file.seek(0, SEEK_END)), SEEK_END)
        return file.read() == _PADDED


class _Unpacked(RawIOBase):
    """The bytes of an archive, up to where it is damaged, if it is."""

    def __init__(self, source: Source, stream: Any) -> None:
        self.is_damaged = False
        self._source = source
        self._stream = stream
        self._size = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read a piece."""
        if self.is_damaged:
            return 0

        try:
            # Not `read`: that loses what it has when it meets the damage.
            size: int = self._stream.readinto1(memoryview(buffer)[:_STEP])
        except Exception as error:  # noqa: BLE001 -- whatever unpacks has errors of its own
            self.is_damaged = True
            what = f"{self._source.name} is damaged, and read up to its byte {self._size:,}"
            _say(self._source.path, f"{what}, unpacked: {error}")
            return 0

        self._size += size
        return size

    def close(self) -> None:
        """Close both."""
        self._stream.close()
        super().close()


@cache
def _say(_path: str, sentence: str) -> None:
    """Tell a person: once, however often a command reads the file."""
    print(printable(sentence), file=sys.stderr)  # noqa: T201 -- stdout is the answer's


def _unpacked(source: Source) -> _Unpacked:
    """Open an archive."""
    if source.packing == ".gz":
        return _Unpacked(source, gzip.open(source.path))

    return _Unpacked(source, _open_zstd(source))


def _open_zstd(source: Source) -> Any:
    """Open with what unpacks zstd: in the standard library since Python 3.14, else a package."""
    with suppress(ImportError):
        return import_module("compression.zstd").open(source.path, "rb")

    try:
        package = import_module("zstandard")
    except ImportError as error:
        raise InputError(
            f"{source.name!r} can't be read line by line without the package 'zstandard'",
            hint=f"zstdcat {shlex.quote(source.name)} | tracelog late -",
        ) from error

    # A file that was appended to has several frames.
    file = Path(source.path).open("rb")  # noqa: SIM115 -- the reader closes it
    return package.ZstdDecompressor().stream_reader(file, read_across_frames=True, closefd=True)
