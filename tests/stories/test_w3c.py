"""W3C Trace Context, level 1: what `examples/relay` passes on of what it is sent.

The rules: https://www.w3.org/TR/trace-context/. Raw sockets, since no client sends what is wrong.
"""

from __future__ import annotations

import json
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tracelog.ids import TraceContext


ROOT = Path(__file__).parents[2]
TRACE_ID = "5f1c3a9be07d4426a8c0d1e2f3049586"
SPAN_ID = "c0ffee1234567890"
VALID = f"00-{TRACE_ID}-{SPAN_ID}-01"


class Target(BaseHTTPRequestHandler):
    """Whom the relay calls: keeps the headers that come in."""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.server.calls.append(self.headers)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def target():
    with ThreadingHTTPServer(("127.0.0.1", 0), Target) as server:
        server.url = f"http://127.0.0.1:{server.server_port}/"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module", params=["h11", "httptools"])
def server(request, serve):
    """The relay, under both of uvicorn's parsers."""
    return serve(
        *(sys.executable, "-m", "uvicorn", "examples.relay.app:app", "--app-dir", str(ROOT)),
        *("--log-config", str(ROOT / "logging.yaml"), "--fd", "{fd}", "--http", request.param),
    )


@pytest.fixture
def send(server, target):
    """Send the relay *headers*, and tell the headers of the calls that it made then."""

    def send(*headers, calls=1, url=None):
        target.calls = []
        body = json.dumps([{"url": url or target.url, "arguments": []}] * calls)
        lines = [
            "POST /relay HTTP/1.1",
            "host: relay",
            "connection: close",
            f"content-length: {len(body)}",
            *(f"{name}: {value}" for name, value in headers),
        ]
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        send.status = int(answer.split()[1])
        return target.calls

    return send


def trace_of(call):
    """The trace of a call: exactly one valid header tells it."""
    [header] = call.get_all("traceparent")
    return TraceContext.parse(header)


@pytest.mark.parametrize(
    ("header", "flags"),
    [
        pytest.param(VALID, "01", id="sampled"),
        pytest.param(f"{VALID[:-2]}00", "00", id="not sampled"),
        pytest.param(f"{VALID[:-2]}09", "01", id="flags that nobody defined are zeroed"),
        pytest.param(f"7a{VALID[2:]}", "01", id="a later version"),
        pytest.param(f"7a{VALID[2:]}-more", "01", id="a later version with more"),
        pytest.param(f" \t{VALID}\t ", "01", id="whitespace around"),
    ],
)
def test_a_valid_traceparent_is_continued(send, header, flags):
    """The trace stays, the span is new, and the version is the one that we know."""
    [call] = send(("traceparent", header))

    trace = trace_of(call)
    assert trace.trace_id == TRACE_ID
    assert trace.span_id != SPAN_ID
    assert str(trace) == f"00-{TRACE_ID}-{trace.span_id}-{flags}"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="none"),
        pytest.param([("trace-parent", VALID)], id="another name"),
        pytest.param([("traceparent", VALID), ("traceparent", VALID)], id="twice"),
        *(
            pytest.param([("traceparent", header)], id=name)
            for name, header in {
                "empty": "",
                "zeros for a trace": f"00-{'0' * 32}-{SPAN_ID}-01",
                "zeros for a span": f"00-{TRACE_ID}-{'0' * 16}-01",
                "upper case": VALID.upper(),
                "version ff": f"ff{VALID[2:]}",
                "version of one digit": VALID[1:],
                "no hex in the version": f"0x{VALID[2:]}",
                "no hex in the trace": VALID.replace("c3a9", "c3z9"),
                "no hex in the span": VALID.replace("c0ffee", "coffee"),
                "no hex in the flags": f"{VALID[:-1]}g",
                "long trace": f"00-{TRACE_ID}0-{SPAN_ID}-01",
                "short trace": f"00-{TRACE_ID[1:]}-{SPAN_ID}-01",
                "long span": f"00-{TRACE_ID}-{SPAN_ID}0-01",
                "short span": f"00-{TRACE_ID}-{SPAN_ID[1:]}-01",
                "long flags": f"{VALID}0",
                "short flags": VALID[:-1],
                "version 00 with more": f"{VALID}-more",
                "a later version, no dash": f"7a{VALID[2:]}.more",
                "digits of another script": VALID.replace("9", "٩"),
                "50 kB": f"7a{VALID[2:]}-{'x' * 50_000}",
            }.items()
        ),
    ],
)
def test_an_invalid_traceparent_begins_a_new_trace(send, headers):
    """And its `tracestate` is nobody's then."""
    [call] = send(*headers, ("tracestate", "rojo=1"))

    assert trace_of(call).trace_id not in (TRACE_ID, "0" * 32)
    assert call["tracestate"] is None


def test_every_call_has_a_span_of_its_own(send):
    """All in one trace."""
    traces = [trace_of(call) for call in send(("TraceParent", VALID), calls=3)]

    assert {trace.trace_id for trace in traces} == {TRACE_ID}
    assert len({SPAN_ID, *(trace.span_id for trace in traces)}) == 4


@pytest.mark.parametrize(
    ("states", "passed_on"),
    [
        pytest.param(["rojo=1,congo=2"], "rojo=1,congo=2", id="a list"),
        pytest.param(["rojo=1", "", "congo=2 ,\t x=3"], "rojo=1,congo=2,x=3", id="in parts"),
        pytest.param(["rojo=2,rojo=1"], "rojo=2", id="a key twice"),
        pytest.param(
            ["t@v=!#$%&'()*+-./:;<>?@[]^_`{|}~"], "t@v=!#$%&'()*+-./:;<>?@[]^_`{|}~", id="all"
        ),
        pytest.param(
            [",".join(f"k{n}=v" for n in range(32))],
            ",".join(f"k{n}=v" for n in range(32)),
            id="32",
        ),
        pytest.param([",".join(f"k{n}=v" for n in range(33))], None, id="33"),
        pytest.param([""], None, id="empty"),
        pytest.param(["rojo=1", "Congo=2"], None, id="upper case"),
        pytest.param(["rojo=1,congo"], None, id="no value"),
        pytest.param(["rojo=1,congo=a=b"], None, id="= in a value"),
        pytest.param(["rojo=1", f"{'k' * 257}=1"], None, id="long key"),
        pytest.param(["rojo=1", "congo=é"], None, id="no ASCII"),
        pytest.param(["rojo=1", f"congo={'v' * 50_000}"], None, id="50 kB"),
    ],
)
def test_a_tracestate_is_passed_on_if_it_is_valid(send, states, passed_on):
    """As one header; whatever it is, the trace goes on."""
    [call] = send(("traceparent", VALID), *(("TraceState", state) for state in states))

    assert trace_of(call).trace_id == TRACE_ID
    assert call.get_all("tracestate") == ([passed_on] if passed_on else None)


def test_the_relay_calls_nobody_else(send):
    """A service that calls whatever it is told calls what it mustn't."""
    assert send(url="http://example.org/") == []
    assert send.status == 403


def test_what_is_invalid_is_no_news(server, send):
    """Whoever sends nonsense doesn't fill the log: the same lines as for any request."""
    before = len(server.lines(event="utterance"))

    for _ in range(20):
        send(("traceparent", "nonsense"), ("tracestate", "non sense"))

    verdicts = server.wait_for(before + 20, event="utterance")[before:]
    told = [line for verdict in verdicts for line in server.lines(trace_id=verdict["trace_id"])]
    # A machine that is busy with something else makes a request late, and holds the loop.
    busy = {"tracelog.hold"}
    assert {line["logger"] for line in told} - busy == {
        "examples.relay.app",
        "httpx",
        "tracelog.access",
        "tracelog.utterance",
    }
    assert "nonsense" not in server.output
    loud = [*server.lines(level="warning"), *server.lines(level="error")]
    assert {line["logger"] for line in loud} <= {"tracelog.utterance", *busy}
