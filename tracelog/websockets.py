"""The websockets library: plain servers with a trace for every utterance, and clients that send it.

>>> async def chat(websocket):
...     async for message in websocket:
...         await websocket.send(message)
>>> async def main():
...     async with serve(chat, "localhost", 8765) as server:
...         await server.serve_forever()

`serve` and `connect` are websockets' own (`websockets.asyncio`), and take what those take.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

from tracelog.attribution import leave_tail, stamp
from tracelog.connections import base_of
from tracelog.context import Context, current_context, enter_context
from tracelog.extras import extra
from tracelog.headers import TRACEPARENT, extract, inject
from tracelog.ids import TraceContext
from tracelog.latency.arrival import make_socket_wait
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.closing import Closing, closing_of_frames
from tracelog.latency.loop import Mode, check_watch, watch_if_wanted
from tracelog.latency.policy import Policy
from tracelog.latency.talk import Talk, payload_bytes
from tracelog.latency.utterance import Arrival


with extra("web"):
    from websockets.asyncio import client, server
    from websockets.datastructures import Headers
    from websockets.frames import Frame, Opcode
    from websockets.http11 import Request, Response


__all__ = ["ServerConnection", "connect", "serve"]

_FIRST: Final = (Opcode.TEXT, Opcode.BINARY)  # the frame that a message begins with

_Handler = Callable[[Any], Awaitable[None]]


def serve(
    handler: _Handler,
    *args: Any,
    watch: Mode | None = "exact",
    clock: Clock = SYSTEM_CLOCK,
    **options: Any,
) -> Any:
    """Serve as `websockets.asyncio.server.serve` does, and account for every message.

    A message's utterance ends when the handler asks for the next one, or returns. The handshake
    continues a caller's `traceparent`, and answers ours.

    Args:
        handler: Gets each connection, a `ServerConnection`.
        args: websockets' own: host and port.
        watch: How the event loop is watched: "exact", "sampled" (see `tracelog.watch_loop`), or
            None if it isn't.
        clock: For tests.
        options: `late_ms` and the other `tracelog.latency.policy.PolicyOptions`; and websockets'
            own. A `create_connection` has to make a `ServerConnection`.
    """
    check_watch(watch)
    policy = Policy.taken_from(options)
    theirs = options.pop("process_response", None)

    async def handle(connection: Any) -> None:
        await connection.tell(handler, policy=policy, clock=clock)

    async def answer(connection: Any, request: Request, response: Response) -> Any:
        watch_if_wanted(watch, clock)
        connection.begin(request, clock)
        response.headers[TRACEPARENT] = str(current_context().trace)
        result = theirs and theirs(connection, request, response)
        return await result if isinstance(result, Awaitable) else result

    options.setdefault("create_connection", ServerConnection)
    return server.serve(handle, *args, process_response=answer, **options)


def connect(uri: str, *, additional_headers: Any = None, **options: Any) -> client.connect:
    """Connect as `websockets.asyncio.client.connect` does; the current trace goes along."""
    headers = Headers(additional_headers or {})
    if TRACEPARENT not in headers:  # setting one there would add another
        inject(headers)
    return client.connect(uri, additional_headers=headers, **options)


class ServerConnection(server.ServerConnection):
    """A connection that knows when its messages came, and who is being served."""

    _talk: Talk | None = None
    _note: Callable[[], Arrival] | None = None

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._arrivals: deque[Arrival] = deque()  # of messages that nobody has asked for yet

    def begin(self, request: Request, clock: Clock) -> None:
        """Enter the trace of the handshake; from now on messages may come."""
        wait = make_socket_wait(self.transport)
        self._note = lambda: Arrival.now(clock, wait)
        parent = extract(request.headers)
        trace = parent.child() if parent else TraceContext.new()
        bound, connection = base_of(self.transport)
        connection.trace = trace
        enter_context(Context.make(bound, trace, connection))

    async def tell(self, handler: _Handler, *, policy: Policy, clock: Clock) -> None:
        """Let *handler* talk, and write the verdicts and the line at the end."""
        outside = current_context()
        about = {"path": self.request.path} if self.request else {}
        talk = self._talk = Talk(outside, about=about, policy=policy, clock=clock)
        raised: BaseException | None = None
        try:
            await handler(self)
        except BaseException as error:
            raised = error
            stamp(error)
            raise
        finally:
            talk.end_utterance(failed=isinstance(raised, Exception))
            talk.end(self._how_it_closed(raised))
            leave_tail(current_context())
            enter_context(outside)

    def _how_it_closed(self, raised: BaseException | None) -> Closing:
        frames = closing_of_frames(self.protocol)
        if frames is not None:
            return frames

        if self.protocol.close_code is not None:
            return Closing.make(self.protocol.close_code, "network")

        return Closing.make(1000 if raised is None else 1011, "server")  # what websockets will send

    def process_event(self, event: Any) -> None:
        """Note when a message begins to come: somebody may be reading it frame by frame."""
        if self._note is not None and isinstance(event, Frame) and event.opcode in _FIRST:
            self._arrivals.append(self._note())
        super().process_event(event)

    async def recv(self, *args: Any, **options: Any) -> Any:
        """Receive the next message; what was said before it is over."""
        self._end()
        message = await super().recv(*args, **options)
        self._hear(payload_bytes(message))
        return message

    async def recv_streaming(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """Receive the next message frame by frame: its utterance begins with the first."""
        self._end()
        first = True
        async for frame in super().recv_streaming(*args, **options):
            if first:
                self._hear(0)
                first = False
            yield frame

    async def send(self, message: Any, *args: Any, **options: Any) -> None:
        """Send a message."""
        sent = super().send(message, *args, **options)
        if self._talk is None:
            await sent
            return

        await self._talk.send(sent)
        self._talk.say(payload_bytes(message))

    def _end(self) -> None:
        if self._talk is not None:
            self._talk.end_utterance()
            self._talk.listen()

    def _hear(self, size: int) -> None:
        if self._talk is not None and self._note is not None:
            self._talk.hear(self._arrivals.popleft() if self._arrivals else self._note(), size)
