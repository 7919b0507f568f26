"""The verdict: the one line that an utterance ends with."""

from __future__ import annotations

import logging
from typing import Any

from tracelog.emit import emit
from tracelog.fields import EVENT_UTTERANCE, LATE, TOTAL_MS
from tracelog.latency.utterance import Utterance


__all__ = ["write_verdict"]

_log = logging.getLogger("tracelog.utterance")


def write_verdict(
    utterance: Utterance, ended: float, *, late_ms: float, about: dict[str, Any]
) -> float:
    """Write *utterance*'s verdict: info, or warning if it took *late_ms* or longer.

    Args:
        utterance: What ended.
        ended: When, on the monotonic clock.
        late_ms: From how many milliseconds on it counts as late.
        about: More fields, such as the path.

    Returns:
        How many milliseconds it took.
    """
    ledger = utterance.ledger(ended, late_ms=late_ms)
    level = logging.WARNING if ledger[LATE] else logging.INFO
    if _log.isEnabledFor(level):
        emit(_log, level, EVENT_UTTERANCE, (), {**ledger, **about})
    total_ms: float = ledger[TOTAL_MS]
    return total_ms
