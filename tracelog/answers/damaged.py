"""Packed logs that break off in their middle: read as far as they go, and said to be what they are.

A host that died, and a log that is still being packed, leave such a file.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from io import SEEK_END, BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from tracelog.answers.sources import Source, Spool
from tracelog.errors import InputError
from tracelog.escapes import printable


__all__ = ["as_far_as_it_goes", "salvaged"]

_PIECE: Final = 1 << 20  # bytes
_STEP: Final = 1 << 16  # bytes: as much may be lost before the damage
_PADDED: Final = bytes(8)


def as_far_as_it_goes(stream: Any, source: Source) -> BinaryIO:
    """Let *stream*, which unpacks *source*, end where it can't go on; say so the first time."""
    return cast("BinaryIO", BufferedReader(_Unpacked(stream, source), _PIECE))


def salvaged(source: Source, opened: Any, spool: Spool) -> Source:
    """Return *source*; or a copy of what there is of it, if it is damaged.

    Args:
        source: What may be damaged.
        opened: Opens it, unpacked.
        spool: Where the copy goes.
    """
    if source.is_remote or not source.packing:
        return source

    with suppress(InputError, OSError), opened(source) as stream:
        while stream.read(_PIECE):
            pass
    if not (source.damage or _is_padded(source)):
        return source

    copy = spool.new_path(".log")
    with opened(source) as stream, copy.open("wb") as file:
        shutil.copyfileobj(stream, file, _PIECE)
    return replace(source, path=str(copy), packing="", is_copy=True)


def _is_padded(source: Source) -> bool:
    """Whether zeros follow, as after a crash: only DuckDB minds them."""
    with Path(source.path).open("rb") as file:
        file.seek(-min(len(_PADDED), file.seek(0, SEEK_END)), SEEK_END)
        return file.read() == _PADDED


class _Unpacked(RawIOBase):
    """What comes out of a stream that unpacks."""

    def __init__(self, stream: Any, source: Source) -> None:
        self._stream = stream
        self._source = source
        self._size = 0

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Read a piece."""
        try:
            # Not `read`: that loses what it has when it meets the damage.
            size: int = self._stream.readinto1(memoryview(buffer)[:_STEP])
        except Exception as error:  # noqa: BLE001 -- whatever unpacks has errors of its own
            self._say(error)
            return 0

        self._size += size
        return size

    def close(self) -> None:
        """Close both."""
        self._stream.close()
        super().close()

    def _say(self, error: Exception) -> None:
        """Say where the damage is, once for a source."""
        if not self._source.damage:
            self._source.damage.append(self._size)
            what = f"{self._source.name} is damaged, and read up to its byte {self._size:,}"
            print(printable(f"{what}, unpacked: {error}"), file=sys.stderr)  # noqa: T201 -- stdout is the answer's
