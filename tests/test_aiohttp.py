"""aiohttp's server and client, the one talking to the other on a real socket."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import runpy
import socket
import sys

import aiohttp
import pytest
from aiohttp import web

import tracelog.aiohttp
from tracelog.aiohttp import make_trace_config, make_trace_middleware, trace_middleware
from tracelog.context import Context, bind_context, enter_context
from tracelog.errors import ConfigError
from tracelog.handlers import StreamHandler
from tracelog.ids import TraceContext
from tracelog.json_formatter import JsonFormatter
from tracelog.latency.utterance import Clock


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
TRACE = TraceContext(TRACE_ID, "b7ad6b7169203331", state="vendor=1")
NOON = 1763812800.0  # 2025-11-22T12:00:00Z

log = logging.getLogger("app")


class Time:
    """Stands still, until somebody lets it pass."""

    def __init__(self):
        self.passed = 0.0
        self.clock = Clock(wall=lambda: NOON + self.passed, monotonic=lambda: 100 + self.passed)

    def passes(self, seconds):
        self.passed += seconds


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def lines():
    """Tell the lines so far; those with *wanted* in them."""
    stream = io.StringIO()
    handler = StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)

    def lines(**wanted):
        found = map(json.loads, stream.getvalue().splitlines())
        # A busy machine may hold a loop at any time.
        told = (line for line in found if line["logger"] != "tracelog.hold")
        return [line for line in told if wanted.items() <= line.items()]

    return lines


def serve(handler, *stories, middleware=trace_middleware, path=None, others=(), **session):
    """Let *handler* answer GET /, while each story, in turn, talks to it; tell what they return."""

    async def main():
        app = web.Application(middlewares=[middleware, *others])
        app.router.add_get("/", handler)
        runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=5)
        await runner.setup()
        try:
            if path:
                site, connector = web.UnixSite(runner, path), aiohttp.UnixConnector(path)
            else:
                site, connector = web.TCPSite(runner, "127.0.0.1", 0), aiohttp.TCPConnector()
            await site.start()
            port = 0 if path else runner.addresses[0][1]
            base = f"http://127.0.0.1:{port}"
            async with aiohttp.ClientSession(base, connector=connector, **session) as client:
                return [await story(client) for story in stories]
        finally:
            await runner.cleanup()

    async def bounded():
        async with asyncio.timeout(30):
            return await main()

    return asyncio.run(bounded())


def get(**options):
    """A story: ask, and tell status and headers."""

    async def story(client):
        async with client.get("/", **options) as response:
            await response.read()
            return response.status, response.headers

    return story


async def fine(_request):
    log.info("handling")
    bind_context(user_id="kim")
    return web.Response(text="fine")


# The server: traces


def test_each_request_has_a_trace_of_its_own(lines):
    """What its handler logs carries it, and so does aiohttp's own line; a connection has an id."""
    serve(fine, get(), get())

    first, second = lines(event="handling")
    theirs = [line["trace_id"] for line in lines(logger="aiohttp.access")]
    assert re.fullmatch(r"[0-9a-f]{32}", first["trace_id"])
    assert first["trace_id"] != second["trace_id"]
    assert "user_id" not in second
    assert first["connection_id"] == second["connection_id"]
    assert theirs == [first["trace_id"], second["trace_id"]]


def test_a_callers_trace_is_continued_and_answered(lines):
    """The same trace under a new span; the request's id is given back."""
    headers = {"traceparent": TRACEPARENT, "x-request-id": "req-7"}

    [(_, answered)] = serve(fine, get(headers=headers))

    [line] = lines(event="handling")
    assert (line["trace_id"], line["request_id"]) == (TRACE_ID, "req-7")
    assert answered["traceparent"] == f"00-{TRACE_ID}-{line['span_id']}-01"
    assert answered["x-request-id"] == "req-7"
    assert answered["traceparent"] != TRACEPARENT


def test_headers_of_the_applications_are_not_doubled():
    """What the handler answers itself counts."""

    async def handler(_request):
        return web.Response(headers={"TraceParent": "theirs", "X-Request-Id": "theirs"})

    [(_, headers)] = serve(handler, get())

    assert headers.getall("traceparent") == headers.getall("x-request-id") == ["theirs"]


@pytest.mark.parametrize("headers", [{}, {"x-request-id": "two words"}], ids=["none", "unsound"])
def test_without_a_request_id_the_traces_is_it(lines, headers):
    """A client always has something to quote."""
    [(_, answered)] = serve(fine, get(headers=headers))

    assert answered["x-request-id"] == lines(event="handling")[0]["trace_id"]


def test_a_response_that_has_begun_is_left_alone():
    """A stream's headers are out."""

    async def handler(request):
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x")
        return response

    [(status, headers)] = serve(handler, get())

    assert (status, "traceparent" in headers) == (200, False)


# The server: lines


@pytest.mark.alone
def test_a_request_leaves_an_access_line_and_a_verdict(lines, time):
    """As under ASGI; what the handler bound is on both."""

    async def handler(request):
        time.passes(0.0125)
        return await fine(request)

    serve(handler, get(), middleware=make_trace_middleware(clock=time.clock))

    [access], [verdict] = lines(event="request"), lines(event="utterance")
    client = access.pop("client")
    ids = {key: access[key] for key in ("trace_id", "span_id", "connection_id")}
    for line in (access, verdict):
        del line["timestamp"]
    assert re.fullmatch(r"127\.0\.0\.1:\d+", client)
    assert access == {
        "level": "info",
        "logger": "tracelog.access",
        "event": "request",
        **ids,
        "user_id": "kim",
        "method": "GET",
        "path": "/",
        "status": 200,
        "duration_ms": 12.5,
    }
    assert verdict == {
        "level": "info",
        "logger": "tracelog.utterance",
        "event": "utterance",
        **ids,
        "user_id": "kim",
        "utterance": 1,
        "kind": "http",
        "arrived_at": "2025-11-22T12:00:00.000000Z",
        "socket_ms": 0.0,
        "queue_ms": 0.0,
        "total_ms": 12.5,
        "late": False,
        "method": "GET",
        "path": "/",
        "status": 200,
    }


def test_sending_the_response_counts(lines, time):
    """The verdict comes when the response is out, not when the handler has returned."""

    class Slow(web.Response):
        async def write_eof(self, data=b""):
            time.passes(0.3)
            await super().write_eof(data)

    async def handler(_request):
        return Slow(text="slow")

    serve(handler, get(), middleware=make_trace_middleware(clock=time.clock))

    [verdict] = lines(event="utterance")
    assert (verdict["total_ms"], verdict["late"], verdict["level"]) == (300.0, True, "warning")


def test_what_is_late_and_whether_to_tell_can_be_set(lines, time):
    """`late_ms` and `access_log`; a level counts, too."""

    async def handler(_request):
        time.passes(0.05)
        return web.Response()

    serve(
        handler,
        get(),
        middleware=make_trace_middleware(late_ms=50, access_log=False, clock=time.clock),
    )
    logging.getLogger("tracelog.access").setLevel(logging.WARNING)
    serve(handler, get(), middleware=make_trace_middleware(clock=time.clock))

    assert lines(event="request") == []
    assert [line["late"] for line in lines(event="utterance")] == [True, False]


@pytest.mark.parametrize(
    ("error", "status", "answered"),
    [
        (web.HTTPNotFound(), 404, True),
        (ValueError("bad"), 500, False),
        (TimeoutError(), 504, False),
    ],
    ids=["an answer", "an error", "a timeout"],
)
def test_an_exception_ends_the_request(lines, error, status, answered):
    """It passes; the status is the one that is sent."""

    async def handler(_request):
        raise error

    [(sent, headers)] = serve(handler, get())

    assert sent == status
    assert ("traceparent" in headers) == answered
    assert [line["status"] for line in lines(event="utterance")] == [status]
    for told in lines(logger="aiohttp.server"):
        assert told["trace_id"] == lines(event="utterance")[0]["trace_id"]


def test_a_handler_that_returns_nothing_is_aiohttps_to_explain(lines):
    """It says so, in the request's trace."""

    async def handler(_request):
        return None

    [(status, _)] = serve(handler, get())

    [told] = lines(level="error")
    assert (status, told["event"]) == (500, "Missing return statement on request handler")
    assert told["trace_id"] == lines(event="utterance", status=500)[0]["trace_id"]


def test_a_client_on_a_unix_socket_has_no_address(lines, tmp_path):
    """It is shown empty."""
    serve(fine, get(), path=str(tmp_path / "socket"))

    assert [line["client"] for line in lines(event="request")] == [""]


def test_a_client_that_has_left_leaves_lines(lines):
    """Its transport is gone by the time that the middleware sees the request."""

    @web.middleware
    async def gone(request, handler):
        request._protocol.transport, kept = None, request._protocol.transport
        try:
            return await handler(request)
        finally:
            request._protocol.transport = kept

    serve(fine, get(), middleware=gone, others=[trace_middleware])

    [access] = lines(event="request")
    assert access["client"] == ""
    assert re.fullmatch(r"c-[0-9a-f]{8}", access["connection_id"])


def test_a_middleware_of_its_own_task_ends_with_it(lines):
    """Whatever stands before it: lines come once."""

    @web.middleware
    async def apart(request, handler):
        return await asyncio.create_task(handler(request))

    serve(fine, get(), middleware=apart, others=[trace_middleware])

    assert len(lines(event="utterance")) == 1


# The server: WebSockets


def talk(*texts):
    async def story(client):
        async with client.ws_connect("/") as connection:
            for text in texts:
                await connection.send_str(text)
                assert await connection.receive_str(timeout=30) == text

    return story


async def echo(request):
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for message in connection:
        log.info("heard", extra={"text": message.data})
        if message.data == "fail":
            raise ValueError("bad")
        await connection.send_str(message.data)
    return connection


def test_a_websockets_lines_carry_its_handshakes_trace(lines):
    """And its connection's id. It is no request: there's neither access line nor verdict."""
    serve(echo, talk("a", "b"), headers={"traceparent": TRACEPARENT})

    heard = lines(event="heard")
    assert [line["text"] for line in heard] == ["a", "b"]
    assert {line["trace_id"] for line in heard} == {TRACE_ID}
    assert len({line["connection_id"] for line in heard}) == 1
    assert lines(event="utterance") == lines(event="request") == []


def test_a_websocket_that_fails_has_no_verdict_either(lines):
    """aiohttp's line about it carries the trace."""

    async def story(client):
        async with client.ws_connect("/") as connection:
            await connection.send_str("fail")
            await connection.receive(timeout=30)

    serve(echo, story)

    [heard], [told, *_] = lines(event="heard"), lines(logger="aiohttp.server")
    assert told["trace_id"] == heard["trace_id"]
    assert lines(event="utterance") == []


# The client


async def headers_of(request):
    """Answer with the trace headers that came in."""
    names = ("traceparent", "tracestate")
    return web.json_response({name: request.headers.getall(name, []) for name in names})


def ask(path="/", **options):
    """A story: ask within the trace, and tell what the server got."""

    async def story(client):
        enter_context(Context.make({"password": "hunter2"}, TRACE, None))
        async with client.get(path, **options) as response:
            return await response.json()

    return story


def test_a_client_sends_the_trace_along(lines, time):
    """A span for each call, whose line carries it; nothing that is bound."""
    logging.getLogger("tracelog.aiohttp").setLevel(logging.DEBUG)
    config = make_trace_config(clock=time.clock)

    first, second = serve(
        headers_of, ask("/?token=secret"), ask(), trace_configs=[config], middleware=plain
    )

    spans = [TraceContext.parse(got["traceparent"][0]) for got in (first, second)]
    calls = lines(event="call")
    assert {span.trace_id for span in spans} == {TRACE_ID}
    assert [span.span_id for span in spans] == [line["span_id"] for line in calls]
    assert len({span.span_id for span in (*spans, TRACE)}) == 3
    assert first["tracestate"] == ["vendor=1"]
    assert [(line["method"], line["status"], line["duration_ms"]) for line in calls] == [
        ("GET", 200, 0.0)
    ] * 2
    assert all(re.fullmatch(r"http://127\.0\.0\.1:\d+/", line["url"]) for line in calls)


@web.middleware
async def plain(request, handler):
    return await handler(request)


def test_a_header_of_the_callers_is_sent_as_it_is():
    """In whatever case it is written, in the session or for the request."""
    headers = {"TraceParent": "mine"}

    [got] = serve(headers_of, ask(headers=headers), trace_configs=[make_trace_config()])

    assert got == {"traceparent": ["mine"], "tracestate": []}


def test_outside_of_a_trace_nothing_is_added():
    """The request is what it would be."""

    async def story(client):
        async with client.get("/") as response:
            return await response.json()

    [got] = serve(headers_of, story, trace_configs=[make_trace_config()])

    assert got == {"traceparent": [], "tracestate": []}


def test_a_call_that_fails_is_told(lines):
    """The exception passes; the line names it."""
    logging.getLogger("tracelog.aiohttp").setLevel(logging.DEBUG)
    with socket.socket() as bound:  # and not listening
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"

        async def main():
            async with aiohttp.ClientSession(trace_configs=[make_trace_config()]) as client:
                await client.get(url)

        with pytest.raises(aiohttp.ClientConnectorError):
            asyncio.run(main())

    [line] = lines(event="call")
    assert (line["url"], line["status"], line["error"]) == (url, None, "ClientConnectorError")


def test_without_aiohttp_the_error_names_the_extra(monkeypatch):
    """What to install, ready to paste."""
    monkeypatch.setitem(sys.modules, "aiohttp", None)

    with pytest.raises(ImportError) as error:
        runpy.run_path(tracelog.aiohttp.__file__)

    assert str(error.value) == (
        "'aiohttp' is needed here and isn't installed.\n  Try: pip install 'tracelog[aiohttp]'"
    )


def test_a_watch_that_there_is_not_is_refused_at_once():
    """And not by each request."""
    with pytest.raises(ConfigError, match="watch: expected 'exact', 'sampled' or None, got 'fast'"):
        make_trace_middleware(watch="fast")
