"""The question `late` asks: the slowest utterances, and how many there are.

One pass counts everything and keeps only as many lines as will be shown, so that memory doesn't
grow with the log.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tracelog.answers.filters import Filters
from tracelog.answers.question import Engine, Lines, Question, Tally
from tracelog.answers.utterances import KEYS, Utterance
from tracelog.answers.views import BOXES, UTTERANCES


__all__ = ["SORTS", "Answer", "slowest"]

_TOTAL: Final = "total_ms"
_WAITED: Final = "coalesce(socket_ms, 0) + coalesce(queue_ms, 0)"
# What the utterances to show have most of. By time and by user only orders the slowest.
_BY: Final = {
    "total": _TOTAL,
    "time": _TOTAL,
    "user": _TOTAL,
    "waited": _WAITED,
    **{box.removesuffix("_ms"): box for box in BOXES},
}
SORTS: Final = tuple(_BY)
LATE: Final = "count(CASE WHEN late THEN 1 END)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found.

    Attributes:
        rows: The utterances to show, in the order to show them in.
        tally: What was looked at; of what matched, there is a total to go by.
        late: How many of those that matched were late.
        by: What the rows have most of, of all that matched.
    """

    rows: tuple[Utterance, ...] = ()
    tally: Tally = field(default_factory=Tally)
    late: int = 0
    by: str = "total"


def slowest(engine: Engine, filters: Filters, *, top: int = 20, by: str = "total") -> Answer:
    """Find the slowest utterances.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    conditions = filters.conditions(engine)
    found = engine.ask(
        Question(
            view=UTTERANCES,
            figures=(LATE,),
            conditions=(f"{_TOTAL} IS NOT NULL", *conditions.sql),
            parameters=conditions.parameters,
            lines=Lines(top, _BY[by], KEYS),
        )
    )
    late, texts = found.groups[0][0] if found.groups[0] else (0, ())
    return Answer(
        rows=tuple(sorted(map(Utterance.read, texts or ()), key=_order(by))),
        tally=found.tally,
        late=int(late or 0),
        by=by,
    )


def _order(by: str) -> Callable[[Utterance], Any]:
    """Choose what to sort by; of equals, the slower and then the earlier comes first."""
    if by == "time":
        return lambda row: (str(row.time), -row.total_ms)

    if by == "user":
        return lambda row: (str(row.user_id), -row.total_ms, str(row.time))

    name = f"{by}_ms"
    return lambda row: (-(getattr(row, name) or 0), -row.total_ms, str(row.time))
