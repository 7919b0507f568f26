"""What a report's page shows, and how much of a log that may be at most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tracelog.answers.question import Row


__all__ = ["LIMITS", "Gathered", "Limits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a log a page takes.

    Attributes:
        utterances: Those that are drawn.
        detailed: How many of these, the worst, say why.
        traced: How many of these come with their lines.
        lines: Of each of those, from its beginning, and as many from its end.
        holds: Those that are drawn.
        users: Those in the table.
        places: Lines of code, and what else is to blame.
    """

    utterances: int = 100_000
    detailed: int = 5_000
    traced: int = 500
    lines: int = 25
    holds: int = 2_000
    users: int = 1_000
    places: int = 200


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found.

    Attributes:
        lines: How many were read.
        broken: How many of them are no JSON.
        utterances: How many have a total to go by.
        late: How many of those were late.
        quantiles: Of their totals: 50, 95 and 99 of 100 took this or less.
        utterance_rows: When, how long, late or not, the boxes, user, connection, trace, number,
            kind, and for the worst of them JSON that says why; worst first.
        users: How many there are.
        waiting: How many of them had a late one.
        user_rows: Who, how many utterances, how many late, the longest, all late ones together.
        place_rows: What is to blame: how, where, what kind, how often, how long in all, the
            longest, how many users, an example's trace.
        holds: How many there are.
        hold_rows: When, how long, where, what kind, the holder, its user and its trace, how many
            utterances it delayed, and by how much.
        trace_rows: Trace, how many lines it has, its first ones (twice as many as of its last), its
            last ones, the latest first.
    """

    lines: int = 0
    broken: int = 0
    utterances: int = 0
    late: int = 0
    quantiles: Sequence[float] = ()
    utterance_rows: list[Row] = field(default_factory=list)
    users: int = 0
    waiting: int = 0
    user_rows: list[Row] = field(default_factory=list)
    place_rows: list[Row] = field(default_factory=list)
    holds: int = 0
    hold_rows: list[Row] = field(default_factory=list)
    trace_rows: list[Row] = field(default_factory=list)
