"""The question `late` asks, in SQL, and what it finds.

One pass over the lines counts everything and keeps only as many lines as will be shown, so that
memory doesn't grow with the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from tracelog import fields
from tracelog.answers.lines import is_cut_off, line_numbers, tail
from tracelog.answers.log import LINES, Log
from tracelog.answers.sources import Source
from tracelog.answers.times import Moment, read_timestamp, window
from tracelog.answers.utterances import KEYS, Utterance
from tracelog.errors import InputError


__all__ = ["Answer", "Question", "slowest"]

_EXAMPLES: Final = 3  # so many of the lines that are no JSON are named
_UNIX: Final = datetime(1970, 1, 2, tzinfo=UTC)  # what has no clock yet says it is before that
_ANY: Final = datetime.max.replace(tzinfo=UTC)  # absolute times don't depend on a last line


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which utterances to show.

    Attributes:
        top: At most how many.
        over: Only those that took longer, in milliseconds.
        user: Only this user's.
        since: Only those that arrived then or later.
        until: Only those that arrived then or before.
    """

    top: int = 20
    over: float | None = None
    user: str | None = None
    since: Moment | None = None
    until: Moment | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves any utterance out."""
        return (self.over, self.user, self.since, self.until) != (None,) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was found.

    Attributes:
        rows: The utterances to show, slowest first.
        lines: How many lines were read; blank ones don't count.
        broken: How many of them are no JSON.
        utterances: How many are an utterance's.
        matched: How many of these the question asked for and have a total to go by.
        late: How many of those were late.
        broken_at: Where the first broken ones are, as `file:line`.
    """

    rows: tuple[Utterance, ...] = ()
    lines: int = 0
    broken: int = 0
    utterances: int = 0
    matched: int = 0
    late: int = 0
    broken_at: tuple[str, ...] = ()


# A line is taken apart only if the word is in it. Letters are never written as escapes in JSON
# by anyone, so none is missed; the word in another place costs a look and nothing else.
_SLOWEST: Final = """
WITH lines AS (
    SELECT filename, json, CASE WHEN contains(json, 'utterance') THEN
        json_extract_string(json, [<probes>]) END AS probe
    FROM <lines>
), marked AS (
    SELECT filename, json, probe[1] = 'utterance' AS is_verdict, probe[2] = 'true' AS is_late,
        try_cast(probe[3] AS DOUBLE) AS total, probe[4] AS user_id,
        coalesce(try_cast(probe[5] AS TIMESTAMPTZ), try_cast(probe[6] AS TIMESTAMPTZ)) AS moment
    FROM lines
), matched AS (
    SELECT *, is_verdict AND isfinite(total) <conditions> AS is_match FROM marked
)
SELECT filename, count(*), count(*) - count(json), count(*) FILTER (is_verdict),
    count(*) FILTER (is_match), count(*) FILTER (is_match AND is_late),
    [json_extract(line, [<keys>]) FOR line IN arg_max(json, total, $top) FILTER (is_match)]
FROM matched GROUP BY filename
"""
_PROBES: Final = (
    fields.EVENT,
    fields.LATE,
    fields.TOTAL_MS,
    fields.USER_ID,
    fields.ARRIVED_AT,
    fields.TIMESTAMP,
)
_CONDITIONS: Final = {
    "over": "AND total > $over",
    "user": "AND user_id = $user",
    "since": "AND moment >= $since::TIMESTAMPTZ",
    "until": "AND moment <= $until::TIMESTAMPTZ",
}
_LAST: Final = """
SELECT max(moment)::VARCHAR
FROM (SELECT try_cast(json->>'timestamp' AS TIMESTAMPTZ) AS moment FROM <lines>)
WHERE moment BETWEEN '1970-01-01'::TIMESTAMPTZ AND '9999-01-01'::TIMESTAMPTZ
"""
_BROKEN: Final = """
SELECT number FROM (SELECT row_number() OVER () AS number, json FROM <lines>)
WHERE json IS NULL LIMIT $count
"""


def slowest(log: Log, question: Question) -> Answer:
    """Find the slowest utterances of *log*.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    parameters = _parameters(log, question)
    conditions = " ".join(sql for name, sql in _CONDITIONS.items() if name in parameters)
    found = log.rows(_sql(_SLOWEST, conditions), **parameters)
    counts = [sum(column) for column in list(zip(*found, strict=True))[1:6]] or [0] * 5
    broken = {row[0]: row[2] for row in found if row[2]}
    return Answer(
        rows=_rows([texts for row in found for texts in row[6] or ()], question.top),
        **dict(zip(("lines", "broken", "utterances", "matched", "late"), counts, strict=True)),
        broken_at=tuple(islice(_broken(log, broken), _EXAMPLES)),
    )


def _parameters(log: Log, question: Question) -> dict[str, object]:
    """Collect what the conditions compare with; what isn't asked for is absent."""
    since, until = _window(log, question)
    values = {"over": question.over, "user": question.user, "since": since, "until": until}
    asked = {name: value for name, value in values.items() if value is not None}
    return {"top": question.top, **asked}


def _window(log: Log, question: Question) -> tuple[str | None, str | None]:
    """Resolve the question's times; only some need a look at the log."""
    moments = [moment for moment in (question.since, question.until) if moment]
    relative = [moment for moment in moments if not moment.is_absolute]
    last = _last(log, relative[0]) if relative else _ANY
    since, until = window(question.since, question.until, last)
    return since.isoformat() if since else None, until.isoformat() if until else None


def _last(log: Log, moment: Moment) -> datetime:
    """Find the time of the last line, which *moment* is counted from."""
    ends = [_last_of(source) for source in log.sources if not source.is_empty]
    known = [end for end in ends if end]
    last = max(known) if known and len(known) == len(ends) else _last_of_all(log)
    if last is None:
        raise InputError(
            f"no line has a time that {str(moment)!r} could be counted from",
            hint="a time with its date, as in '2026-11-22 14:05'",
        )

    return last


def _last_of(source: Source) -> datetime | None:
    """Look at a file's end."""
    return next(filter(None, map(_time_of, reversed(tail(source)))), None)


def _time_of(line: bytes) -> datetime | None:
    """Read a line's time, if it is a line and has one of this age."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None

    moment = read_timestamp(found.get(fields.TIMESTAMP)) if isinstance(found, dict) else None
    return moment if moment and moment > _UNIX else None


def _last_of_all(log: Log) -> datetime | None:
    """Look at every line: a packed file has no end to begin with."""
    found = [row[0] for row in log.rows(_sql(_LAST))]
    return read_timestamp(found[0]) if found else None


def _rows(found: list[list[str | None]], top: int) -> tuple[Utterance, ...]:
    """Merge what each file's slowest are; of equals, the earlier comes first."""
    rows = sorted(map(Utterance.read, found), key=lambda row: (-row.total_ms, str(row.time)))
    return tuple(rows[:top])


def _broken(log: Log, counts: dict[str, int]) -> Iterator[str]:
    """Say where the lines are that are no JSON."""
    for source in log.sources:
        if count := counts.get(source.path, 0):
            yield from _broken_in(log, source, count)


def _broken_in(log: Log, source: Source, count: int) -> Iterator[str]:
    """Name lines of one source, or the source if its lines can't be counted."""
    is_cut = is_cut_off(source)
    try:
        for number in _numbers(log, source, min(count - is_cut, _EXAMPLES)):
            yield f"{source.name}:{number}"
    except InputError:
        yield source.name
    if is_cut:
        yield f"the last of {source.name}"


def _numbers(log: Log, source: Source, count: int) -> tuple[int, ...]:
    """Find the first *count* broken lines; reading ends where the last of them is."""
    if not count:
        return ()

    return line_numbers(source, [row[0] for row in log.rows_of(source, _sql(_BROKEN), count=count)])


def _sql(template: str, conditions: str = "") -> str:
    """Fill in a query; what a user typed never becomes part of it."""
    parts = {
        "<lines>": LINES,
        "<probes>": _paths(_PROBES),
        "<keys>": _paths(KEYS),
        "<conditions>": conditions,
    }
    for name, part in parts.items():
        template = template.replace(name, part)
    return template


def _paths(keys: tuple[str, ...]) -> str:
    """Write JSON paths to *keys* of a line."""
    return ", ".join(f"'$.{key}'" for key in keys)
