"""One line of a log, as it was read: what it says, and whether a person has to see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, Self

from tracelog.answers.shapes import read_object
from tracelog.answers.times import read_timestamp
from tracelog.fields import (
    EVENT,
    EVENT_HOLD,
    EVENT_UTTERANCE,
    LATE,
    LEVEL,
    LOGGER,
    TIMESTAMP,
    USER_ID,
)


__all__ = ["Entry"]

_NEEDED: Final = frozenset({TIMESTAMP, LEVEL, LOGGER, EVENT})


@dataclass(frozen=True, slots=True)
class Entry:
    """A line.

    Attributes:
        source: What it was read from, as the user calls it.
        raw: Its bytes.
        event: What it says; None if it is no JSON object.
    """

    source: str
    raw: bytes
    event: dict[str, Any] | None

    @classmethod
    def parse(cls, source: str, raw: bytes) -> Self:
        """Read a line, whatever it is."""
        return cls(source, raw, read_object(raw))

    @property
    def created(self) -> float | None:
        """When it was made, in seconds since the epoch; None if it isn't one of our lines."""
        if self.event is None or not self.event.keys() >= _NEEDED:
            return None

        moment = read_timestamp(self.event[TIMESTAMP])
        return moment.timestamp() if moment else None

    @property
    def is_verdict(self) -> bool:
        """Whether an utterance ended with it."""
        return self.event is not None and self.event.get(EVENT) == EVENT_UTTERANCE

    @property
    def is_late(self) -> bool:
        """Whether that utterance was late."""
        return self.event is not None and self.is_verdict and self.event.get(LATE) is True

    @property
    def is_hold(self) -> bool:
        """Whether it tells of a step that held the event loop."""
        return self.event is not None and self.event.get(EVENT) == EVENT_HOLD

    @property
    def stands_out(self) -> bool:
        """Whether it is what one waits for."""
        return self.is_late or self.is_hold

    @property
    def user(self) -> str | None:
        """Whose it is, as text."""
        user = self.event.get(USER_ID) if self.event is not None else None
        return user if user is None or isinstance(user, str) else json.dumps(user)
