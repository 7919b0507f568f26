"""Every key of a line, once.

A key that is written or read anywhere in tracelog is named here.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Final


__all__ = [
    "AHEAD",
    "ARRIVED_AT",
    "AWAITS",
    "AWAIT_MS",
    "BEHIND",
    "BEHIND_MS",
    "BLOCKED_BY",
    "BUDGET_MS",
    "BUSIEST",
    "CALLER",
    "CAUSE",
    "CLIENT_MS",
    "CLIENT_SKEWED",
    "CLOSED_BY",
    "CLOSE_CODE",
    "CLOSE_REASON",
    "CODE_MS",
    "CONNECTION_ID",
    "COUNT",
    "DELAYED",
    "DELAYED_MS",
    "DURATION_MS",
    "EVENT",
    "EVENT_CALL",
    "EVENT_CONNECTION",
    "EVENT_HOLD",
    "EVENT_JOB",
    "EVENT_REQUEST",
    "EVENT_SPAN",
    "EVENT_STILL",
    "EVENT_UTTERANCE",
    "EXCEPTION",
    "FAILED",
    "GC_MS",
    "HELD",
    "HELD_AT",
    "HELD_MS",
    "HOLDER",
    "JOB_ID",
    "KIND",
    "LATE",
    "LATE_UTTERANCES",
    "LEADING",
    "LEFT_OUT",
    "LEFT_OUT_LINES",
    "LEVEL",
    "LOGGER",
    "LOG_MS",
    "LOOP_MS",
    "LOST",
    "MAX_MS",
    "MS",
    "NAME",
    "OUTCOME",
    "OWN_MS",
    "P50_MS",
    "P95_MS",
    "P99_MS",
    "PARENT_SPAN_ID",
    "QUEUE_MS",
    "RECEIVED",
    "RECEIVED_BYTES",
    "REPLAYED",
    "RUNNING_MS",
    "SEND_MS",
    "SENT",
    "SENT_BYTES",
    "SOCKET_BOUND",
    "SOCKET_MS",
    "SPANS",
    "SPAN_ID",
    "STACK",
    "TASK",
    "THREAD",
    "TIMESTAMP",
    "TO",
    "TOTAL_MS",
    "TRACE_ID",
    "TRUNCATED",
    "UNTIL",
    "USER_ID",
    "UTTERANCE",
    "WAIT_MS",
    "WHAT",
    "WHERE",
    "WITHIN",
    "name_beside",
]

TIMESTAMP: Final = "timestamp"  # UTC, RFC 3339 with microseconds, from record.created
LEVEL: Final = "level"  # lower case
LOGGER: Final = "logger"  # the logger's dotted name
EVENT: Final = "event"  # the message
TRACE_ID: Final = "trace_id"  # 32 hex digits (W3C Trace Context), a caller's own id, or null

LEADING: Final = (TIMESTAMP, LEVEL, LOGGER, EVENT, TRACE_ID)  # on every line, in this order

SPAN_ID: Final = "span_id"  # 16 hex digits (W3C Trace Context)
PARENT_SPAN_ID: Final = "parent_span_id"  # read where others wrote it: the span that caused it
CONNECTION_ID: Final = "connection_id"  # one client connection: HTTP keep-alive or WebSocket
USER_ID: Final = "user_id"  # bound by the application; the answers group by it

EXCEPTION: Final = "exception"  # last, when present: a list, or text when so configured
STACK: Final = "stack"  # text, where stack_info asked for it
CALLER: Final = "caller"  # "file:line function"
TRUNCATED: Final = "truncated"  # true: values were shortened to keep the line bounded

EVENT_UTTERANCE: Final = "utterance"  # the event of a verdict line
EVENT_REQUEST: Final = "request"  # the event of our own HTTP access line
EVENT_CONNECTION: Final = "connection"  # the event of the line that a WebSocket ends with
EVENT_HOLD: Final = "loop held"  # the event of the line about a step that held the event loop
EVENT_STILL: Final = "still running"  # the event of the line about an utterance that takes long
EVENT_SPAN: Final = "span"  # the event of the line, at DEBUG, that a span ends with
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
LOOP_MS: Final = "loop_ms"  # ready to run while something else held the event loop
CODE_MS: Final = "code_ms"  # its own code on the event loop
AWAIT_MS: Final = "await_ms"  # waiting for a database, a lock, a thread, a peer
SEND_MS: Final = "send_ms"  # waiting for the client to take the reply
TOTAL_MS: Final = "total_ms"  # their sum: arrival to end of handling
SOCKET_BOUND: Final = "socket_bound"  # true: socket_ms may be less, and total_ms with it
BUDGET_MS: Final = "budget_ms"  # from how many total_ms on it is late
CAUSE: Final = "cause"  # why it was late, for people: what took longest
LOG_MS: Final = "log_ms"  # spent in log calls; part of code_ms
BEHIND: Final = "behind"  # number of the utterance of the same connection that it waited for
AHEAD: Final = "ahead"  # a list: the items that its worker was at meanwhile, the longest first
BEHIND_MS: Final = "behind_ms"  # how long; part of queue_ms
BLOCKED_BY: Final = "blocked_by"  # a list: the holds that delayed it, the longest first
BUSIEST: Final = "busiest"  # a list: whose short steps it waited for, where no hold did it
HELD: Final = "held"  # a list: where steps of its own held the loop, and why
AWAITS: Final = "awaits"  # a list: what it waited for, the longest first
SPANS: Final = "spans"  # a list: the spans within it, in the order they ended
MS: Final = "ms"  # of an entry of those lists
WHAT: Final = "what"  # of `awaits`: "lock", "sleep", "thread running f" and so on
WHERE: Final = "where"  # "file:line function", in the user's own code
UNTIL: Final = "until"  # of `awaits`: whose step let it go on
TO: Final = "to"  # of `awaits`, where that is "send": whose client took its time
NAME: Final = "name"  # of a span
WITHIN: Final = "within"  # of a span: the names of those around it, outermost first
COUNT: Final = "count"  # of a span: how often it was there
OWN_MS: Final = "own_ms"  # of a span: without those within it
LEFT_OUT: Final = "left_out"  # utterances on time that have no line, since the last one that has
LEFT_OUT_LINES: Final = "left_out_lines"  # lines, likewise; of other lines: those before them
LOST: Final = "lost"  # lines that could not be written, since the last that said so
REPLAYED: Final = "replayed"  # true: kept by a flight recorder, written at its utterance's end

HELD_MS: Final = "held_ms"  # how long a hold was
HELD_AT: Final = "held_at"  # when it began: UTC, like TIMESTAMP
HOLDER: Final = "holder"  # the task or the function whose step it was
DELAYED: Final = "delayed"  # how many utterances it delayed
DELAYED_MS: Final = "delayed_ms"  # by how much in total
GC_MS: Final = "gc_ms"  # what the garbage collector took of it
THREAD: Final = "thread"  # which other thread kept the GIL, and where that was

RUNNING_MS: Final = "running_ms"  # how long an utterance that hasn't ended has been going on
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
