"""What an executor's threads are to run for an utterance, and how much of a wait that explains."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final

from tracelog.loops import coroutine_of, waits_for, waits_for_tasks


__all__ = ["FREE_THREAD", "THREAD_RUNNING", "Job", "jobs_for", "parts_in_threads"]

FREE_THREAD: Final = "free thread for"
THREAD_RUNNING: Final = "thread running"
_TASKS: Final = "tasks"


@dataclass(slots=True)
class Job:
    """A function that a thread is to run.

    Attributes:
        name: The function's.
        asked: When it was given to the executor.
        began: When a thread was free for it; infinite until one is.
        ended: When it was done; infinite until it is.
        future: Gives what whoever asked for it waits for, as long as that is there.
    """

    name: str
    asked: float
    began: float = math.inf
    ended: float = math.inf
    future: Callable[[], Any] = field(default=type(None), compare=False)


def jobs_for(task: Any, what: str, jobs: Iterable[Job], began: float) -> list[Job]:
    """Choose those of *jobs* that *task* may wait for since it *began* to wait for *what*.

    Who waits for one of them tells which, by its future. Who waits for tasks, or isn't known, may
    wait for any of them. Everybody else waits for none, whatever goes on in a thread meanwhile.
    """
    jobs = [job for job in jobs if job.ended > began]
    if coroutine_of(task) is None or what.startswith(_TASKS) or waits_for_tasks(task):
        return jobs

    return [job for job in jobs if waits_for(task, job.future())]


def parts_in_threads(
    jobs: Iterable[Job], began: float, ended: float
) -> Iterator[tuple[float, str]]:
    """Tell for how many seconds, from *began* to *ended*, the wait was for what of *jobs*.

    From its end back: it was for the last of them to end; before that one was asked for, for the
    one that ended last by then. So no moment counts twice, however many went on side by side.
    """
    for job in sorted(jobs, key=attrgetter("ended", "began"), reverse=True):
        for since, until, what in (
            (job.began, job.ended, THREAD_RUNNING),
            (job.asked, job.began, FREE_THREAD),
        ):
            first = max(since, began)
            yield min(until, ended) - first, f"{what} {job.name}"
            ended = min(ended, first)
