"""The lines that an HTTP request ends with: its access line, and its verdict."""

from __future__ import annotations

import logging

from tracelog.emit import emit
from tracelog.fields import DURATION_MS, EVENT_REQUEST
from tracelog.latency.clock import ms_of
from tracelog.latency.utterance import Utterance
from tracelog.latency.verdict import conclude


__all__ = ["conclude_request"]

_access = logging.getLogger("tracelog.access")


def conclude_request(
    utterance: Utterance, status: int, *, client: str | None, failed: bool = False
) -> None:
    """End *utterance*, a request that was answered with *status*, with its lines.

    Args:
        utterance: What ends.
        status: HTTP's.
        client: Who asked; None for no access line.
        failed: Its handler raised.
    """
    utterance.about["status"] = status
    if client is not None and _access.isEnabledFor(logging.INFO):
        duration_ms = ms_of(utterance.elapsed())
        fields = {**utterance.about, DURATION_MS: duration_ms, "client": client}
        emit(_access, logging.INFO, EVENT_REQUEST, (), fields)
    conclude(utterance, failed=failed)
