"""What a question leaves out: by user, time, duration, and any key of the line.

The same for every command, every view and every engine. Times that count back from the log's last
line are resolved here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tracelog.answers.question import Engine
from tracelog.answers.times import Moment, window
from tracelog.errors import InputError


__all__ = ["Conditions", "Filters", "resolve"]

_ANY: Final = datetime.max.replace(tzinfo=UTC)  # absolute times don't depend on a last line


@dataclass(frozen=True, slots=True)
class Conditions:
    """Filters in an engine's SQL.

    Attributes:
        sql: What all have to hold.
        parameters: What they compare with: whatever a user typed is in here.
    """

    sql: tuple[str, ...]
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which rows count.

    Attributes:
        over: Only utterances that took longer, in milliseconds.
        user: Only this user's.
        since: Only from then on.
        until: Only up to then.
        where: Only lines that have these values under these keys.
    """

    over: float | None = None
    user: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    where: tuple[tuple[str, str], ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether anything is left out."""
        return self != Filters()

    @property
    def is_whose(self) -> bool:
        """Whether it matters whose a line is, or what is bound there."""
        return self.user is not None or bool(self.where)

    def window(self, engine: Engine) -> tuple[datetime | None, datetime | None]:
        """Resolve both ends; only some kinds need a look at the log."""
        last = _last(engine, self.since, self.until)
        return window(self.since, self.until, last)

    def conditions(self, engine: Engine) -> Conditions:
        """Write the filters for *engine*.

        Raises:
            InputError: If the log has no last time to count back from.
        """
        sql: list[str] = []
        parameters: dict[str, object] = {}
        for name, value, condition in self._pieces(engine):
            parameters[name] = value
            if condition:
                sql.append(condition)
        return Conditions(tuple(sql), parameters)

    def _pieces(self, engine: Engine) -> Iterator[tuple[str, object, str]]:
        """Give each parameter: its name, its value, and what is compared with it, if it is that."""
        words = engine.dialect
        since, until = self.window(engine)
        if self.over is not None:
            yield "over", self.over, f"total_ms > {words.number('over')}"
        if self.user is not None:
            yield "user", self.user, f"user_id = {words.parameter('user')}"
        if since:
            yield "since", since.isoformat(), f"time >= {words.moment('since')}"
        if until:
            yield "until", until.isoformat(), f"time <= {words.moment('until')}"
        for number, (key, value) in enumerate(self.where):
            key_name, value_name = f"key{number}", f"value{number}"
            yield key_name, words.key(key), ""
            yield value_name, value, f"{words.value(key_name)} = {words.parameter(value_name)}"


def resolve(engine: Engine, moment: Moment) -> datetime:
    """Resolve a single point in time.

    Raises:
        InputError: If the log has no last time to count back from.
    """
    last = _last(engine, moment)
    return window(moment, None, last)[0] or last


def _last(engine: Engine, *moments: Moment | None) -> datetime:
    """Find the time of the last line, if one of *moments* is counted from it."""
    relative = [moment for moment in moments if moment and not moment.is_absolute]
    if not relative:
        return _ANY

    last = engine.end()
    if last is None:
        raise InputError(
            f"no line has a time that {str(relative[0])!r} could be counted from",
            hint="a time with its date, as in '2026-11-22 14:05'",
        )

    return last
