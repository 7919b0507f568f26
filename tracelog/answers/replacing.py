"""Files that are written whole or not at all: what was there before stays until they are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracelog.errors import InputError


__all__ = ["replacing"]


@contextmanager
def replacing(path: Path, *, example: str) -> Iterator[Path]:
    """Give a file to write, which takes the place of *path* if all goes well.

    Args:
        path: Where it goes in the end; a pipe or a device isn't replaced, but written to.
        example: A name for the way out, should it be impossible.

    Raises:
        InputError: If it can't be written there.
    """
    if path.is_dir():
        raise InputError(f"{str(path)!r} is a directory", hint=f"-o {path / example}")

    try:
        if path.exists() and not path.is_file():
            yield path
        else:
            with _beside(Path(os.path.realpath(path))) as partial:
                yield partial
    except OSError as error:
        raise InputError(
            f"{str(path)!r} can't be written: {error.strerror}", hint=f"-o /tmp/{example}"
        ) from error


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a file beside *path*, and put it in its place at once."""
    partial = path.with_name(f".tracelog-{os.getpid()}.partial")
    try:
        partial.touch()  # before there is much work: a folder that isn't there is said at once
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
