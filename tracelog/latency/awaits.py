"""What a suspended task waits for, as its frames tell: a sleep, a lock, a queue, the network."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, Final, NamedTuple

from tracelog.latency.places import Place, places_of_awaits, users_place
from tracelog.loops import waiter_of


__all__ = ["Await", "await_of"]

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


class Await(NamedTuple):
    """What somebody waits for, and where in their code."""

    what: str
    where: str


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
    return Await(_what(places or around), str(where or ""))


def _places(task: Any) -> list[Place]:
    get_coro = getattr(task, "get_coro", None)
    return [] if get_coro is None else places_of_awaits(get_coro())


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
