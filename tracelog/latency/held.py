"""A record, held as it is now: what is cheap to keep, and no more than that, without formatting."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from copy import copy
from functools import partial
from sys import getsizeof
from typing import Any, Final

from tracelog.plain import SCALARS
from tracelog.records import BASE_COUNT, ContextFilter, Event


__all__ = ["hold"]

_RECORD: Final = 700  # bytes that a record takes, without its values
_MOST: Final = 1_000  # values of one record that are copied: no line shows as many
_DEEPEST: Final = 10
_COPIED: Final = frozenset({dict, list, tuple, set, frozenset, deque})

_attach_context = ContextFilter().filter


def hold(record: logging.LogRecord) -> tuple[logging.LogRecord, int]:
    """Hold *record* as it is now, its containers copied; tell how many bytes it takes, roughly.

    Other values than containers are kept themselves: what changes in them until the line is
    written, it shows.
    """
    if record.exc_info:  # written down, or the traceback would keep frames alive, and all in them
        record = copy(record)
        _attach_context(record)
        record.exc_info = None
    if isinstance(record, Event):
        fields = record.fields
    else:
        _attach_context(record)
        fields = dict(list(record.__dict__.items())[BASE_COUNT:])
    args = record.args or ()
    size = _size_of((record.msg, *args, *fields.values()) if type(args) is tuple else (args,))
    if size is not None:
        return record, size

    walk = _Walk()
    record.msg, record.args, fields = map(walk.copied, (record.msg, record.args, fields))
    if isinstance(record, Event):
        record.fields = fields
    else:
        record.__dict__.update(fields)
    return record, walk.size


def _size_of(values: Iterable[Any]) -> int | None:
    """Tell how many bytes a record of *values* takes, if they are scalars."""
    size = _RECORD
    for value in values:
        if type(value) is str:
            size += len(value)
        elif type(value) not in SCALARS:
            return None

    return size


class _Walk:
    """Copies the containers of one record, and sums up how large all of its values are."""

    def __init__(self) -> None:
        self.size = _RECORD
        self._left = _MOST

    def copied(self, value: Any, depth: int = 0) -> Any:
        self.size += getsizeof(value)
        kind = type(value)
        if kind not in _COPIED:
            return value

        self._left -= len(value)
        if self._left < 0 or depth == _DEEPEST:
            return value

        copied = partial(self.copied, depth=depth + 1)
        if kind is dict:
            return dict(zip(value, map(copied, value.values()), strict=True))

        return kind(map(copied, value))
