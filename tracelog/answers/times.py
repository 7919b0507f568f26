"""The times a person types: absolute ones, a clock's, and how long ago.

A clock's time and a time ago are counted from the log's last line, not from now: a log is often
read the morning after. Times without an offset are UTC, as everything in a log is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final, Self

from tracelog.errors import InputError


__all__ = ["Moment", "read_timestamp", "window", "write_timestamp"]

_AGO: Final = re.compile(r"(\d{1,5}(?:\.\d{1,3})?)\s?(ms|s|m|min|h|d)", re.ASCII)
_CLOCK: Final = re.compile(r"\d\d?:\d\d(:\d\d(\.\d{1,6})?)?", re.ASCII)
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, absolute or as seen from a log's last line.

    >>> str(Moment.parse("10m").at(datetime(2026, 11, 22, 14, 5, tzinfo=UTC)))
    '2026-11-22 13:55:00+00:00'
    """

    text: str
    value: datetime | time | timedelta

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `2026-11-22T14:05:00Z`, `2026-11-22 14:05`, `14:05` or `10m`.

        Raises:
            InputError: If *text* is none of these.
        """
        value = _parse(text.strip())
        if value is None:
            raise InputError(
                f"{text!r} is no time", hint="'2026-11-22 14:05', '14:05' (UTC) or '10m' (ago)"
            )

        return cls(text, value)

    def __str__(self) -> str:
        return self.text

    @property
    def is_absolute(self) -> bool:
        """Whether it needs no log to be known."""
        return isinstance(self.value, datetime)

    @property
    def is_clock(self) -> bool:
        """Whether it is a time of an unnamed day."""
        return isinstance(self.value, time)

    def at(self, last: datetime) -> datetime:
        """Resolve it for a log whose last line is of *last*; a clock's time is of that day."""
        if isinstance(self.value, datetime):
            return self.value

        if isinstance(self.value, timedelta):
            return last - self.value

        return datetime.combine(last.date(), self.value, UTC)


def window(
    since: Moment | None, until: Moment | None, last: datetime
) -> tuple[datetime | None, datetime | None]:
    """Resolve both ends of a span of time."""
    start = since.at(last) if since else None
    end = until.at(last) if until else None
    if not (since and since.is_clock and start and start > last):
        return start, end

    # Of the night before: 23:40 to 23:50, asked of a log that ends at 00:10.
    start -= _DAY
    if until and until.is_clock and end and end - _DAY > start:
        end -= _DAY
    return start, end


def read_timestamp(value: object) -> datetime | None:
    """Read a line's timestamp, if it is one."""
    if not isinstance(value, str):
        return None

    try:
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # not a date, or one that UTC moves out of the calendar
        return None


def write_timestamp(moment: datetime) -> str:
    """Write a time as a line has it.

    >>> write_timestamp(datetime(2026, 11, 22, 14, 5, tzinfo=UTC))
    '2026-11-22T14:05:00.000000Z'
    """
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _parse(text: str) -> datetime | time | timedelta | None:
    """Try each way to write a time."""
    if ago := _AGO.fullmatch(text):
        return float(ago[1]) * _UNITS[ago[2]]

    if _CLOCK.fullmatch(text):
        return _clock(text.rjust(5, "0") if len(text) == 4 else text)  # noqa: PLR2004 -- 9:05

    return read_timestamp(text)


def _clock(text: str) -> time | None:
    """Read a clock's time, if there is such an hour."""
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None
