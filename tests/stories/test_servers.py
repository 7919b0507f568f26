"""The recipes of docs/servers.md, as they are written there, on the real servers."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect


ROOT = Path(__file__).parents[2]
SNIPPET = re.compile(r"<!-- file: (?P<name>\S+) -->\n```python\n(?P<text>.*?)```", re.DOTALL)
COMMANDS = {
    "uvicorn": ("uvicorn", "app:app", "--log-config", "logging.yaml", "--fd", "{fd}"),
    "gunicorn": ("gunicorn", "app:app", "--config", "gunicorn.conf.py", "--bind", "fd://{fd}"),
    "hypercorn": (
        *("hypercorn", "app:app", "--config", "file:hypercorn_conf.py", "--bind", "fd://{fd}"),
    ),
    "granian": ("python", "serve.py", "{port}"),
}
APP = """
import tracelog
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from tracelog.asgi import TraceMiddleware

log = tracelog.get_logger("app")


async def fine(request):
    log.info("asked")
    return PlainTextResponse("fine")


async def broken(request):
    raise ValueError("bad")


async def echo(websocket):
    await websocket.accept()
    tracelog.bind_context(user_id="kim")
    async for text in websocket.iter_text():
        log.info("heard")
        await websocket.send_text(text)


app = Starlette(routes=[Route("/fine", fine), Route("/broken", broken), WebSocketRoute("/echo", echo)])
app.add_middleware(TraceMiddleware)
"""


@pytest.fixture(scope="module", params=COMMANDS)
def server(request, serve, tmp_path_factory):
    """A server that was set up by its recipe, has served, and has ended."""
    folder = tmp_path_factory.mktemp(request.param)
    for match in SNIPPET.finditer((ROOT / "docs/servers.md").read_text("utf-8")):
        (folder / match["name"]).write_text(match["text"], "utf-8")
    shutil.copy(ROOT / "logging.yaml", folder)
    (folder / "app.py").write_text(APP)
    server = serve(*COMMANDS[request.param], folder=folder, HOME=str(folder))
    with httpx.Client(base_url=server.url(""), trust_env=False, timeout=30) as client:
        assert client.get("/fine").text == "fine"
        assert client.get("/broken").status_code == 500
    with connect(server.url("/echo", "ws")) as client:
        client.send("hello")
        assert client.recv(30) == "hello"
    server.wait_for(3, event="utterance")
    assert server.stop() in (0, -15)
    return server


def test_every_line_is_ours(server, request):
    """From the first to the last, on stdout and on stderr."""
    name = request.node.callspec.params["server"]

    loggers = {line["logger"] for line in server.lines()}

    assert {"app", "tracelog.access", "tracelog.utterance"} < loggers
    assert any(logger.lstrip("_").startswith(name) for logger in loggers)
    assert server.output.endswith("\n")


def test_an_exception_is_told_with_its_trace(server):
    """The server's own line about it has the trace of the request that failed."""
    [told] = server.lines(level="error")
    [request] = server.lines(event="request", path="/broken")

    assert "ValueError" in str(told.get("exception", told["event"]))  # granian's is a text
    assert told["trace_id"] == request["trace_id"]
    assert request["status"] == 500


def test_an_access_line_has_the_trace_of_its_request(server):
    """There is one, ours: not the server's as well."""
    [asked] = server.lines(event="asked")

    traced = server.lines(trace_id=asked["trace_id"])
    [access] = [line for line in traced if line["logger"].endswith(".access")]

    assert (access["event"], access["path"]) == ("request", "/fine")


def test_a_message_has_a_verdict_of_its_user(server):
    """What the application bound is on the verdict, and on the line that it wrote itself."""
    [heard], [verdict] = server.lines(event="heard"), server.lines(kind="websocket")

    assert heard["user_id"] == verdict["user_id"] == "kim"
    assert heard["trace_id"] == verdict["trace_id"]
