"""Room in a pipe: enough for a long line as a whole, so that nothing comes into its middle."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from array import array
from contextlib import suppress
from select import PIPE_BUF
from termios import FIONREAD
from typing import Final


__all__ = ["Room"]

_WANTED: Final = 256 * 1024  # bytes; a pipe has 64 KiB, which the longest line fills alone
_SPARE: Final = 8 * PIPE_BUF  # for others' short lines, which ask nobody
_PAUSE_S: Final = 0.001


class Room:
    """What there is in the pipe behind *descriptor*; of anything else there is always enough."""

    __slots__ = ("_descriptor", "_lacking", "_size")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lacking = False
        self._size: int | None = None

    def require(self, size: int) -> None:
        """See to it that *size* bytes can be written as a whole.

        Raises:
            BlockingIOError: If they can't, for now.
        """
        self._lacking = False
        if size <= PIPE_BUF:
            return

        if self._size is None:
            self._size = _grown(self._descriptor)
        # A line that leaves nothing to spare, even so, has the pipe alone.
        needed = min(size + _SPARE, self._size)
        # A pipe counts in pages, of which writes that don't fit leave up to the half empty.
        if self._size and 2 * _unread(self._descriptor) > self._size - needed:
            self._lacking = True
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def wait(self) -> None:
        """Wait for a moment, if there wasn't enough: poll tells only whether there is any."""
        if self._lacking:
            time.sleep(_PAUSE_S)


def _grown(descriptor: int) -> int:
    """Let the pipe grow, if it may; tell its size, or 0 if it is none."""
    with suppress(OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _WANTED)
    try:
        return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    except OSError:
        return 0


def _unread(descriptor: int) -> int:
    counted = array("i", [0])
    fcntl.ioctl(descriptor, FIONREAD, counted)
    return counted[0]
