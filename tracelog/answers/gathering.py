"""What a report's page shows, gathered from a log: one bounded question a table.

Nothing in here grows with the log. Whatever has no bound of its own (utterances, holds, lines, the
length of a value) gets one in SQL, before Python sees it, and the worst come first. Verdicts and
holds are those of the views.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

from tracelog import fields
from tracelog.answers.duckdb_views import IS_ROW, columns_in, relation
from tracelog.answers.gathered import LIMITS, Gathered, Limits
from tracelog.answers.log import LINES, Log
from tracelog.answers.question import Row
from tracelog.answers.views import BOXES, HOLDS, LISTS, UTTERANCES


__all__ = ["gather"]

_SOME: Final = 10  # entries of a verdict's list
# Late ones rank before all others. An absurd total is one of three years, which any calendar has
# room for. Of equals, of which a log in whole milliseconds may have a million, a few bits of chance
# rank some before the rest, so that hardly more come through than are wanted.
_MARKED: Final = """
WITH marked AS (
    SELECT line, <is row> AND total_ms IS NOT NULL AS found, coalesce(late, false) AS late,
        greatest(least(total_ms, 1e11), 0) AS total,
        CASE WHEN late THEN 1::BIGINT << 62 ELSE 0 END + ((total * 1000)::BIGINT << 14)
            + (hash(time, trace_id, user_id) & 16383)::BIGINT AS rank,
        time AS moment, user_id[:200] AS user_id, connection_id[:80] AS connection_id,
        trace_id[:80] AS trace_id, utterance, kind[:40] AS kind, [<boxes>] AS boxes
    FROM (<utterances>)
)"""
# A list of one is made and unnested: DuckDB would else write what a line is taken apart by into
# each condition, and do it as often as one asks, in as much memory each time. In it is only what a
# query names; the line itself, which may be long, stays outside.
_VERDICTS: Final = """<marked>, probed AS (
    SELECT line, unnest([{<names>}], max_depth := 2) FROM marked WHERE contains(line, 'utterance')
), verdicts AS (SELECT * FROM probed WHERE found)
"""
_NAMES: Final = (
    *("found", "late", "total", "rank", "moment", "user_id", "connection_id", "trace_id"),
    *("utterance", "kind", "boxes"),
)
_SURVEY: Final = """<marked>, counted AS (
    SELECT count(*) AS lines, count(*) - count(line) AS broken, count(*) FILTER (found) AS found,
        count(*) FILTER (found AND late) AS late, max(rank, $utterances) FILTER (found) AS ranks,
        approx_quantile(total, [0.5, 0.95, 0.99]) FILTER (found) AS quantiles,
        count(*) FILTER (CASE WHEN contains(line, 'loop held') THEN line->>'event' = 'loop held'
            AND isfinite(try_cast(line->>'held_ms' AS DOUBLE)) END) AS holds
    FROM marked
)
SELECT lines, broken, found, late, coalesce(quantiles, []), holds,
    ranks[-1], coalesce(ranks[$detailed], ranks[-1])
FROM counted
"""
_COUNTED: Final = ("lines", "broken", "utterances", "late", "quantiles", "holds")
_UTTERANCES: Final = """<verdicts>
SELECT <moment>, total, late, boxes, user_id, connection_id, trace_id, utterance, kind,
    CASE WHEN rank >= $detailed THEN
        [CASE WHEN length(text) <= 2000 THEN text END FOR text IN json_extract(line, [<why>])] END
FROM verdicts WHERE rank >= $rank ORDER BY rank DESC LIMIT $utterances
"""
_USERS: Final = """<verdicts>, grouped AS MATERIALIZED (
    SELECT user_id, count(*) AS utterances, count(*) FILTER (late) AS late, max(total) AS longest,
        coalesce(sum(total) FILTER (late), 0) AS waited
    FROM verdicts GROUP BY user_id
)
SELECT (SELECT count(*) FROM grouped), (SELECT count(*) FROM grouped WHERE late > 0), *
FROM grouped ORDER BY waited DESC, longest DESC, user_id LIMIT $users
"""
# Which are the costliest is found first, by numbers: texts and users are kept of those alone.
# Not of the view `delays`: it has no bound for a list, and makes those of verdicts on time, too.
# What is wanted of a list is taken from the line in one go, and only its beginning is kept: a list,
# or an entry, may be a megabyte. No condition stands between that and what takes lines apart: each
# has memory of its own, for as many lines as are in its hands.
_ENTRIES: Final = """<marked>, listed AS (
    SELECT user_id, trace_id, CASE WHEN found AND late THEN
        [text[:200] FOR text IN json_extract_string(line, [<of entries>])] END AS t
    FROM marked WHERE contains(line, 'utterance')
), unnested AS (
    SELECT user_id, trace_id, unnest(CASE WHEN t IS NOT NULL THEN [<entries of t>] END) AS entry
    FROM listed
), entries AS (
    SELECT user_id, trace_id, entry.how, entry.place, entry.kind[:100] AS kind,
        try_cast(entry.ms AS DOUBLE) AS ms, hash(entry.how, entry.place, entry.kind[:100]) AS id
    FROM unnested
)"""
_COSTLY: Final = """<entries>
SELECT id FROM entries WHERE isfinite(ms) GROUP BY id ORDER BY sum(ms) DESC LIMIT $places
"""
_PLACES: Final = """<entries>
SELECT how, place, kind, count(*), sum(ms) AS total, max(ms),
    count(DISTINCT hash(user_id)) FILTER (user_id IS NOT NULL), arg_max(trace_id, ms)
FROM entries WHERE isfinite(ms) AND id IN (SELECT unnest($ids::UBIGINT[]))
GROUP BY how, place, kind ORDER BY total DESC, how, place, kind
"""
_HOLDS: Final = """
WITH marked AS (
    SELECT <is row> AS found, * EXCLUDE (line) FROM (<holds>) WHERE contains(line, 'loop held')
), probed AS (
    SELECT unnest([marked], max_depth := 2) FROM marked
), holds AS (SELECT *, time AS moment FROM probed WHERE found AND held_ms IS NOT NULL)
SELECT <moment>, held_ms, place[:300], kind[:100], holder[:200], user_id[:200], trace_id[:80],
    delayed, delayed_ms
FROM holds ORDER BY held_ms DESC, moment LIMIT $holds
"""
# A line that is too long to be shown whole is shown by its beginning. Not of the view `lines`: what
# that makes of every line would be carried up to the few that are wanted, for 20 MB more.
_TRACES: Final = """
WITH probed AS (
    SELECT json, json_extract_string(json, [<line>]) AS probe FROM <lines>
), lines AS (
    SELECT probe[1][:80] AS trace_id, try_cast(probe[2] AS TIMESTAMPTZ) AS moment,
        [probe[3][:20], probe[4][:100], probe[5][:300], json[:1500]] AS texts
    FROM probed WHERE probe[1][:80] IN (SELECT unnest($traces::VARCHAR[]))
), timed AS (SELECT *, [(<moment>)::VARCHAR] || texts AS line FROM lines)
SELECT trace_id, count(*), arg_min(line, moment, $lines * 2), arg_max(line, moment, $lines)
FROM timed WHERE (<moment>) IS NOT NULL GROUP BY trace_id
"""
# What no calendar of a browser knows is no time.
_MOMENT: Final = """CASE WHEN moment BETWEEN '1970-01-02'::TIMESTAMPTZ AND '9999-01-01'::TIMESTAMPTZ
    THEN epoch_us(moment) END"""
_ENTRY: Final = tuple((key, f"{key}[{n}]") for key in LISTS for n in range(_SOME))
_ENTRY_KEYS: Final = (fields.MS, fields.WHERE, fields.KIND, fields.WHAT)
_WHY: Final = (
    fields.CAUSE,
    *LISTS,
    fields.BUSIEST,
    fields.SPANS,
    fields.BEHIND,
    fields.BEHIND_MS,
    fields.SOCKET_BOUND,
    fields.BUDGET_MS,
    fields.FAILED,
    "method",
    "path",
    "status",
)
_LINE: Final = (fields.TRACE_ID, fields.TIMESTAMP, fields.LEVEL, fields.LOGGER, fields.EVENT)


def gather(log: Log, on_step: Callable[[str], object], limits: Limits = LIMITS) -> Gathered:
    """Ask *log* everything that a page shows.

    Args:
        log: What is asked; it is read once a step, and once more for places.
        on_step: Told what is read next.
        limits: How much is taken of it.

    Raises:
        InputError: If the log can't be read.
    """
    on_step("counting")
    most = {"utterances": limits.utterances, "detailed": limits.detailed}
    surveyed = log.rows(_sql(_SURVEY), **most)
    if not surveyed:
        return Gathered()

    *counted, rank, detailed = surveyed[0]
    on_step("utterances")
    worst = {"rank": rank, "detailed": detailed, "utterances": limits.utterances}
    utterances = log.rows(_sql(_UTTERANCES), **worst)
    on_step("users")
    users = log.rows(_sql(_USERS), users=limits.users)
    on_step("what is to blame")
    places = _places(log, limits)
    on_step("holds")
    holds = log.rows(_sql(_HOLDS), holds=limits.holds)
    on_step("their lines")
    traces = log.rows(_sql(_TRACES), traces=_traces(utterances, limits), lines=limits.lines)
    return Gathered(
        **dict(zip(_COUNTED, counted, strict=True)),
        utterance_rows=utterances,
        **_users(users),
        place_rows=places,
        hold_rows=holds,
        trace_rows=traces,
    )


def _users(rows: list[Row]) -> dict[str, Any]:
    """Take apart what each row says: how many there are, how many waited, and then of one."""
    users, waiting = rows[0][:2] if rows else (0, 0)
    return {"users": users, "waiting": waiting, "user_rows": [row[2:] for row in rows]}


def _places(log: Log, limits: Limits) -> list[Row]:
    """Find the costliest places, and then what is to be said of them."""
    costly = [row[0] for row in log.rows(_sql(_COSTLY), places=limits.places)]
    return log.rows(_sql(_PLACES), ids=costly)


def _traces(utterances: list[Row], limits: Limits) -> list[str]:
    """Tell whose lines are wanted; a caller may have given many utterances one trace."""
    worst = utterances[: limits.traced]
    return list({row[6]: None for row in worst if row[6] is not None})


def _sql(template: str) -> str:
    """Fill in a query; nothing of the log's ever becomes part of it."""
    template = template.replace("<entries>", _ENTRIES)
    words = {"found", *re.findall(r"\w+", template)}
    parts = {
        "<verdicts>": _VERDICTS.strip(),
        "<marked>": _MARKED.strip(),
        "<utterances>": relation(UTTERANCES, columns_in(UTTERANCES, (_MARKED, *BOXES))),
        "<holds>": relation(HOLDS, columns_in(HOLDS, (_HOLDS,))),
        "<is row>": IS_ROW,
        "<lines>": LINES,
        "<boxes>": ", ".join(BOXES),
        "<names>": ", ".join(f"'{name}': {name}" for name in _NAMES if name in words),
        "<of entries>": _paths(f"{entry}.{key}" for _, entry in _ENTRY for key in _ENTRY_KEYS),
        "<entries of t>": ", ".join(map(_entry, range(len(_ENTRY)))),
        "<why>": _paths(_WHY),
        "<line>": _paths(_LINE),
        "<moment>": _MOMENT,
    }
    for name, part in parts.items():
        template = template.replace(name, part)
    return template


def _entry(number: int) -> str:
    """Write an entry of a list, made of the texts that were taken from a line."""
    ms, place, kind, what = (f"t[{number * len(_ENTRY_KEYS) + n}]" for n in range(1, 5))
    how = _ENTRY[number][0]
    return f"{{how: '{how}', ms: {ms}, place: {place}, kind: coalesce({kind}, {what})}}"


def _paths(keys: Iterable[str]) -> str:
    """Write JSON paths to *keys* of a line."""
    return ", ".join(f"'$.{key}'" for key in keys)
