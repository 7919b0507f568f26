"""The views that questions are asked of: what a log tells, as tables, column by column.

This is data: an engine makes the views from it, `docs/views.md` is written from it, and questions
are checked against it. How a column is made where it is no key of the line is the engine's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tracelog import fields


__all__ = [
    "BOXES",
    "CAUSE_IN_GROUPS",
    "CONNECTIONS",
    "DELAYS",
    "FLAG",
    "HOLDS",
    "INTEGER",
    "JSON",
    "LINES",
    "LISTS",
    "LONGEST_MS",
    "NUMBER",
    "SPANS",
    "TEXT",
    "TIME",
    "UTTERANCES",
    "VIEWS",
    "Column",
    "View",
    "document",
]

TEXT: Final = "VARCHAR"
NUMBER: Final = "DOUBLE"
INTEGER: Final = "BIGINT"
FLAG: Final = "BOOLEAN"
TIME: Final = "TIMESTAMP WITH TIME ZONE"
JSON: Final = "JSON"
# Thirty thousand years: a number from there on is no time, and would spoil sums and tables.
LONGEST_MS: Final = 1e15

BOXES: Final = (
    fields.SOCKET_MS,
    fields.QUEUE_MS,
    fields.LOOP_MS,
    fields.CODE_MS,
    fields.AWAIT_MS,
    fields.SEND_MS,
)
LISTS: Final = (fields.BLOCKED_BY, fields.HELD, fields.AWAITS)  # of a verdict: what it lost time to
# `why` is a cause without these: a pattern, what stands in its place, whether in all places.
CAUSE_IN_GROUPS: Final = (
    (r"^[0-9.]+ ms: |; [0-9.]+ ms: .*$|, until .* let it go on|, most of them of .*$", "", True),
    ("held by .+? (in|before) ", r"held \1 ", False),
    (r"message \d+ of the same", "the message before on the same", False),
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view.

    Attributes:
        name: What it is called in SQL.
        type: Its SQL type. A value that isn't of it is NULL, and the line is a row all the same.
        about: What it is, in a sentence.
        keys: The keys of the line that it is read from: the first that is there counts. None of
            them: the engine makes it.
    """

    name: str
    type: str
    about: str
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A table.

    Attributes:
        name: What it is called in SQL.
        about: What a row of it is, in a sentence.
        events: The lines that it is made of, by their `event`; none means all lines.
        columns: What it has.
        lists: The keys of a line whose entries are its rows; none means that lines are.
    """

    name: str
    about: str
    events: tuple[str, ...]
    columns: tuple[Column, ...]
    lists: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


def _of(key: str, kind: str, about: str) -> Column:
    """Make a column that is called like the key it is read from."""
    return Column(key, kind, about, (key,))


_FILE: Final = Column("file", TEXT, "the file that the line is in")
_LINE: Final = Column("line", JSON, "the whole line, for whatever has no column")
_TRACE: Final = _of(fields.TRACE_ID, TEXT, "its trace")
_CONNECTION: Final = _of(fields.CONNECTION_ID, TEXT, "its connection")
_USER: Final = _of(fields.USER_ID, TEXT, "whose it is")
_ROUTE: Final = Column(
    "route", TEXT, "the route of its request, or else the path", ("route", "path")
)
_ARRIVED: Final = Column(
    "time",
    TIME,
    "when the utterance arrived; when the line was written, if that is all there is",
    (fields.ARRIVED_AT, fields.TIMESTAMP),
)
_LOGGED: Final = Column("time", TIME, "when the line was made", (fields.TIMESTAMP,))
_STATUS: Final = _of("status", INTEGER, "the HTTP status")
_LATE: Final = _of(fields.LATE, FLAG, "whether it was late")
_FAILED: Final = _of(fields.FAILED, FLAG, "whether its handler raised")
_TOTAL: Final = _of(fields.TOTAL_MS, NUMBER, "from its arrival to the end of its handling")

LINES: Final = View(
    "lines",
    "every line that is JSON",
    (),
    (
        _FILE,
        _LOGGED,
        _of(fields.LEVEL, TEXT, "its level, in lower case"),
        _of(fields.LOGGER, TEXT, "who wrote it"),
        _of(fields.EVENT, TEXT, "what happened"),
        _TRACE,
        _of(fields.SPAN_ID, TEXT, "its span"),
        _CONNECTION,
        _USER,
        Column("bytes", INTEGER, "how long the line is, in UTF-8, without its end"),
        _STATUS,
        _of(fields.DURATION_MS, NUMBER, "how long a request, a connection, a call or a job took"),
        _TOTAL,
        _LATE,
        _FAILED,
        _LINE,
    ),
)

UTTERANCES: Final = View(
    "utterances",
    "the verdict that each utterance ends with",
    (fields.EVENT_UTTERANCE,),
    (
        _FILE,
        _ARRIVED,
        _USER,
        _CONNECTION,
        _TRACE,
        _of(fields.UTTERANCE, INTEGER, "its number in the connection"),
        _of(fields.KIND, TEXT, "`websocket`, `http`, `queue` or `task`"),
        _ROUTE,
        _of("method", TEXT, "the HTTP method"),
        _STATUS,
        _TOTAL,
        _of(fields.SOCKET_MS, NUMBER, "of it: in the kernel, before it could be read"),
        _of(fields.QUEUE_MS, NUMBER, "of it: read, but waiting for its handler"),
        _of(fields.LOOP_MS, NUMBER, "of it: ready to run while something else held the loop"),
        _of(fields.CODE_MS, NUMBER, "of it: its own code on the loop"),
        _of(fields.AWAIT_MS, NUMBER, "of it: waiting for a database, a lock, a thread, a peer"),
        _of(fields.SEND_MS, NUMBER, "of it: waiting for the client to take the reply"),
        _LATE,
        _FAILED,
        _of(fields.CAUSE, TEXT, "why it was late, in a sentence"),
        Column("why", TEXT, "the first half of `cause`, without figures and names: for groups"),
        Column("place", TEXT, "the `where` of what cost most of `blocked_by`, `held`, `awaits`"),
        _LINE,
    ),
)

HOLDS: Final = View(
    "holds",
    "a step that held the event loop",
    (fields.EVENT_HOLD,),
    (
        _FILE,
        Column("time", TIME, "when it began", (fields.HELD_AT, fields.TIMESTAMP)),
        _TRACE,
        _CONNECTION,
        _USER,
        Column("place", TEXT, "in which line of whose code", (fields.WHERE,)),
        _of(fields.KIND, TEXT, "what kept it: `blocking call`, `CPU-bound` and so on"),
        _of(fields.HOLDER, TEXT, "the task or the function whose step it was"),
        _of(fields.HELD_MS, NUMBER, "how long it was"),
        _of(fields.GC_MS, NUMBER, "what the garbage collector took of it"),
        _of(fields.DELAYED, INTEGER, "how many utterances it delayed"),
        _of(fields.DELAYED_MS, NUMBER, "by how much in total"),
        _of(fields.THREAD, TEXT, "which other thread kept the GIL, and where"),
        _of(fields.STACK, TEXT, "where it was, innermost first"),
        _LINE,
    ),
)

SPANS: Final = View(
    "spans",
    "a span within an utterance: an entry of its verdict's `spans`",
    (fields.EVENT_UTTERANCE,),
    (
        _FILE,
        _ARRIVED,
        _TRACE,
        _CONNECTION,
        _USER,
        _of(fields.UTTERANCE, INTEGER, "the utterance's number in the connection"),
        _ROUTE,
        _of(fields.LATE, FLAG, "whether the utterance was late"),
        Column("name", TEXT, "what it is called"),
        Column("within", JSON, "the names of those around it, outermost first"),
        Column("count", INTEGER, "how often it was there"),
        Column("total_ms", NUMBER, "how long it took, all in all"),
        Column("own_ms", NUMBER, "without those within it"),
        _LINE,
    ),
    (fields.SPANS,),
)

CONNECTIONS: Final = View(
    "connections",
    "a WebSocket, by the line it ends with",
    (fields.EVENT_CONNECTION,),
    (
        _FILE,
        Column("time", TIME, "when it ended", (fields.TIMESTAMP,)),
        _TRACE,
        _CONNECTION,
        _USER,
        _ROUTE,
        _of(fields.CLOSE_CODE, INTEGER, "RFC 6455's code; 1006 without a close frame"),
        _of(fields.CLOSED_BY, TEXT, "`client`, `server` or `network`"),
        _of(fields.CLOSE_REASON, TEXT, "as given, or what the code means"),
        _of(fields.DURATION_MS, NUMBER, "from the handshake to the end"),
        _of(fields.RECEIVED, INTEGER, "messages from the client"),
        _of(fields.RECEIVED_BYTES, INTEGER, "their size"),
        _of(fields.SENT, INTEGER, "messages to the client"),
        _of(fields.SENT_BYTES, INTEGER, "their size"),
        _of(fields.LATE_UTTERANCES, INTEGER, "how many of its utterances were late"),
        _of(fields.P50_MS, NUMBER, "of its utterances' `total_ms`: half took this or less"),
        _of(fields.P95_MS, NUMBER, "95 of 100"),
        _of(fields.P99_MS, NUMBER, "99 of 100"),
        _of(fields.MAX_MS, NUMBER, "the longest"),
        _LINE,
    ),
)

DELAYS: Final = View(
    "delays",
    "something that an utterance lost time to: an entry of a list of its verdict; or a hold's line",
    (fields.EVENT_UTTERANCE, fields.EVENT_HOLD),
    (
        _FILE,
        Column(
            "time",
            TIME,
            "when the utterance arrived, or the hold began",
            (fields.ARRIVED_AT, fields.HELD_AT, fields.TIMESTAMP),
        ),
        _of(fields.TRACE_ID, TEXT, "the utterance's trace; of a hold: the holder's"),
        _CONNECTION,
        _USER,
        _ROUTE,
        _of(fields.LATE, FLAG, "whether the utterance was late"),
        Column(
            "source", TEXT, "which list: `blocked_by`, `held`, `awaits`, `spans`; or `loop held`"
        ),
        Column("ms", NUMBER, "how long; of a span without those within; of a hold: `delayed_ms`"),
        Column("place", TEXT, "`where`, in the code"),
        Column("what", TEXT, "the kind of a hold, what was awaited, or a span's name"),
        Column("by_user", TEXT, "whose step it was, or whose let it go on"),
        Column("by_trace", TEXT, "that one's trace"),
        _of(fields.HELD_MS, NUMBER, "of a hold's line: how long it was"),
        _of(fields.DELAYED, INTEGER, "of a hold's line: how many utterances it delayed"),
        _LINE,
    ),
    (*LISTS, fields.SPANS),
)

VIEWS: Final = {view.name: view for view in (LINES, UTTERANCES, HOLDS, SPANS, CONNECTIONS, DELAYS)}

_PAGE: Final = """\
# The views

What a log tells, as tables: all that `tracelog late`, `tracelog blame` and `tracelog stats` ask is
asked of these. Times are UTC. A value of another type than its column's is NULL, and `line` still
has it; a line that is no JSON is counted, and in no view.

This page is written by `python tests/stories/pictures.py`; a test compares.
"""


def document() -> str:
    """Write `docs/views.md`."""
    return "\n".join([_PAGE, *(line for view in VIEWS.values() for line in _section(view))])


def _section(view: View) -> Iterator[str]:
    """Write a view's heading and its table."""
    yield f"## `{view.name}`\n\nA row is {view.about}.\n"
    yield "| column | type | key of the line | what |\n|---|---|---|---|"
    for column in view.columns:
        keys = ", else ".join(f"`{key}`" for key in column.keys)
        yield f"| `{column.name}` | {column.type} | {keys} | {column.about} |"
    yield ""
