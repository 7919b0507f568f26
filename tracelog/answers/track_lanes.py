"""Where a slice goes in a trace file: its process, its thread, and the lane of that thread.

A thread's slices have to lie within each other: what overlaps gets a lane of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


__all__ = ["LOOP", "Event", "Lanes", "Place"]

Event = dict[str, Any]

LOOP: Final = "event loop"

_MOST: Final = 64  # lanes of a thread: more than anybody looks at
_FIRST: Final = -1  # of the event loop, in the order of threads


@dataclass(frozen=True, slots=True)
class Place:
    """Where a slice goes.

    Attributes:
        pid: The process.
        tid: The lane.
        named: The events that give names to what is new.
    """

    pid: int
    tid: int
    named: tuple[Event, ...] = ()


class Lanes:
    """Numbers for processes and lanes."""

    def __init__(self) -> None:
        self._processes: dict[str, int] = {}
        self._lanes: dict[tuple[int, str], list[tuple[int, float]]] = {}
        self._count = 0

    def place(self, process: str, thread: str, start: float, end: float) -> Place:
        """Find the first lane that is free; slices come in the order in which they start."""
        named = []
        if process not in self._processes:
            self._processes[process] = len(self._processes) + 1
            named.append(_named("process_name", self._processes[process], 0, name=process))
        pid = self._processes[process]
        lanes = self._lanes.setdefault((pid, thread), [])
        for number, (tid, until) in enumerate(lanes):
            if until <= start or number == _MOST - 1:
                lanes[number] = (tid, max(end, until))
                return Place(pid, tid, tuple(named))

        self._count += 1
        lanes.append((self._count, end))
        name = f"{thread} ({len(lanes)})" if len(lanes) > 1 else thread
        order = _FIRST if thread == LOOP else self._count
        named.append(_named("thread_name", pid, self._count, name=name))
        named.append(_named("thread_sort_index", pid, self._count, sort_index=order))
        return Place(pid, self._count, tuple(named))


def _named(what: str, pid: int, tid: int, **args: object) -> Event:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": args}
