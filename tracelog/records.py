"""Log records: what they carry, and how to read them, native and foreign alike.

The LogRecord is the single source of truth for time, level, logger, message and exception. A native
event is a LogRecord too, but its costly half (the caller, the thread, the process) is filled in
only once somebody other than our own handlers is going to see it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final, TypeAlias

from tracelog.attribution import of_exception, of_line
from tracelog.callers import find_caller
from tracelog.context import Context
from tracelog.delivery import report_failure
from tracelog.fields import LEADING, name_beside
from tracelog.plain import text_of
from tracelog.redact import REDACTOR
from tracelog.tracebacks import exc_info_of, exception_data, exception_text


__all__ = [
    "BASE_COUNT",
    "FOREIGN",
    "LEVELS",
    "SURPRISING",
    "Bare",
    "ContextFilter",
    "Event",
    "caller_of",
    "context_of",
    "exception_of",
    "fields_of",
    "is_bare",
    "mark",
    "message_of",
    "name_of_level",
    "site_of",
    "stack_of",
    "without_attributes",
    "without_leading",
]

# Set on a foreign record by ContextFilter, in the caller's thread.
_CONTEXT: Final = "_tracelog"
_KEPT: Final = "_tracelog_kept"

# Every record has these first, in this order; what comes after them is `extra`.
_BASE: Final = tuple(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
BASE_COUNT: Final = len(_BASE)
# A field named like a method would be called in its place.
_METHODS: Final = ("getMessage", "complete")
_NO_ATTRIBUTES: Final = frozenset(
    {*_BASE, *_METHODS, "message", "asctime", "taskName", _CONTEXT, _KEPT}
)
_NO_FIELDS: Final = frozenset(
    {"message", "asctime", "color_message", "taskName", _CONTEXT, _KEPT, "websocket"}
)
# What uvicorn and websockets put into their `extra`.
FOREIGN: Final = frozenset({"color_message", "websocket"})
_LEADING: Final = frozenset(LEADING)
# Names of fields that need a second look: attributes that aren't fields, and our leading keys.
SURPRISING: Final = _NO_FIELDS | _LEADING
# The arguments of uvicorn.access, in their order (uvicorn/protocols/http).
_ACCESS: Final = ("client", "method", "path", "http_version", "status")

LEVELS = {level: name.lower() for name, level in logging.getLevelNamesMapping().items()}
LEVELS.update({logging.WARNING: "warning", logging.CRITICAL: "critical"})  # not their aliases


# A native event that has nothing special, before anybody asked for a record of it: when, whose
# logger, which level, what, its own fields, and what it was about. All of it are scalars in which
# there is no secret, and the context has begun its lines: `is_bare` has seen to that.
Bare: TypeAlias = tuple[float, str, int, Any, dict[str, Any], Context]


def is_bare(event: Any, fields: dict[str, Any], context: Context) -> bool:
    """Tell whether these can be `Bare`: the one place where most lines are asked for secrets."""
    return REDACTOR.passes(fields, event) and bool(context.begun or context.begin())


class Event(logging.LogRecord):
    """A native event: a LogRecord without caller, thread and process, until it is completed.

    Only our own handlers see it before that. (Attributes found on demand, by `__getattr__`, would
    make each of those that are there five times as slow.)

    Attributes:
        context: What it was about.
        fields: Its own fields, those that can't be attributes of a record among them.
        kept: Message, exception and stack, if there is more than a message.
        depth: The `stacklevel` of the call.
    """

    __slots__ = ("context", "fields", "kept")

    context: Context
    fields: dict[str, Any]
    kept: tuple[str, Any, str | None] | None
    depth = 1
    exc_info: Any = None
    exc_text: str | None = None
    stack_info: str | None = None

    @classmethod
    def of(cls, bare: Bare, args: Any = ()) -> Event:
        """Make the record of a *bare* event, with *args* for the `%` of its message."""
        record = cls.__new__(cls)
        record.created, record.name, record.levelno, record.msg, record.fields, record.context = (
            bare
        )
        record.args = args
        return record

    def complete(self) -> None:
        """Become an ordinary record: every attribute set, context and fields as `extra`."""
        if "pathname" in self.__dict__:
            return

        # Taken out: to whoever reads records, what isn't an attribute of all of them is a field.
        path, line, function = find_caller(self.__dict__.pop("depth", self.depth))
        given = (self.name, self.levelno, path, line, self.msg, (), self.exc_info, function, None)
        try:
            made = logging.getLogRecordFactory()(*given)
        except Exception as error:  # noqa: BLE001 -- the application's factory may raise anything
            report_failure("the record factory", error)
            made = logging.LogRecord(*given)
        known = {"args": self.args, "created": self.created, "stack_info": self.stack_info}
        known["msecs"] = int(self.created % 1 * 1000) + 0.0
        known["relativeCreated"] = made.relativeCreated + (self.created - made.created) * 1000
        made.__dict__.update(known)
        # A record factory of the application's adds attributes of its own: fields to us.
        for key, value in islice(vars(made).items(), BASE_COUNT, None):
            self.fields.setdefault(key, value)
        self.__dict__.update(made.__dict__)
        for fields in (self.context.fields, self.fields):
            self.__dict__.update({k: v for k, v in fields.items() if k not in _NO_ATTRIBUTES})
        _keep(self)


class ContextFilter(logging.Filter):
    """Gives every record that passes the context it was made in, for any formatter to use.

    Put it on handlers, in YAML as `"()": tracelog.ContextFilter`. It has to be on a QueueHandler:
    behind the queue, in another thread, the context is gone.

    Args:
        outside_tasks: Let lines that servers and asyncio write outside of tasks (a connection is
            lost, a task has failed) carry their connection and their trace, too. From now on, for
            the whole process: methods of uvicorn's, websockets' and asyncio's classes are wrapped.
    """

    def __init__(self, *, outside_tasks: bool = False) -> None:
        super().__init__()
        self.outside_tasks = outside_tasks
        if outside_tasks:
            from tracelog.outside_tasks import follow  # noqa: PLC0415 -- it loads asyncio

            follow()

    def filter(self, record: logging.LogRecord) -> bool:
        """Attach the context; never refuses a record."""
        attributes = record.__dict__
        _keep(record)
        if record.__class__ is Event or _CONTEXT in attributes:
            return True

        if "websocket" in attributes:  # a weak proxy, dead by the time another thread looks
            attributes["websocket"] = _websocket_id(attributes["websocket"])
        context = _whose(record)
        for key, value in context.fields.items():
            attributes.setdefault(key, value)
        attributes[_CONTEXT] = context
        return True


def _keep(record: logging.LogRecord) -> None:
    """Keep apart what a QueueHandler is going to mix into the message."""
    if (record.exc_info or record.stack_info) and _kept(record) is None:
        kept = (message_of(record), exception_of(record), record.stack_info)
        if isinstance(record, Event):
            record.kept = kept
        else:
            record.__dict__[_KEPT] = kept


def _kept(record: logging.LogRecord) -> tuple[str, Any, str | None] | None:
    if isinstance(record, Event):
        return getattr(record, "kept", None)

    return record.__dict__.get(_KEPT)


def context_of(record: logging.LogRecord) -> Context:
    """Tell the context *record* was made in; of a record that wasn't told, the current one."""
    if record.__class__ is Event:
        return record.context

    return record.__dict__.get(_CONTEXT) or _whose(record)


def _whose(record: logging.LogRecord) -> Context:
    current = of_line(record.name)
    exc_info = exc_info_of(record.exc_info)
    return current if exc_info is None else of_exception(exc_info[1], current)


def fields_of(record: logging.LogRecord, context: Context) -> dict[str, Any]:
    """Tell the fields of *record*'s own: `extra`, keyword arguments, a dict as message."""
    fields = record.fields if isinstance(record, Event) else _extra(record, context)
    if record.args and record.name == "uvicorn.access":
        fields = {**fields, **_access_fields(record.args)}
    if type(record.msg) is dict:
        said = _message_key(record.msg)
        told = {text_of(key): value for key, value in record.msg.items() if key != said}
        fields = {**told, **fields}
    return fields if _LEADING.isdisjoint(fields) else without_leading(fields)


def without_leading(fields: dict[str, Any]) -> dict[str, Any]:
    """Keep user data that is named like one of the five leading keys, under `<key>_`."""
    return {
        name_beside(key, fields) if key in _LEADING else key: value for key, value in fields.items()
    }


def _extra(record: logging.LogRecord, context: Context) -> dict[str, Any]:
    attributes = record.__dict__
    fields = dict(islice(attributes.items(), BASE_COUNT, None))
    if not _NO_FIELDS.isdisjoint(fields):
        flattened = context.fields if _CONTEXT in fields else {}
        fields = {k: v for k, v in fields.items() if k not in flattened or flattened[k] is not v}
        fields = without_attributes(fields)
    return fields


def without_attributes(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an `extra` what others put there for their own handlers."""
    kept = {key: value for key, value in fields.items() if key not in _NO_FIELDS}
    if "websocket" in fields:
        kept["websocket"] = _websocket_id(fields["websocket"])
    return kept


def _access_fields(args: Any) -> dict[str, Any]:
    if not isinstance(args, tuple) or len(args) != len(_ACCESS):
        return {}

    return dict(zip(_ACCESS, args, strict=True))


def _websocket_id(value: Any) -> str:
    try:
        return str(value.id)
    except Exception:  # noqa: BLE001 -- a dead weak proxy, or anything a user named so
        return text_of(value)


def message_of(record: logging.LogRecord) -> str:
    """Tell *record*'s message; if its arguments don't fit, the text and the arguments."""
    kept = _kept(record)
    if kept is not None:
        return str(kept[0])

    if type(record.msg) is dict:
        return text_of(record.msg.get(_message_key(record.msg), ""))

    text = _formatted(record) if record.args else text_of(record.msg)
    return text.rstrip("\n") if record.exc_info else text  # uvicorn sets tracebacks off by one


def _formatted(record: logging.LogRecord) -> str:
    try:
        return text_of(record.getMessage())
    except Exception:  # noqa: BLE001 -- arguments that don't fit, or whose own code raises
        return f"{text_of(record.msg)} {text_of(record.args)}"


def _message_key(message: dict[Any, Any]) -> str:
    """Tell which key of a dict that is logged is the line's text."""
    return "event" if "event" in message else "message"


def exception_of(record: logging.LogRecord, *, as_text: bool = False) -> Any:
    """Tell *record*'s exception as data or as text; None if it has none."""
    kept = _kept(record)
    if kept is not None and not record.exc_info:
        return _data_text(kept[1]) if as_text and kept[1] else kept[1]

    exc_info = exc_info_of(record.exc_info)
    if exc_info is None:
        return record.exc_text or None

    return exception_text(exc_info[1]) if as_text else exception_data(exc_info[1])


def _data_text(exception: Any) -> str:
    if isinstance(exception, str):
        return exception

    return "\n".join(f"{entry['type']}: {entry['message']}" for entry in exception)


def stack_of(record: logging.LogRecord) -> str | None:
    """Tell the stack that was asked for by `stack_info=True`."""
    kept = _kept(record)
    return record.stack_info or (kept[2] if kept is not None else None)


def caller_of(record: logging.LogRecord) -> str:
    """Tell where *record* was made: "file:line function"."""
    if isinstance(record, Event):
        record.complete()
    return f"{record.pathname}:{record.lineno} {record.funcName}"


def site_of(record: logging.LogRecord) -> tuple[str, int]:
    """Tell which line made *record*: its file and its number; of a half, while that is logging."""
    if "pathname" in record.__dict__:
        return record.pathname, record.lineno

    path, line, _ = find_caller(getattr(record, "depth", 1))
    return path, line


def mark(record: logging.LogRecord, fields: Mapping[str, Any]) -> None:
    """Add *fields* to a *record* that was made before."""
    if isinstance(record, Event):
        record.fields = {**record.fields, **fields}
    record.__dict__.update(fields)  # for formatters that aren't ours


def name_of_level(record: logging.LogRecord) -> str:
    """Tell a record's level as lines show it, in lower case."""
    return LEVELS.get(record.levelno) or logging.getLevelName(record.levelno).lower()
