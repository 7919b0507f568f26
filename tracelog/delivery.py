"""What became of lines: counted by whoever writes them; what is lost is said on descriptor 2."""

from __future__ import annotations

import os
import select
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final


__all__ = [
    "Counts",
    "DeliveryStats",
    "delivery_stats",
    "report_failure",
    "report_loss",
    "report_losses",
]

_REPORT_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class DeliveryStats:
    """What became of the lines so far, in this process.

    Attributes:
        written: Lines that are out.
        spilled: Lines that had to wait for their descriptor, whether or not they are out by now.
        dropped: Lines that are lost.
    """

    written: int
    spilled: int
    dropped: int


class Counts:
    """The counters of one sink; read without a lock, they may lag by a line."""

    __slots__ = ("dropped", "spilled", "written")

    # All of them, and the sums of those whose sink is no more. (At exit, a module's names go before
    # its objects do.)
    living: ClassVar[set[Counts]] = set()
    gone: ClassVar[list[int]] = [0, 0, 0]
    changes: ClassVar[list[int]] = [0]
    lock: ClassVar[threading.RLock] = threading.RLock()

    def __init__(self) -> None:
        self.reset()
        self.living.add(self)

    def all(self) -> tuple[int, int, int]:
        """Give them in the order of `DeliveryStats`."""
        return self.written, self.spilled, self.dropped

    def reset(self) -> None:
        """Begin anew."""
        self.written = self.spilled = self.dropped = 0

    def retire(self) -> None:
        """Keep what was counted: the sink is no more."""
        with self.lock:
            self.living.discard(self)
            self.gone[:] = map(int.__add__, self.gone, self.all())
            self.reset()
            self.changes[0] += 1


_no_sink = Counts()  # of lines that never reached one
_said: dict[str, float] = {}  # when something was said last
_last: list[int] = [0]  # how many lost lines were said last


def delivery_stats() -> DeliveryStats:
    """Tell how many lines were written, had to wait, and were lost."""
    while True:
        changes = Counts.changes[0]
        with Counts.lock:
            counted = [Counts.gone, *(counts.all() for counts in tuple(Counts.living))]
            stats = DeliveryStats(*map(sum, zip(*counted, strict=True)))
        if changes == Counts.changes[0]:  # else the collector has come between, in this thread
            return stats


def report_loss(error: BaseException, counts: Counts = _no_sink, count: int = 1) -> None:
    """Count *count* lost lines, and say so, at most once a second."""
    counts.dropped += count
    if count and _is_due("loss"):
        _say_losses(_reason(error))


def report_losses(count: int) -> None:
    """Say how many lines are lost, *count* of them just now, unless that was said already."""
    lost = delivery_stats().dropped
    if lost > _last[0]:
        _say_losses(f"{count} were waiting when the process ended" if count else "in all")


def _say_losses(why: str) -> None:
    _last[0] = delivery_stats().dropped
    _say(f"lines lost so far: {_last[0]} ({why})")


def report_failure(what: str, error: BaseException) -> None:
    """Say, at most once a second, that *what* failed, which isn't ours; no line is lost by it."""
    if _is_due(what):
        _say(f"{what} failed ({_reason(error)})")


def _is_due(what: str) -> bool:
    try:
        now = time.monotonic()
    except OSError:  # without a clock nothing can be said once a second
        return False

    if now - _said.get(what, -_REPORT_EVERY_S) < _REPORT_EVERY_S:
        return False

    _said[what] = now
    return True


def _reason(error: BaseException) -> str:
    name = type(error).__name__  # its text may be anybody's secret, but for the system's own
    return f"{name}: {error.strerror}" if isinstance(error, OSError) else name


def _say(text: str) -> None:
    """Write *text* to descriptor 2, unless that would have to be waited for: it may be as full."""
    ready = select.poll()
    ready.register(2, select.POLLOUT)
    with suppress(OSError):
        if ready.poll(0):
            os.write(2, f"tracelog: {text}\n".encode("utf-8", "backslashreplace"))


def _reset_all() -> None:
    Counts.lock = threading.RLock()
    Counts.gone[:] = 0, 0, 0
    _last[0] = 0
    for counts in Counts.living:
        counts.reset()


os.register_at_fork(after_in_child=_reset_all)
