"""One utterance, as its verdict line tells it: who, when, and how long it took.

A log may come from anywhere: a value of an odd type is kept as it is where it is only shown, and
counts as absent where it is reckoned with.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from tracelog import fields
from tracelog.answers.times import read_timestamp
from tracelog.answers.views import BOXES, LONGEST_MS


__all__ = ["KEYS", "Utterance", "read_value"]

_ROUTES: Final = ("route", "path")

KEYS: Final = (
    fields.ARRIVED_AT,
    fields.TIMESTAMP,
    fields.USER_ID,
    fields.CONNECTION_ID,
    fields.TRACE_ID,
    fields.UTTERANCE,
    fields.KIND,
    *_ROUTES,
    fields.TOTAL_MS,
    *BOXES,
    fields.LATE,
    fields.CAUSE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A verdict line.

    Attributes:
        time: When it arrived, in UTC; when it was logged, if that isn't known.
        total_ms: From its arrival to the end of its handling.
        waited_ms: The part of it before its handling began.
        handled_ms: The rest.
        socket_ms: A box of `total_ms`, as the others are; None where it isn't known.
        cause: Why it was late, in a sentence.
    """

    time: datetime | None
    user_id: Any
    connection_id: Any
    trace_id: Any
    utterance: Any
    kind: Any
    route: Any = None
    total_ms: float
    waited_ms: float
    handled_ms: float
    socket_ms: float | None = None
    queue_ms: float | None = None
    loop_ms: float | None = None
    code_ms: float | None = None
    await_ms: float | None = None
    send_ms: float | None = None
    late: bool
    cause: Any = None

    @classmethod
    def read(cls, texts: Sequence[str | None]) -> Self:
        """Make one of the JSON texts that stand under `KEYS`; an absent one is None."""
        line = {key: read_value(text) for key, text in zip(KEYS, texts, strict=True)}
        total = _number(line[fields.TOTAL_MS])
        waited = _number(line[fields.SOCKET_MS]) + _number(line[fields.QUEUE_MS])
        return cls(
            time=read_timestamp(line[fields.ARRIVED_AT]) or read_timestamp(line[fields.TIMESTAMP]),
            user_id=line[fields.USER_ID],
            connection_id=line[fields.CONNECTION_ID],
            trace_id=line[fields.TRACE_ID],
            utterance=line[fields.UTTERANCE],
            kind=line[fields.KIND],
            route=next((line[key] for key in _ROUTES if line[key] is not None), None),
            total_ms=total,
            waited_ms=round(waited, 3),
            handled_ms=round(total - waited, 3),
            **{box: _number(line[box]) for box in BOXES if line[box] is not None},
            late=line[fields.LATE] is True,
            cause=line[fields.CAUSE],
        )


def read_value(text: str | None) -> Any:
    """Read a JSON value; one that Python can't hold stays a text."""
    if text is None:
        return None

    try:
        return json.loads(text, parse_float=_float, parse_constant=str)
    except (ValueError, RecursionError):  # a number of 5,000 digits, a list 5,000 deep
        return text


def _float(digits: str) -> float | str:
    """Read a number, if there is such a float: JSON has no infinity to write it back."""
    number = float(digits)
    return number if math.isfinite(number) else digits


def _number(value: Any) -> float:
    """Take a value as milliseconds: a number, or a text that reads as one."""
    try:
        number = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return 0.0

    return number if abs(number) < LONGEST_MS else 0.0
