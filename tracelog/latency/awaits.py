"""What a suspended task waits for, as its frames tell: a sleep, a lock, a queue, the network."""

from __future__ import annotations

from collections.abc import Awaitable
from itertools import takewhile
from types import FrameType
from typing import Any, Final, NamedTuple, TypeVar

from tracelog.context import Context
from tracelog.latency.ledger import Ledger
from tracelog.latency.places import (
    Place,
    code_of_function,
    frames_of_awaits,
    function_of,
    name_of_function,
    places_of,
    places_of_awaits,
    users_place,
)
from tracelog.latency.threads import FREE_THREAD, THREAD_RUNNING
from tracelog.loops import coroutine_of, waiter_of


__all__ = [
    "Await",
    "await_of",
    "inmost",
    "is_for_client",
    "receive_more",
    "send_back",
    "send_to",
]

_T = TypeVar("_T")

_SUBPROCESS: Final = "subprocess"
# asyncio's own coroutines, and anyio's, which has some of the same names, by what they wait for.
_WHAT: Final = {
    "sleep": "sleep",
    "Lock.acquire": "lock",
    "Semaphore.acquire": "semaphore",
    "Event.wait": "event",
    "Condition.wait": "condition",
    "Barrier._block": "barrier",
    "Barrier._wait": "barrier",
    "Barrier.wait": "barrier",
    "Queue.get": "queue get",
    "Queue.put": "queue put",
    "Queue.join": "queue join",
    "StreamReader._wait_for_data": "network read",
    "FlowControlMixin._drain_helper": "network write",
    "BaseSelectorEventLoop.sock_recv": "network read",
    "BaseSelectorEventLoop.sock_recv_into": "network read",
    "BaseSelectorEventLoop.sock_sendall": "network write",
    "BaseSelectorEventLoop.sock_connect": "network connect",
    "BaseSelectorEventLoop.sock_accept": "network accept",
    "BaseEventLoop.create_connection": "network connect",
    "BaseEventLoop.getaddrinfo": "DNS",
    "BaseSubprocessTransport._wait": _SUBPROCESS,
    "Process.communicate": _SUBPROCESS,
    "Process.wait": _SUBPROCESS,
    "to_thread": "thread",
    "TaskGroup.__aexit__": "tasks",
    "wait": "tasks",
    "_wait": "tasks",
    "CapacityLimiter.acquire_on_behalf_of": "semaphore",
    "MemoryObjectReceiveStream.receive": "queue get",
    "MemoryObjectSendStream.send": "queue put",
    "SocketStream.receive": "network read",
    "SocketStream.send": "network write",
}
_ANYIO: Final = "anyio"
_BUILT_OF: Final = frozenset({"event", "condition"})  # others of asyncio's, inside
_FUTURE: Final = "future"
_SEND: Final = "send"
_RECEIVE: Final = "receive"
_WITH_GROUPS: Final = frozenset({_ANYIO, "asyncio"})
_ANYIO_THREAD: Final = "AsyncIOBackend.run_sync_in_worker_thread"
_STARLETTES_ASKING: Final = frozenset({"run_in_threadpool", "iterate_in_threadpool"})
_OF_STREAMS: Final = frozenset({"StreamReader._wait_for_data", "FlowControlMixin._drain_helper"})
# The protocols of a pipe to a subprocess, asyncio's and uvloop's, as the streams know them.
_PIPES: Final = frozenset({"ReadSubprocessPipeProto", "SubprocessStreamProtocol"})
# For tasks that send, or for whatever: that may be their client, too.
_VAGUE: Final = frozenset({_SEND, "tasks", _FUTURE})


class Await(NamedTuple):
    """What somebody waits for, and where in their code; of a send to another client, whose."""

    what: str
    where: str
    to: Context | None = None


async def send_back(ledger: Ledger, sent: Awaitable[None]) -> None:
    """Wait for *sent*, which goes to the client of the utterance that *ledger* is of."""
    ledger.begin_send()
    try:
        await sent
    finally:
        ledger.end_send()


async def receive_more(received: Awaitable[_T]) -> _T:
    """Wait for a part of a request, which its client may not have sent yet; as `send_to` does."""
    return await received


async def send_to(
    recipient: Context,  # noqa: ARG001 -- it is there to be seen from outside
    sent: Awaitable[None],
) -> None:
    """Wait for *sent*, which goes to another client than the sender's own: to *recipient*'s.

    Whoever asks what the sender waits for finds that in this frame: nothing is noted before.
    """
    await sent


def await_of(task: Any, within: Any = None) -> Await:
    """Tell what *task* waits for.

    Args:
        task: What waits; of anything else than a task, what the task inside of *within* waits for.
        within: One that it is part of: where, if neither *task* nor who waits for it is in code of
            the user's.
    """
    if coroutine_of(task) is None:
        task = inmost(within)
    frames = frames_of_awaits(coroutine_of(task))
    places, sending = places_of(frames), _sending_frame(frames)
    what, place = _told_inside(frames) if sending is None else (_SEND, None)
    where = place or next((place for place in places if place.is_users), None)
    waiting: list[Place] = []
    if where is None:
        waiting = _places(waiter_of(task))
        outside = (*waiting, *_places(within))
        # Which line of a server's reads its clients' requests says nothing.
        inside = None if what == _RECEIVE else users_place(places)
        where = next((place for place in outside if place.is_users), inside)
    to = sending and sending.f_locals.get("recipient")
    return Await(what or _what(places, waiting), str(where or ""), to)


def _places(task: Any) -> list[Place]:
    return places_of_awaits(coroutine_of(task))


def inmost(task: Any) -> Any:
    """Find who is at work for *task*: the one task of a group that a library made for it.

    Starlette's middlewares run what they are around in one, and wait for a message from there. Of
    the user's own groups, nobody knows what their tasks are for.
    """
    found = {task}
    while True:
        frames = frames_of_awaits(coroutine_of(task))
        theirs = [frame for frame in frames if not Place.of(frame.f_code, 0).is_users]
        groups = [each for frame in theirs for each in frame.f_locals.values() if _is_group(each)]
        # At once, each: the watchdog asks, too, while the loop goes on.
        tasks = set().union(*(group._tasks for group in groups)) - found  # noqa: SLF001
        if len(tasks) != 1:
            return task

        found |= tasks
        [task] = tasks


def _is_group(thing: Any) -> bool:
    kind = type(thing)
    return kind.__name__ == "TaskGroup" and kind.__module__.partition(".")[0] in _WITH_GROUPS


def is_for_client(task: Any) -> bool:
    """Tell whether what *task* waits for may be its own client, while one of its tasks sends."""
    found = await_of(task)
    return found.to is None and found.what in _VAGUE


def _sending_frame(frames: list[FrameType]) -> FrameType | None:
    """Find where a task sends, unless it waits for something in the user's code within that."""
    for frame in frames:
        if frame.f_code in {send_back.__code__, send_to.__code__}:
            return frame
        if Place.of(frame.f_code, frame.f_lineno).is_users:
            break

    return None


def _told_inside(frames: list[FrameType]) -> tuple[str | None, Place | None]:
    """Name what is known by a frame's variables only, and where that is, if it says so, too.

    That is: the client, a subprocess, or what a thread of anyio's is to run, as Starlette and
    FastAPI let run in one what isn't async.
    """
    for number, frame in enumerate(frames):
        if frame.f_code is receive_more.__code__:
            return _RECEIVE, None
        function = frame.f_code.co_qualname
        if function == _ANYIO_THREAD:
            asked = frame.f_locals
            func = function_of(asked.get("func"), asked.get("args") or ())
            what = f"{FREE_THREAD if number else THREAD_RUNNING} {name_of_function(func)}"
            return what, _place_of_job(func, frames[number + 1 :])
        if function in _OF_STREAMS and _is_of_subprocess(frame.f_locals.get("self")):
            return _SUBPROCESS, None
        if Place.of(frame.f_code, frame.f_lineno).is_users:
            break

    return None, None


def _place_of_job(func: Any, frames: list[FrameType]) -> Place | None:
    """Tell where the user's *func* is, if it is a library that has asked for it, in *frames*."""
    code = code_of_function(func)
    if code is None or not (job := Place.of(code, code.co_firstlineno)).is_users:
        return None

    places = (Place.of(frame.f_code, frame.f_lineno) for frame in frames)
    asked = (place for place in places if not _asks_for_others(place))
    caller = next(asked, None)
    return None if caller is not None and caller.is_users else job


def _asks_for_others(place: Place) -> bool:
    return place.library == _ANYIO or place.function in _STARLETTES_ASKING


def _is_of_subprocess(stream: Any) -> bool:
    """Tell whether a stream's other end is a subprocess: what it writes to, or is read by."""
    transport = getattr(stream, "_transport", None)
    protocol = stream if transport is None else transport.get_protocol()
    return type(protocol).__name__ in _PIPES


def _is_known(place: Place) -> bool:
    return place.is_asyncios or place.library == _ANYIO


def _what(places: list[Place], waiting: list[Place]) -> str:
    """Name it by the innermost coroutine that is known, and the library around it.

    That one may be *waiting* for a task of asyncio's, such as `wait_for` has before Python 3.12.
    """
    # What called the user's code, a server or a framework, doesn't wait for anything.
    called = [*takewhile(lambda place: not place.is_users, places)]
    known = [_WHAT[p.function] for p in called if p.function in _WHAT and _is_known(p)]
    what = min(known, key=_BUILT_OF.__contains__, default=_FUTURE)
    around = takewhile(lambda place: not place.is_users, (*places, *waiting))
    libraries = [place.library for place in around if place.library]
    if not libraries:
        return what

    # anyio says as little as asyncio about what is waited for: whoever calls it says more.
    library = next((each for each in libraries if each != _ANYIO), _ANYIO)

    return library if what == _FUTURE else f"{what} in {library}"
