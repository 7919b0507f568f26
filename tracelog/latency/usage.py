"""What the threads of this process got of the CPU: Linux's own count, from /proc.

No `time.pthread_getcpuclockid`: of a thread that has just ended it is undefined behaviour.
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import Final, NamedTuple


__all__ = ["Usage", "UsageReader", "usages_of_others"]

_FILE: Final = "/proc/self/task/{}/schedstat"
_ENOUGH: Final = 128  # bytes


class Usage(NamedTuple):
    """A thread's time so far, in seconds (proc_pid_schedstat).

    Attributes:
        running: On a CPU.
        queued: Ready, but without a CPU.
        slices: How often it was given a CPU; no seconds.
    """

    running: float
    queued: float
    slices: int


class UsageReader:
    """Reads, again and again, what one thread got.

    Its file stays open: whoever asks the system gives up the GIL, and to have it back the thread
    that took it, the very one that is timed, has to stop.
    """

    def __init__(self, native_id: int) -> None:
        self._descriptor = -1
        try:
            self._descriptor = os.open(_FILE.format(native_id), os.O_RDONLY)
        except OSError:  # it has ended, or this system doesn't tell
            return
        weakref.finalize(self, os.close, self._descriptor)

    def read(self) -> Usage | None:
        """Tell what the thread got; None if it has ended, or if this system doesn't tell."""
        if self._descriptor < 0:
            return None

        try:
            running, queued, slices = os.pread(self._descriptor, _ENOUGH, 0).split()
            return Usage(int(running) / 1e9, int(queued) / 1e9, int(slices))
        except (OSError, ValueError):
            return None


def usages_of_others(ident: int) -> dict[threading.Thread, Usage]:
    """Tell what Python's other threads got: neither that thread, nor the one that asks."""
    asking = threading.get_ident()
    threads = [t for t in threading.enumerate() if t.ident not in {ident, asking, None}]
    usages = {t: UsageReader(t.native_id).read() for t in threads if t.native_id is not None}
    return {thread: usage for thread, usage in usages.items() if usage is not None}
