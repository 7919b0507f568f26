"""Utterances as OpenTelemetry's spans: OTLP in JSON, an ExportTraceServiceRequest a line.

Attributes are named by OpenTelemetry's semantic conventions where these have a name, and else
`tracelog.` and the line's key. A trace that isn't W3C's is named by a digest of what it is called.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from tracelog import fields
from tracelog.answers.verdicts import Record, title, waited_ms, within
from tracelog.answers.views import BOXES


__all__ = ["requests"]

_BATCH: Final = 500  # utterances in a request
_TRACE: Final = re.compile(r"(?!0{32})[0-9a-f]{32}")
_SPAN: Final = re.compile(r"(?!0{16})[0-9a-f]{16}")
_CODE: Final = re.compile(r"(.+):(\d+) (.+)")
_KINDS: Final = {"http": 2, "websocket": 2, "queue": 5}  # server, server, consumer; else internal
_INTERNAL: Final = 1
_ERROR: Final = 2
_SERVER_ERROR: Final = 500
_CONVENTIONS: Final = {  # semantic conventions 1.29
    "http.request.method": "method",
    "http.response.status_code": "status",
    "http.route": "route",
    "url.path": "path",
    "user.id": fields.USER_ID,
}
_OWN: Final = (
    *(fields.CONNECTION_ID, fields.UTTERANCE, fields.KIND, fields.TOTAL_MS, *BOXES),
    *(fields.LATE, fields.CAUSE),
)


def requests(utterances: Iterable[Record]) -> Iterator[str]:
    """Write a line for each few hundred of them."""
    rest = iter(utterances)
    while batch := list(islice(rest, _BATCH)):
        services: dict[str, list[Record]] = {}
        for record in batch:
            services.setdefault(str(record["service"] or record["file"]), []).append(record)
        request = {"resourceSpans": [_resource(*each) for each in services.items()]}
        yield json.dumps(request, allow_nan=False, separators=(",", ":")) + "\n"


def _resource(service: str, records: Iterable[Record]) -> Record:
    """Put the spans of a service together."""
    return {
        "resource": {"attributes": _attributes({"service.name": service})},
        "scopeSpans": [
            {
                "scope": {"name": "tracelog"},
                "spans": [span for record in records for span in _spans(record)],
            }
        ],
    }


def _spans(record: Record) -> Iterator[Record]:
    """Make a span of an utterance, and of each within it."""
    start = record["us"] * 1000
    trace = _trace(record[fields.TRACE_ID] or _digest(record["file"], start, 32))
    own = record["span_id"] or ""
    span_id = own if _SPAN.fullmatch(own) else _digest(trace, start, 16)
    yield {
        "traceId": trace,
        "spanId": span_id,
        "name": title(record),
        "kind": _KINDS.get(record[fields.KIND] or "", _INTERNAL),
        **_times(start, record[fields.TOTAL_MS]),
        "attributes": _attributes(_described(record)),
        "events": [_event(start, entry) for entry in record[fields.BLOCKED_BY]],
        "status": {"code": _ERROR} if _is_error(record) else {},
    }
    yield from _children(record, trace, span_id)


def _children(record: Record, trace: str, parent: str) -> Iterator[Record]:
    """Make spans of those within; as they are sums, they start where the handling did."""
    start = record["us"] * 1000 + round(waited_ms(record) * 1e6)
    ids: dict[tuple[str, ...], str] = {(): parent}
    for number, span in enumerate(sorted(record[fields.SPANS], key=lambda each: len(within(each)))):
        around = within(span)
        name = str(span.get(fields.NAME))
        ids[*around, name] = own = _digest(parent, number, 16)
        yield {
            "traceId": trace,
            "spanId": own,
            "parentSpanId": ids.get(around, parent),
            "name": name,
            "kind": _INTERNAL,
            **_times(start, span.get(fields.TOTAL_MS)),
            "attributes": _attributes(
                {f"tracelog.{key}": span.get(key) for key in (fields.COUNT, fields.OWN_MS)}
            ),
        }


def _event(start: int, entry: Record) -> Record:
    """Make an event of a hold that delayed it."""
    place = str(entry.get(fields.WHERE))
    code = _CODE.fullmatch(place)
    file, line, function = code.groups() if code else (None, None, place)
    facts = {f"tracelog.{key}": entry.get(key) for key in (fields.MS, fields.KIND, fields.TRACE_ID)}
    where = {
        "code.file.path": file,
        "code.line.number": int(line[:9]) if line else None,
        "code.function.name": function,
    }
    attributes = _attributes({**where, **facts, "user.id": entry.get(fields.USER_ID)})
    return {"timeUnixNano": str(start), "name": fields.EVENT_HOLD, "attributes": attributes}


def _described(record: Record) -> Record:
    """Name what is known of an utterance."""
    named = {name: record[key] for name, key in _CONVENTIONS.items()}
    if not _TRACE.fullmatch(record[fields.TRACE_ID] or ""):
        named["tracelog.trace_id"] = record[fields.TRACE_ID]
    return named | {f"tracelog.{key}": record[key] for key in _OWN}


def _attributes(values: Mapping[str, Any]) -> list[Record]:
    """Write those that are known."""
    return [{"key": key, "value": _value(v)} for key, v in values.items() if v is not None]


def _value(value: Any) -> Record:
    """Write a value with its type, as OTLP does."""
    if isinstance(value, bool):
        return {"boolValue": value}

    if isinstance(value, int):
        return {"intValue": str(value)}

    if isinstance(value, float):
        return {"doubleValue": value}

    text = value if isinstance(value, str) else json.dumps(value)
    return {"stringValue": text}


def _times(start: int, ms: Any) -> Record:
    """Write both ends, in nanoseconds: 64 bits are text in JSON."""
    length = round(ms * 1e6) if isinstance(ms, int | float) and ms > 0 else 0
    return {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + length)}


def _is_error(record: Record) -> bool:
    """Whether its handler raised, or said that it failed."""
    return bool(record[fields.FAILED]) or (record["status"] or 0) >= _SERVER_ERROR


def _trace(name: str) -> str:
    """Name a trace as W3C does."""
    return name if _TRACE.fullmatch(name) else _digest(name, 0, 32)


def _digest(text: str, number: int, length: int) -> str:
    """Make an id that is the same whenever the same log is exported."""
    return hashlib.sha256(f"{text}\n{number}".encode()).hexdigest()[:length]
