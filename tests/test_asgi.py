"""`TraceMiddleware`, against receive and send written by hand, and a clock that stands still."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
from contextlib import suppress
from time import sleep
from types import SimpleNamespace

import pytest

from tracelog.asgi import TraceMiddleware
from tracelog.attribution import of_exception
from tracelog.context import (
    Connection,
    Context,
    bind_context,
    current_context,
    current_trace,
    enter_context,
)
from tracelog.errors import ConfigError
from tracelog.handlers import StreamHandler
from tracelog.ids import TraceContext
from tracelog.json_formatter import JsonFormatter
from tracelog.latency.arrival import transport_of
from tracelog.latency.awaits import await_of
from tracelog.latency.loop import watch_loop
from tracelog.latency.utterance import Clock
from tracelog.records import context_of


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
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


class Peer:
    """A server with one client: gives *messages*, and keeps what is sent."""

    def __init__(self, *messages):
        self.messages = list(messages)
        self.sent = []
        self.all_read = asyncio.Event()

    async def receive(self):
        message = self.messages.pop(0)
        if not self.messages:
            self.all_read.set()
        return message

    async def send(self, message):
        self.sent.append(message)

    def headers(self, kind):
        [start] = [message for message in self.sent if message["type"] == kind]
        return [(bytes(name), bytes(value)) for name, value in start["headers"]]


def http_scope(headers=(), **others):
    return {
        "type": "http",
        "method": "GET",
        "path": "/rooms",
        "headers": [*headers],
        "client": ("10.0.0.7", 4711),
        **others,
    }


def websocket_scope(headers=()):
    return {"type": "websocket", "path": "/chat", "headers": [*headers]}


START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
BODY = {"type": "http.response.body", "body": b""}
MORE = {"type": "http.response.body", "body": b"x", "more_body": True}
CONNECT = {"type": "websocket.connect"}
ACCEPT = {"type": "websocket.accept"}
CLOSE = {"type": "websocket.close"}
DISCONNECT = {"type": "websocket.disconnect", "code": 1001}


def text(content):
    return {"type": "websocket.receive", "text": content}


async def answering(_scope, _receive, send):
    await send(START)
    await send(BODY)


def serve(app, scope, peer=None, **options):
    """Let *app* handle one connection, on a loop of its own."""

    async def main():
        served = peer or Peer()
        await TraceMiddleware(app, **options)(scope, served.receive, served.send)
        return served

    return asyncio.run(main())


def chat(handle, *messages, scope=None, **options):
    """Let *handle* handle each message after the handshake, and then the end."""

    async def app(_scope, receive, send):
        assert await receive() == CONNECT
        await send(ACCEPT)
        while (message := await receive())["type"] == "websocket.receive":
            await handle(message["text"])
        await handle(None)

    async def main():
        peer = Peer(CONNECT, *map(text, messages), DISCONNECT)
        scope_ = scope or websocket_scope()
        await TraceMiddleware(app, **options)(scope_, peer.receive, peer.send)
        return peer

    return asyncio.run(main())


# Traces


def test_each_request_has_a_trace_of_its_own(lines):
    """What its handler logs carries it, and a connection's id."""

    async def app(scope, receive, send):
        log.info("handling")
        await answering(scope, receive, send)

    serve(app, http_scope())
    serve(app, http_scope())

    first, second = lines(event="handling")
    assert re.fullmatch(r"[0-9a-f]{32}", first["trace_id"])
    assert re.fullmatch(r"[0-9a-f]{16}", first["span_id"])
    assert re.fullmatch(r"c-[0-9a-f]{8}", first["connection_id"])
    for key in ("trace_id", "span_id", "connection_id"):
        assert first[key] != second[key]


@pytest.mark.parametrize("flag", ["00", "01"])
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_callers_trace_is_continued(kind, flag):
    """The same trace, sampled as the caller says, under a new span."""
    seen = []
    header = TRACEPARENT[:-2] + flag
    headers = [(b"traceparent", header.encode()), (b"tracestate", b"a=b")]

    async def app(_scope, _receive, _send):
        seen.append(current_trace())

    serve(app, {**http_scope(headers), "type": kind})

    [trace] = seen
    assert trace.trace_id == TRACE_ID
    assert str(trace) != header
    assert (trace.sampled, trace.state) == (flag == "01", "a=b")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"hello",
        b"\xff",
        TRACEPARENT.encode()[:-1],
        b"00-" + b"0" * 32 + b"-b7ad6b7169203331-01",
    ],
)
def test_a_trace_that_is_none_is_not_continued(header):
    """A header that isn't valid counts as none."""
    seen = []

    async def app(_scope, _receive, _send):
        seen.append(current_trace())

    serve(app, http_scope([(b"traceparent", header)]))

    assert re.fullmatch(r"[1-9a-f][0-9a-f]{31}|0[0-9a-f]{31}", seen[0].trace_id)
    assert seen[0].trace_id not in (TRACE_ID, "0" * 32)


def test_what_was_there_before_is_never_adopted():
    """A context can leak from one request into the next: nothing of it is taken over."""
    seen = []
    leaked = Context.make({"user_id": "lee"}, TraceContext.new(), Connection("c-00000000"))

    async def app(_scope, _receive, _send):
        seen.append(current_context())

    async def main():
        enter_context(leaked)
        await TraceMiddleware(app)(http_scope(), None, None)
        return current_context()

    after = asyncio.run(main())

    assert seen[0].bound == {}
    assert seen[0].trace.trace_id != leaked.trace.trace_id
    assert seen[0].connection is not leaked.connection
    assert after is leaked


# The answer's headers


@pytest.mark.parametrize(
    ("app_scope", "start"),
    [(http_scope, "http.response.start"), (websocket_scope, "websocket.accept")],
    ids=["http", "websocket"],
)
@pytest.mark.parametrize(
    ("given", "answered"),
    [(b"req-7", b"req-7"), (b"two words", None), (b"", None), (b"x" * 129, None)],
    ids=["sound", "unsound", "empty", "too long"],
)
def test_trace_and_request_id_are_answered(app_scope, start, given, answered):
    """A caller's sound request id is given back; without one, the trace's id is it."""
    seen = []

    async def app(scope, _receive, send):
        seen.append(current_context())
        await send({"type": start, "status": 200, "headers": [(b"a", b"b")]})

    peer = serve(app, app_scope([(b"X-Request-ID", given)]), Peer(CONNECT))

    context = seen[0]
    assert peer.headers(start) == [
        (b"a", b"b"),
        (b"traceparent", str(context.trace).encode()),
        (b"x-request-id", answered or context.trace.trace_id.encode()),
    ]
    assert context.bound == ({"request_id": "req-7"} if answered else {})


def test_headers_of_the_applications_are_not_doubled():
    """What the application answers itself counts, however it writes it."""
    theirs = [[b"TraceParent", b"theirs"], [b"X-Request-Id", b"theirs"]]

    async def app(_scope, _receive, send):
        await send({**START, "headers": (header for header in theirs)})

    peer = serve(app, http_scope())

    assert peer.sent == [{**START, "headers": theirs}]


@pytest.mark.parametrize("kind", ["http.response.start", "websocket.accept"])
def test_an_answer_without_headers_gets_them(kind):
    """ASGI lets an application leave them out."""

    async def app(_scope, _receive, send):
        await send({"type": kind, "status": 200})

    scope = http_scope() if kind.startswith("http") else websocket_scope()
    peer = serve(app, scope, Peer(CONNECT))

    assert [name for name, _ in peer.headers(kind)] == [b"traceparent", b"x-request-id"]


def test_the_applications_messages_are_left_as_they_are():
    """A message may be sent twice, to two connections: ours is a copy."""
    start = {**START, "headers": []}

    async def app(_scope, _receive, send):
        await send(start)

    serve(app, http_scope())

    assert start == {**START, "headers": []}


# HTTP


def test_a_request_leaves_an_access_line_and_a_verdict(lines, time):
    """Each field once, in this order, and nothing else."""

    async def app(scope, receive, send):
        time.passes(0.0125)
        await answering(scope, receive, send)

    serve(app, http_scope([(b"x-request-id", b"req-7")]), clock=time.clock)

    access, verdict = ({k: v for k, v in line.items() if k != "timestamp"} for line in lines())
    ids = {key: access[key] for key in ("trace_id", "span_id", "connection_id")}
    assert access == {
        "level": "info",
        "logger": "tracelog.access",
        "event": "request",
        **ids,
        "request_id": "req-7",
        "method": "GET",
        "path": "/rooms",
        "status": 200,
        "duration_ms": 12.5,
        "client": "10.0.0.7:4711",
    }
    assert verdict == {
        "level": "info",
        "logger": "tracelog.utterance",
        "event": "utterance",
        **ids,
        "request_id": "req-7",
        "utterance": 1,
        "kind": "http",
        "arrived_at": "2025-11-22T12:00:00.000000Z",
        "socket_ms": 0.0,
        "queue_ms": 0.0,
        "total_ms": 12.5,
        "late": False,
        "method": "GET",
        "path": "/rooms",
        "status": 200,
    }


@pytest.mark.parametrize("client", [None, ()], ids=str)
def test_a_client_may_be_unknown(lines, client):
    """On a Unix socket there is none."""
    serve(answering, http_scope(client=client))

    assert [line["client"] for line in lines(event="request")] == [""]


@pytest.mark.parametrize(
    ("seconds", "late"), [(0.199, False), (0.2, True), (3, True)], ids=["before", "at", "after"]
)
def test_a_late_verdict_is_a_warning(lines, time, seconds, late):
    """200 ms by default; the level lets it through where info is off."""

    async def app(scope, receive, send):
        time.passes(seconds)
        await answering(scope, receive, send)

    serve(app, http_scope(), clock=time.clock)

    [verdict] = lines(event="utterance")
    assert (verdict["late"], verdict["level"]) == (late, "warning" if late else "info")


def test_what_is_late_can_be_set(lines, time):
    """`late_ms` is the least that is late."""

    async def app(scope, receive, send):
        time.passes(0.05)
        await answering(scope, receive, send)

    for late_ms in (50, 51):
        serve(app, http_scope(), late_ms=late_ms, clock=time.clock)

    assert [line["late"] for line in lines(event="utterance")] == [True, False]


def test_access_lines_can_be_switched_off(lines):
    """By an argument, or by their logger's level; the verdict stays."""
    serve(answering, http_scope(), access_log=False)
    logging.getLogger("tracelog.access").setLevel(logging.WARNING)
    serve(answering, http_scope())

    assert [line["event"] for line in lines()] == ["utterance", "utterance"]


def test_a_stream_ends_with_its_last_part(lines, time):
    """Until then the request is being handled."""

    async def app(_scope, _receive, send):
        await send({**START, "status": 206})
        for _ in range(3):
            time.passes(0.1)
            await send(MORE)
        assert lines() == []
        await send(BODY)

    peer = serve(app, http_scope(), clock=time.clock)

    assert [message["type"] for message in peer.sent] == [START["type"], *[BODY["type"]] * 4]
    [access], [verdict] = lines(event="request"), lines(event="utterance")
    assert (access["duration_ms"], verdict["total_ms"]) == (300.0, 300.0)
    assert access["status"] == verdict["status"] == 206


def test_sending_counts(lines, time):
    """A client that takes its answer slowly is waited for."""

    class Slow(Peer):
        async def send(self, message):
            time.passes(0.1)

    serve(answering, http_scope(), Slow(), clock=time.clock)

    assert lines(event="request")[0]["duration_ms"] == 200.0


def test_work_after_the_answer_does_not_count(lines, time):
    """Background work keeps nobody waiting; its lines still carry the trace."""

    async def app(scope, receive, send):
        await answering(scope, receive, send)
        time.passes(5)
        log.info("mail sent")

    serve(app, http_scope(), clock=time.clock)

    [access], [verdict], [mail] = (lines(event=e) for e in ("request", "utterance", "mail sent"))
    assert (access["duration_ms"], verdict["total_ms"]) == (0.0, 0.0)
    assert mail["trace_id"] == access["trace_id"]


def test_a_request_body_reaches_the_application(lines):
    """Part by part, and after the last of them, that the client has left."""
    parts = [
        {"type": "http.request", "body": b"he", "more_body": True},
        {"type": "http.request", "body": b"llo"},
        {"type": "http.disconnect"},
    ]
    received = []

    async def app(scope, receive, send):
        received.extend([await receive() for _ in parts])
        await answering(scope, receive, send)

    serve(app, http_scope(), Peer(*parts))

    assert received == parts


@pytest.mark.parametrize("more", [True, False], ids=["an upload", "the client's leaving"])
def test_only_the_rest_of_a_request_is_waited_for(more):
    """Whoever watches whether the client leaves isn't kept by that client."""

    async def app(_scope, receive, _send):
        await receive()
        await receive()

    async def main():
        messages = asyncio.Queue()
        messages.put_nowait({"type": "http.request", "body": b"x", "more_body": more})
        task = asyncio.create_task(TraceMiddleware(app)(http_scope(), messages.get, Peer().send))
        await asyncio.sleep(0)
        found = await_of(task)
        task.cancel()
        await asyncio.wait([task])
        return found.what

    assert asyncio.run(main()) == ("receive" if more else "queue get")


def test_the_servers_transport_is_behind_receive():
    """For another middleware within: it tells by that whose connection this is."""
    seen = []

    class WithTransport(Peer):
        transport = SimpleNamespace(get_extra_info=lambda _: None)

    async def app(scope, receive, send):
        seen.append(transport_of(receive))
        await answering(scope, receive, send)

    serve(app, http_scope(), WithTransport())

    assert seen == [WithTransport.transport]


@pytest.mark.parametrize(
    ("before", "status"), [([], 500), ([{**START, "status": 201}], 201)], ids=["before", "after"]
)
def test_an_exception_ends_the_request(lines, before, status):
    """It passes; the status is the one that was sent, or the 500 that the server is going to send."""

    async def app(_scope, _receive, send):
        for message in before:
            await send(message)
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        serve(app, http_scope())

    assert [line["status"] for line in lines()] == [status, status]


@pytest.mark.parametrize("scope", [http_scope(), websocket_scope()], ids=["http", "websocket"])
def test_a_servers_line_about_an_exception_carries_the_trace(lines, scope):
    """The context is left in place then, and only then."""

    async def app(_scope, _receive, send):
        bind_context(user_id="kim")
        log.info("handling")
        raise ValueError("bad")

    async def main():
        try:
            await TraceMiddleware(app)(scope, None, None)
        except ValueError:
            log.exception("Exception in ASGI application")

    asyncio.run(main())

    [handling], [told] = lines(event="handling"), lines(level="error")
    assert told["user_id"] == "kim"
    assert told["trace_id"] == handling["trace_id"]


@pytest.mark.parametrize("kind", ["lifespan", "later"])
def test_other_scopes_are_passed_through(lines, kind):
    """Nothing is traced that isn't a connection, and nothing wrapped."""
    seen = []

    async def app(*arguments):
        seen.append((*arguments, current_trace()))

    scope, peer = {"type": kind}, Peer()
    middleware = TraceMiddleware(app)
    asyncio.run(middleware(scope, peer.receive, peer.send))

    assert seen == [(scope, peer.receive, peer.send, None)]
    assert middleware.app is app
    assert lines() == []


def test_after_a_lifespan_what_held_the_loop_last_is_told(caplog):
    """The server ends by a signal then, and nothing that comes later is run."""

    async def app(*_):
        await asyncio.sleep(0)
        sleep(0.06)
        await asyncio.sleep(0)

    async def main():
        await TraceMiddleware(app)({"type": "lifespan"}, None, None)
        return [each.where for each in caplog.records if each.name == "tracelog.hold"]

    assert any(where.endswith(".app") for where in asyncio.run(main()))


def test_who_holds_the_loop_after_the_answer_is_named(caplog):
    """As background tasks do, which Starlette runs before the application returns."""

    async def app(_scope, _receive, send):
        bind_context(user_id="kim")
        await send(START)
        await send(BODY)
        sleep(0.06)

    async def main():
        watch = watch_loop()
        await asyncio.create_task(TraceMiddleware(app)(http_scope(), None, Peer().send))
        watch.stop()

    asyncio.run(main())

    [hold] = [each for each in caplog.records if each.name == "tracelog.hold"]
    assert context_of(hold).bound == {"user_id": "kim"}


# WebSocket


def test_each_message_has_a_trace_of_its_own(lines):
    """Of its own, and one connection with all others; the handshake has another."""
    contexts = []

    async def handle(_text):
        contexts.append(current_context())

    peer = chat(handle, "a", "b")

    accepted = dict(peer.headers("websocket.accept"))[b"traceparent"].decode()
    first, second, after = contexts
    assert len({context.connection.id for context in contexts}) == 1
    assert len({first.trace.trace_id, second.trace.trace_id, after.trace.trace_id}) == 3
    assert str(after.trace) == accepted


def test_a_message_leaves_a_verdict(lines, time):
    """Each field once, in this order, and nothing else; no access line."""

    async def handle(content):
        if content:
            bind_context(user_id="kim")
            time.passes(0.25)

    chat(handle, "a", scope=websocket_scope(), clock=time.clock)

    verdict, _connection = lines()
    assert {k: v for k, v in verdict.items() if k != "timestamp"} == {
        "level": "warning",
        "logger": "tracelog.utterance",
        "event": "utterance",
        "trace_id": verdict["trace_id"],
        "span_id": verdict["span_id"],
        "connection_id": verdict["connection_id"],
        "user_id": "kim",
        "utterance": 1,
        "kind": "websocket",
        "arrived_at": "2025-11-22T12:00:00.000000Z",
        "socket_ms": 0.0,
        "queue_ms": 0.0,
        "total_ms": 250.0,
        "late": True,
        "path": "/chat",
    }


def test_a_message_that_waits_for_the_one_before_is_queued(lines, time):
    """Its time runs from when it was read, not from when its handler asks for it."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        for _ in range(3):
            await receive()
            await peers[0].all_read.wait()
            time.passes(0.1)

    peers = []

    async def main():
        peers.append(Peer(CONNECT, text("a"), text("b"), text("c")))
        peers[0].receive = waiting_when_empty(peers[0])
        await TraceMiddleware(app, clock=time.clock)(
            websocket_scope(), peers[0].receive, peers[0].send
        )

    asyncio.run(main())

    verdicts = lines(event="utterance")
    assert [line["utterance"] for line in verdicts] == [1, 2, 3]
    assert [line["queue_ms"] for line in verdicts] == [0.0, 100.0, 200.0]
    assert [line["total_ms"] for line in verdicts] == [100.0, 200.0, 300.0]
    assert {line["arrived_at"] for line in verdicts} == {"2025-11-22T12:00:00.000000Z"}


def waiting_when_empty(peer):
    """A receive that waits for ever once there is nothing more."""
    receive = peer.receive

    async def wait():
        return await (receive() if peer.messages else asyncio.Event().wait())

    return wait


def test_what_is_bound_stays_with_the_connection(lines):
    """A user that signs in with one message is known in the next, and at the end."""
    bound = []

    async def handle(content):
        bind_context(**{content or "end": 1})
        bound.append(dict(current_context().bound))

    chat(handle, "a", "b", scope=websocket_scope([(b"x-request-id", b"req-7")]))

    assert bound == [
        {"request_id": "req-7", "a": 1},
        {"request_id": "req-7", "a": 1, "b": 1},
        {"request_id": "req-7", "a": 1, "b": 1, "end": 1},
    ]


def test_what_is_bound_elsewhere_does_not_come_along(lines):
    """A context of another connection, wherever the task got it, is left behind."""
    contexts = []

    async def handle(_content):
        contexts.append(current_context())
        enter_context(Context.make({"user_id": "lee"}, None, Connection("c-00000000")))

    chat(handle, "a", "b")

    assert [context.bound for context in contexts] == [{}, {}, {}]
    assert len({context.connection.id for context in contexts}) == 1


def test_a_disconnect_belongs_to_the_connection(lines):
    """No utterance asked for what follows: the handler is back in the connection's own trace."""
    ids = []

    async def app(_scope, receive, send):
        ids.append(current_trace())
        await receive()
        await send(ACCEPT)
        await receive()
        ids.append(current_trace())
        for _ in range(2):
            assert await receive() == DISCONNECT
            ids.append(current_trace())

    async def main():
        peer = Peer(CONNECT, text("a"), DISCONNECT)
        await TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send)

    asyncio.run(main())

    assert ids[0] == ids[2] == ids[3]
    assert ids[0] != ids[1]
    assert len(lines(event="utterance")) == 1


def test_an_exception_ends_the_utterance(lines, time):
    """It passes, with a verdict; nothing goes on reading."""

    async def handle(_content):
        time.passes(0.1)
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad"):
        chat(handle, "a", clock=time.clock)

    [verdict] = lines(event="utterance")
    assert (verdict["total_ms"], verdict["failed"]) == (100.0, True)


def test_nothing_reads_on_once_the_application_has_ended():
    """A message that comes later is nobody's; no task is left behind."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)

    async def main():
        peer = Peer(CONNECT)
        receive = waiting_when_empty(peer)
        await TraceMiddleware(app)(websocket_scope(), receive, peer.send)
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(main()) == set()


def test_the_handshake_is_not_read_ahead():
    """An application that refuses the connection has the server's messages to itself."""

    async def app(_scope, receive, send):
        assert await receive() == CONNECT
        await send(CLOSE)
        assert await receive() == DISCONNECT

    peer = serve(app, websocket_scope(), Peer(CONNECT, DISCONNECT))

    assert peer.sent == [CLOSE]


def test_a_servers_lines_about_reading_are_the_connections(lines):
    """Who reads ahead reads for all utterances, and carries the trace of the handshake."""

    class Talkative(Peer):
        async def receive(self):
            log.info("reading")
            return await super().receive()

    async def app(_scope, receive, send):
        await receive()
        bind_context(user_id="kim")
        await send(ACCEPT)
        await receive()
        log.info("handling")

    serve(app, websocket_scope(), Talkative(CONNECT, text("a"), DISCONNECT))

    handshake, *readings = lines(event="reading")
    [handling] = lines(event="handling")
    assert readings
    for line in readings:
        assert line["trace_id"] == handshake["trace_id"] != handling["trace_id"]
        assert line["connection_id"] == handling["connection_id"]
        assert "user_id" not in line


def test_without_asyncio_messages_are_passed_on(lines):
    """On a loop of another kind nothing is read ahead: the connection has its trace, and that is it."""
    received = []

    async def app(_scope, receive, send):
        received.append(await receive())
        await send(ACCEPT)
        received.append(await receive())
        received.append(current_trace())

    peer = Peer.__new__(Peer)
    peer.messages, peer.sent = [CONNECT, text("a"), DISCONNECT], []
    with pytest.raises(StopIteration):
        TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send).send(None)

    assert received[:2] == [CONNECT, text("a")]
    assert dict(peer.headers("websocket.accept"))[b"traceparent"] == str(received[2]).encode()


# Sending to who has left: the server was asked for the disconnect before the handler was


class Strict(Peer):
    """Like uvicorn over websockets' legacy API: who has received the end mustn't send."""

    async def send(self, message):
        if not self.messages or CLOSE in self.sent:
            raise RuntimeError("unexpected message")
        await super().send(message)


SEND = {"type": "websocket.send", "text": "hello"}


def leaving(story):
    """Run *story* once the disconnect has been read ahead, but not been received."""

    async def main():
        peer = Strict(CONNECT, text("a"), DISCONNECT)

        async def app(_scope, receive, send):
            await receive()
            await send(ACCEPT)
            await receive()
            await peer.all_read.wait()
            await story(receive, send)

        await TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send)
        return peer

    return asyncio.run(main())


def test_sending_to_who_has_left_is_an_os_error():
    """As ASGI has it; the handler couldn't know yet, and may still ask."""

    async def story(receive, send):
        with pytest.raises(OSError, match="the client has left"):
            await send(SEND)
        assert await receive() == DISCONNECT

    leaving(story)


def test_an_application_that_does_not_catch_it_has_ended(lines):
    """Servers don't complain of that: there was nobody to talk to. The verdict is written."""

    async def story(_receive, send):
        await send(SEND)

    leaving(story)

    assert [line["event"] for line in lines()] == ["utterance", "connection"]


def test_closing_what_has_ended_is_no_error():
    """An application that closes in its `finally` is right."""

    async def story(_receive, send):
        await send(CLOSE)

    assert CLOSE not in leaving(story).sent


def test_sending_after_the_end_was_received_is_an_error():
    """The handler knows then: it is the server's to complain."""

    async def story(receive, send):
        await receive()
        await send(SEND)

    with pytest.raises(RuntimeError, match="unexpected message"):
        leaving(story)


def test_sending_after_having_closed_is_an_error():
    """Whoever hung up knows."""

    async def main():
        peer = Strict(CONNECT, text("a"), DISCONNECT)

        async def app(_scope, receive, send):
            await receive()
            await send(ACCEPT)
            await send(CLOSE)
            await peer.all_read.wait()
            await send(SEND)

        await TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send)

    with pytest.raises(RuntimeError, match="unexpected message"):
        asyncio.run(main())


@pytest.mark.parametrize("accepts", [False, True], ids=["before the handshake", "while it lasts"])
def test_other_errors_of_sending_pass(accepts):
    """They are the server's to explain."""

    class Broken(Peer):
        async def send(self, message):
            if message != ACCEPT and message["type"] != ACCEPT["type"]:
                raise RuntimeError("broken")

    async def app(_scope, receive, send):
        await receive()
        if accepts:
            await send(ACCEPT)
        await send(SEND)

    with pytest.raises(RuntimeError, match="broken"):
        serve(app, websocket_scope(), Broken(CONNECT, DISCONNECT))


def test_the_requests_of_a_connection_share_its_id(lines):
    """A client that keeps its connection open is one client; another connection is another."""

    class Transport:
        def get_extra_info(self, name):
            return None

    class Connected(Peer):
        def __init__(self, transport):
            super().__init__()
            self.transport = transport

    kept_open, other = Transport(), Transport()

    for transport in (kept_open, kept_open, other):
        serve(answering, http_scope(), Connected(transport))

    first, second, third = (line["connection_id"] for line in lines(event="request"))
    assert first == second != third


# How it was closed


@pytest.mark.parametrize(
    ("last", "closing"),
    [
        ({"code": 1001, "reason": ""}, (1001, "client", "going away")),
        ({"code": 1005}, (1006, "network", "connection lost without a close frame")),
    ],
    ids=["client", "network"],
)
@pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
def test_who_left_has_closed_it(lines, last, closing, told):
    """Whether the handler has asked for it, or closes itself, too late."""

    async def main():
        peer = Peer(CONNECT, {"type": "websocket.disconnect", **last})

        async def app(_scope, receive, send):
            await receive()
            await send(ACCEPT)
            await peer.all_read.wait()
            if told:
                await receive()
            await send(CLOSE)

        await TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send)

    asyncio.run(main())

    [line] = lines(event="connection")
    assert (line["close_code"], line["closed_by"], line["close_reason"]) == closing


def silent(*messages):
    """A client that says no more."""

    class Silent(Peer):
        async def receive(self):
            return await super().receive() if self.messages else await asyncio.Event().wait()

    return Silent(*messages)


@pytest.mark.parametrize(
    ("end", "closing"),
    [
        ({**CLOSE, "code": 4001, "reason": "enough"}, (4001, "server", "enough")),
        (CLOSE, (1000, "server", "normal closure")),
        (None, (1006, "server", "handler returned")),
    ],
    ids=["code", "no code", "returned"],
)
def test_a_handler_may_end_it(lines, end, closing):
    """By closing it, or by returning."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        if end:
            await send(end)

    serve(app, websocket_scope(), silent(CONNECT))

    [line] = lines(event="connection")
    assert (line["close_code"], line["closed_by"], line["close_reason"]) == closing


def test_what_was_said_is_counted(lines):
    """Payloads as they were sent, text in UTF-8."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        await send({"type": "websocket.send", "bytes": b"12345"})

    serve(app, websocket_scope(), silent(CONNECT, text("grüße")))

    [line] = lines(event="connection")
    assert (line["received"], line["received_bytes"]) == (1, 7)
    assert (line["sent"], line["sent_bytes"]) == (1, 5)


def test_a_rejected_handshake_is_no_connection(lines):
    """There was nothing to end."""

    async def app(_scope, receive, send):
        await receive()
        await send(CLOSE)

    serve(app, websocket_scope(), silent(CONNECT))

    assert lines() == []


# Access lines


@pytest.mark.parametrize("server", ["hypercorn", "uvicorn"])
@pytest.mark.parametrize("ours", [True, False])
def test_a_request_has_one_access_line(lines, server, ours):
    """Ours, or the server's."""
    theirs = logging.getLogger(f"{server}.access")

    async def app(scope, receive, send):
        theirs.info("GET /rooms")
        await answering(scope, receive, send)

    serve(app, http_scope(), access_log=ours)
    theirs.info("not of a request")

    assert len(lines(logger=f"{server}.access", event="GET /rooms")) == (not ours)
    assert len(lines(event="request")) == ours
    assert len(lines(event="not of a request")) == 1


# Somebody else's trace


def test_a_trace_that_others_began_is_used(lines):
    """Their trace and span on our lines; each utterance is a span of it."""
    theirs = TraceContext.new()

    async def app(scope, _receive, send):
        log.info("handling")
        await answering(scope, None, send)

    async def handle(_content):
        log.info("heard")

    parent = [(b"traceparent", str(TraceContext.new()).encode())]
    serve(app, http_scope(parent), trace_from=lambda: theirs)
    chat(handle, "a", trace_from=lambda: theirs)

    [handling], [heard, _end] = lines(event="handling"), lines(event="heard")
    assert (handling["trace_id"], handling["span_id"]) == (theirs.trace_id, theirs.span_id)
    assert heard["trace_id"] == theirs.trace_id
    assert heard["span_id"] != theirs.span_id


def test_where_others_began_none_there_is_one_of_ours(lines):
    """As without the option."""
    parent = TraceContext.new()

    async def app(scope, _receive, send):
        log.info("handling")
        await answering(scope, None, send)

    headers = [(b"traceparent", str(parent).encode())]
    serve(app, http_scope(headers), trace_from=lambda: None)

    [handling] = lines(event="handling")
    assert handling["trace_id"] == parent.trace_id


@pytest.mark.parametrize("told", [RuntimeError("not ours"), "00-nonsense"], ids=["raises", "text"])
def test_what_others_cannot_tell_costs_no_request(lines, told):
    """It is reported once, and the trace is one of ours."""

    def trace_from():
        if isinstance(told, Exception):
            raise told
        return told

    async def main():
        app = TraceMiddleware(answering, trace_from=trace_from)
        for _ in range(2):
            peer = Peer()
            await app(http_scope(), peer.receive, peer.send)
            assert len(peer.sent) == 2

    asyncio.run(main())

    reports = lines(logger="tracelog.internal")
    assert len(reports) == isinstance(told, Exception)
    assert all("requests go on in traces of ours" in each["event"] for each in reports)


@pytest.mark.parametrize("options", [{"trace_from": 5}, {"watch": "fast"}], ids=str)
def test_an_option_that_makes_no_sense_is_refused_at_once(options):
    """And not by each request."""
    with pytest.raises(ConfigError, match=f"^{next(iter(options))}: expected "):
        TraceMiddleware(answering, **options)


async def wait(receiving):
    [done], _ = await asyncio.wait([asyncio.create_task(receiving)])
    return await done


@pytest.mark.parametrize(
    "by",
    [
        lambda receiving: asyncio.wait_for(receiving, 10),
        lambda receiving: asyncio.create_task(receiving),
        lambda receiving: asyncio.shield(receiving),
        lambda receiving: asyncio.gather(receiving),
        wait,
    ],
    ids=["wait_for", "task", "shield", "gather", "wait"],
)
def test_whoever_waits_for_a_task_to_receive_is_in_the_utterance(lines, by):
    """The handler may let another task receive: what it does next is about that message, too."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        for _ in range(2):
            await by(receive())
            log.info("heard")
            bind_context(user_id="kim")
        await by(receive())
        log.info("left")

    async def main():
        peer = Peer(CONNECT, text("a"), text("b"), DISCONNECT)
        await TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send)

    asyncio.run(main())

    heard, verdicts = lines(event="heard"), lines(event="utterance")
    [left], [ended] = lines(event="left"), lines(event="connection")
    assert [line["trace_id"] for line in heard] == [line["trace_id"] for line in verdicts]
    assert len({line["trace_id"] for line in (*heard, left)}) == 3
    assert left["trace_id"] == ended["trace_id"]
    assert [line["user_id"] for line in verdicts] == ["kim", "kim"]


def test_a_handler_that_is_at_something_else_stays_where_it_is(lines):
    """A reader of the application's own is in the trace; its handler can't be told to be."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        received = asyncio.Event()
        reader = asyncio.create_task(read(receive, received))
        await received.wait()
        log.info("beside")
        await reader

    async def read(receive, received):
        await receive()
        log.info("heard")
        received.set()

    async def main():
        peer = Peer(CONNECT, text("a"), DISCONNECT)
        await TraceMiddleware(app)(websocket_scope(), peer.receive, peer.send)

    asyncio.run(main())

    [heard], [beside], [ended] = (lines(event=each) for each in ("heard", "beside", "connection"))
    assert heard["trace_id"] != beside["trace_id"] == ended["trace_id"]


def test_an_exception_is_of_the_utterance_that_failed():
    """The server reports it later: the stamp tells of which message it was."""
    seen = []

    async def handle(_content):
        seen.append(current_context())
        raise ValueError("bad")

    with pytest.raises(ValueError, match="bad") as caught:
        chat(handle, "a")

    found = of_exception(caught.value, Context.make({}, None, None))
    assert found.trace == seen[0].trace


def test_a_close_without_a_code_is_sent(lines):
    """Whatever an application sends is the server's to judge."""
    close = {**CLOSE, "code": None}

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await send(close)

    peer = serve(app, websocket_scope(), silent(CONNECT))

    assert close in peer.sent
    [line] = lines(event="connection")
    assert line["close_code"] == 1005


def test_between_two_messages_there_is_no_utterance(lines):
    """Who waits with a time-out, and pings meanwhile, isn't in the last one any more."""

    async def app(_scope, receive, send):
        await receive()
        await send(ACCEPT)
        await receive()
        with suppress(TimeoutError):
            await asyncio.wait_for(receive(), 0.001)
        log.info("idle")

    serve(app, websocket_scope(), silent(CONNECT, text("a")))

    [idle], [ended] = lines(event="idle"), lines(event="connection")
    assert idle["trace_id"] == ended["trace_id"]


def test_a_header_s_name_may_be_a_text():
    """Some servers take it."""

    async def app(_scope, _receive, send):
        await send({**START, "headers": [("X-Request-Id", "mine")]})
        await send(BODY)

    sent = serve(app, http_scope()).sent[0]["headers"]

    assert [name for name, _ in sent] == ["X-Request-Id", b"traceparent"]
