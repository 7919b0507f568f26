"""Sinks over descriptors: each kind is asked, in its own way, not to wait."""

from __future__ import annotations

import errno
import fcntl
import os
import select
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from select import PIPE_BUF  # what a pipe takes whole, or not at all
from typing import Any, Final

from tracelog.files import above_standard, end_torn_line, open_anew, replace_descriptor
from tracelog.sinks import Sink, SpillingSink, TextSink
from tracelog.spill import Lines


__all__ = ["DescriptorSink", "PipeSink", "SocketSink", "ThreadSink", "open_sink"]

_write = os.write
_flock = fcntl.flock
_SHARED: Final = fcntl.LOCK_SH | fcntl.LOCK_NB
_EXCLUSIVE: Final = fcntl.LOCK_EX | fcntl.LOCK_NB
_UNLOCK: Final = fcntl.LOCK_UN
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK
_LOCKED_OUT_S: Final = 0.001  # before another process's long line is looked at again


class DescriptorSink(SpillingSink):
    """A descriptor of a file, owned: closed when nobody can write to it any more.

    A thread may be about to write to a handler that a reconfiguration has just closed. So closing
    is left to the last reference, and a number that the system has given to another file since is
    never written to.

    A file takes a line whole, whoever else appends to it: no turn is needed.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, lines: Lines, level: int = 0) -> None:
        """Do the same as every sink, in fewer steps."""
        if self._busy:
            super().write(lines, level)
            return

        try:
            size = _write(self._descriptor, lines)  # type: ignore[arg-type]
        except (OSError, TypeError):
            super().write(lines, level)  # once more, for what an error means
            return

        if size == len(lines):  # type: ignore[arg-type]
            self.counts.written += 1
        else:
            self._keep_rest(lines[size:])  # type: ignore[index]

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)

    def _put(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def _await(self, timeout: float | None) -> None:
        _has_room(self._descriptor, timeout)


class PipeSink(DescriptorSink):
    """A pipe or a terminal that doesn't make us wait.

    A pipe takes PIPE_BUF bytes whole or not at all, of more it may take a part. So that nobody
    writes into the middle of a long line, whoever has one keeps the others of this process out by
    the turn, and other processes by a lock that short lines share.

    Args:
        descriptor: Its own.
        write: Writes to it without waiting.
        locks: The lock is its own, too: nobody else has the same open file description.
    """

    def __init__(
        self, descriptor: int, write: Callable[[int, bytes], int] = os.write, *, locks: bool = True
    ) -> None:
        super().__init__(descriptor)
        self._write = write
        self._locks = locks
        self._holds = False  # the lock, while a line is out in part
        self._locked_out = False

    def write(self, lines: Lines, level: int = 0) -> None:
        """Write *lines* in turn."""
        SpillingSink.write(self, lines, level)

    def forget(self) -> None:
        """Leave what waits, and the lock, to the parent process: have a description of our own."""
        super().forget()
        self._holds = False
        if self._locks:
            with suppress(OSError):
                replace_descriptor(self._descriptor, open_anew(self._descriptor, _FLAGS))

    def _put(self, data: bytes) -> int:
        if self._locks and not self._holds:
            self._lock_out(len(data))
        try:
            size = self._write(self._descriptor, data)
        except BlockingIOError:
            if not self._holds:
                self._let_in()
            raise
        except OSError:
            self._let_in()
            raise

        if size == len(data):
            self._let_in()
        else:
            self._holds = True
        return size

    def _lock_out(self, size: int) -> None:
        self._locked_out = True
        _flock(self._descriptor, _SHARED if size <= PIPE_BUF else _EXCLUSIVE)
        self._locked_out = False

    def _let_in(self) -> None:
        self._holds = False
        if self._locks:
            _flock(self._descriptor, _UNLOCK)

    def _await(self, timeout: float | None) -> None:
        if self._locked_out:
            time.sleep(_LOCKED_OUT_S)
        else:
            super()._await(timeout)


class ThreadSink(DescriptorSink):
    """A descriptor that can't be told not to wait: a thread does, for every line."""

    def write(self, lines: Lines, level: int = 0) -> None:
        """Leave *lines* to the thread."""
        self._keep(lines, level)

    def _put(self, data: bytes) -> int:
        if not _has_room(self._descriptor):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        return os.write(self._descriptor, data[:PIPE_BUF])


class SocketSink(SpillingSink):
    """A socket, as a service's stdout under systemd is: told with every line not to wait.

    It can't be opened anew, and to make it non-blocking would make it so for whoever shares it.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        from socket import MSG_DONTWAIT, socket  # noqa: PLC0415 -- most services have a pipe

        self._socket = socket(fileno=above_standard(os.dup(descriptor)))
        self._dont_wait = MSG_DONTWAIT

    def __del__(self) -> None:
        self._socket.close()

    def _put(self, data: bytes) -> int:
        return self._socket.send(data, self._dont_wait)

    def _await(self, timeout: float | None) -> None:
        _has_room(self._socket.fileno(), timeout)


def open_sink(stream: Any) -> Sink:
    """Open the sink that fits *stream*: its descriptor if it has one, else its `write`.

    The flags that our stdout shares with children and parent stay as they are: what may have to be
    waited for is opened anew, or told with every line. A file shares its offset with whoever else
    writes to it.
    """
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return TextSink(stream)

    with suppress(OSError, ValueError):
        stream.flush()  # what it holds already was written before our lines
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISSOCK(mode):
        return SocketSink(descriptor)

    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return _open_pipe(descriptor, mode)

    own = above_standard(os.dup(descriptor))
    end_torn_line(own)
    return DescriptorSink(own)


def _open_pipe(descriptor: int, mode: int) -> Sink:
    with suppress(OSError):  # it was made by somebody whose rights we don't have
        return PipeSink(open_anew(descriptor, _FLAGS))

    own = above_standard(os.dup(descriptor))
    if stat.S_ISFIFO(mode) and _pipes_take_nowait():
        return PipeSink(own, _write_nowait, locks=False)

    return ThreadSink(own)


def _write_nowait(descriptor: int, data: bytes) -> int:
    return os.pwritev(descriptor, [data], -1, os.RWF_NOWAIT)


def _pipes_take_nowait() -> bool:
    """Tell whether a pipe can be told with a line not to wait: since Linux 6.4."""
    ends = os.pipe()
    try:
        return _write_nowait(ends[1], b"?") == 1
    except OSError:
        return False
    finally:
        for end in ends:
            os.close(end)


def _has_room(descriptor: int, timeout: float | None = 0) -> bool:
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    return bool(ready.poll(None if timeout is None else timeout * 1000))
