"""The lines that an HTTP request ends with: its access line, and its verdict."""

from __future__ import annotations

import logging
from typing import Any

from tracelog.emit import emit
from tracelog.fields import DURATION_MS, EVENT_REQUEST, FAILED
from tracelog.latency.utterance import Utterance
from tracelog.latency.verdict import write_verdict


__all__ = ["write_request"]

_access = logging.getLogger("tracelog.access")


def write_request(
    utterance: Utterance,
    ended: float,
    *,
    late_ms: float,
    client: str | None,
    about: dict[str, Any],
    failed: bool = False,
) -> None:
    """Write *utterance*'s lines.

    Args:
        utterance: What ended.
        ended: When, on the monotonic clock.
        late_ms: From how many milliseconds on it counts as late.
        client: Who asked; None for no access line.
        about: The request: method, path, status.
        failed: Its handler raised.
    """
    if client is not None and _access.isEnabledFor(logging.INFO):
        duration_ms = round((ended - utterance.started) * 1000, 3)
        fields = {**about, DURATION_MS: duration_ms, "client": client}
        emit(_access, logging.INFO, EVENT_REQUEST, (), fields)
    write_verdict(
        utterance, ended, late_ms=late_ms, about={**about, FAILED: True} if failed else about
    )
