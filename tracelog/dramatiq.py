"""dramatiq: a message carries the context of whoever sent it, and its actor runs in that trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracelog.extras import extra
from tracelog.jobs import FAILURE, RETRY, SUCCESS, Jobs
from tracelog.latency.clock import SYSTEM_CLOCK, Clock


with extra("dramatiq"):
    from dramatiq import Broker, Message, MessageProxy, Middleware
    from dramatiq.errors import Retry


__all__ = ["TraceMiddleware"]


class TraceMiddleware(Middleware):
    """Carries trace, connection and *keys* from `send` to the actor, and tells how each run ended.

    It belongs before the others, so that what they do (retries, pipelines) is in the trace, too:
    `broker.add_middleware(TraceMiddleware(), before=dramatiq.middleware.AgeLimit)`.

    Args:
        keys: What of the bound context travels: nothing else does. Both sides have to name a key.
        clock: For tests.
    """

    def __init__(self, *, keys: str | Iterable[str] = (), clock: Clock = SYSTEM_CLOCK) -> None:
        self._jobs = Jobs("dramatiq", keys, clock=clock)

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int) -> None:  # noqa: ARG002
        """Let *message* carry what is current."""
        self._jobs.pack(message.options)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        """Enter the context that *message* carries."""
        self._jobs.begin(
            message.actor_name,
            message.message_id,
            message.options,
            due=message.message_timestamp / 1000,
        )

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002
        message: MessageProxy,
        *,
        result: Any | None = None,  # noqa: ARG002
        exception: BaseException | None = None,
    ) -> None:
        """Tell how it ended, and leave its context."""
        outcome = RETRY if isinstance(exception, Retry) else FAILURE
        self._jobs.end(message.message_id, outcome if exception else SUCCESS)

    def after_skip_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        """Leave the context of a message that another middleware refused."""
        self._jobs.end(message.message_id, "skipped")
