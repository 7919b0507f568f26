"""What a report's page may take of a log."""

from __future__ import annotations

from tracelog import fields
from tracelog.answers.gathered import BOXES, LIMITS, Gathered


def test_nothing_found_is_nothing():
    """An empty log has no rows of any kind."""
    found = Gathered()

    assert (found.lines, found.utterances, found.utterance_rows, found.trace_rows) == (0, 0, [], [])


def test_the_worst_get_the_most():
    """Fewer have lines than causes, and fewer causes than a mark."""
    assert LIMITS.traced < LIMITS.detailed < LIMITS.utterances


def test_the_boxes_are_in_their_order():
    """As an utterance goes through them: it is first in the kernel, and last sent."""
    assert (BOXES[0], BOXES[-1], len(BOXES)) == (fields.SOCKET_MS, fields.SEND_MS, 6)
