"""The verdict: the one line that an utterance ends with."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from tracelog.context import Context
from tracelog.emit import emit
from tracelog.events import make_timestamp_of
from tracelog.fields import (
    AHEAD,
    ARRIVED_AT,
    AWAIT_MS,
    AWAITS,
    BEHIND,
    BEHIND_MS,
    BLOCKED_BY,
    BUDGET_MS,
    BUSIEST,
    CAUSE,
    CODE_MS,
    COUNT,
    EVENT_UTTERANCE,
    FAILED,
    HELD,
    KIND,
    LATE,
    LEFT_OUT,
    LEFT_OUT_LINES,
    LOG_MS,
    LOOP_MS,
    MS,
    NAME,
    OWN_MS,
    QUEUE_MS,
    SEND_MS,
    SOCKET_BOUND,
    SOCKET_MS,
    SPANS,
    TO,
    TOTAL_MS,
    UNTIL,
    UTTERANCE,
    WHAT,
    WHERE,
    WITHIN,
)
from tracelog.latency.cause import cause_of
from tracelog.latency.clock import ms_of
from tracelog.latency.findings import Awaited, Findings
from tracelog.latency.holds import about_context
from tracelog.latency.recorder import land
from tracelog.latency.utterance import Utterance


__all__ = ["conclude"]

_FEW: Final = 3  # of those that delayed it; all of them are in the boxes
_SPANS: Final = 32

_log = logging.getLogger("tracelog.utterance")
_arrived_at = make_timestamp_of()  # lines' own are later: the two would be in each other's way
# Since the last verdict that was written, and what it calls them.
_left_out = {LEFT_OUT: 0, LEFT_OUT_LINES: 0}


def conclude(utterance: Utterance, *, failed: bool = False) -> tuple[float, bool]:
    """End *utterance*, with its verdict: a warning if it was late.

    Returns:
        How many milliseconds it took, and whether it was late.
    """
    context = utterance.end()
    arrival, policy, ledger = utterance.arrival, utterance.policy, utterance.ledger
    total_ms = ms_of(utterance.ended - arrival.read + arrival.socket_wait)
    limit = utterance.budget_ms
    if limit is None:
        limit = policy.late_ms
        if policy.budgets:
            limit = policy.late_ms_of(context.fields, utterance.about, {KIND: utterance.kind})
    late = total_ms >= limit
    if ledger.flights is not None:
        _left_out[LEFT_OUT_LINES] += land(ledger, write=late or failed)
    level = logging.WARNING if late else policy.on_time
    if failed and level is None:
        level = logging.INFO
    if level is None or not (late or failed or policy.keeps(context.trace)):
        _left_out[LEFT_OUT] += 1
    elif _log.isEnabledFor(level):
        fields = _fields(utterance, total_ms, late=late, failed=failed)
        if limit != policy.late_ms:
            fields[BUDGET_MS] = limit
        emit(_log, level, EVENT_UTTERANCE, (), fields)
    ledger.notes = None  # others may keep the ledger: tasks that go on
    return total_ms, late


def _fields(utterance: Utterance, total_ms: float, *, late: bool, failed: bool) -> dict[str, Any]:
    """Tell all that is known. Most utterances are on time and have nothing unusual about them."""
    arrival, ledger, watch = utterance.arrival, utterance.ledger, utterance.watch
    fields: dict[str, Any] = {
        UTTERANCE: utterance.number,
        TOTAL_MS: total_ms,
        SOCKET_MS: ms_of(arrival.socket_wait),
        QUEUE_MS: ms_of(utterance.started - arrival.read),
    }
    if watch is not None and watch.exact:  # its loop tells of each step
        fields[LOOP_MS] = ms_of(ledger.loop)
        fields[CODE_MS] = ms_of(ledger.code)
        fields[AWAIT_MS] = ms_of(ledger.waiting)
        fields[SEND_MS] = ms_of(ledger.send)
        if ledger.logging:
            fields[LOG_MS] = ms_of(ledger.logging)
    fields[LATE] = late
    fields[KIND] = utterance.kind
    fields[ARRIVED_AT] = _arrived_at(arrival.wall - arrival.socket_wait)
    if late or ledger.notes is not None or arrival.bound or utterance.behind_s:
        _add_reasons(fields, utterance, late=late)
    fields.update(utterance.about)
    if failed:
        fields[FAILED] = True
    for key, count in _left_out.items():
        if count:
            fields[key], _left_out[key] = count, 0
    return fields


def _add_reasons(fields: dict[str, Any], utterance: Utterance, *, late: bool) -> None:
    """Add what there is to say of its waits, and if it is late, the cause."""
    if utterance.arrival.bound:
        fields[SOCKET_BOUND] = True
    if utterance.behind is not None:
        fields[BEHIND] = utterance.behind
    if utterance.behind_s:
        fields[BEHIND_MS] = ms_of(utterance.behind_s)
    if utterance.ahead:
        fields[AHEAD] = _ahead(utterance)
    found, watch = utterance.ledger.notes, utterance.watch
    if found is not None:
        if late and watch is not None:
            found.note_others(watch.steps)
        _add_findings(fields, found)
    cause = cause_of(fields) if late else ""
    if cause:
        fields[CAUSE] = cause


def _ahead(utterance: Utterance) -> list[dict[str, Any]]:
    """Tell whose items its worker was at while it waited for it, and for how long."""
    came = utterance.arrival.read - utterance.arrival.socket_wait
    sums: dict[str | None, float] = {}
    who: dict[str | None, Context] = {}
    for began, ended, context in utterance.ahead:
        trace_id = context.trace.trace_id if context.trace else None
        sums[trace_id] = sums.get(trace_id, 0.0) + ended - max(began, came)
        who[trace_id] = context
    return [{MS: ms, **about_context(who[trace_id])} for trace_id, ms in _most(sums)]


def _add_findings(fields: dict[str, Any], found: Findings) -> None:
    """Add what was found; under load many wait for a while, and nothing is to be said of it."""
    found.settle()
    if found.holds:
        fields[BLOCKED_BY] = [{MS: ms, **hold.about()} for hold, ms in _most(found.holds)]
    if found.own:
        most = _most(found.own)
        fields[HELD] = [{MS: ms, WHERE: place, KIND: kind} for (place, kind), ms in most]
    if found.others:
        who, most = found.who, _most(found.others)
        fields[BUSIEST] = [{MS: ms, **about_context(who[trace_id])} for trace_id, ms in most]
    if found.awaits:
        fields[AWAITS] = [_awaited(found, awaited, ms) for awaited, ms in _most(found.awaits)]
    if found.spans:
        spans = islice(found.spans.items(), _SPANS)
        fields[SPANS] = [_span(path, sums) for path, sums in spans]


def _most(sums: Mapping[Any, float]) -> Iterator[tuple[Any, float]]:
    """Give the longest few of *sums*, in milliseconds."""
    for key in sorted(sums, key=lambda key: -sums[key])[:_FEW]:
        yield key, ms_of(sums[key])


def _awaited(found: Findings, awaited: Awaited, ms: float) -> dict[str, Any]:
    shown: dict[str, Any] = {MS: ms, WHAT: awaited.what, WHERE: awaited.where}
    for key, trace_id in ((UNTIL, awaited.until), (TO, awaited.to)):
        if trace_id is not None:
            shown[key] = about_context(found.who.get(trace_id))
    if awaited.after and WHAT in shown.get(UNTIL, ()):
        # A library's reader, say, that goes on in the context of whoever has begun with it.
        shown[UNTIL][WHAT] = f"task after {shown[UNTIL][WHAT]}"
    return shown


def _span(path: tuple[str, ...], sums: list[float]) -> dict[str, Any]:
    count, total, own = sums
    within = {WITHIN: list(path[:-1])} if len(path) > 1 else {}
    return {NAME: path[-1], **within, COUNT: count, TOTAL_MS: ms_of(total), OWN_MS: ms_of(own)}
