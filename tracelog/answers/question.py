"""A question, defined once, for every engine that has the views.

A question is written in the SQL that engines have in common: columns of one view, comparisons,
`CASE`, `coalesce`, `count`, `sum`, `min`, `max`. What they call differently is asked of the
engine's `Dialect`. What a user typed is never part of the SQL, but a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tracelog.answers.views import View


__all__ = ["Dialect", "Engine", "Found", "Lines", "Question", "Read", "Row", "Tally"]


Row = tuple[Any, ...]


class Dialect(Protocol):
    """How an engine writes what SQL has no common word for. Each returns SQL, but `key`."""

    def parameter(self, name: str) -> str:
        """Name a parameter that is a text."""

    def number(self, name: str) -> str:
        """Name a parameter that is a number."""

    def moment(self, name: str) -> str:
        """Name a parameter that is a time, in ISO 8601."""

    def value(self, name: str) -> str:
        """Read the text of the line's value under the key that a parameter names."""

    def key(self, name: str) -> str:
        """Write a key of a line as the parameter that `value` reads."""

    def bucket(self, time: str, seconds: int) -> str:
        """Round a time down to so many seconds, as seconds since the epoch."""

    def quantiles(self, number: str, *fractions: float) -> str:
        """Aggregate numbers to a list of exact quantiles, with linear interpolation."""

    def largest(self, count: int, value: str, by: str) -> str:
        """Aggregate to a list of at most *count* values, those with the largest number."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that an answer is to show.

    Attributes:
        count: At most how many of each group.
        by: The column whose largest numbers they have.
        keys: What of each: the JSON texts under these keys, and None where there is none.
    """

    count: int
    by: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question to one view.

    Attributes:
        view: What it is asked of.
        figures: What is asked, each a single call of an aggregate.
        groups: Sets of expressions; for each set, there is a row for each group of equals.
        conditions: What all have to hold for a row to count.
        parameters: What the conditions compare with.
        lines: Which lines to show, if any: one more figure, the last.
    """

    view: View
    figures: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...] = ((),)
    conditions: tuple[str, ...] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    lines: Lines | None = None

    @property
    def keys(self) -> list[str]:
        """The expressions that are grouped by, each once."""
        return list(dict.fromkeys(key for group in self.groups for key in group))

    def mask(self, group: Sequence[str]) -> int:
        """Tell which number `grouping` gives a set: a bit for each of the keys that isn't in it."""
        return sum(1 << n for n, key in enumerate(reversed(self.keys)) if key not in group)

    def by_set(self, rows: Sequence[Row], head: int) -> Iterator[tuple[Row, ...]]:
        """Give the rows of each set of groups: its own keys, and the figures.

        Args:
            rows: What an engine gave: the mask of a row's set, whether anything in it matches, what
                else the engine wants to know, all keys, and the figures.
            head: How many columns are in front of the keys.
        """
        keys = self.keys
        for group in self.groups:
            mask, own = self.mask(group), [head + keys.index(key) for key in group]
            yield tuple(
                (*(row[n] for n in own), *row[head + len(keys) :])
                for row in rows
                if row[0] == mask and row[1]
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What was looked at to answer a question.

    Attributes:
        lines: How many lines there are; blank ones don't count.
        broken: How many of them are no JSON.
        rows: How many rows the view has.
        matched: How many of these the conditions hold for.
    """

    lines: int = 0
    broken: int = 0
    rows: int = 0
    matched: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An answer as the engine gives it.

    Attributes:
        groups: For each set of expressions: the rows, each the group's values and then the figures.
        tally: What was looked at.
    """

    groups: tuple[tuple[Row, ...], ...]
    tally: Tally = Tally()


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What was read to answer a question, for those who want to know.

    Attributes:
        names: What the user calls it.
        tally: What was in it.
        broken_at: Where the first lines are that are no JSON.
        instead: What there is, if nothing is of what was asked for, in sentences.
    """

    names: tuple[str, ...]
    tally: Tally = Tally()
    broken_at: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


class Engine(Protocol):
    """What has the views."""

    @property
    def dialect(self) -> Dialect:
        """How it writes SQL."""

    def ask(self, question: Question) -> Found:
        """Answer a question, in one pass over the lines.

        Raises:
            InputError: If the lines can't be read.
        """

    def start(self) -> datetime | None:
        """Tell the time of the first line, or about that."""

    def end(self) -> datetime | None:
        """Tell the time of the last line: times that a person types are counted from it."""

    def broken(self, count: int) -> tuple[str, ...]:
        """Name the first few of the *count* lines that are no JSON, as `file:line`."""
