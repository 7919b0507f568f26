"""One WebSocket from its handshake to its end: utterance by utterance, and as a whole.

Whatever the framework, this is what its integration tells about: a message has come, one was sent,
the handler asks for the next, it is over.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context as Variables
from typing import Any, Final
from weakref import ref

from tracelog.context import Context, current_context, enter_context
from tracelog.emit import emit
from tracelog.fields import (
    CLOSE_CODE,
    CLOSE_REASON,
    CLOSED_BY,
    DURATION_MS,
    EVENT_CONNECTION,
    LATE_UTTERANCES,
    MAX_MS,
    P50_MS,
    P95_MS,
    P99_MS,
    RECEIVED,
    RECEIVED_BYTES,
    SENT,
    SENT_BYTES,
)
from tracelog.ids import TraceContext
from tracelog.latency.awaits import send_back, send_to
from tracelog.latency.clock import Clock
from tracelog.latency.closing import Closing
from tracelog.latency.ledger import Ledger
from tracelog.latency.percentiles import Percentiles
from tracelog.latency.policy import Policy
from tracelog.latency.utterance import Arrival, Before, Utterance
from tracelog.latency.verdict import conclude
from tracelog.loops import running_task, variables_of, waits_for


__all__ = ["Talk", "payload_bytes"]

_log = logging.getLogger("tracelog.connection")
_SHARES: Final = ((P50_MS, 0.5), (P95_MS, 0.95), (P99_MS, 0.99))


def payload_bytes(data: Any) -> int:
    """Tell the size of a message, text in UTF-8; 0 if it comes in parts, or is none."""
    if isinstance(data, str):
        return len(data) if data.isascii() else len(data.encode("utf-8", "replace"))

    return len(data) if isinstance(data, (bytes, bytearray, memoryview)) else 0


class Talk:
    """What is said over one WebSocket.

    Args:
        context: What its handshake was about: its connection, and its own trace.
        about: Fields of all its verdicts, such as the path.
        policy: From when on an utterance is late, and so on.
        make_trace: Makes the trace of an utterance.
        clock: For tests.
    """

    __slots__ = (
        *("__weakref__", "_about", "_began", "_clock", "_context", "_handler", "_late"),
        *("_before", "_make_trace", "_percentiles", "_policy", "_received", "_received_bytes"),
        *("_resting", "_sent", "_sent_bytes", "_utterance"),
    )

    def __init__(
        self,
        context: Context,
        *,
        about: dict[str, Any],
        policy: Policy,
        make_trace: Callable[[], TraceContext] = TraceContext.new,
        clock: Clock,
    ) -> None:
        self._context = self._resting = context
        self._about = about
        self._policy = policy
        self._make_trace = make_trace
        self._clock = clock
        self._began = clock.monotonic()
        self._handler = ref(running_task() or self)
        self._utterance: Utterance | None = None
        self._before: Before | None = None
        self._percentiles: Percentiles | None = None  # most connections are idle
        self._received = self._received_bytes = self._sent = self._sent_bytes = self._late = 0

    def hear(self, arrival: Arrival, size: int) -> None:
        """Begin the utterance of a message of *size* bytes, in a trace of its own."""
        self._received += 1
        self._received_bytes += size
        self._utterance = Utterance(
            self._received,
            "websocket",
            f"message {self._received}",
            arrival,
            policy=self._policy,
            clock=self._clock,
            about=self._about,
            before=self._before,
        )
        self._utterance.context = self._enter(self._make_trace(), self._utterance.ledger)

    def say(self, size: int) -> None:
        """Count a message of *size* bytes that was sent."""
        self._sent += 1
        self._sent_bytes += size

    def end_utterance(self, *, failed: bool = False) -> None:
        """End the current utterance, if there is one, with its verdict."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return

        total_ms, late = conclude(utterance, failed=failed)
        self._before = utterance.as_before()
        self._percentiles = self._percentiles or Percentiles()
        self._percentiles.add(total_ms)
        self._late += late

    async def send(self, sent: Awaitable[None]) -> None:
        """Wait for *sent*: while its client takes nothing, the utterance waits for that.

        What others tell this client meanwhile, they wait for: their verdicts name it.
        """
        utterance, sender = self._utterance, current_context().ledger
        is_own = utterance is not None and sender is not None and sender.root is utterance.ledger
        if utterance is not None and is_own:
            await send_back(utterance.ledger, sent)
        elif sender is not None:
            await send_to(self._resting, sent)
        else:
            await sent

    def listen(self) -> None:
        """Go on outside of any utterance: in the trace of the handshake."""
        self._enter()

    def end(self, closing: Closing) -> None:
        """Write the line about the whole."""
        self._enter()
        if _log.isEnabledFor(logging.INFO):
            emit(_log, logging.INFO, EVENT_CONNECTION, (), self._summary(closing))

    def _summary(self, closing: Closing) -> dict[str, Any]:
        summary: dict[str, Any] = {
            CLOSE_CODE: closing.code,
            CLOSED_BY: closing.by,
            CLOSE_REASON: closing.reason,
            DURATION_MS: round((self._clock.monotonic() - self._began) * 1000, 3),
            RECEIVED: self._received,
            RECEIVED_BYTES: self._received_bytes,
            SENT: self._sent,
            SENT_BYTES: self._sent_bytes,
            LATE_UTTERANCES: self._late,
        }
        if self._percentiles is not None:
            summary.update({key: self._percentiles.at(share) for key, share in _SHARES})
            summary[MAX_MS] = self._percentiles.max_ms
        return {**summary, **self._about}

    def _enter(self, trace: TraceContext | None = None, ledger: Ledger | None = None) -> Context:
        """Go on in *trace*, or in that of the handshake.

        So does the handler, if it waits for another task to receive.
        """
        context = self._go_on(trace, ledger)
        handler, task = self._handler(), running_task()
        if handler is not task and waits_for(handler, task):
            variables = variables_of(handler) or Variables()
            with suppress(RuntimeError):  # the two share one context
                variables.run(self._go_on, trace, ledger)
        return context

    def _go_on(self, trace: TraceContext | None, ledger: Ledger | None) -> Context:
        """Go on there; what the application bound stays with the connection."""
        ours, now = self._context, current_context()
        bound = now.bound if now.connection is ours.connection else ours.bound
        if bound is not self._resting.bound:  # the application has bound something since
            self._resting = Context.make(bound, ours.trace, ours.connection)
            if ours.connection is not None:
                ours.connection.bound = bound
        context = self._resting if trace is None else self._resting.with_trace(trace, ledger)
        enter_context(context)
        return context
