"""A job's context, into its message and back: what the task queues have in common.

A message carries `traceparent` and `tracestate`, as W3C Trace Context names them, and `tracelog`, a
text of JSON with what no standard names. Reading a message never raises, whatever it holds.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from tracelog.context import (
    Connection,
    Context,
    bind_context,
    current_context,
    enter_context,
    new_trace,
    snapshot,
)
from tracelog.emit import emit
from tracelog.encode import MAX_LINE, encode
from tracelog.fields import (
    CONNECTION_ID,
    DURATION_MS,
    EVENT_JOB,
    JOB_ID,
    OUTCOME,
    TASK,
    WAIT_MS,
)
from tracelog.headers import extract, inject
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.plain import Limits, Plain


__all__ = ["FAILURE", "RETRY", "SUCCESS", "Jobs"]

SUCCESS: Final = "success"
RETRY: Final = "retry"
FAILURE: Final = "failure"

_HEADERS: Final = ("traceparent", "tracestate")
_ENTRY: Final = "tracelog"
_SENT_AT: Final = "sent_at"  # seconds since the epoch
_BOUND: Final = "bound"

# Somebody pays for each byte of a message, and some brokers refuse long ones.
_LIMITS: Final = Limits(text=512, items=100, depth=4, total=4096)
_CONNECTION_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
# Anything else is worth a second look.
_EXPECTED: Final = frozenset({SUCCESS, RETRY})


@dataclass(frozen=True, slots=True)
class _Job:
    """A job that is running.

    Attributes:
        jobs: Who began it.
        job_id: The library's id of it.
        task: The task's name.
        started: When, on the monotonic clock.
        wait_ms: How long it could have run before it did, if that is known.
        outside: What the worker was in before.
        outer: The job that was running before: a library may run one within another.
    """

    jobs: Jobs
    job_id: str
    task: str
    started: float
    wait_ms: float | None
    outside: Context
    outer: _Job | None


_running: ContextVar[_Job | None] = ContextVar("tracelog.jobs", default=None)


class Jobs:
    """The jobs of one library, on both sides of its broker.

    Args:
        library: Its name; the line at the end of a job has the logger `tracelog.<library>`.
        keys: What of the bound context travels, besides trace and connection. Nothing by default.
            Both sides have to name a key.
        clock: For tests.
    """

    def __init__(
        self, library: str, keys: str | Iterable[str] = (), *, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._logger = logging.getLogger(f"tracelog.{library}")
        self._keys = (keys,) if isinstance(keys, str) else tuple(keys)
        self._clock = clock

    def pack(self, headers: MutableMapping[str, Any]) -> None:
        """Write the current context into a message's *headers*."""
        trace = inject()
        if trace or "traceparent" not in headers:
            headers.pop("tracestate", None)
            told = self._here()
        else:  # sent on by the library, outside of any job: a retry, or a delay that is over
            told = _read(headers)
        headers.update(trace)
        told[_SENT_AT] = self._clock.wall()
        headers[_ENTRY] = encode(Plain(_LIMITS).mapping(told)).decode().rstrip()

    def _here(self) -> dict[str, Any]:
        context = snapshot()
        bound = {key: context.bound[key] for key in self._keys if key in context.bound}
        return {CONNECTION_ID: context.connection_id, _BOUND: bound}

    def begin(
        self,
        task: str,
        job_id: str,
        headers: Mapping[str, Any] | None = None,
        *,
        due: float | None = None,
    ) -> None:
        """Enter what a message's *headers* tell, and nothing else, until the job's `end`.

        Args:
            task: The task's name.
            job_id: The library's id of this job.
            headers: What `pack` was given.
            due: When the job was to start at the earliest, in seconds since the epoch, if the
                library says so.
        """
        headers = headers or {}
        told = _read(headers)
        outside = current_context()
        # Fresh: the worker may still be in whatever the job before it left behind.
        enter_context(Context.make({}, None, _connection(told)))
        new_trace(extract({key: headers[key] for key in _HEADERS if headers.get(key)}))
        bound = told.get(_BOUND)
        if isinstance(bound, dict):
            bind_context(**{key: bound[key] for key in self._keys if key in bound})
        wait_ms = self._wait_ms(told.get(_SENT_AT), due)
        started = self._clock.monotonic()
        _running.set(_Job(self, job_id, task, started, wait_ms, outside, _running.get()))

    def _wait_ms(self, *since: Any) -> float | None:
        known = [moment for moment in since if isinstance(moment, float) and moment > 0]
        if not known:
            return None

        # The other side's clock may be ahead of ours.
        return round(max(0.0, self._clock.wall() - max(known)) * 1000, 3)

    def end(self, job_id: str, outcome: str) -> None:
        """Write the line of the job that is running, and go back to what was before it."""
        job = _running.get()
        if job is None or job.jobs is not self or job.job_id != job_id:
            return  # it began before we looked, or never did

        level = logging.INFO if outcome in _EXPECTED else logging.WARNING
        if self._logger.isEnabledFor(level):
            fields = {
                TASK: job.task,
                JOB_ID: job.job_id,
                OUTCOME: outcome,
                DURATION_MS: round((self._clock.monotonic() - job.started) * 1000, 3),
            }
            if job.wait_ms is not None:
                fields[WAIT_MS] = job.wait_ms
            emit(self._logger, level, EVENT_JOB, (), fields)
        _running.set(job.outer)
        # By value, as everywhere: whatever the job entered or left, this is where it ends.
        enter_context(job.outside)


def _read(headers: Mapping[str, Any]) -> dict[str, Any]:
    entry = headers.get(_ENTRY)
    if not isinstance(entry, str) or len(entry) > MAX_LINE:
        return {}  # sent by somebody who doesn't know us

    try:
        told = json.loads(entry)
    except (ValueError, RecursionError):
        return {}

    return told if isinstance(told, dict) else {}


def _connection(told: Mapping[str, Any]) -> Connection | None:
    connection_id = told.get(CONNECTION_ID)
    if isinstance(connection_id, str) and _CONNECTION_ID.fullmatch(connection_id):
        return Connection(connection_id)

    return None
