"""Lines that hold some bytes, found without taking the others apart.

A file is read in pieces, never mapped: a log may be emptied while it is read.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import BinaryIO, Final, NamedTuple

from tracelog.answers.cutting import LONGEST
from tracelog.answers.entries import Entry
from tracelog.answers.lines import bounded
from tracelog.answers.sources import Source
from tracelog.answers.unpacking import open_bytes
from tracelog.errors import InputError


__all__ = ["Hit", "find", "find_last", "line_at", "needles_of"]

_CHUNK: Final = 1 << 20  # bytes: fits the cache, and each is some work in Python besides
_WINDOW: Final = 16 << 20  # bytes: how much of a file's end is looked at first, and so on
_ANYWHERE: Final = 1 << 62


class Hit(NamedTuple):
    """A line, and where in its file it begins."""

    offset: int
    entry: Entry


def needles_of(text: str) -> tuple[bytes, ...]:
    """Write how a value that begins with *text* stands in JSON, escaped or not.

    >>> needles_of("4bf9")
    (b'"4bf9',)
    """
    spellings = (json.dumps(text, ensure_ascii=is_ascii)[:-1] for is_ascii in (True, False))
    return tuple(dict.fromkeys(each.encode("utf-8", "replace") for each in spellings))


def find(
    source: Source, needles: Sequence[bytes], start: int = 0, stop: int = _ANYWHERE
) -> Iterator[Hit]:
    """Yield the lines that hold one of *needles* and begin from *start* on, but before *stop*.

    Raises:
        InputError: If it can't be read to its end.
    """
    try:
        with open_bytes(source) as stream:
            for position, block, span in _blocks(stream, start):
                for offset in _beginnings(block, needles, span):
                    if position + offset >= stop:
                        return
                    raw = block[offset : _end(block, offset)]
                    yield Hit(position + offset, Entry.parse(source.name, raw))
                if position + span.stop >= stop:
                    return
    except OSError as error:
        raise _unreadable(source, error) from error


def find_last(source: Source, needles: Sequence[bytes]) -> Iterator[Iterator[Hit]]:
    """Give what `find` does for each piece of a file, the last piece first; a packed one is one."""
    if source.packing:
        yield find(source, needles)
        return

    with open_bytes(source) as stream:
        stop = stream.seek(0, 2)
    while stop > 0:
        start = max(0, stop - _WINDOW)
        yield find(source, needles, start, stop)
        stop = start


def line_at(source: Source, number: int) -> Entry | None:
    """Return the line of that number, counted from 1 as an editor does; None if there are fewer.

    Raises:
        InputError: If it can't be read so far.
    """
    try:
        with open_bytes(source) as stream:
            raw = next(islice(bounded(stream), number - 1, None), None)
    except OSError as error:
        raise _unreadable(source, error) from error

    return None if raw is None else Entry.parse(source.name, raw)


def _blocks(stream: BinaryIO, start: int) -> Iterator[tuple[int, bytes, slice]]:
    """Yield bytes and where they are, with the part of them that is whole lines.

    The first line is the first that begins at *start* or later. Nothing is copied but the lines
    that are in two pieces.
    """
    position, rest = start, b""
    if start:
        stream.seek(start - 1)
        position = start - 1 + len(stream.readline())
    while chunk := stream.read(_CHUNK):
        first, end = chunk.find(b"\n") + 1, chunk.rfind(b"\n") + 1
        if end:
            line = rest + chunk[:first]
            yield position, line, slice(0, len(line))
            position += len(line)
            yield position - first, chunk, slice(first, end)
            position, rest = position + end - first, chunk[end:]
        elif len(rest) > LONGEST:  # nobody reads it: its end will be no JSON
            position, rest = position + len(rest) + len(chunk), b""
        else:
            rest += chunk
    if rest:
        yield position, rest, slice(0, len(rest))


def _beginnings(block: bytes, needles: Sequence[bytes], span: slice) -> list[int]:
    """Tell where the lines begin that hold one of *needles*."""
    found = {begin for needle in needles for begin in _of_one(block, needle, span)}
    return sorted(found)


def _of_one(block: bytes, needle: bytes, span: slice) -> Iterator[int]:
    found = block.find(needle, span.start, span.stop)
    while found >= 0:
        yield block.rfind(b"\n", span.start, found) + 1 or span.start
        found = block.find(needle, _end(block, found), span.stop)


def _end(block: bytes, offset: int) -> int:
    """Tell where the line ends that *offset* is in."""
    end = block.find(b"\n", offset)
    return len(block) if end < 0 else end


def _unreadable(source: Source, error: OSError) -> InputError:
    """Say what is wrong with a file that was there just now."""
    return InputError(
        f"{source.name!r} can't be read to its end: {error.strerror}",
        hint=f"ls -l {shlex.quote(source.name)}",
    )
