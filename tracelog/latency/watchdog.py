"""One thread, which looks at what event loops are doing while they are doing it."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from typing import Final, Protocol


__all__ = ["Watched", "unwatch", "watch"]

_EVERY_S: Final = 0.025

_log = logging.getLogger("tracelog.internal")


class Watched(Protocol):
    """Something to be looked at every so often."""

    def look(self) -> bool:
        """Look; False if there is nothing to be seen any more. Called in the watchdog's thread."""

    def finish(self) -> None:
        """Say what hasn't been said yet."""


class _Watchdog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: tuple[Watched, ...] = ()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, watched: Watched) -> None:
        with self._lock:
            self._watched = (*self._watched, watched)
            self._wake.clear()  # the thread may not have seen yet that it wasn't needed any more
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="tracelog-watchdog", daemon=True
                )
                self._thread.start()

    def remove(self, watched: Watched) -> None:
        with self._lock:
            self._watched = tuple(each for each in self._watched if each is not watched)
            if not self._watched:
                self._wake.set()

    def finish(self) -> None:
        for watched in self._watched:
            try:
                watched.finish()
            except Exception:  # noqa: BLE001 -- the others have something to say, too
                _log.exception("finishing an event loop's watch failed")

    def _run(self) -> None:
        while not self._is_over():
            self._look_around()

    def _look_around(self) -> None:
        """Look at each; while the thread waits, no name in here keeps one, nor its event loop."""
        for watched in self._watched:
            self._look(watched)

    def _is_over(self) -> bool:
        self._wake.wait(_EVERY_S)
        with self._lock:
            if not self._watched:
                self._thread = None
            return not self._watched

    def _look(self, watched: Watched) -> None:
        try:
            if watched.look():
                return
        except Exception:  # noqa: BLE001 -- no thread of ours ends with a traceback
            _log.exception("looking at an event loop failed; it isn't watched any more")
        self.remove(watched)


_dog = _Watchdog()


def watch(watched: Watched) -> None:
    """Look at *watched* from now on, until it says that there is no more to be seen."""
    _dog.add(watched)


def unwatch(watched: Watched) -> None:
    """Look at it no more."""
    _dog.remove(watched)


atexit.register(_dog.finish)
os.register_at_fork(after_in_child=_dog.__init__)  # type: ignore[misc]  # its thread stays behind
