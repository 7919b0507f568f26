"""The time that a client says it sent a message at: worth a look, never trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from tracelog.fields import CLIENT_MS, CLIENT_SKEWED


__all__ = ["SENT_AT", "ClientWait"]

SENT_AT: Final = "sent_at"

_MOST_MS: Final = 60_000.0
_MAX_TEXT: Final = 40  # characters; "2026-11-22T10:10:10.123456+00:00" has 32


@dataclass(frozen=True, slots=True)
class ClientWait:
    """How long a message took to get here, by its sender's clock.

    Attributes:
        ms: Milliseconds, 0 to 60,000.
        skewed: It can't be: the message arrived before it was sent, or more than 60 seconds later.
            One of the two clocks is wrong, and so is `ms`.
    """

    ms: float
    skewed: bool

    @classmethod
    def of(cls, message: Any, arrived: float) -> ClientWait | None:
        """Compare *message*'s `sent_at` with when it *arrived*; None if there is none to be read.

        `sent_at` is a number, in seconds since the epoch (in a browser, `Date.now() / 1000`), or an
        RFC 3339 text (`new Date().toISOString()`).

        >>> ClientWait.of({"text": "hello", "sent_at": 1763812800.25}, arrived=1763812800.5)
        ClientWait(ms=250.0, skewed=False)

        Args:
            message: What was received; anything but a mapping has no `sent_at`.
            arrived: In seconds since the epoch.
        """
        sent = _seconds(message.get(SENT_AT)) if isinstance(message, Mapping) else None
        if sent is None:
            return None

        ms = (arrived - sent) * 1000
        bounded = min(max(ms, 0.0), _MOST_MS)
        return cls(round(bounded, 3), skewed=ms != bounded)

    def fields(self) -> dict[str, Any]:
        """Tell it as fields of a line; `client_skewed` is there only if it is true."""
        if self.skewed:
            return {CLIENT_MS: self.ms, CLIENT_SKEWED: True}

        return {CLIENT_MS: self.ms}


def _seconds(sent_at: Any) -> float | None:
    try:
        if isinstance(sent_at, str):
            return _seconds_of_text(sent_at)

        seconds = float(sent_at) if type(sent_at) in (int, float) else math.nan
    except (ValueError, OverflowError):
        return None

    return seconds if math.isfinite(seconds) else None


def _seconds_of_text(text: str) -> float | None:
    if len(text) > _MAX_TEXT or not text.isascii():
        return None

    sent = datetime.fromisoformat(text)
    return sent.timestamp() if sent.tzinfo else None  # whose local time it is, nobody knows
