"""Sinks: finished lines are written at once, or wait; nothing raises, and no caller waits.

A line is one write, so there is nothing to deadlock on and nothing buffered to lose. Only what is
refused for now is kept, bounded, and written by a thread; what can't be written at all is counted,
and said in the log itself once lines get out again.
"""

from __future__ import annotations

import errno
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from tracelog.delivery import Counts, report_failure, report_loss
from tracelog.farewell import flush_at_exit
from tracelog.spill import Lines, Spill


__all__ = ["Sink", "Step"]

_PAUSE_S: Final = 0.05  # before a stream that can't be waited for is tried again
_MAX_INCOMING: Final = 1_000  # lines that nobody has taken in; beyond, a caller waits a moment
_MOMENT_S: Final = 0.005
_FEW: Final = 64  # of them, which a caller takes in at once
_TURN_S: Final = 1.0  # who has the turn for longer is a caller that was interrupted in it
_RETRY_S: Final = 1.0  # before a full disk is tried again, unless somebody asks

# Room may come back: lines wait for it, as they do for a reader.
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Step(Enum):
    """What became of an attempt to write what is next."""

    MOVED = auto()
    WAITS = auto()  # for a reader
    STUCK = auto()  # for room
    FAILED = auto()  # and will again, but for a later line perhaps


def _nothing(_count: int) -> Lines:
    return b""


class Sink(ABC):
    """Takes finished lines; what all sinks share is the order in which everything gets out.

    First the rest of a line that is out in part, then what waits, then how many lines were lost,
    then new lines. Who writes has the turn; who doesn't get it at once lets lines wait.

    Attributes:
        counts: What became of its lines.
        tell: Makes the line that says how many were lost.
    """

    def __init__(self) -> None:
        self.counts = Counts()
        self.tell: Callable[[int], Lines] = _nothing
        self._busy = False  # there is something that has to get out before a new line
        self._rest = b""
        self._rest_counts = 0  # how many lines it ends; none if it is ours
        self._incoming: deque[tuple[Lines, int]] = deque()  # for whoever has the lock to take in
        self._spill = Spill()
        self._lost = 0  # and not yet said
        self._stuck = False  # there is no room, as far as we know
        self._turn = threading.Lock()
        # One thread may take it twice: a signal handler or a finalizer that logs can come between.
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._drainer: threading.Thread | None = None
        self._draining: int | None = None  # the thread that does so: at the end, it may be another
        flush_at_exit(self)

    def __del__(self) -> None:
        # No name of this module in here: at the interpreter's end they may be gone.
        try:  # noqa: SIM105
            self.counts.retire()
        except AttributeError:  # what it is about could not be opened
            pass

    def write(self, lines: Lines, level: int = 0) -> None:
        """Write *lines* whole, now or as soon as that is possible; of some *level*."""
        step = Step.WAITS
        waits = (self._busy and self._is_behind()) or not isinstance(lines, bytes)
        if not waits and self._turn.acquire(blocking=False):
            try:
                step = self._write_next(lines)  # type: ignore[arg-type]
            finally:
                self._turn.release()
        if step is not Step.MOVED:
            self._keep(lines, level)

    def lose(self, error: BaseException, count: int = 1) -> None:
        """Count *count* lines that are lost, which the log is going to say."""
        with self._lock:
            self._lost += count
            self._busy = True
            report_loss(error, self.counts, count)

    def flush(self, timeout: float | None) -> bool:
        """Wait for what had to wait so far; False if it isn't out."""
        with self._lock:  # or somebody else could start one between the two
            self._take_in(len(self._incoming))  # what nobody had the time to
            self._stuck = False  # look again
            self._moved.notify_all()
            self._start_drainer()
            drainer, added = self._drainer, self._spill.added
            if drainer not in (None, threading.current_thread()):
                # Not for lines that come meanwhile: under load there might be no end of them.
                self._moved.wait_for(lambda: self._has_ended(added), timeout)
                return self._is_out(added, self._rest)

        if drainer is None and self._busy:  # no thread could be started: the interpreter is ending
            self._drain(timeout)
        return not self._spill and not self._rest

    def give_up(self) -> int:
        """Count as lost what isn't out, and tell how much that is: nobody is going to write it."""
        with self._lock:
            left = len(self._spill) + len(self._incoming) + (self._rest_counts if self._rest else 0)
            self.counts.dropped += left
            return left

    def forget(self) -> None:
        """Leave what waits to the parent process, whose it is."""
        self._turn = threading.Lock()
        self._lock = threading.RLock()
        self._moved = threading.Condition(self._lock)
        self._drainer = None
        self._incoming.clear()
        self._spill.clear()
        self._rest, self._lost, self._busy = b"", 0, False

    @abstractmethod
    def _put(self, data: bytes) -> int:
        """Write as much of *data* as can be written without waiting; tell how much that was."""

    def _await(self, timeout: float | None) -> None:
        """Wait until more can be written, or for a moment."""
        time.sleep(_PAUSE_S if timeout is None else min(timeout, _PAUSE_S))

    def _has_ended(self, added: int) -> bool:
        """Tell whether the first *added* lines are done with, or nobody is at them."""
        left = self._rest or (self._lost and not self._spill)
        return self._is_out(added, left) or self._stuck or self._drainer is None

    def _is_out(self, added: int, left: object) -> bool:
        """Tell whether the first *added* lines are out; the last of them once nothing is *left*."""
        removed = self._spill.removed
        return removed > added or (removed == added and not left)

    def _is_behind(self) -> bool:
        return bool(self._spill or self._incoming)

    def _keep(self, lines: Lines, level: int) -> None:
        self._busy = True
        self._incoming.append((lines, level))
        self._take_in()

    def _take_in(self, most: int = _FEW) -> None:
        """Let what has come wait, or lose it; no caller waits for another, nor works for all."""
        while self._incoming and most > 0 and self._is_mine():
            try:
                while self._incoming and most > 0:
                    self._take_one(*self._incoming.popleft())
                    most -= 1
                self._start_drainer()
            finally:
                self._lock.release()

    def _is_mine(self) -> bool:
        """Take the lock, if nobody has it; wait a moment for it where too much has come."""
        if len(self._incoming) < _MAX_INCOMING:
            return self._lock.acquire(blocking=False)

        return self._lock.acquire(timeout=_MOMENT_S)

    def _take_one(self, lines: Lines, level: int) -> None:
        if self._spill.add(lines, level):
            self.counts.spilled += 1
        else:
            self.lose(BlockingIOError(errno.EAGAIN, "its reader is too slow"))

    def _note_busy(self) -> None:
        self._busy = bool(self._rest or self._lost or self._is_behind())

    def _write_next(self, line: bytes) -> Step:
        """Write *line* after what comes before it, unless it has to wait. Take the turn first."""
        try:
            if self._busy and not self._catch_up():
                return Step.WAITS

            size = self._put(line)
        except BlockingIOError:
            return Step.WAITS
        except Exception as error:  # noqa: BLE001 -- a stream may raise anything
            if self._lacks_room(error):
                return Step.STUCK

            self.lose(error)
            return Step.MOVED

        if size == len(line):
            self.counts.written += 1
        else:
            self._keep_rest(line[size:])
        return Step.MOVED

    def _lacks_room(self, error: Exception) -> bool:
        if getattr(error, "errno", None) not in _NO_ROOM:
            return False

        report_failure("a write of lines, which wait now,", error)
        self._stuck = True
        return True

    def _keep_rest(self, rest: bytes) -> None:
        """Keep the end of a line that was written in part, before everything else."""
        if not self._spill:  # else it is the first of those, and has been counted
            self.counts.spilled += 1
        self._set_rest(rest, 1)
        self._start_drainer()

    def _catch_up(self) -> bool:
        """Write the rest of a line, and how many were lost; False if more has to wait."""
        if self._rest:
            self._write_rest()
        if self._lost and not self._rest and not self._spill:
            self._write_lost()
        return not self._rest

    def _write_rest(self) -> None:
        try:
            size = self._put(self._rest)
        except BlockingIOError:
            raise
        except Exception as error:
            if getattr(error, "errno", None) not in _NO_ROOM:
                count, self._rest = self._rest_counts, b""
                self.lose(error, count)
            raise

        self._set_rest(self._rest[size:], self._rest_counts)
        if not self._rest:
            self.counts.written += self._rest_counts

    def _write_lost(self) -> None:
        count = self._lost
        data = _made(self.tell, count)
        size = self._put(data) if data else 0
        with self._lock:
            self._lost -= count
        self._set_rest(data[size:], 0)

    def _set_rest(self, rest: bytes, counts: int) -> None:
        with self._lock:
            self._rest, self._rest_counts = rest, counts
            self._note_busy()

    def _start_drainer(self) -> None:
        with self._lock:
            if self._drainer is not None or not self._busy:
                return

            self._drainer = threading.Thread(target=self._drain, name="tracelog", daemon=True)
            try:
                self._drainer.start()
            except RuntimeError:  # the interpreter is ending: the farewell writes the rest
                self._drainer = None

    def _drain(self, timeout: float | None = None) -> None:
        self._draining = threading.get_ident()
        try:
            self._drain_until(timeout)
        finally:
            self._draining = None

    def _drain_until(self, timeout: float | None) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        step = Step.MOVED
        while deadline is None or time.monotonic() <= deadline:
            if step is Step.FAILED and not self._is_behind():
                break
            turn = self._turn
            if not turn.acquire(timeout=_TURN_S):
                break
            try:
                step = self._advance()
            finally:
                turn.release()
            if step is Step.STUCK and timeout is not None:
                break
            if step is Step.MOVED and self._ends():
                return
            self._wait_after(step, timeout)
        self._ends(now=True)

    def _wait_after(self, step: Step, timeout: float | None) -> None:
        if step is Step.WAITS:
            try:
                self._await(timeout)
            except OSError:  # it can't be waited for; nor may this end the drainer
                Sink._await(self, timeout)
        elif step is Step.STUCK:
            with self._lock:
                self._moved.notify_all()
                self._moved.wait_for(lambda: not self._stuck, _RETRY_S)

    def _ends(self, *, now: bool = False) -> bool:
        """Tell that something has moved, and whether the drainer may go."""
        self._take_in()
        with self._lock:
            self._moved.notify_all()
            if now or not self._busy:
                self._drainer = None
                return True

        return False

    def _advance(self) -> Step:
        """Write what is next."""
        self._stuck = False
        if self._spill:
            return self._advance_spill()

        try:
            return Step.MOVED if self._catch_up() else Step.WAITS
        except BlockingIOError:
            return Step.WAITS
        except Exception as error:  # noqa: BLE001 -- the next line may find it mended
            return Step.STUCK if self._lacks_room(error) else Step.FAILED

    def _advance_spill(self) -> Step:
        try:
            step = self._write_next(self._first())
        except Exception as error:  # noqa: BLE001 -- what makes lines may raise anything
            self.lose(error)
            step = Step.MOVED
        if step is Step.MOVED:
            with self._lock:
                self._spill.remove_first()
                self._note_busy()
        return step

    def _first(self) -> bytes:
        lines = self._spill.first()
        if not isinstance(lines, bytes):
            lines = lines()
            with self._lock:
                self._spill.replace_first(lines)
        return lines


def _made(tell: Callable[[int], Lines], count: int) -> bytes:
    try:
        lines = tell(count)
        return lines if isinstance(lines, bytes) else lines()
    except Exception:  # noqa: BLE001 -- the user's formatter made it; descriptor 2 has said it
        return b""
