"""Every key of a line, once.

A key that is written or read anywhere in tracelog is named here.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final


__all__ = [
    "ARRIVED_AT",
    "CALLER",
    "CLIENT_MS",
    "CLIENT_SKEWED",
    "CLOSED_BY",
    "CLOSE_CODE",
    "CLOSE_REASON",
    "CONNECTION_ID",
    "DURATION_MS",
    "EVENT",
    "EVENT_CALL",
    "EVENT_CONNECTION",
    "EVENT_JOB",
    "EVENT_REQUEST",
    "EVENT_UTTERANCE",
    "EXCEPTION",
    "FAILED",
    "JOB_ID",
    "KIND",
    "LATE",
    "LATE_UTTERANCES",
    "LEADING",
    "LEVEL",
    "LOGGER",
    "MAX_MS",
    "OUTCOME",
    "P50_MS",
    "P95_MS",
    "P99_MS",
    "QUEUE_MS",
    "RECEIVED",
    "RECEIVED_BYTES",
    "SENT",
    "SENT_BYTES",
    "SOCKET_MS",
    "SPAN_ID",
    "STACK",
    "TASK",
    "TIMESTAMP",
    "TOTAL_MS",
    "TRACE_ID",
    "TRUNCATED",
    "USER_ID",
    "UTTERANCE",
    "WAIT_MS",
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
EVENT_CONNECTION: Final = "connection"  # the event of the line that a WebSocket ends with
EVENT_CALL: Final = "call"  # the event of the line about an outgoing HTTP request
EVENT_JOB: Final = "job"  # the event of the line at the end of a task queue's job

UTTERANCE: Final = "utterance"  # the utterance's number in its connection, from 1
KIND: Final = "kind"  # "websocket" or "http"
ARRIVED_AT: Final = "arrived_at"  # UTC, like TIMESTAMP
LATE: Final = "late"  # true when total_ms is the threshold or more
SOCKET_MS: Final = "socket_ms"  # in the kernel, before it could be read
CLIENT_MS: Final = "client_ms"  # sent by the client, but not here yet: by its own clock, bounded
CLIENT_SKEWED: Final = "client_skewed"  # true: that clock is wrong, and so is client_ms
QUEUE_MS: Final = "queue_ms"  # read, but waiting for its handler
TOTAL_MS: Final = "total_ms"  # arrival to end of handling
FAILED: Final = "failed"  # true when the handler raised
DURATION_MS: Final = "duration_ms"  # of an HTTP request, a WebSocket, or a job

CLOSE_CODE: Final = "close_code"  # of a WebSocket (RFC 6455, 7.4); 1006 without a close frame
CLOSED_BY: Final = "closed_by"  # "client", "server" or "network"
CLOSE_REASON: Final = "close_reason"  # as given, or what the code means
RECEIVED: Final = "received"  # messages of a WebSocket
RECEIVED_BYTES: Final = "received_bytes"  # of their payload, text in UTF-8
SENT: Final = "sent"  # messages, too
SENT_BYTES: Final = "sent_bytes"  # likewise
LATE_UTTERANCES: Final = "late_utterances"  # how many of them took the threshold or more
P50_MS: Final = "p50_ms"  # total_ms of its utterances: half of them took this or less
P95_MS: Final = "p95_ms"  # 95 of 100
P99_MS: Final = "p99_ms"  # 99 of 100
MAX_MS: Final = "max_ms"  # the longest

TASK: Final = "task"  # the name of a task queue's task
JOB_ID: Final = "job_id"  # the task queue's own id of one run of it
OUTCOME: Final = "outcome"  # "success", "retry", "failure", or what else the library knows
WAIT_MS: Final = "wait_ms"  # of a job: sent, or due, but not started


def name_beside(key: str, taken: Container[str]) -> str:
    """Name what can't be called *key*, which is ours, but mustn't be lost: `<key>_`, if free.

    >>> name_beside("level", {"level_"})
    'level__'
    """
    name = f"{key}_"
    while name in taken:
        name += "_"
    return name
