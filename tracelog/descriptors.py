"""Sinks over descriptors: each kind is asked, in its own way, not to wait."""

from __future__ import annotations

import errno
import math
import os
import select
import stat
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from select import PIPE_BUF  # what a pipe takes whole, or not at all
from typing import Any, Final

from tracelog.files import above_standard, end_torn_line, open_anew, replace_descriptor
from tracelog.pipe_room import Room
from tracelog.process_lock import EXCLUSIVE, SHARED, ProcessLock
from tracelog.sinks import Sink
from tracelog.spill import Lines
from tracelog.text_sink import TextSink


__all__ = ["DescriptorSink", "PipeSink", "SocketSink", "ThreadSink", "open_sink"]

_write = os.write
_monotonic = time.monotonic
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_NONBLOCK


class DescriptorSink(Sink):
    """A descriptor of a file, owned: closed when nobody can write to it any more.

    A thread may be about to write to a handler that a reconfiguration has just closed. So closing
    is left to the last reference, and a number that the system has given to another file since is
    never written to.
    """

    _whole = sys.maxsize  # bytes that are taken whole, or not at all, whoever else writes
    _due: float = math.inf  # when to look whether it is the right file still

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, lines: Lines, level: int = 0) -> None:
        """Do the same as every sink, in fewer steps: what is taken whole needs no turn."""
        if self._busy or _monotonic() >= self._due:
            self._look()
            super().write(lines, level)
            return

        size, length = 0, -1
        try:
            length = len(lines)  # type: ignore[arg-type]
            if length <= self._whole:
                size = _write(self._descriptor, lines)  # type: ignore[arg-type]
        except (OSError, TypeError):  # refused, or lines that are yet to be made
            pass
        if size == length:
            self.counts.written += 1
        elif size == 0:
            super().write(lines, level)  # in turn; and once more, for what an error means
        else:
            self._keep_rest(lines[size:])  # type: ignore[index]

    def __del__(self) -> None:
        super().__del__()
        try:  # noqa: SIM105 -- as in `Sink`
            os.close(self._descriptor)
        except (AttributeError, OSError):  # it was refused, or is closed already
            pass

    def _look(self) -> None:
        """Make sure, once that is due, that it is the right file; here there is no other."""

    def _put(self, data: bytes) -> int:
        return os.write(self._descriptor, data)

    def _await(self, timeout: float | None) -> None:
        _has_room(self._descriptor, timeout)


class PipeSink(DescriptorSink):
    """A pipe or a terminal that doesn't make us wait.

    A pipe takes PIPE_BUF bytes whole or not at all; of more it may take a part, into which others
    could write. So a longer line has a lock that those of other processes respect, and waits until
    there is room for the whole of it, and for what comes unasked.

    Args:
        descriptor: Its own.
        write: Writes to it without waiting.
        locks: The open file description is its own, too: else a lock would be everybody's.
    """

    _whole = PIPE_BUF

    def __init__(
        self, descriptor: int, write: Callable[[int, bytes], int] = os.write, *, locks: bool = True
    ) -> None:
        super().__init__(descriptor)
        self._write = write
        if not locks:
            self._whole = 0  # the short way isn't told to use *write*
        self._process_lock = ProcessLock(descriptor if locks else None)
        self._room = Room(descriptor)

    def forget(self) -> None:
        """Leave what waits, and the lock, to the parent process: have a description of our own."""
        super().forget()
        with suppress(OSError):
            replace_descriptor(self._descriptor, open_anew(self._descriptor, _FLAGS))
        self._process_lock = ProcessLock(self._descriptor if self._whole else None)

    def _put(self, data: bytes) -> int:
        lock = self._process_lock
        lock.take(SHARED if len(data) <= PIPE_BUF else EXCLUSIVE)
        try:
            if not self._rest:
                self._room.require(len(data))
            size = self._write(self._descriptor, data)
        except BlockingIOError:
            if not self._rest:  # else a line is out in part
                lock.give()
            raise
        except OSError:
            lock.give()
            raise

        if size < len(data):
            lock.keep()
        else:
            lock.give()
        return size

    def _await(self, timeout: float | None) -> None:
        if self._process_lock.refused:
            self._process_lock.wait(timeout)
        else:
            super()._await(timeout)
            self._room.wait()


class ThreadSink(DescriptorSink):
    """A descriptor that can't be told not to wait: a thread does, for every line."""

    def write(self, lines: Lines, level: int = 0) -> None:
        """Leave *lines* to the thread."""
        self._keep(lines, level)

    def _put(self, data: bytes) -> int:
        if not _has_room(self._descriptor):
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

        return os.write(self._descriptor, data[:PIPE_BUF])


class SocketSink(Sink):
    """A socket, as a service's stdout under systemd is: told with every line not to wait.

    It can't be opened anew, and to make it non-blocking would make it so for whoever shares it.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        from socket import MSG_DONTWAIT, socket  # noqa: PLC0415 -- most services have a pipe

        self._socket = socket(fileno=above_standard(os.dup(descriptor)))
        self._dont_wait = MSG_DONTWAIT

    def __del__(self) -> None:
        super().__del__()
        try:  # noqa: SIM105 -- as in `Sink`
            self._socket.close()
        except AttributeError:  # its descriptor was refused
            pass

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
