"""Thread pools tell how long a job had to wait for a thread, and how long it ran."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tracelog.context import current_context
from tracelog.latency.findings import Findings, Job
from tracelog.latency.places import name_of_function
from tracelog.latency.shadows import shadow


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

        return plain(executor, _Timed(func, Findings.of(ledger), clock), *args)

    return shadow(loop, {"run_in_executor": run_in_executor})


class _Timed:
    """A function that notes when it ran."""

    __slots__ = ("_asked", "_clock", "_findings", "_func")

    def __init__(self, func: Any, findings: Findings, clock: Callable[[], float]) -> None:
        self._func = func
        self._findings = findings
        self._clock = clock
        self._asked = clock()

    def __call__(self, *args: Any) -> Any:
        began = self._clock()
        try:
            return self._func(*args)
        finally:
            job = Job(name_of_function(self._func), self._asked, began, self._clock())
            self._findings.jobs.append(job)
