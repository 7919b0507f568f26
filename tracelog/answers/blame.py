"""The question `blame` asks: which lines of code made others late, and what they waited for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Final

from tracelog import fields
from tracelog.answers.filters import Filters
from tracelog.answers.question import Engine, Question, Row, Tally
from tracelog.answers.views import DELAYS


__all__ = ["CALL", "EXECUTOR", "HOLD", "LOCK", "OTHER", "QUEUE", "SPAN", "Culprit", "blame"]

HOLD: Final = "hold"
LOCK: Final = "lock"
EXECUTOR: Final = "executor"
CALL: Final = "downstream call"
QUEUE: Final = "queue"
SPAN: Final = "span"
OTHER: Final = "wait"

_SORTS_OF_WAIT: Final = (  # by how `what` begins
    (LOCK, ("lock", "semaphore", "condition", "barrier")),
    (EXECUTOR, ("free thread", "thread", "subprocess")),
    (CALL, ("network", "DNS")),
    (QUEUE, ("queue",)),
)
_EXAMPLES: Final = 3
_FIGURES: Final = (
    "sum(ms)",
    "count(DISTINCT trace_id)",
    "count(DISTINCT CASE WHEN late THEN trace_id END)",
    "count(DISTINCT user_id)",
    "max(ms)",
    "count(*)",
    "max(held_ms)",
    "sum(delayed)",
)
_COUNTS: Final = (  # ones own holds make nobody else late; a wait on time is no trouble
    f"source IN ('{fields.BLOCKED_BY}', '{fields.EVENT_HOLD}') "
    f"OR (late AND source <> '{fields.HELD}')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """What utterances lost time to, at one place.

    Attributes:
        sort: `hold` and so on: one of this module's constants.
        place: In which line of code.
        what: The kind of the hold, what was waited for, or the span's name.
        delay_ms: How much was lost, all in all: to a hold by every utterance, else by late ones.
        utterances: How many utterances lost it.
        late: How many of them were late.
        users: How many users they are of.
        holds: How often it held the loop.
        longest_ms: The longest hold, or the longest wait.
        traces: Of those that lost most.
    """

    sort: str
    place: str | None
    what: str | None
    delay_ms: float
    utterances: int
    late: int
    users: int
    holds: int = 0
    longest_ms: float = 0.0
    traces: tuple[str, ...] = ()

    def merged(self, other: Culprit) -> Culprit:
        """Put together what verdicts tell and what the holds' own lines tell.

        A verdict lists its longest few, and some are left out of the log; a hold's line knows
        neither who was late nor whose they were.
        """
        return replace(
            self,
            delay_ms=max(self.delay_ms, other.delay_ms),
            utterances=max(self.utterances, other.utterances),
            late=max(self.late, other.late),
            users=max(self.users, other.users),
            holds=max(self.holds, other.holds),
            longest_ms=max(self.longest_ms, other.longest_ms),
            traces=self.traces or other.traces,
        )


def blame(engine: Engine, filters: Filters) -> tuple[tuple[Culprit, ...], Tally]:
    """Find what utterances lost their time to, what cost most first.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    conditions = filters.conditions(engine)
    # A hold's line tells of its holder, not of those whom it delayed.
    others = f"source <> '{fields.EVENT_HOLD}'" if filters.is_whose else "true"
    found = engine.ask(
        Question(
            view=DELAYS,
            figures=(*_FIGURES, engine.dialect.largest(_EXAMPLES, "trace_id", "ms")),
            groups=(("source", "place", "what"),),
            conditions=(_COUNTS, others, *conditions.sql),
            parameters=conditions.parameters,
        )
    )
    culprits = filter(_cost_something, _merged(map(_read, found.groups[0])))
    return tuple(sorted(culprits, key=lambda each: (-each.delay_ms, str(each.place)))), found.tally


def _read(row: Row) -> Culprit:
    """Make one of what the engine gave."""
    source, place, what, delay, utterances, late, users, longest, count, held, delayed, traces = row
    is_line = source == fields.EVENT_HOLD
    sort = HOLD if is_line or source == fields.BLOCKED_BY else _sort(source, what)
    return Culprit(
        sort=sort,
        place=place,
        what=what,
        delay_ms=round(delay or 0.0, 3),
        # A hold's line is its holder's, who isn't one of those that it has delayed.
        utterances=int(delayed or 0) if is_line else utterances,
        late=0 if is_line else late,
        users=0 if is_line else users,
        holds=count if is_line else 0,
        longest_ms=(held if sort == HOLD else longest) or 0.0,
        traces=tuple(dict.fromkeys(traces or ())),
    )


def _sort(source: str, what: str | None) -> str:
    """Tell the sort of a wait."""
    if source == fields.SPANS:
        return SPAN

    text = what or ""
    return next((sort for sort, begins in _SORTS_OF_WAIT if text.startswith(begins)), OTHER)


def _merged(culprits: Iterable[Culprit]) -> Iterable[Culprit]:
    """Make one of those that are the same; what verdicts tell leads."""
    same: dict[Any, list[Culprit]] = {}
    for each in culprits:
        same.setdefault((each.sort, each.place, each.what), []).append(each)
    for several in same.values():
        yield reduce(Culprit.merged, sorted(several, key=lambda each: each.holds > 0))


def _cost_something(culprit: Culprit) -> bool:
    return culprit.delay_ms > 0
