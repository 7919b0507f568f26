"""All sinks there are: flushed together, at the interpreter's end, too, and emptied after a fork.

What waits when a process forks is the parent's to write.
"""

from __future__ import annotations

import atexit
import os
import time
from typing import Final, Protocol
from weakref import WeakValueDictionary

from tracelog.delivery import report_losses


__all__ = ["Flushed", "flush", "flush_at_exit"]

_FAREWELL_S: Final = 1.5  # how long the interpreter's exit waits for what is not out


class Flushed(Protocol):
    """What lines wait in."""

    def flush(self, timeout: float | None) -> bool:
        """Wait for what had to wait so far; False if it isn't out."""

    def give_up(self) -> int:
        """Count as lost what isn't out, and tell how much that is: nobody is going to write it."""

    def forget(self) -> None:
        """Leave what waits to the parent process, whose it is."""


_sinks: WeakValueDictionary[int, Flushed] = WeakValueDictionary()


def flush_at_exit(sink: Flushed) -> None:
    """Flush *sink* with all others, as long as there is one."""
    _sinks[id(sink)] = sink


def flush(timeout: float | None = None) -> bool:
    """Wait until every line accepted so far is out.

    Args:
        timeout: Seconds to wait at most; None waits as long as it takes.

    Returns:
        False if time ran out, or if there is no room on a disk.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    done = True
    for sink in _living():
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        done = sink.flush(left) and done
    return done


def _living() -> list[Flushed]:
    """List the sinks; other threads may make some meanwhile, which iterating wouldn't survive."""
    return [sink for reference in _sinks.valuerefs() if (sink := reference()) is not None]


def _farewell() -> None:
    flush(_FAREWELL_S)
    report_losses(sum(sink.give_up() for sink in _living()))


def _forget_all() -> None:
    for sink in _living():
        sink.forget()


atexit.register(_farewell)
os.register_at_fork(after_in_child=_forget_all)
