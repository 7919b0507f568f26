"""Outgoing HTTP requests, whichever client makes them: a span each, its headers and its line."""

from __future__ import annotations

import logging
import re
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from tracelog.context import Context, snapshot
from tracelog.emit import emit
from tracelog.fields import DURATION_MS, EVENT_CALL
from tracelog.headers import TRACEPARENT, write_trace
from tracelog.ids import TraceContext
from tracelog.latency.clock import Clock


__all__ = ["Call"]

_USER_INFO = re.compile(r"(?<=://)[^/]*@")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to somebody else.

    Attributes:
        method: HTTP's.
        url: Where to.
        context: Where it was made.
        trace: Its own span of the current trace, if there is one.
        clock: Tells how long it takes.
        started: By that clock.
    """

    method: str
    url: str
    context: Context
    trace: TraceContext | None
    clock: Clock
    started: float

    @classmethod
    def begin(
        cls, method: str, url: object, headers: MutableMapping[str, str], clock: Clock
    ) -> Call:
        """Write the trace into the request's *headers*, unless the caller has put one there."""
        context = snapshot()
        trace = context.trace
        if trace is not None and TRACEPARENT not in headers:
            # A span for each call: its receiver's lines are under it, and so is our own.
            trace = trace.child()
            write_trace(headers, trace)
        return cls(method, str(url), context, trace, clock, clock.monotonic())

    def end(
        self,
        logger: logging.Logger,
        *,
        status: int | None = None,
        error: BaseException | None = None,
    ) -> None:
        """Write its line, at DEBUG: what came of it, and how long that took."""
        if not logger.isEnabledFor(logging.DEBUG):
            return

        fields: dict[str, Any] = {
            "method": self.method,
            "url": _shown(self.url),
            "status": status,
            DURATION_MS: round((self.clock.monotonic() - self.started) * 1000, 3),
        }
        if error is not None:
            fields["error"] = type(error).__name__
        outer = self.context
        context = Context.make(outer.bound, self.trace, outer.connection)
        emit(logger, logging.DEBUG, EVENT_CALL, (), fields, context)


def _shown(url: str) -> str:
    """Leave out what may be secret: passwords, and whatever follows the path."""
    path = url.partition("#")[0].partition("?")[0]
    return _USER_INFO.sub("", path, count=1)
