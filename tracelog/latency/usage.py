"""What the threads of this process got of the CPU: Linux's own count, from /proc.

No `time.pthread_getcpuclockid`: of a thread that has just ended it is undefined behaviour.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import NamedTuple


__all__ = ["Usage", "usage_of", "usages_of_others"]


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


def usage_of(native_id: int) -> Usage | None:
    """Tell what a thread got; None if it has ended, or if this system doesn't tell."""
    try:
        text = Path(f"/proc/self/task/{native_id}/schedstat").read_text("ascii")
        running, queued, slices = text.split()
        return Usage(int(running) / 1e9, int(queued) / 1e9, int(slices))
    except (OSError, ValueError):
        return None


def usages_of_others(ident: int) -> dict[threading.Thread, Usage]:
    """Tell what Python's other threads got: neither that thread, nor the one that asks."""
    asking = threading.get_ident()
    threads = [t for t in threading.enumerate() if t.ident not in {ident, asking, None}]
    usages = {t: usage_of(t.native_id) for t in threads if t.native_id is not None}
    return {thread: usage for thread, usage in usages.items() if usage is not None}
