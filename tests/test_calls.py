"""Outgoing requests, whichever client makes them."""

from __future__ import annotations

import io
import json
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.calls import Call
from tracelog.context import Context, bind_context, enter_context
from tracelog.handlers import StreamHandler
from tracelog.ids import TraceContext
from tracelog.json_formatter import JsonFormatter
from tracelog.latency.utterance import Clock


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", state="vendor=1")
URL = "https://api.example/rooms"

log = logging.getLogger("tracelog.client")


@pytest.fixture
def lines():
    """Tell the lines so far."""
    stream = io.StringIO()
    handler = StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def clock(*times):
    """Tell one time after the other."""
    return Clock(monotonic=iter([*times, *[0.0] * 9]).__next__)


def call(url=URL, headers=None, times=(), **result):
    headers = {} if headers is None else headers
    Call.begin("GET", url, headers, clock(*times)).end(log, **result)
    return headers


def test_each_call_is_a_span_of_its_own():
    """The same trace and state, another span each: its receiver's lines are under it."""
    enter_context(Context.make({}, TRACE, None))

    first, second = call(), call()

    for headers in (first, second):
        assert headers.keys() == {"traceparent", "tracestate"}
        assert headers["traceparent"].startswith(f"00-{TRACE.trace_id}-")
        assert headers["tracestate"] == "vendor=1"
    assert len({first["traceparent"], second["traceparent"], str(TRACE)}) == 3


def test_its_line_is_of_that_span(lines):
    """With the context that it was made in, and what came of it."""
    enter_context(Context.make({}, TRACE, None))
    bind_context(user_id="kim")

    headers = call(times=[10.0, 10.0125], status=204)

    [line] = lines()
    del line["timestamp"]
    assert line == {
        "level": "debug",
        "logger": "tracelog.client",
        "event": "call",
        "trace_id": TRACE.trace_id,
        "span_id": headers["traceparent"].split("-")[2],
        "user_id": "kim",
        "method": "GET",
        "url": URL,
        "status": 204,
        "duration_ms": 12.5,
    }


def test_an_error_is_named(lines):
    """By its class; what it says may hold what is secret."""
    call(error=ConnectionRefusedError("to kim:secret@api.example"))

    [line] = lines()
    assert (line["status"], line["error"]) == (None, "ConnectionRefusedError")


def test_outside_of_a_trace_nothing_is_added(lines):
    """There is nothing to tell; the line is written."""
    assert call(status=200) == {}
    assert [(line["trace_id"], line["status"]) for line in lines()] == [(None, 200)]


def test_a_header_of_the_callers_stays(lines):
    """Whoever sets `traceparent` by hand means it; the line is of the current span."""
    enter_context(Context.make({}, TRACE, None))

    assert call(headers={"traceparent": "mine"}) == {"traceparent": "mine"}
    assert lines()[0]["span_id"] == TRACE.span_id


def test_nothing_that_is_bound_goes_along():
    """Whatever it is."""
    enter_context(Context.make({}, TRACE, None))
    bind_context(password="hunter2")

    assert "hunter2" not in str(call())


def test_without_debug_there_is_no_line(lines):
    """As by default."""
    log.setLevel(logging.INFO)

    call(status=200)

    assert lines() == []


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (URL, URL),
        ("https://kim:secret@api.example:8443/rooms", "https://api.example:8443/rooms"),
        ("https://kim:se/cret@api.example/", "https://kim:[redacted]@api.example/"),
        ("https://token@api.example", "https://api.example"),
        ("https://api.example/rooms?token=secret#secret", URL),
        ("https://api.example/rooms#secret?secret", URL),
        ("https://api.example?to=kim@secret", "https://api.example"),
        ("https://api.example/@kim", "https://api.example/@kim"),
        ("", ""),
    ],
)
def test_passwords_and_queries_are_not_shown(lines, url, shown):
    """They are where secrets travel. (A slash ends a host; what can't be a port is masked, then.)"""
    call(url, status=200)

    assert lines()[0]["url"] == shown


@given(st.text(), st.text())
def test_any_url_is_shown_without_its_query(before, query):
    """Whatever it looks like, nothing raises."""
    logger = logging.Logger("shown", logging.DEBUG)
    records = []
    logger.addHandler(type("Keep", (logging.Handler,), {"emit": lambda _, r: records.append(r)})())

    Call.begin("GET", f"{before}?{query}", {}, clock()).end(logger)

    assert re.match(re.escape(records[0].url), before.partition("#")[0]) or "@" in before
