"""Where lines go: a descriptor that is never waited for, or a text stream.

A line is one `os.write` on a descriptor of our own, so there is nothing to deadlock on and nothing
buffered to lose. Only what the descriptor refuses for now is kept, bounded, and written by a
thread; what can't be written at all is counted.
"""

from __future__ import annotations

import atexit
import errno
import os
import select
import stat
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from select import PIPE_BUF  # what a pipe takes whole, or not at all
from typing import Any, Final, Protocol, TypeAlias
from weakref import WeakValueDictionary

from tracelog.delivery import Counts, report_loss


__all__ = [
    "DescriptorSink",
    "Lines",
    "Sink",
    "SocketSink",
    "TextSink",
    "flush",
    "open_sink",
]

_write = os.write

MAX_SPILL: Final = 8 * 1024 * 1024  # bytes that wait for a descriptor which refuses them
_UNMADE: Final = 16 * 1024  # bytes that lines count as which are yet to be made
_FAREWELL_S: Final = 1.5  # how long the interpreter's exit waits for them
_PAUSE_S: Final = 0.05  # before a stream that can't be waited for is tried again


# Finished lines, newline included, or what makes them, for a thread that has the time.
Lines: TypeAlias = bytes | Callable[[], bytes]


class Sink(Protocol):
    """Takes finished lines; never raises, never blocks the caller."""

    def write(self, lines: Lines, /) -> None:
        """Write *lines* whole, now or as soon as that is possible."""

    def flush(self, timeout: float | None, /) -> bool:
        """Wait for what had to wait, *timeout* seconds at most; False if time ran out."""


_sinks: WeakValueDictionary[int, _SpillingSink] = WeakValueDictionary()


def _living() -> list[_SpillingSink]:
    """List the sinks; other threads may make some meanwhile, which iterating wouldn't survive."""
    return [sink for reference in _sinks.valuerefs() if (sink := reference()) is not None]


def flush(timeout: float | None = None) -> bool:
    """Wait until every line accepted so far is out.

    Args:
        timeout: Seconds to wait at most; None waits as long as it takes.

    Returns:
        False if time ran out.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    done = True
    for sink in _living():
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        done = sink.flush(left) and done
    return done


def _size_of(lines: Lines) -> int:
    return len(lines) if isinstance(lines, bytes) else _UNMADE


class _SpillingSink(ABC):
    """What both sinks share: lines that can't be written at once wait here, in their order."""

    def __init__(self) -> None:
        self.counts = Counts()
        self._spill: deque[Lines] = deque()
        self._bytes = 0
        self._accepted = self._settled = 0  # how many lines came into the spill, and left it
        # One thread may take it twice: a signal handler or a finalizer that logs can come between.
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._drainer: threading.Thread | None = None
        _sinks[id(self)] = self

    def write(self, lines: Lines) -> None:
        """Write *lines* whole, now or as soon as that is possible."""
        if self._spill or not isinstance(lines, bytes):
            self._keep(lines)
            return

        if len(lines) > PIPE_BUF:
            self._write_long(lines)
            return

        try:
            size = self._put(lines)
        except BlockingIOError:
            self._keep(lines)
        except Exception as error:  # noqa: BLE001 -- a stream may raise anything
            report_loss(error, self.counts)
        else:
            self.counts.written += 1
            if size != len(lines):
                self._keep_rest(lines[size:])

    def flush(self, timeout: float | None) -> bool:
        """Wait for what had to wait so far; False if time ran out."""
        with self._lock:  # or somebody else could start one between the two
            self._start_drainer()
            drainer, accepted = self._drainer, self._accepted
            if drainer not in (None, threading.current_thread()):
                # Not for lines that come meanwhile: under load there might be no end of them.
                return self._moved.wait_for(lambda: self._settled >= accepted, timeout)

        if drainer is None and self._spill:  # no thread could be started: the interpreter is ending
            self._drain(timeout)
        return not self._spill

    def forget(self) -> None:
        """Leave what waits to the parent process, whose it is."""
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._drainer = None
        self._spill.clear()
        self._bytes = 0
        self._settled = self._accepted

    @abstractmethod
    def _put(self, line: bytes) -> int:
        """Write as much of *line* as can be written without waiting; tell how much that was."""

    def _await(self, timeout: float | None) -> None:
        """Wait until more can be written, or for a moment."""
        time.sleep(_PAUSE_S if timeout is None else min(timeout, _PAUSE_S))

    def _keep(self, lines: Lines) -> None:
        size = _size_of(lines)
        with self._lock:
            fits = self._bytes + size <= MAX_SPILL
            if fits:
                self._spill.append(lines)
                self._bytes += size
                self._accepted += 1
                self.counts.spilled += 1
        if fits:
            self._start_drainer()
        else:
            report_loss(BlockingIOError(errno.EAGAIN, "its reader is too slow"), self.counts)

    def _write_long(self, lines: bytes) -> None:
        """Write *lines* of which a part may be refused: others' wait until the whole is out."""
        with self._lock:
            if self._spill:
                self._keep(lines)
                return

            self._spill.append(lines)
            self._bytes += len(lines)
            self._accepted += 1
            self._drain_one(lines, 0.0)
            self.counts.spilled += bool(self._spill)
        self._start_drainer()

    def _keep_rest(self, rest: bytes) -> None:
        """Keep the end of a line that was written in part, before everything else."""
        with self._lock:
            self._spill.appendleft(rest)
            self._bytes += len(rest)
            self._accepted += 1
            self.counts.written -= 1
            self.counts.spilled += 1
        self._start_drainer()

    def _start_drainer(self) -> None:
        with self._lock:
            if self._drainer is not None or not self._spill:
                return

            self._drainer = threading.Thread(target=self._drain, name="tracelog", daemon=True)
            try:
                self._drainer.start()
            except RuntimeError:  # the interpreter is ending: the farewell writes the rest
                self._drainer = None

    def _drain(self, timeout: float | None = None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while deadline is None or time.monotonic() <= deadline:
            with self._lock:
                if not self._spill:
                    self._drainer = None
                    return
                lines = self._spill[0]
            self._drain_one(lines, timeout)

    def _drain_one(self, lines: Lines, timeout: float | None) -> None:
        data = b""
        try:
            data = lines if isinstance(lines, bytes) else lines()
            size = self._put(data)
        except BlockingIOError:
            self._await(timeout)
            size = 0
        except Exception as error:  # noqa: BLE001 -- a stream or a renderer may raise anything
            size = len(data)
            report_loss(error, self.counts)
        else:
            self.counts.written += size == len(data)
        with self._lock:
            self._bytes += len(data) - size - _size_of(lines)
            place = self._spill.index(lines)  # the rest of another line may have come before it
            if size == len(data):
                del self._spill[place]
                self._settled += 1
                self._moved.notify_all()
            else:
                self._spill[place] = data[size:]


class TextSink(_SpillingSink):
    """A text stream without a descriptor of its own: a StringIO, a test's capture, an IDE."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self._stream = stream

    def _put(self, line: bytes) -> int:
        self._stream.write(line.decode("utf-8", "backslashreplace"))
        if hasattr(self._stream, "flush"):
            self._stream.flush()
        return len(line)


class DescriptorSink(_SpillingSink):
    """A descriptor, owned: closed when nobody can write to it any more.

    A thread may be about to write to a handler that a reconfiguration has just closed. So closing
    is left to the last reference, and a number that the system has given to another file since is
    never written to.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor

    def write(self, lines: Lines) -> None:
        """Do the same as every sink, in fewer steps."""
        if self._spill:
            self._keep(lines)
            return

        try:
            length = len(lines)  # type: ignore[arg-type]
            size = _write(self._descriptor, lines) if length <= PIPE_BUF else 0  # type: ignore[arg-type]
        except (OSError, TypeError):
            size = 0
        if size == 0:
            super().write(lines)  # once more, for what an error means
            return

        self.counts.written += 1
        if size != length:
            self._keep_rest(lines[size:])  # type: ignore[index]

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self._descriptor)

    def _put(self, line: bytes) -> int:
        return os.write(self._descriptor, line)

    def _await(self, timeout: float | None) -> None:
        _await_room(self._descriptor, timeout)


class SocketSink(_SpillingSink):
    """A socket, as a service's stdout under systemd is: told with every line not to wait.

    It can't be opened anew, and to make it non-blocking would make it so for whoever shares it.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        from socket import MSG_DONTWAIT, socket  # noqa: PLC0415 -- most services have a pipe

        self._socket = socket(fileno=os.dup(descriptor))
        self._dont_wait = MSG_DONTWAIT

    def __del__(self) -> None:
        self._socket.close()

    def _put(self, line: bytes) -> int:
        return self._socket.send(line, self._dont_wait)

    def _await(self, timeout: float | None) -> None:
        _await_room(self._socket.fileno(), timeout)


def _await_room(descriptor: int, timeout: float | None) -> None:
    ready = select.poll()
    ready.register(descriptor, select.POLLOUT)
    ready.poll(None if timeout is None else timeout * 1000)


def open_sink(stream: Any) -> Sink:
    """Open the sink that fits *stream*: its descriptor if it has one, else its `write`."""
    try:
        descriptor = stream.fileno()
    except (AttributeError, OSError, ValueError):
        return TextSink(stream)

    with suppress(OSError, ValueError):
        stream.flush()  # what it holds already was written before our lines
    if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return SocketSink(descriptor)

    return DescriptorSink(_private(descriptor))


def _private(descriptor: int) -> int:
    """Open a descriptor of our own onto what *descriptor* is open on.

    A pipe or a terminal is opened anew and non-blocking, so that the flags which our stdout shares
    with children and parent stay as they are. A file shares its offset with whoever else writes to
    it.
    """
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY | os.O_APPEND
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{descriptor}", flags)
    return os.dup(descriptor)


def _forget_all() -> None:
    for sink in _living():
        sink.forget()


atexit.register(flush, _FAREWELL_S)
os.register_at_fork(after_in_child=_forget_all)
