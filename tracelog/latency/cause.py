"""The cause: why an utterance was late, in one sentence, from what its verdict shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tracelog.fields import (
    AWAITS,
    BEHIND,
    BEHIND_MS,
    BLOCKED_BY,
    BUSIEST,
    CODE_MS,
    HELD,
    HOLDER,
    KIND,
    LOG_MS,
    LOOP_MS,
    MS,
    QUEUE_MS,
    SEND_MS,
    SOCKET_MS,
    TOTAL_MS,
    TRACE_ID,
    UNTIL,
    USER_ID,
    WHAT,
    WHERE,
)


__all__ = ["cause_of"]

_CLAUSES: Final = 2
_WORTH: Final = 0.1  # of the total: what is less isn't why
_MOST: Final = 0.5
_PHRASES: Final = {
    "sleep": "sleeping",
    "lock": "waiting for a lock",
    "semaphore": "waiting for a semaphore",
    "event": "waiting for an event",
    "condition": "waiting for a condition",
    "queue get": "waiting for an item of a queue",
    "queue put": "waiting for room in a queue",
    "network read": "waiting for an answer from the network",
    "network write": "waiting for the network to take data",
    "network connect": "connecting",
    "client": "waiting for another client to take what it was sent",
    "DNS": "looking up a host's name",
    "subprocess": "waiting for a subprocess",
    "tasks": "waiting for tasks",
    "future": "waiting",
}


def cause_of(verdict: Mapping[str, Any]) -> str:
    """Tell what took longest, at most two things; empty if nothing stands out."""
    worth = _WORTH * verdict[TOTAL_MS]
    clauses = sorted(_clauses(verdict), reverse=True)[:_CLAUSES]
    return "; ".join(f"{ms:.0f} ms: {text}" for ms, text in clauses if ms >= max(worth, 1))


def _clauses(verdict: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    held = 0.0
    for hold in verdict.get(BLOCKED_BY, ()):
        held += hold[MS]
        yield hold[MS], f"loop held by {_who(hold)} in {hold[WHERE]} ({hold[KIND]})"
    yield from _waits_for_the_loop(verdict, held)
    if BEHIND in verdict:
        yield (
            verdict[BEHIND_MS] - held,
            f"behind utterance {verdict[BEHIND]} of the same connection",
        )
    elif BEHIND_MS in verdict:
        yield verdict[BEHIND_MS] - held, "its worker was at another item"
    for wait in verdict.get(AWAITS, ()):
        yield wait[MS], _await(wait)
    if verdict.get(SEND_MS):
        yield verdict[SEND_MS], "the client was slow to take the reply"
    yield from _own_code(verdict)


def _own_code(verdict: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    code, logs = verdict.get(CODE_MS, 0.0), verdict.get(LOG_MS, 0.0)
    if logs > _MOST * code:
        yield logs, "its own log calls"
        code -= logs
    for hold in verdict.get(HELD, ()):
        code -= hold[MS]
        yield hold[MS], f"its own code in {hold[WHERE]} ({hold[KIND]})"
    yield code, "its own code"


def _waits_for_the_loop(verdict: Mapping[str, Any], held: float) -> Iterator[tuple[float, str]]:
    """Tell of what no hold explains: many steps, none of them long."""
    waited = sum(verdict.get(key, 0.0) for key in (SOCKET_MS, QUEUE_MS, LOOP_MS))
    left = waited - held - verdict.get(BEHIND_MS, 0.0)
    busiest = verdict.get(BUSIEST, ())
    if sum(other[MS] for other in busiest) < _WORTH * left:
        yield left, "waiting for the loop"  # whatever it was, no step here is known to have kept it
        return

    names = ", ".join(map(_who, busiest))
    yield left, f"the loop was busy with many short steps, most of them of {names}"


def _await(wait: Mapping[str, Any]) -> str:
    phrase = _PHRASES.get(wait[WHAT], f"waiting for {wait[WHAT]}")
    place = f" in {wait[WHERE]}" if wait[WHERE] else ""
    until = f", until {_who(wait[UNTIL])} let it go on" if UNTIL in wait else ""
    return f"{phrase}{place}{until}"


def _who(about: Mapping[str, Any]) -> str:
    """Name somebody as a person on the phone would: by user, or else by what is known."""
    user = about.get(USER_ID)
    if user is not None:
        return f"{user}'s {about[WHAT]}" if WHAT in about else str(user)

    if TRACE_ID in about:
        return f"trace {about[TRACE_ID]}"

    return str(about.get(HOLDER, "somebody"))
