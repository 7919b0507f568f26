"""What an utterance is made of, as rows of a waterfall: boxes, holds, waits, spans.

The boxes are sums, and stand one after the other. Only what has a line with a time of its own
stands where it was; all else has its length, but not its place: it is loose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracelog.answers.timed import Timed, number_of
from tracelog.answers.views import BOXES
from tracelog.fields import (
    AHEAD,
    AWAITS,
    BLOCKED_BY,
    BUSIEST,
    CONNECTION_ID,
    COUNT,
    EVENT_CALL,
    EVENT_HOLD,
    EVENT_SPAN,
    HELD,
    HOLDER,
    KIND,
    MS,
    NAME,
    OWN_MS,
    SOCKET_BOUND,
    SPANS,
    TO,
    TOTAL_MS,
    TRACE_ID,
    UNTIL,
    USER_ID,
    UTTERANCE,
    WHAT,
    WHERE,
    WITHIN,
)


__all__ = ["MEANING", "SPAN", "Group", "Row", "groups_of", "plain", "title_of", "who"]

SPAN: Final = "span"
MEANING: Final = {  # in the words of the page
    "socket": "in the kernel",
    "queue": "waiting for its handler",
    "loop": "waiting for the event loop",
    "code": "its own code",
    "await": "waiting for somebody else",
    "send": "the client takes the reply",
}
_MOST: Final = 40  # rows of a group
_SHORT: Final = 8  # characters of a trace id, as the console has them
_LONGEST: Final = 200  # characters of a value


@dataclass(frozen=True, slots=True)
class Row:
    """A bar of a waterfall.

    Attributes:
        label: What it is.
        box: In which box that time is, or `SPAN`.
        start_ms: Where it stands, from the utterance's arrival.
        length_ms: How long it was.
        small: What else is to be said of it.
        is_loose: It has no place: nobody wrote down when it was.
        is_sum: It is a box: many pieces, which stand here as one.
    """

    label: str
    box: str
    start_ms: float
    length_ms: float
    small: str = ""
    is_loose: bool = False
    is_sum: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a title."""

    title: str
    rows: tuple[Row, ...]


def groups_of(own: Timed, parts: Sequence[Timed], holds: Sequence[Timed]) -> list[Group]:
    """Lay out an utterance.

    Args:
        own: Its verdict.
        parts: What has a time of its own in its trace and its file.
        holds: The holds that it may have waited for.
    """
    event, fall = own.event, _Fall(own, parts, holds)
    groups = {
        "Boxes": [*fall.boxes()],
        "The loop was held by": [fall.hold(each) for each in _entries(event, BLOCKED_BY)],
        "Its own holds": [fall.own_hold(each) for each in _entries(event, HELD)],
        "Many short steps of": [fall.steps(each) for each in _entries(event, BUSIEST)],
        "Its worker was at": [fall.item(each) for each in _entries(event, AHEAD)],
        "It waited for": [fall.wait(each) for each in _entries(event, AWAITS)],
        "Calls": [*fall.calls()],
        "Spans": [fall.span(each) for each in _entries(event, SPANS)],
    }
    return [Group(title, tuple(rows)) for title, rows in groups.items() if rows]


def title_of(event: dict[str, Any]) -> str:
    """Name an utterance as the causes do: `nils's message 3`."""
    what = _what(event)
    if event.get(USER_ID) is not None:
        return f"{plain(event[USER_ID])}'s {what}"

    if event.get(CONNECTION_ID) is not None:
        return f"{what} of connection {plain(event[CONNECTION_ID])}"

    return what


def who(about: Any) -> str:
    """Name whoever an entry of a verdict is about."""
    if not isinstance(about, dict):
        return "somebody"

    what = about.get(WHAT)
    if about.get(USER_ID) is not None:
        return f"{plain(about[USER_ID])}'s {plain(what)}" if what else plain(about[USER_ID])

    if about.get(TRACE_ID) is not None:
        trace = f"trace {plain(about[TRACE_ID])[:_SHORT]}"
        return f"{plain(what)} of {trace}" if what else trace

    return plain(about.get(HOLDER) or "somebody")


def plain(value: Any) -> str:
    """Write a value as text, not yet harmless, but bounded."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text[:_LONGEST]


class _Fall:
    """Places rows on the axis of one utterance."""

    def __init__(self, own: Timed, parts: Sequence[Timed], holds: Sequence[Timed]) -> None:
        self._own = own
        self._parts = parts
        self._holds = [each for each in holds if self._overlaps(each)]
        self._begins: dict[str, float] = {}
        end = 0.0
        for box in BOXES:
            self._begins[_name(box)] = end
            end += number_of(own.event.get(box))

    def boxes(self) -> Iterator[Row]:
        """Give the six, as far as they are known, one after the other."""
        for box in BOXES:
            if box in self._own.event:
                name, length = _name(box), number_of(self._own.event[box])
                is_bound = name == "socket" and self._own.event.get(SOCKET_BOUND) is True
                small = MEANING[name] + (", at most" if is_bound else "")
                yield Row(name, name, self._begins[name], length, small, is_sum=True)

    def hold(self, each: dict[str, Any]) -> Row:
        """Place what held the loop where it was; it may have begun before this one came."""
        found = self._hold_of(each.get(TRACE_ID), each.get(WHERE))
        start = max(self._since(found), 0.0) if found else 0.0
        return Row(
            who(each), "loop", start, number_of(each.get(MS)), _place(each), is_loose=found is None
        )

    def own_hold(self, each: dict[str, Any]) -> Row:
        """Place a hold of its own."""
        found = self._hold_of(self._own.event.get(TRACE_ID), each.get(WHERE))
        start = self._since(found) if found else self._begins["code"]
        label = plain(each.get(KIND) or "hold")
        small = plain(each.get(WHERE) or "")
        return Row(label, "code", start, number_of(each.get(MS)), small, is_loose=found is None)

    def steps(self, each: dict[str, Any]) -> Row:
        """Tell of those who were often in the way."""
        return Row(who(each), "loop", self._begins["loop"], number_of(each.get(MS)), is_loose=True)

    def item(self, each: dict[str, Any]) -> Row:
        """Tell what was taken before it."""
        start = self._begins["queue"]
        return Row(who(each), "queue", start, number_of(each.get(MS)), is_loose=True)

    def wait(self, each: dict[str, Any]) -> Row:
        """Tell what it waited for, where, until whose step, or until who took what was sent."""
        small = [plain(each[WHERE])] if each.get(WHERE) else []
        if UNTIL in each:
            small.append(f"until {who(each[UNTIL])} let it go on")
        if TO in each:
            small.append(f"to {who(each[TO])}")
        label, start = plain(each.get(WHAT) or "somebody"), self._begins["await"]
        return Row(label, "await", start, number_of(each.get(MS)), ", ".join(small), is_loose=True)

    def span(self, each: dict[str, Any]) -> Row:
        """Place a span that has a line."""
        name, count = each.get(NAME), number_of(each.get(COUNT))
        logged = [part for part in self._of_kind(EVENT_SPAN) if part.event.get(NAME) == name]
        found = logged[0] if logged and count <= 1 else None
        start = self._since(found) if found else self._begins["loop"]
        around = each.get(WITHIN)
        within = f"within {' > '.join(map(plain, around))}, " if isinstance(around, list) else ""
        times = f"{count:,.0f} times, " if count != 1 else ""
        small = f"{within}{times}{number_of(each.get(OWN_MS)):,.1f} ms its own"
        length = number_of(each.get(TOTAL_MS))
        return Row(plain(name or "span"), SPAN, start, length, small, is_loose=found is None)

    def calls(self) -> Iterator[Row]:
        """Place requests to others, which have a line at DEBUG."""
        for part in self._of_kind(EVENT_CALL):
            answer = part.event.get("status") or part.event.get("error")
            label = f"{plain(part.event.get('method') or 'call')} {plain(answer or '')}".rstrip()
            small = plain(part.event.get("url") or "")
            yield Row(label, "await", self._since(part), part.length_ms, small)

    def _of_kind(self, kind: str) -> list[Timed]:
        return [part for part in self._parts if part.kind == kind and self._overlaps(part)][:_MOST]

    def _hold_of(self, trace_id: Any, where: Any) -> Timed | None:
        return next(
            (
                hold
                for hold in self._holds
                if hold.kind == EVENT_HOLD
                and hold.event.get(TRACE_ID) == trace_id
                and hold.event.get(WHERE) == where
            ),
            None,
        )

    def _since(self, part: Timed) -> float:
        return (part.began - self._own.began) * 1000

    def _overlaps(self, part: Timed) -> bool:
        return part.ended > self._own.began and part.began < self._own.ended


def _what(event: dict[str, Any]) -> str:
    """Name what was handled."""
    number = "" if event.get(UTTERANCE) is None else f" {plain(event[UTTERANCE])}"
    if event.get("method") is not None:
        return f"{plain(event['method'])} {plain(event.get('path') or '')}".rstrip()

    nouns = {"websocket": "message", "queue": "item"}
    kind = event.get(KIND)
    return f"{nouns.get(kind, 'utterance') if isinstance(kind, str) else 'utterance'}{number}"


def _place(each: dict[str, Any]) -> str:
    """Tell where, and of which kind."""
    return ", ".join(plain(each[key]) for key in (WHERE, KIND) if each.get(key))


def _name(box: str) -> str:
    return box.removesuffix("_ms")


def _entries(event: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Read a list of a verdict; a log may come from anywhere."""
    value = event.get(key)
    return (
        [each for each in value if isinstance(each, dict)][:_MOST]
        if isinstance(value, list)
        else []
    )
