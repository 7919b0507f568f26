"""Sources as lines of ours in files here, for what reads bytes: a copy of those that are neither.

Each line becomes one line, so that its number stays right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tracelog.answers.lines import beginning, bounded
from tracelog.answers.log import LINES, Log
from tracelog.answers.shaped import renamed_line
from tracelog.answers.shapes import OURS, Shape, recognise
from tracelog.answers.sources import Source, Spool
from tracelog.answers.unpacking import open_bytes
from tracelog.answers.unwrapping import Unwrapper


__all__ = ["translated"]

_UNREADABLE: Final = b"(no JSON)\n"


def translated(
    sources: Sequence[Source], spool: Spool, mapped: tuple[tuple[str, str], ...] = ()
) -> tuple[Source, ...]:
    """Return the sources, or copies that are like ours.

    Args:
        sources: What there is.
        spool: Where copies go.
        mapped: Keys of ours, and what they are called there.

    Raises:
        InputError: If one can't be read, or is on another machine and DuckDB can't reach it.
    """
    return tuple(_translated(source, spool, mapped) for source in sources)


def _translated(source: Source, spool: Spool, mapped: tuple[tuple[str, str], ...]) -> Source:
    if source.is_remote:
        return _fetched(source, spool, mapped)

    shape = recognise(beginning(source), mapped)
    return source if shape == OURS else _copied(source, shape, spool)


def _copied(source: Source, shape: Shape, spool: Spool) -> Source:
    """Copy a file, line by line."""
    copy = spool.new_path(".log")
    with copy.open("wb") as file:
        file.writelines(_lines(source, shape))
    return Source(source.name, str(copy), shape=shape, is_copy=True)


def _lines(source: Source, shape: Shape) -> Iterator[bytes]:
    """Yield lines of ours; nothing but an end where a line in pieces has none yet."""
    unwrapper = Unwrapper(shape.wrapper)
    with open_bytes(source) as stream:
        for line in bounded(stream):
            yield renamed_line(unwrapper.feed(line), shape) + b"\n"
    for line in unwrapper.rest():
        yield renamed_line(line, shape) + b"\n"


def _fetched(source: Source, spool: Spool, mapped: tuple[tuple[str, str], ...]) -> Source:
    """Copy what only DuckDB can read."""
    log = Log([source], spool, mapped)
    copy = spool.new_path(".log")
    with log.said(), copy.open("wb") as file:
        for (line,) in log.stream(f"SELECT json::VARCHAR FROM {LINES}").rows:  # noqa: S608
            file.write(_UNREADABLE if line is None else f"{line}\n".encode())
    return Source(source.name, str(copy), shape=log.sources[0].shape, is_copy=True)
