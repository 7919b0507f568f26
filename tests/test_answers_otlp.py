"""Utterances as OpenTelemetry's spans."""

from __future__ import annotations

import json

import pytest

from tracelog.answers.otlp import requests


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RECORD = {
    **dict.fromkeys(("service", "path", "route", "loop_ms", "code_ms", "await_ms", "send_ms")),
    **{"file": "a.log", "us": 1_795_342_210_000_001, "trace_id": TRACE, "span_id": SPAN},
    **{"kind": "http", "method": "GET", "route": "/a/{id}", "status": 200, "user_id": "kim"},
    **{"connection_id": "c-1", "utterance": 1, "total_ms": 5.5, "socket_ms": 1.0, "queue_ms": None},
    **{"late": True, "failed": None, "cause": "why", "spans": [], "blocked_by": []},
}


def spans(*records):
    (line,) = requests(records)
    (resource,) = json.loads(line)["resourceSpans"]
    return resource["scopeSpans"][0]["spans"]


def attributes(of):
    return {each["key"]: next(iter(each["value"].items())) for each in of["attributes"]}


def test_an_utterance_is_a_span():
    """Named and described by the semantic conventions, where these have words."""
    (span,) = spans(RECORD)

    assert (span["traceId"], span["spanId"], span["name"], span["kind"]) == (
        TRACE,
        SPAN,
        "GET /a/{id}",
        2,
    )
    assert span["startTimeUnixNano"] == "1795342210000001000"
    assert span["endTimeUnixNano"] == "1795342210005501000"
    assert span["status"] == {}
    assert attributes(span) == {
        "http.request.method": ("stringValue", "GET"),
        "http.response.status_code": ("intValue", "200"),
        "http.route": ("stringValue", "/a/{id}"),
        "user.id": ("stringValue", "kim"),
        "tracelog.connection_id": ("stringValue", "c-1"),
        "tracelog.utterance": ("intValue", "1"),
        "tracelog.kind": ("stringValue", "http"),
        "tracelog.total_ms": ("doubleValue", 5.5),
        "tracelog.socket_ms": ("doubleValue", 1.0),
        "tracelog.late": ("boolValue", True),
        "tracelog.cause": ("stringValue", "why"),
    }


def test_its_spans_are_its_children():
    """Each below the one around it, from where the handling began."""
    inner = {"name": "llm", "within": ["answer"], "total_ms": 2, "own_ms": 2.0, "count": [1]}
    whole, outer, child = spans({**RECORD, "spans": [inner, {"name": "answer", "total_ms": "x"}]})

    assert (outer["parentSpanId"], child["parentSpanId"]) == (SPAN, outer["spanId"])
    assert outer["startTimeUnixNano"] == outer["endTimeUnixNano"] == "1795342210001001000"
    assert child["endTimeUnixNano"] == "1795342210003001000"
    assert attributes(child)["tracelog.count"] == ("stringValue", "[1]")
    assert len({whole["spanId"], outer["spanId"], child["spanId"]}) == 3


def test_holds_are_events():
    """With the line of code that held the loop."""
    known = {"where": "app/a.py:41 make", "ms": 150.5, "user_id": "nils"}
    (span,) = spans({**RECORD, "blocked_by": [known, {"where": "?"}]})

    first, second = map(attributes, span["events"])
    assert first["code.file.path"] == ("stringValue", "app/a.py")
    assert first["code.line.number"] == ("intValue", "41")
    assert first["code.function.name"] == ("stringValue", "make")
    assert (first["tracelog.ms"], first["user.id"]) == (
        ("doubleValue", 150.5),
        ("stringValue", "nils"),
    )
    assert second == {"code.function.name": ("stringValue", "?")}


@pytest.mark.parametrize("trace", ["req-123", "0" * 32, None])
def test_other_ids_become_ones_that_opentelemetry_knows(trace):
    """The same each time, so that a log may be exported twice; what it was called is kept."""
    record = {**RECORD, "trace_id": trace, "span_id": "x"}
    ((one,), (two,)) = spans(record), spans(record)

    assert (one["traceId"], one["spanId"]) == (two["traceId"], two["spanId"])
    assert (len(one["traceId"]), len(one["spanId"])) == (32, 16)
    assert attributes(one).get("tracelog.trace_id") == (trace and ("stringValue", trace))


@pytest.mark.parametrize(
    ("values", "kind", "status"),
    [
        ({"kind": None, "failed": True}, 1, {"code": 2}),
        ({"kind": "queue"}, 5, {}),
        ({"status": 500}, 2, {"code": 2}),
        ({"status": None}, 2, {}),
    ],
)
def test_what_failed_is_an_error(values, kind, status):
    """By its handler, or by its status."""
    (span,) = spans({**RECORD, **values})

    assert (span["kind"], span["status"]) == (kind, status)


def test_a_request_has_its_services_apart():
    """And only so many utterances, so that no line is too long."""
    records = [{**RECORD, "service": "shop"}, *[RECORD] * 500]

    first, second = map(json.loads, requests(records))

    names = [attributes(each["resource"])["service.name"][1] for each in first["resourceSpans"]]
    assert names == ["shop", "a.log"]
    assert len(second["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 1
