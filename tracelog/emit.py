"""From an event to the handlers that are to see it: what `Logger._log` does, for native events."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from tracelog.attribution import of_exception
from tracelog.callers import stack_text
from tracelog.context import Context, snapshot
from tracelog.delivery import report_loss
from tracelog.handlers import FileHandler, RotatingFileHandler, StreamHandler
from tracelog.plain import SCALARS
from tracelog.records import SURPRISING, Bare, Event
from tracelog.redact import make_redactor
from tracelog.tracebacks import exc_info_of


__all__ = ["emit", "nearest"]

# Keyword arguments that logging gives a meaning, and `event`, which may come as one.
_MEANINGFUL: Final = frozenset({"exc_info", "stack_info", "stacklevel", "extra", "event"})

# Not their subclasses: whatever a user overrides may look at the record.
_OURS: Final = frozenset({FileHandler, RotatingFileHandler, StreamHandler})

# Names that ask for a second look, here or by a formatter: one question for both, and for secrets.
_SPECIAL: Final = _MEANINGFUL | SURPRISING

_is_plain = _SPECIAL.isdisjoint
_passes = make_redactor(special=_SPECIAL).passes
_time = time.time
_get_ident = threading.get_ident
_logger_class = logging.Logger
_record_class = logging.LogRecord
_STOCK_CALL_HANDLERS: Final = logging.Logger.callHandlers


def emit(  # noqa: C901, PLR0915 -- every line's way: a call of its own for each part costs 2 % each
    logger: logging.Logger,
    level: int,
    event: Any,
    args: tuple[Any, ...],
    fields: dict[str, Any],
    context: Context | None = None,
) -> None:
    """Make a record of *event*, and hand it to *logger*'s handlers; its level was checked before.

    Args:
        logger: Whose name and handlers to use.
        level: The event's level.
        event: Usually text.
        args: For the `%` of *event*.
        fields: The event's own; `exc_info`, `stack_info`, `stacklevel` and `extra` among them mean
            what they mean to `logging`. Taken over, not copied.
        context: What it is about; None means what the current task is about.
    """
    context = context or snapshot()
    try:
        created = _time()
    except OSError:  # a line without its time is better than none
        created = 0.0
    bare = (created, logger.name, level, event, fields, context)
    record = None
    # What `is_bare` asks.
    if args or not _passes(fields, event) or not (context.begun or context.begin()):
        record = _recorded(bare, args)
    try:
        if (
            _logger_class.callHandlers is not _STOCK_CALL_HANDLERS  # Sentry puts its own there
            or logging._logRecordFactory is not _record_class  # type: ignore[attr-defined] # noqa: SLF001 -- no call
            or logger.filters
            or logger.disabled
        ):
            _handle(logger.handle, record or Event.of(bare))
            return

        # What `Logger.callHandlers` does; a record is made once a handler needs one.
        handler = None
        current: logging.Logger | None = logger
        while current is not None:
            for handler in current.handlers:
                if level >= handler.level:
                    if type(handler) not in _OURS:
                        record = record or Event.of(bare)
                        _hand_over(handler, record)
                    elif record is not None or not handler.take(bare):  # type: ignore[attr-defined]
                        record = record or Event.of(bare)
                        handler.handle(record)
            current = current.parent if current.propagate else None
        if handler is None:
            _handle(logger.callHandlers, record or Event.of(bare))  # logging.lastResort
    finally:
        # An utterance is told what its lines cost it; a thread that works for it holds up no loop.
        root = context.ledger and (context.ledger.outermost or context.ledger)
        if root is not None and root.thread == _get_ident():
            root.logging += _time() - bare[0]


def nearest(name: str) -> logging.Logger:
    """Find the logger of that *name*, or else the nearest one above it."""
    registry = logging.root.manager.loggerDict
    while name:
        found = registry.get(name)
        if isinstance(found, logging.Logger):
            return found
        name = name.rpartition(".")[0]
    return logging.root


def _handle(handle: Callable[[logging.LogRecord], Any], record: Event) -> None:
    """Let *handle*, which isn't ours, have a whole *record*; what it raises stays here."""
    try:
        record.complete()
        handle(record)
    except Exception as error:  # noqa: BLE001 -- a filter or a handler may raise anything
        report_loss(error)


def _recorded(bare: Bare, args: Any) -> Event:
    """Make the record of an event that has arguments, or fields with a meaning."""
    if len(args) == 1 and type(args[0]) not in SCALARS:
        args = _named(args)
    record = Event.of(bare, args)
    if not _is_plain(record.fields):
        _read_meaningful(record)
    return record


def _named(args: tuple[Any, ...]) -> Any:
    """Tell what fills "%(name)s": a mapping that is the only argument, as with `logging`."""
    try:
        return args[0] if isinstance(args[0], Mapping) and args[0] else args
    except Exception:  # noqa: BLE001 -- a value's own code may raise anything; a dead proxy does
        return args


class _Inside(threading.local):
    """The handlers that this thread is in."""

    handlers: tuple[logging.Handler, ...] = ()


_inside = _Inside()


def _hand_over(handler: logging.Handler, record: Event) -> None:
    """Let a handler that isn't ours have a whole *record*, unless it is logging this itself."""
    outer = _inside.handlers
    if handler in outer:  # since 3.13.4 logging itself stops what would never end
        return

    _inside.handlers = (*outer, handler)
    try:
        _handle(handler.handle, record)
    finally:
        _inside.handlers = outer


def _read_meaningful(record: Event) -> None:
    """Give exc_info, stack_info, stacklevel and extra their meaning; what has none is a field."""
    given = record.fields
    fields = record.fields = {k: v for k, v in given.items() if k not in _MEANINGFUL}
    for key, read in _READERS.items():
        if key in given and not _is_read(read, record, given[key]):
            fields[key] = given[key]


def _is_read(read: Callable[[Event, Any], bool], record: Event, value: Any) -> bool:
    try:
        return read(record, value)
    except Exception:  # noqa: BLE001 -- a value's own code may raise anything
        return False


def _read_exc_info(record: Event, value: Any) -> bool:
    if value is True:
        value = sys.exc_info()
    exc_info = exc_info_of(value)
    if exc_info is not None:
        record.exc_info = exc_info
        record.context = of_exception(exc_info[1], record.context)
    return exc_info is not None or not value or value == (None, None, None)


def _read_stack_info(record: Event, value: Any) -> bool:
    if value is True or value == 1:
        record.stack_info = stack_text(record.depth)
    return not value or record.stack_info is not None


def _read_stacklevel(record: Event, value: Any) -> bool:
    if isinstance(value, int) and value > 0:
        record.depth = value
    return isinstance(value, int)


def _read_extra(record: Event, value: Any) -> bool:
    if isinstance(value, Mapping):
        record.fields.update({str(key): item for key, item in value.items()})
    return isinstance(value, Mapping)


def _read_event(record: Event, value: Any) -> bool:
    if record.msg is None:
        record.msg = value
        return True

    return False


# stacklevel before stack_info, which begins where it points.
_READERS = {
    "exc_info": _read_exc_info,
    "stacklevel": _read_stacklevel,
    "stack_info": _read_stack_info,
    "extra": _read_extra,
    "event": _read_event,
}
