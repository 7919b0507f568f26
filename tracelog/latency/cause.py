"""The cause: why an utterance was late, in one sentence, from what its verdict shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tracelog.fields import (
    AHEAD,
    AWAITS,
    BEHIND,
    BEHIND_MS,
    BLOCKED_BY,
    BUSIEST,
    CODE_MS,
    CONNECTION_ID,
    HELD,
    HOLDER,
    KIND,
    LOG_MS,
    LOOP_MS,
    MS,
    QUEUE_MS,
    SEND_MS,
    SOCKET_MS,
    TO,
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
_LEAST_MS: Final = 1
_MOST: Final = 0.5
_BEFORE: Final = "before "  # where a step was that nobody saw: up to there
_NOT_SEEN: Final = "not sampled"
_PHRASES: Final = {
    "sleep": "sleeping",
    "lock": "waiting for a lock",
    "semaphore": "waiting for a semaphore",
    "event": "waiting for an event",
    "condition": "waiting for a condition",
    "barrier": "waiting for others at a barrier",
    "queue get": "waiting for an item in a queue",
    "queue put": "waiting for room in a queue",
    "queue join": "waiting for a queue to be worked off",
    "network read": "waiting for data from the network",
    "network write": "waiting for the network to take data",
    "network connect": "waiting for a connection to be made",
    "network accept": "waiting for somebody to connect",
    "DNS": "looking up a host's name",
    "subprocess": "waiting for a subprocess",
    "receive": "the client was slow to send its request",
    "thread": "waiting for a thread",
    "tasks": "waiting for tasks",
    "future": "waiting",
}
_SEND: Final = "send"
_FREE_THREAD: Final = "free thread for "
_THREAD: Final = "thread running "


def cause_of(verdict: Mapping[str, Any]) -> str:
    """Tell what took longest, at most two things; empty if nothing stands out."""
    worth = max(_WORTH * verdict[TOTAL_MS], _LEAST_MS)
    clauses = sorted(_clauses(verdict), reverse=True)[:_CLAUSES]
    return "; ".join(f"{ms:.0f} ms: {text}" for ms, text in clauses if ms >= worth)


def _clauses(verdict: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    held = 0.0
    for hold in verdict.get(BLOCKED_BY, ()):
        held += hold[MS]
        yield hold[MS], f"loop held by {_held(_who(hold), hold)}"
    yield from _waits_for_the_loop(verdict, held)
    for wait in verdict.get(AWAITS, ()):
        yield wait[MS], _await(wait)
    if verdict.get(SEND_MS):
        yield verdict[SEND_MS], "the client was slow to take the reply"
    yield from _own_code(verdict)


def _waits_for_the_loop(verdict: Mapping[str, Any], held: float) -> Iterator[tuple[float, str]]:
    """Tell of what no hold explains: the message before, and many steps, none of them long."""
    behind = verdict.get(BEHIND_MS, 0.0)
    waited = sum(verdict.get(key, 0.0) for key in (SOCKET_MS, QUEUE_MS, LOOP_MS))
    if BEHIND in verdict:
        yield behind - held, f"waiting for message {verdict[BEHIND]} of the same connection"
    elif behind:
        yield behind - held, f"waiting for its worker, which was at {_ahead(verdict, behind)}"
    left, busiest = waited - held - behind, verdict.get(BUSIEST, ())
    if sum(other[MS] for other in busiest) < _WORTH * left:
        yield left, "waiting for the event loop"  # whatever kept it, none of these has
        return

    names = ", ".join(map(_who, busiest))
    yield left, f"the loop was busy with many short steps, most of them of {names}"


def _ahead(verdict: Mapping[str, Any], behind: float) -> str:
    """Name the items that its worker was at, if these few are most of what there was."""
    ahead = verdict.get(AHEAD, ())
    if sum(other[MS] for other in ahead) < _MOST * behind:
        return "other items" if ahead else "another item"

    return " and ".join(dict.fromkeys(map(_who, ahead)))


def _own_code(verdict: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    code, logs = verdict.get(CODE_MS, 0.0), verdict.get(LOG_MS, 0.0)
    holds = verdict.get(HELD, ())
    if logs > _MOST * code:
        yield logs, _held("its own log calls", holds[0]) if holds else "its own log calls"
        code, holds = code - logs, ()
    for hold in holds:
        code -= hold[MS]
        yield hold[MS], _held("its own code", hold)
    yield code, "its own code"


def _held(who: str, hold: Mapping[str, Any]) -> str:
    """Tell who it was, where and how, as far as it was seen."""
    where, kind = hold[WHERE], hold[KIND]
    place = "" if where == who else f" {where}" if where.startswith(_BEFORE) else f" in {where}"
    return f"{who}{place}" if kind == _NOT_SEEN else f"{who}{place} ({kind})"


def _await(wait: Mapping[str, Any]) -> str:
    place = f" in {wait[WHERE]}" if wait[WHERE] else ""
    if wait[WHAT] == _SEND:
        return f"{_client(wait.get(TO, {}))} was slow to take what was sent{place}"

    until = f", until {_who(wait[UNTIL])} let it go on" if wait.get(UNTIL) else ""
    return f"{_phrase(wait[WHAT])}{place}{until}"


def _client(about: Mapping[str, Any]) -> str:
    if USER_ID in about:
        return f"{about[USER_ID]}'s client"

    return f"the client of {about[CONNECTION_ID]}" if CONNECTION_ID in about else "another client"


def _phrase(what: str) -> str:
    for prefix, phrase in (
        (_FREE_THREAD, "waiting for a free thread to run"),
        (_THREAD, "waiting while a thread ran"),
    ):
        if what.startswith(prefix):
            return f"{phrase} {what.removeprefix(prefix)}"

    known, _, library = what.partition(" in ")
    phrase = _PHRASES.get(known, f"waiting for {known}")
    return f"{phrase} ({library})" if library else phrase


def _who(about: Mapping[str, Any]) -> str:
    """Name somebody as a person on the phone would: by user, or else by what is known."""
    user = about.get(USER_ID)
    if user is not None:
        return f"{user}'s {about[WHAT]}" if WHAT in about else str(user)

    if TRACE_ID in about:
        trace = f"trace {about[TRACE_ID]}"
        return f"{about[WHAT]} of {trace}" if WHAT in about else trace

    if CONNECTION_ID in about:
        return f"connection {about[CONNECTION_ID]}"

    return str(about.get(HOLDER, "somebody"))
