"""Every line of real servers, judged: does it carry its connection and its trace, and no stranger's?

python tests/stories/matrix.py docs/matrix.md
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect


ROOT = Path(__file__).parents[2]
WITHIN_S = 20.0
COMBINATIONS = list(
    itertools.product(
        ("h11", "httptools"), ("asyncio", "uvloop"), ("websockets-sansio", "websockets", "wsproto")
    )
)
LOGGERS = ("app", "asyncio", "tracelog", "uvicorn", "websockets")
SERIOUS = {"info", "warning", "error", "critical"}
CARRIED = re.compile(rb"HTTP/1.1 (\d+)")


@dataclass
class Judgement:
    """What the lines of one event are like.

    Attributes:
        lines: All that its connections caused, DEBUG and TRACE included.
        serious: Those at INFO and above.
        unconnected: Lines without a connection_id.
        traceless: Serious lines without a trace_id, though there is one.
        stale: Lines with an id that belongs to an earlier event, or to another connection.
    """

    event: str
    lines: list = field(default_factory=list)
    serious: int = 0
    unconnected: list = field(default_factory=list)
    traceless: list = field(default_factory=list)
    stale: list = field(default_factory=list)

    @property
    def sound(self):
        return self.serious and not (self.unconnected or self.traceless or self.stale)


class Server:
    """A uvicorn of the given kinds, at TRACE, and what it has said since the last event."""

    def __init__(self, http, loop, ws, folder):
        self.output = Path(folder) / "output.log"
        self._seen = 0
        self.connections = {}
        self.traces = {}
        environment = {**os.environ, "LOG_LEVEL": "TRACE", "LOG_FORMAT": "json"}
        environment["PYTHONWARNINGS"] = "ignore"
        # The last word of websockets' legacy implementation, said by a task of its own.
        own = ("WebSocket connection made", "(?m)^connection closed$")
        self._own_ends = [own] if ws == "websockets" else []
        if loop == "uvloop":
            environment["OURS"] = "1"
        with socket.socket() as bound, self.output.open("wb") as output:
            bound.bind(("127.0.0.1", 0))
            self.port = bound.getsockname()[1]
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", "matrix_app:app", "--app-dir"),
                    *(str(Path(__file__).parent), "--log-config", str(ROOT / "logging.yaml")),
                    *("--http", http, "--loop", loop, "--ws", ws, "--fd", str(bound.fileno())),
                    *("--ws-ping-interval", "0.4", "--ws-ping-timeout", "0.4"),
                    *("--timeout-keep-alive", "1", "--timeout-graceful-shutdown", "1"),
                ],
                pass_fds=[bound.fileno()],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=folder,
            )
        self.wait_until(lambda: "Uvicorn running" in self.output.read_text())
        self.new_lines()

    def wait_until(self, is_so):
        deadline = time.monotonic() + WITHIN_S
        while not is_so():
            if time.monotonic() > deadline:
                raise TimeoutError([line["event"] for line in self.peek()])
            time.sleep(0.01)

    def peek(self):
        whole = self.output.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.split(b"\n") if line][self._seen :]

    def new_lines(self):
        lines = self.peek()
        self._seen += len(lines)
        return lines

    def is_quiet(self):
        """What has begun since the last event has ended: connections, applications, tasks."""
        said = "\n".join(line["event"] for line in self.peek())
        return said and all(
            len(re.findall(begun, said)) == len(re.findall(ended, said))
            for begun, ended in (
                ("HTTP connection made", "connection lost"),
                (r"ASGI \[\d+\] Started", r"ASGI \[\d+\] (?:Completed|Raised)"),
                # uvicorn's own line about it comes once its tracing has said so.
                (r"ASGI \[\d+\] Raised", "Exception in ASGI application"),
                *self._own_ends,
            )
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(WITHIN_S)


# -- clients ---------------------------------------------------------------------------------------


def raw(server):
    client = socket.create_connection(("127.0.0.1", server.port))
    client.settimeout(WITHIN_S)
    return client


def request(path="/", body=b"", close=True):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    return (head + ("Connection: close\r\n" if close else "") + "\r\n").encode() + body


def read_to_end(client):
    try:
        while client.recv(65536):
            pass
    except ConnectionError:
        pass
    client.close()


def read_responses(client, count):
    received = b""
    while len(CARRIED.findall(received)) < count or not received.endswith(b"0\r\n\r\n"):
        data = client.recv(65536)
        if not data:
            break
        received += data
    return received


def handshake(server, path="/kim"):
    client = raw(server)
    key = base64.b64encode(b"0123456789abcdef").decode()
    client.sendall(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(4096)
    return client


def frame(opcode, payload=b""):
    assert len(payload) < 126
    masked = bytes(c ^ b"\1\2\3\4"[i % 4] for i, c in enumerate(payload))
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\1\2\3\4" + masked


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def talk(server, path, *texts):
    with connect(f"ws://127.0.0.1:{server.port}{path}") as client:
        for text in texts:
            client.send(text)
            client.recv()


# -- events ----------------------------------------------------------------------------------------

EVENTS = {}


def event(name, *, traced=True):
    """Register what a client does; *traced* is false where there is no request to have a trace."""

    def register(do):
        EVENTS[name] = (do, traced)
        return do

    return register


def ask(path):
    def do(server):
        client = raw(server)
        client.sendall(request(path))
        read_to_end(client)

    return do


event("plain request")(ask("/"))
event("handler raises")(ask("/boom"))
event("handler answers nothing")(ask("/silent"))
event("handler raises within its response")(ask("/half"))
event("handler raises after its response")(ask("/after"))


def await_orphan(server):
    server.wait_until(lambda: any(line["logger"] == "asyncio" for line in server.peek()))


@event("task that nobody waits for raises")
def orphan(server):
    ask("/orphan")(server)
    await_orphan(server)


@event("600 kB POST, then another on the connection")
def large_body(server):
    client = raw(server)
    client.sendall(request("/", b"x" * 600_000, close=False))
    read_responses(client, 1)
    client.sendall(request("/next"))
    read_to_end(client)


@event("pipelined requests")
def pipelined(server):
    client = raw(server)
    client.sendall(
        request("/a", b"1", close=False) + request("/b", b"2", close=False) + request("/c")
    )
    read_to_end(client)


@event("requests on one connection, then its keep-alive times out")
def keep_alive(server):
    client = raw(server)
    for path in ("/a", "/b"):
        client.sendall(request(path, close=False))
        read_responses(client, 1)
    read_to_end(client)


@event("client leaves before the body is whole")
def early(server):
    client = raw(server)
    client.sendall(request("/", b"x" * 100)[:-50])
    server.wait_until(lambda: any(line["event"] == "asked" for line in server.peek()))
    client.close()


@event("client leaves before the response")
def impatient(server):
    client = raw(server)
    client.sendall(request("/slow"))
    server.wait_until(lambda: any(line["event"] == "asked" for line in server.peek()))
    reset(client)
    server.wait_until(lambda: any(line["event"] == "utterance" for line in server.peek()))


@event("invalid HTTP", traced=False)
def invalid(server):
    client = raw(server)
    client.sendall(b"\x00\x01 nonsense\r\n\r\n")
    read_to_end(client)


@event("invalid HTTP after a request")
def invalid_later(server):
    client = raw(server)
    client.sendall(request("/a", close=False))
    read_responses(client, 1)
    server.wait_until(lambda: any(line["event"] == "utterance" for line in server.peek()))
    client.sendall(b"\x00\x01 nonsense\r\n\r\n")
    read_to_end(client)


@event("WebSocket, closed by the client")
def by_client(server):
    talk(server, "/kim", "one", "two", "three")


@event("WebSocket, closed by the server")
def by_server(server):
    try:
        talk(server, "/kim", "one", "close")
    except ConnectionClosed:
        pass


@event("WebSocket, rejected")
def rejected(server):
    try:
        talk(server, "/reject")
    except InvalidStatus:
        pass


@event("WebSocket, handler raises before its handshake")
def refused(server):
    try:
        talk(server, "/refuse")
    except InvalidStatus:
        pass


@event("WebSocket, handler raises")
def failing(server):
    try:
        talk(server, "/kim", "one", "boom")
    except ConnectionClosed:
        pass


@event("WebSocket, task that nobody waits for raises")
def orphaned(server):
    talk(server, "/kim", "orphan", "two")
    await_orphan(server)


@event("WebSocket, invalid UTF-8")
def invalid_text(server):
    client = handshake(server)
    client.sendall(frame(1, b"\xff\xfe"))
    read_to_end(client)


@event("WebSocket, protocol error")
def invalid_frame(server):
    client = handshake(server)
    client.sendall(b"\xf1\x80\0\0\0\0")
    read_to_end(client)


@event("WebSocket, TCP reset")
def torn(server):
    client = handshake(server)
    client.sendall(frame(1, b"one"))
    client.recv(4096)
    reset(client)


@event("WebSocket, client vanishes without a close frame")
def vanished(server):
    handshake(server).close()


@event("WebSocket, keepalive times out")
def dead(server):
    client = handshake(server)
    client.sendall(frame(1, b"one"))
    over = re.compile("connection lost|timed out waiting for keepalive pong")
    server.wait_until(lambda: any(over.search(line["event"]) for line in server.peek()))
    client.close()


@event("two users at once")
def two(server):
    url = f"ws://127.0.0.1:{server.port}"
    with connect(f"{url}/kim") as kim, connect(f"{url}/lee") as lee:
        for number in range(5):
            kim.send(f"kim {number}")
            lee.send(f"lee {number}")
            kim.recv()
            lee.recv()


@event("shutdown with open sockets")
def shutdown(server):
    clients = [handshake(server, "/kim"), handshake(server, "/lee"), raw(server)]
    clients[0].sendall(frame(1, b"one"))
    clients[0].recv(4096)
    clients[2].sendall(request("/slow"))
    server.wait_until(lambda: any(line.get("path") == "/slow" for line in server.peek()))
    server.process.terminate()
    for client in clients:
        read_to_end(client)
    server.process.wait(WITHIN_S)


# -- judging ---------------------------------------------------------------------------------------

# About the process, not about anybody's connection.
_PROCESS = re.compile(
    r"Shutting down|Waiting for|Finished server|Application shutdown|Cancel \d+ running|"
    r"Started server|lifespan|ASGI \[1\] "
)


def judge(server, name, traced):
    judgement = Judgement(name)
    seen_connections, seen_traces = set(server.connections), set(server.traces)
    lines = server.new_lines()
    made = sum("HTTP connection made" in line["event"] for line in lines)
    if len({line.get("connection_id") for line in lines} - {None}) > made:
        judgement.stale.append({"event": "more connections on lines than were made"})
    for line in lines:
        if not line["logger"].startswith(LOGGERS) or _PROCESS.search(line["event"]):
            continue
        judgement.lines.append(line)
        _judge_line(judgement, server, line, traced, seen_connections, seen_traces)
    return judgement


def _judge_line(judgement, server, line, traced, seen_connections, seen_traces):
    serious = line["level"] in SERIOUS
    judgement.serious += serious
    connection, trace = line.get("connection_id"), line["trace_id"]
    if connection is None:
        judgement.unconnected.append(line)
        return

    if trace is None and serious and traced and not _comes_after_all(line):
        judgement.traceless.append(line)
    server.connections.setdefault(connection, line.get("user_id"))
    owner = server.traces.setdefault(trace, connection) if trace else connection
    user = server.connections[connection]
    said = re.search(r"\b(kim|lee) \d", line["event"] + str(line.get("text")))
    if (
        connection in seen_connections
        or trace in seen_traces
        or owner != connection
        or (said and line.get("user_id") and line["user_id"] != said[1])
    ):
        judgement.stale.append(line)


def _comes_after_all(line):
    """A request that couldn't be read has no trace."""
    return line["event"].startswith("Invalid HTTP request")


def run(http, loop, ws):
    """Drive one kind of server through all events, and judge each."""
    judgements = []
    with tempfile.TemporaryDirectory() as folder:
        server = Server(http, loop, ws, folder)
        try:
            for name, (do, traced) in EVENTS.items():
                do(server)
                if do is not shutdown:
                    server.wait_until(server.is_quiet)
                judgements.append(judge(server, name, traced))
        finally:
            server.stop()
    return judgements


@contextlib.contextmanager
def driving(kinds):
    """Run *kinds* of servers, three at a time: most of what they do is waiting."""
    with ThreadPoolExecutor(3) as pool:
        yield {kind: pool.submit(run, *kind) for kind in kinds}


PAGE = """# Whose every line is

Real servers, driven by real clients through everything that a connection can go through, at TRACE; every line that a connection caused is judged.
`stale` counts lines that carry an id of another connection, request or message. Written by `python tests/stories/matrix.py docs/matrix.md`; the same judges run in the test-suite.

uvicorn {uvicorn}, websockets {websockets}, wsproto {wsproto}, uvloop {uvloop}, CPython {python}

## By kind of server

{by_kind}

## By what happens, over all kinds

{by_event}
"""


def table(name, groups):
    rows = [
        f"| {name} | lines | with connection_id | INFO and above | with trace_id, where there is one | stale |"
    ]
    rows.append("|---|---|---|---|---|---|")
    for title, judgements in groups.items():
        lines, serious = (sum(map(count, judgements)) for count in (_lines, _serious))
        connected = lines - sum(len(judgement.unconnected) for judgement in judgements)
        traced = serious - sum(len(judgement.traceless) for judgement in judgements)
        stale = sum(len(judgement.stale) for judgement in judgements)
        rows.append(
            f"| {title} | {lines} | {connected / lines:.0%} | {serious} | {traced / serious:.0%} | {stale} |"
        )
    return "\n".join(rows)


def _lines(judgement):
    return len(judgement.lines)


def _serious(judgement):
    return judgement.serious


def page():
    """Drive them all, and tell the result."""
    by_kind, by_event = {}, {name: [] for name in EVENTS}
    with driving(COMBINATIONS) as driven:
        for combination, judgements in driven.items():
            by_kind[", ".join(combination)] = judgements.result()
    for judgements in by_kind.values():
        for judgement in judgements:
            by_event[judgement.event].append(judgement)
    versions = {name: version(name) for name in ("uvicorn", "websockets", "wsproto", "uvloop")}
    python = ".".join(map(str, sys.version_info[:3]))
    tables = {"by_kind": table("server", by_kind), "by_event": table("event", by_event)}
    return PAGE.format(**versions, **tables, python=python)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the page to write")
    parser.parse_args().output.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
