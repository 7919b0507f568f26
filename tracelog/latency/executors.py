"""Thread pools tell how long a job had to wait for a thread, and how long it ran."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from weakref import ref

from tracelog.context import current_context
from tracelog.latency.findings import Findings
from tracelog.latency.places import name_of_function
from tracelog.latency.shadows import shadow
from tracelog.latency.threads import Job


__all__ = ["time_jobs"]


def time_jobs(loop: Any, clock: Callable[[], float]) -> Callable[[], None]:
    """Let *loop*'s `run_in_executor` note each job that is run for an utterance; gives the undoing.

    Threads only: what goes into another process would have to be pickled.
    """
    plain = loop.run_in_executor

    def run_in_executor(executor: Any, func: Any, *args: Any) -> Any:
        ledger = current_context().ledger
        if ledger is None or not (executor is None or isinstance(executor, ThreadPoolExecutor)):
            return plain(executor, func, *args)

        job = Job(name_of_function(func, args), clock())
        future = plain(executor, _Timed(func, job, clock), *args)
        with suppress(TypeError):  # it is whatever this loop's class makes of it
            job.future = ref(future)
        Findings.of(ledger).jobs.append(job)
        return future

    return shadow(loop, {"run_in_executor": run_in_executor})


class _Timed:
    """A function that notes when it ran."""

    __slots__ = ("_clock", "_func", "_job")

    def __init__(self, func: Any, job: Job, clock: Callable[[], float]) -> None:
        self._func = func
        self._job = job
        self._clock = clock

    def __call__(self, *args: Any) -> Any:
        self._job.began = self._clock()
        try:
            return self._func(*args)
        finally:
            self._job.ended = self._clock()
