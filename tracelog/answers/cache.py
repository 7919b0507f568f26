"""What a question found in large logs, kept for the next one: a view's columns, file by file.

It lies beside the user's other caches, as Parquet, and only this user can read it. A file that has
changed is another one; what wasn't used for longest goes when there is too much. It is never a
reason to fail: what can't be kept, or read, is asked of the log.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tracelog.answers.sources import Source
from tracelog.answers.views import View


__all__ = ["Cache"]

_FORMAT: Final = 4  # of what is kept: another one is another file
_WORTH: Final = 32_000_000  # bytes: what is smaller is read in no time
_UNPACKED: Final = 10  # times as large as a packed file is
_LIMIT: Final = 4_000_000_000  # bytes of all that is kept
_AT_REST_S: Final = 2.0  # a file that was written to just now is about to change again
_ABANDONED_S: Final = 3600.0  # what nobody has finished by then, nobody will
_SUFFIX: Final = ".parquet"


@dataclass(frozen=True, slots=True)
class Cache:
    """What is kept in a folder.

    Attributes:
        folder: Where; it needn't exist.
        worth: From how many bytes of logs on.
        limit: How many bytes at most.
        now: Tells the time, in seconds since the epoch.
    """

    folder: Path
    worth: int = _WORTH
    limit: int = _LIMIT
    now: Callable[[], float] = time.time

    @classmethod
    def of_user(cls) -> Self | None:
        """Find the user's own, if there is a place for it."""
        told = Path(os.environ.get("XDG_CACHE_HOME", ""))
        if told.is_absolute():  # the standard says to ignore another one
            return cls(told / "tracelog")

        with suppress(RuntimeError):
            return cls(Path.home() / ".cache" / "tracelog")

        return None

    def paths(self, sources: Sequence[Source], view: View) -> list[Path]:
        """Tell where each of *sources* has its place; nowhere if it isn't worth it, or can't be."""
        if any(source.is_copy or source.is_remote for source in sources):
            return []

        try:
            stats = [(source, Path(source.path).stat()) for source in sources]
        except OSError:
            return []

        size = sum(stat.st_size * (_UNPACKED if s.packing else 1) for s, stat in stats)
        newest = max((stat.st_mtime for _, stat in stats), default=0.0)
        if size < self.worth or self.now() - newest < _AT_REST_S:
            return []

        return [self.folder / f"{_name(*each, view)}{_SUFFIX}" for each in stats]

    def found(self, paths: Sequence[Path]) -> bool:
        """Whether all of *paths* are there; they have been used now."""
        try:
            for path in paths:
                os.utime(path)
        except OSError:
            return False

        return bool(paths)

    def keep(self, path: Path, write: Callable[[Path], object]) -> None:
        """Let *write* make what belongs at *path*, whole or not at all; and make room for it."""
        partial = path.with_suffix(f".{os.getpid()}.partial")
        with suppress(OSError):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                write(partial)
                partial.replace(path)
            finally:
                partial.unlink(missing_ok=True)
            self._make_room()

    def forget(self, paths: Sequence[Path]) -> None:
        """Throw away what turned out to be of no use."""
        for path in paths:
            with suppress(OSError):
                path.unlink()

    def _make_room(self) -> None:
        """Throw away what wasn't used for longest, and what others have left half-done."""
        files = sorted(self._files(), reverse=True)
        left = self.limit
        for used, size, path in files:
            left -= size
            is_stale = path.suffix != _SUFFIX and self.now() - used > _ABANDONED_S
            if left < 0 or is_stale:
                self.forget([path])

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """List when each was used last, its size, and its path; another process may take some."""
        for path in self.folder.iterdir():
            with suppress(OSError):
                stat = path.stat()
                yield stat.st_mtime, stat.st_size, path


def _name(source: Source, stat: os.stat_result, view: View) -> str:
    """Name a file as it is now, and what of it."""
    facts = (
        *(_FORMAT, os.path.realpath(source.path)),
        *(stat.st_size, stat.st_mtime_ns, stat.st_ino, source.shape, view),
    )
    digest = hashlib.sha256(repr(facts).encode("utf-8", "surrogateescape")).hexdigest()
    return f"{digest[:32]}-{view.name}"
