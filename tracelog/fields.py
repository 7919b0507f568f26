"""Every key of a line, once.

A key that is written or read anywhere in tracelog is named here.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final


__all__ = [
    "ARRIVED_AT",
    "CALLER",
    "CONNECTION_ID",
    "DURATION_MS",
    "EVENT",
    "EVENT_REQUEST",
    "EVENT_UTTERANCE",
    "EXCEPTION",
    "KIND",
    "LATE",
    "LEADING",
    "LEVEL",
    "LOGGER",
    "QUEUE_MS",
    "SOCKET_MS",
    "SPAN_ID",
    "STACK",
    "TIMESTAMP",
    "TOTAL_MS",
    "TRACE_ID",
    "TRUNCATED",
    "USER_ID",
    "UTTERANCE",
    "name_beside",
]

TIMESTAMP: Final = "timestamp"  # UTC, RFC 3339 with microseconds, from record.created
LEVEL: Final = "level"  # lower case
LOGGER: Final = "logger"  # the logger's dotted name
EVENT: Final = "event"  # the message
TRACE_ID: Final = "trace_id"  # 32 hex digits (W3C Trace Context), a caller's own id, or null

LEADING: Final = (TIMESTAMP, LEVEL, LOGGER, EVENT, TRACE_ID)  # on every line, in this order

SPAN_ID: Final = "span_id"  # 16 hex digits (W3C Trace Context)
CONNECTION_ID: Final = "connection_id"  # one client connection: HTTP keep-alive or WebSocket
USER_ID: Final = "user_id"  # bound by the application; the answers group by it

EXCEPTION: Final = "exception"  # last, when present: a list, or text when so configured
STACK: Final = "stack"  # text, where stack_info asked for it
CALLER: Final = "caller"  # "file:line function"
TRUNCATED: Final = "truncated"  # true: values were shortened to keep the line bounded

EVENT_UTTERANCE: Final = "utterance"  # the event of a verdict line
EVENT_REQUEST: Final = "request"  # the event of our own HTTP access line

UTTERANCE: Final = "utterance"  # the utterance's number in its connection, from 1
KIND: Final = "kind"  # "websocket" or "http"
ARRIVED_AT: Final = "arrived_at"  # UTC, like TIMESTAMP
LATE: Final = "late"  # true when total_ms is the threshold or more
SOCKET_MS: Final = "socket_ms"  # in the kernel, before it could be read
QUEUE_MS: Final = "queue_ms"  # read, but waiting for its handler
TOTAL_MS: Final = "total_ms"  # arrival to end of handling
DURATION_MS: Final = "duration_ms"  # of an HTTP request


def name_beside(key: str, taken: Container[str]) -> str:
    """Name what can't be called *key*, which is ours, but mustn't be lost: `<key>_`, if free.

    >>> name_beside("level", {"level_"})
    'level__'
    """
    name = f"{key}_"
    while name in taken:
        name += "_"
    return name
