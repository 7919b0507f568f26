"""celery: a message carries the context of whoever sent it, and its task runs in that trace.

celery has one set of signals for the whole process, so this is connected once, not per app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from tracelog.extras import extra
from tracelog.jobs import FAILURE, RETRY, SUCCESS, Jobs
from tracelog.latency.clock import SYSTEM_CLOCK, Clock


with extra("celery"):
    from celery import signals, states


__all__ = ["connect", "disconnect"]

_ID: Final = "tracelog"  # celery knows our receivers by it

# No state at all: something that no handler of celery's takes, such as SystemExit.
_OUTCOMES: Final = {states.SUCCESS: SUCCESS, states.RETRY: RETRY, None: FAILURE}


def connect(*, keys: str | Iterable[str] = (), clock: Clock = SYSTEM_CLOCK) -> None:
    """Carry trace, connection and *keys* from whoever sends a task to the worker that runs it.

    Call it in both processes, best where the app is made. The last call counts.

    Args:
        keys: What of the bound context travels: nothing else does. Both sides have to name a key.
        clock: For tests.
    """
    disconnect()
    for signal, receiver in _receivers(Jobs("celery", keys, clock=clock)):
        signal.connect(receiver, weak=False, dispatch_uid=_ID)


def disconnect() -> None:
    """Undo `connect`."""
    for signal in (signals.before_task_publish, signals.task_prerun, signals.task_postrun):
        signal.disconnect(dispatch_uid=_ID)


def _receivers(jobs: Jobs) -> tuple[tuple[Any, Callable[..., None]], ...]:
    def pack(headers: dict[str, Any], **_: Any) -> None:
        jobs.pack(headers)

    def begin(task_id: str, task: Any, **_: Any) -> None:
        headers = vars(task.request)
        if task.request.is_eager:  # no message was sent
            headers = {}
            jobs.pack(headers)
        jobs.begin(task.name, task_id, headers, due=_moment(task.request.eta))

    def end(task_id: str, state: str | None, **_: Any) -> None:
        jobs.end(task_id, _OUTCOMES.get(state) or str(state).lower())

    return (
        (signals.before_task_publish, pack),
        (signals.task_prerun, begin),
        (signals.task_postrun, end),
    )


def _moment(eta: Any) -> float | None:
    try:
        return datetime.fromisoformat(eta).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None
