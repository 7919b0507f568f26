"""FastAPI and Starlette, however they run a service's code: each line carries its request's trace."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tracelog.ids import TraceContext


ROOT = Path(__file__).parents[2]
DEPENDENCIES = [
    *("sync dependency", "async dependency", "async dependency left", "sync dependency left"),
]


@pytest.fixture(scope="module")
def server(serve):
    return serve(
        *(sys.executable, "-m", "uvicorn", "frames:app", "--app-dir", str(ROOT / "tests/stories")),
        *("--log-config", str(ROOT / "logging.yaml"), "--fd", "{fd}"),
    )


def ask(server, path):
    """Ask for *path* in a trace of its own, and tell status and trace."""
    trace = TraceContext.new()
    with httpx.Client(base_url=server.url(""), trust_env=False, timeout=30) as client:
        response = client.get(path, headers={"traceparent": str(trace)})
    return response.status_code, trace.trace_id


@pytest.mark.parametrize(
    ("path", "status", "events"),
    [
        ("/sync", 200, ["sync endpoint", *DEPENDENCIES]),
        ("/async", 200, ["async endpoint", *DEPENDENCIES]),
        ("/background", 200, ["sync background", "async background"]),
        ("/stream", 200, ["async part"] * 3),
        ("/sync-stream", 200, ["sync part"] * 3),
        ("/refused", 409, ["exception handler"]),
        ("/starlette/a", 200, ["mounted"]),
        ("/starlette/b/s", 200, ["mounted sync"]),
        ("/api/endpoint", 200, ["mounted api"]),
    ],
)
def test_every_line_carries_its_requests_trace(server, path, status, events):
    """In threads, tasks and generators; beneath a BaseHTTPMiddleware, whose lines do, too."""
    answered, trace_id = ask(server, path)

    wanted = sorted([*events, "before", "after"])
    server.wait_for(len(wanted), logger="frames", trace_id=trace_id)
    server.wait_for(1, event="utterance", trace_id=trace_id)
    lines = server.lines(trace_id=trace_id)
    assert answered == status
    assert sorted(line["event"] for line in lines if line["logger"] == "frames") == wanted
    assert len({line["connection_id"] for line in lines}) == 1
    assert {"tracelog.access", "tracelog.utterance"} < {line["logger"] for line in lines}


def test_an_unhandled_exception_is_told_in_its_trace(server):
    """By the application's last handler, and by the server."""
    status, trace_id = ask(server, "/broken")

    [told] = server.wait_for(1, level="error", trace_id=trace_id)
    assert status == 500
    assert told["exception"][0]["type"] == "ValueError"
    assert len(server.lines(event="last handler", trace_id=trace_id)) == 1


def test_requests_at_once_keep_their_traces_apart(server):
    """Twenty clients, each with a trace: every trace has its own lines, and none is without one."""
    with ThreadPoolExecutor(20) as clients:
        answered = list(clients.map(lambda _: ask(server, "/sync"), range(20)))

    for _, trace_id in answered:
        server.wait_for(7, logger="frames", trace_id=trace_id)
        events = [line["event"] for line in server.lines(logger="frames", trace_id=trace_id)]
        assert sorted(events) == sorted(["before", "after", "sync endpoint", *DEPENDENCIES])
    assert server.lines(logger="frames", trace_id=None) == []
