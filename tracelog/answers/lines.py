"""Lines as bytes, for what DuckDB doesn't tell: where a line stands, and which are too long.

Everything here reads in plain Python: a whole file only when something was found wrong with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from io import SEEK_END
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from tracelog.answers.cutting import LONGEST
from tracelog.answers.sources import Source, Spool
from tracelog.answers.unpacking import open_bytes
from tracelog.answers.unwrapping import Unwrapper
from tracelog.errors import InputError


__all__ = [
    "beginning",
    "bounded",
    "head",
    "is_cut_off",
    "line_numbers",
    "rewrite",
    "tail",
]

_HEAD: Final = 20  # lines
_BEGINNING: Final = 1000
_TAIL: Final = 1 << 20  # bytes
_GIANT: Final = b"(a line too long to read)\n"  # stands in for one; is no JSON, so it is counted


def tail(source: Source) -> list[bytes]:
    """Return the last lines of a file, as many as cost nothing to read; none of a packed one."""
    if source.packing or source.is_remote:
        return []

    with Path(source.path).open("rb") as file:
        start = max(0, file.seek(0, SEEK_END) - _TAIL)
        file.seek(start)
        lines = file.read().split(b"\n")
    unwrap = Unwrapper(source.shape.wrapper).feed
    return [line for line in map(unwrap, lines[bool(start) :]) if line]


def head(source: Source) -> list[bytes]:
    """Return the first few lines of a file; none of one that can't be unpacked here."""
    unwrap = Unwrapper(source.shape.wrapper).feed
    return [line for line in map(unwrap, islice(beginning(source), _HEAD)) if line]


def beginning(source: Source) -> Iterator[bytes]:
    """Yield the lines that tell what a file is, as they stand there."""
    with suppress(InputError, OSError), open_bytes(source) as stream:
        yield from islice(bounded(stream), _BEGINNING)


def is_cut_off(source: Source) -> bool:
    """Whether the last line is half an object: a log is often read while it is written."""
    last = (tail(source) or [b""])[-1].strip()
    return last.startswith(b"{") and not last.endswith(b"}")


def line_numbers(source: Source, ordinals: Collection[int]) -> tuple[int, ...]:
    """Turn *ordinals*, which don't count blank lines, into line numbers, which do."""
    wanted = set(ordinals)
    numbers = []
    ordinal = 0
    unwrap = Unwrapper(source.shape.wrapper).feed
    with open_bytes(source) as stream:
        for number, line in enumerate(bounded(stream), start=1):
            ordinal += bool(unwrap(line))
            if ordinal in wanted:
                numbers.append(number)
                wanted.discard(ordinal)
            if not wanted:
                break
    return tuple(numbers)


def rewrite(source: Source, spool: Spool) -> Source:
    """Return *source*, or a copy of it: no line too long, none in pieces or in a wrapper."""
    if source.shape.wrapper is None:
        with open_bytes(source) as stream:
            # Itself: a copy that was made before has lines that only look like it.
            if not any(line is _GIANT for line in bounded(stream)):
                return source

    copy = spool.new_path(".log")
    with open_bytes(source) as stream, copy.open("wb") as file:
        file.writelines(_unwrapped(stream, source))
    shape = replace(source.shape, wrapper=None)
    return replace(source, path=str(copy), packing="", shape=shape, is_copy=True)


def _unwrapped(stream: BinaryIO, source: Source) -> Iterator[bytes]:
    """Yield the lines that are in wrappers, each where its last piece was: numbers stay right."""
    unwrapper = Unwrapper(source.shape.wrapper)
    for line in bounded(stream):
        yield _sound(unwrapper.feed(line))
    yield from map(_sound, unwrapper.rest())


def _sound(line: bytes) -> bytes:
    """End a line, if it isn't too long now that its pieces are together."""
    return line + b"\n" if len(line) < LONGEST else _GIANT


def bounded(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of *stream*, and a short stand-in for each that is too long."""
    while line := stream.readline(LONGEST):
        if len(line) == LONGEST and not line.endswith(b"\n"):
            _skip_line(stream)
            line = _GIANT
        yield line


def _skip_line(stream: BinaryIO) -> None:
    """Read up to the end of the line."""
    while (rest := stream.readline(LONGEST)) and not rest.endswith(b"\n"):
        pass
