"""httpx's clients, against a real server and transports that fail."""

from __future__ import annotations

import asyncio
import runpy
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

import tracelog.httpx
from tracelog.context import Context, enter_context
from tracelog.httpx import AsyncTransport, Transport
from tracelog.ids import TraceContext
from tracelog.latency.utterance import Clock


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", state="vendor=1")


class Echo(BaseHTTPRequestHandler):
    """Keeps the headers of every request; /again redirects to /."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def do_GET(self):
        self.server.requests.append(self.headers)
        again = self.path == "/again"
        self.send_response(307 if again else 200)
        if again:
            self.send_header("location", "/")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def requests(server):
    """The headers of the requests that have come in."""
    server.requests = []
    return server.requests


@pytest.fixture
def records(caplog):
    caplog.set_level("DEBUG", "tracelog.httpx")
    return lambda: [record for record in caplog.records if record.name == "tracelog.httpx"]


class Client:
    """One of httpx's two clients, to be asked alike."""

    def __init__(self, is_async, wrapped=None, **options):
        self._is_async = is_async
        self.transport = (AsyncTransport if is_async else Transport)(wrapped, **options)

    def request(self, *args, **options):
        if self._is_async:
            return asyncio.run(self._request(*args, **options))
        with httpx.Client(transport=self.transport) as client:
            return client.request(*args, **options)

    async def _request(self, *args, **options):
        async with httpx.AsyncClient(transport=self.transport) as client:
            return await client.request(*args, **options)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def is_async(request):
    return request.param


def test_the_trace_goes_along(is_async, server, requests, records):
    """`traceparent` of a span of its own, and `tracestate`; the body is sent, the answer read."""
    enter_context(Context.make({}, TRACE, None))
    times = iter([1.0, 1.5])

    response = Client(is_async, clock=Clock(monotonic=times.__next__)).request(
        "POST", f"{server.url}/?token=secret", content=b"hello"
    )

    [headers] = requests
    [record] = records()
    sent = TraceContext.parse(headers["traceparent"])
    assert (response.text, headers["content-length"]) == ("ok", "5")
    assert (sent.trace_id, headers["tracestate"]) == (TRACE.trace_id, "vendor=1")
    assert sent.span_id != TRACE.span_id
    assert (record.method, record.url, record.status) == ("POST", f"{server.url}/", 200)
    assert record.duration_ms == 500.0
    assert "traceparent" not in response.request.headers


def test_a_header_of_the_callers_is_sent_as_it_is(is_async, server, requests):
    """In whatever case it is written."""
    enter_context(Context.make({}, TRACE, None))

    Client(is_async).request("GET", server.url, headers={"TraceParent": "mine"})

    assert (requests[0].get_all("traceparent"), requests[0]["tracestate"]) == (["mine"], None)


def test_outside_of_a_trace_nothing_is_added(is_async, server, requests):
    """The request is what it would be."""
    Client(is_async).request("GET", server.url)

    assert requests[0]["traceparent"] is None


def test_each_hop_of_a_redirect_is_a_call(is_async, server, requests, records):
    """With a span and a line of its own."""
    enter_context(Context.make({}, TRACE, None))

    Client(is_async).request("GET", f"{server.url}/again", follow_redirects=True)

    first, second = (headers["traceparent"] for headers in requests)
    assert first != second
    assert [record.status for record in records()] == [307, 200]


class Failing(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Raises; and keeps what is done to it."""

    def __init__(self, error):
        self.error = error
        self.done = []

    def handle_request(self, request):
        raise self.error

    async def handle_async_request(self, request):
        raise self.error

    def __enter__(self):
        self.done.append("entered")
        return self

    async def __aenter__(self):
        return self.__enter__()

    def close(self):
        self.done.append("closed")

    async def aclose(self):
        self.close()


@pytest.mark.parametrize("error", [httpx.ConnectTimeout("no"), KeyboardInterrupt()], ids=repr)
def test_an_exception_passes_and_is_told(is_async, records, error):
    """The caller gets it as it is; the line names it."""
    with pytest.raises(type(error)) as raised:
        Client(is_async, Failing(error)).request("GET", "http://api.example/")

    [record] = records()
    assert raised.value is error
    assert (record.status, record.error) == (None, type(error).__name__)


def test_what_is_wrapped_is_entered_and_closed(is_async):
    """With the client's `with` block, and without one."""
    wrapped = Failing(httpx.ConnectError("no"))
    client = Client(is_async, wrapped)

    with pytest.raises(httpx.ConnectError):
        client.request("GET", "http://api.example/")
    asyncio.run(client.transport.aclose()) if is_async else client.transport.close()

    assert wrapped.done == ["entered", "closed", "closed"]


def test_without_httpx_the_error_names_the_extra(monkeypatch):
    """What to install, ready to paste."""
    monkeypatch.setitem(sys.modules, "httpx", None)

    with pytest.raises(ImportError) as error:
        runpy.run_path(tracelog.httpx.__file__)

    assert str(error.value) == (
        "'httpx' is needed here and isn't installed.\n  Try: pip install 'tracelog[httpx]'"
    )
