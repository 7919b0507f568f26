"""What a report's page may take of a log."""

from __future__ import annotations

from tracelog.answers.gathered import LIMITS, Gathered


def test_nothing_found_is_nothing():
    """An empty log has no rows of any kind."""
    found = Gathered()

    assert (found.lines, found.utterances, found.utterance_rows, found.trace_rows) == (0, 0, [], [])


def test_the_worst_get_the_most():
    """Fewer have lines than causes, and fewer causes than a mark."""
    assert LIMITS.traced < LIMITS.detailed < LIMITS.utterances
