"""What a suspended task waits for, as its frames tell: a sleep, a lock, a queue, the network."""

from __future__ import annotations

from collections.abc import Awaitable
from itertools import takewhile
from typing import Any, Final, NamedTuple

from tracelog.context import Context
from tracelog.latency.places import Place, frames_of_awaits, places_of_awaits, users_place
from tracelog.loops import waiter_of


__all__ = ["SEND", "Await", "await_of", "send_to"]

# asyncio's own coroutines, by what they wait for.
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
    "BaseSubprocessTransport._wait": "subprocess",
    "Process.communicate": "subprocess",
    "Process.wait": "subprocess",
    "to_thread": "thread",
    "TaskGroup.__aexit__": "tasks",
    "wait": "tasks",
    "_wait": "tasks",
}
_BUILT_OF: Final = frozenset({"event", "condition"})  # others of asyncio's, inside
_FUTURE: Final = "future"
SEND: Final = "send"


class Await(NamedTuple):
    """What somebody waits for, and where in their code; for a send, whose client is to take it."""

    what: str
    where: str
    to: Context | None = None


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
        task: What waits; anything else than a task waits for nobody knows what.
        within: One that it is part of: where, if neither *task* nor who waits for it is in code of
            the user's.
    """
    places, around = _places(task), _places(within)
    where = next((place for place in places if place.is_users), None)
    if where is None:
        outside = (*_places(waiter_of(task)), *around)
        where = next((place for place in outside if place.is_users), users_place(places))
    to = _recipient(task)
    return Await(SEND if to is not None else _what(places or around), str(where or ""), to)


def _places(task: Any) -> list[Place]:
    get_coro = getattr(task, "get_coro", None)
    return [] if get_coro is None else places_of_awaits(get_coro())


def _recipient(task: Any) -> Context | None:
    """Tell to whom *task* sends, unless it waits for something in the user's code within that."""
    get_coro = getattr(task, "get_coro", None)
    for frame in [] if get_coro is None else frames_of_awaits(get_coro()):
        if frame.f_code is send_to.__code__:
            return frame.f_locals["recipient"]  # type: ignore[no-any-return]
        if Place.of(frame.f_code, frame.f_lineno).is_users:
            break

    return None


def _what(places: list[Place]) -> str:
    """Name it by the innermost of asyncio's coroutines that is known, and the library around it."""
    # What called the user's code, a server or a framework, doesn't wait for anything.
    called = [*takewhile(lambda place: not place.is_users, places)]
    known = [_WHAT[p.function] for p in called if p.is_asyncios and p.function in _WHAT]
    what = min(known, key=_BUILT_OF.__contains__, default=_FUTURE)
    library = next((place.library for place in called if place.library), None)
    if library is None:
        return what

    return library if what == _FUTURE else f"{what} in {library}"
