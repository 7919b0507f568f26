"""taskiq: a message carries the context of whoever sent it, and its task runs in that trace."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from tracelog.extras import extra
from tracelog.jobs import FAILURE, SUCCESS, Jobs
from tracelog.latency.clock import SYSTEM_CLOCK, Clock


with extra("taskiq"):
    from taskiq import TaskiqMessage, TaskiqMiddleware, TaskiqResult


__all__ = ["TraceMiddleware"]


class TraceMiddleware(TaskiqMiddleware):
    """Carries trace, connection and *keys* from `kiq` to the task, and tells how each run ended.

    It belongs before the others, so that what they do is in the trace, too:
    `broker.with_middlewares(TraceMiddleware(), ...)`.

    Args:
        keys: What of the bound context travels: nothing else does. Both sides have to name a key.
        clock: For tests.
    """

    def __init__(self, *, keys: str | Iterable[str] = (), clock: Clock = SYSTEM_CLOCK) -> None:
        super().__init__()
        self._jobs = Jobs("taskiq", keys, clock=clock)

    def pre_send(self, message: TaskiqMessage) -> TaskiqMessage:
        """Let *message* carry what is current."""
        self._jobs.pack(message.labels)
        return message

    def pre_execute(self, message: TaskiqMessage) -> TaskiqMessage:
        """Enter the context that *message* carries."""
        self._jobs.begin(message.task_name, message.task_id, message.labels)
        return message

    def post_execute(self, message: TaskiqMessage, result: TaskiqResult[Any]) -> None:
        """Tell how it ended, and leave its context."""
        self._jobs.end(message.task_id, _outcome(result.error))


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return SUCCESS

    return "cancelled" if isinstance(error, asyncio.CancelledError) else FAILURE
