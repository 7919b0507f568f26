"""A record, as the event that lines are made of: a dict in our schema."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Any

from tracelog.fields import CALLER, EVENT, EXCEPTION, LEVEL, LOGGER, STACK, TIMESTAMP, name_beside
from tracelog.processors import Chain
from tracelog.records import (
    Event,
    caller_of,
    context_of,
    fields_of,
    message_of,
    name_of_level,
    stack_of,
)


__all__ = ["line_by", "make_event_reader", "make_timestamp_of", "timestamp_of"]


def make_timestamp_of() -> Callable[[float], str]:
    """Build what writes moments; it is quickest for those that come in their order."""
    ends = [f"{number:03d}Z" for number in range(1000)]
    # Where a millisecond begins, in microseconds, and its text, which many lines share; and which
    # second that was of, and its text.
    last = (-math.inf, "", -1, "")

    def timestamp_of(created: float) -> str:
        """Write *created*, seconds since the epoch, in UTC with microseconds."""
        nonlocal last
        begin, text, second, date = last  # read once: another thread may put its own there
        microsecond = created * 1e6 - begin
        if 0 <= microsecond < 1000:  # noqa: PLR2004
            return text + ends[int(microsecond)]

        milliseconds, microsecond = divmod(int(created * 1e6 + 0.5), 1000)
        seconds, millisecond = divmod(milliseconds, 1000)
        if seconds != second:
            date = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(seconds))
        text = f"{date}{millisecond:03d}"
        # Half a microsecond earlier: it is rounded.
        last = (milliseconds * 1000.0 - 0.5, text, seconds, date)
        return text + ends[microsecond]

    return timestamp_of


timestamp_of = make_timestamp_of()


def make_event_reader(
    *, chain: Chain | None, caller: bool, exception: Callable[[logging.LogRecord], Any]
) -> Callable[[logging.LogRecord], dict[str, Any] | None]:
    """Build what makes an event of a record.

    Args:
        chain: Processors to run on it. They find `exc_info` and `stack_info` as structlog's do.
        caller: Show where the record was made.
        exception: Makes of a record's exception what the line shows.
    """

    def read(record: logging.LogRecord) -> dict[str, Any] | None:
        context = context_of(record)
        event = {
            TIMESTAMP: timestamp_of(record.created),
            LEVEL: name_of_level(record),
            LOGGER: record.name,
            EVENT: message_of(record),
            **context.fields,
            **fields_of(record, context),
        }
        if chain is not None:
            changed = _processed(chain, record, event)
            if changed is None:
                return None
            event = changed
        _end(event, EXCEPTION, exception(record))
        _end(event, STACK, stack_of(record))
        if caller:
            _end(event, CALLER, caller_of(record))
        return event

    return read


def line_by(override: Callable[[logging.LogRecord], str], record: logging.LogRecord) -> bytes:
    """Make the line by a subclass's own `format`; empty if that makes nothing."""
    if isinstance(record, Event):
        record.complete()
    text = override(record)
    return f"{text}\n".encode("utf-8", "backslashreplace") if text else b""


def _processed(
    chain: Chain, record: logging.LogRecord, event: dict[str, Any]
) -> dict[str, Any] | None:
    given = {"exc_info": record.exc_info, "stack_info": record.stack_info}
    event.update({key: value for key, value in given.items() if value and key not in event})
    changed = chain(record.name, event[LEVEL], event)
    if changed is not None:
        for key, value in given.items():
            if value and changed.get(key) is value:
                del changed[key]
    return changed


def _end(event: dict[str, Any], key: str, value: Any) -> None:
    """Put *value* last; a field that the user named so is kept beside it."""
    if not value:
        return

    if key in event:
        event[name_beside(key, event)] = event.pop(key)
    event[key] = value
