"""arq: a job carries the context of whoever enqueued it, and its function runs in that trace.

arq's messages have no headers: the serializer adds ours to what arq writes, under a name that
a worker without tracelog doesn't look at.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import replace
from functools import wraps
from typing import Any, Final, TypeVar

from tracelog.extras import extra
from tracelog.jobs import FAILURE, RETRY, SUCCESS, Jobs
from tracelog.latency.clock import SYSTEM_CLOCK, Clock


with extra("arq"):
    from arq import Retry
    from arq.worker import func


__all__ = ["Tracing"]

_T = TypeVar("_T", bound=type)

# The keys of what arq writes. `context` is ours.
_FUNCTION: Final = "f"
_RESULT: Final = "r"
_CONTEXT: Final = "context"
_OUTCOME: Final = "tracelog.outcome"  # in the ctx that arq hands from hook to hook

# The message that arq read last in this task: it starts a task for each job.
_read: ContextVar[dict[str, Any] | None] = ContextVar("tracelog.arq", default=None)


class Tracing:
    """Carries trace, connection and *keys* from `enqueue_job` to the function.

    Args:
        keys: What of the bound context travels: nothing else does. Both sides have to name a key.
        serializer: What arq is to use; as in arq, `pickle.dumps` by default.
        deserializer: Its counterpart.
        clock: For tests.
    """

    def __init__(
        self,
        *,
        keys: str | Iterable[str] = (),
        serializer: Callable[[dict[str, Any]], bytes] = pickle.dumps,
        deserializer: Callable[[bytes], dict[str, Any]] = pickle.loads,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._jobs = Jobs("arq", keys, clock=clock)
        self._serialize = serializer
        self._deserialize = deserializer

    def dumps(self, data: dict[str, Any]) -> bytes:
        """Write a job with what is current: arq's `job_serializer`."""
        if _RESULT in data:
            return self._serialize(data)

        context: dict[str, Any] = {}
        self._jobs.pack(context)
        return self._serialize({**data, _CONTEXT: context})

    def loads(self, message: bytes) -> dict[str, Any]:
        """Read a job: arq's `job_deserializer`."""
        data = self._deserialize(message)
        _read.set(data)
        return data

    def worker(self, settings: _T) -> _T:
        """Decorate arq's `WorkerSettings`: its jobs run in the traces they carry.

        The hooks that it has run within.
        """
        given = dict(vars(settings))
        traced = {
            "functions": [_told(func(function)) for function in given.get("functions") or ()],
            "cron_jobs": [_told(job) for job in given.get("cron_jobs") or ()],
            "on_job_start": _both(self._begin, given.get("on_job_start")),
            "on_job_end": _both(given.get("on_job_end"), self._end),
            "job_serializer": self.dumps,
            "job_deserializer": self.loads,
        }
        for name, value in traced.items():
            setattr(settings, name, value)
        return settings

    async def _begin(self, ctx: dict[Any, Any]) -> None:
        data = _read.get() or {}
        headers = data.get(_CONTEXT)
        self._jobs.begin(
            data.get(_FUNCTION, ""),
            ctx["job_id"],
            headers if isinstance(headers, dict) else None,
            due=ctx["score"] / 1000,  # of a job put off, when it is to run
        )

    async def _end(self, ctx: dict[Any, Any]) -> None:
        self._jobs.end(ctx["job_id"], ctx.get(_OUTCOME, FAILURE))


def _told(function: Any) -> Any:
    """Let *function*, or a cron job, leave in `ctx` how it ended: arq's hooks aren't told."""
    coroutine = function.coroutine

    @wraps(coroutine)
    async def run(ctx: dict[Any, Any], *args: Any, **kwargs: Any) -> Any:
        ctx[_OUTCOME] = FAILURE
        try:
            result = await coroutine(ctx, *args, **kwargs)
        except Retry:
            ctx[_OUTCOME] = RETRY
            raise
        except asyncio.CancelledError:  # it took too long, was aborted, or the worker stops
            ctx[_OUTCOME] = "cancelled"
            raise
        ctx[_OUTCOME] = SUCCESS
        return result

    return replace(function, coroutine=run)


_Hook = Callable[[dict[Any, Any]], Awaitable[Any]]


def _both(first: _Hook | None, second: _Hook | None) -> _Hook:
    async def hook(ctx: dict[Any, Any]) -> None:
        for each in (first, second):
            if each is not None:
                await each(ctx)

    return hook
