"""asyncio's queues, with the context in the item: a worker is in that of whoever put what it took.

A worker that asks for the next item, with `get` or `get_nowait`, is back in its own context at that
moment, and in the item's as soon as it has one. Tasks that it started for an item stay in that
item's. Other people's context variables are left alone.
"""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import Callable, Coroutine
from contextvars import Context as Variables
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import ref

from tracelog.context import Context, current_context, enter_context, snapshot
from tracelog.loops import variables_of, waits_for


__all__ = ["LifoQueue", "PriorityQueue", "Queue", "Taken", "take_arrival", "taken"]


class _Comparable(Protocol):
    def __lt__(self, other: Any, /) -> bool: ...


_T = TypeVar("_T")
_Ordered = TypeVar("_Ordered", bound=_Comparable)


@dataclass(frozen=True, slots=True)
class Taken:
    """What an item met in its queue.

    Attributes:
        wait_ms: How long it was in there.
        depth: How many items were in there when it was put.
    """

    wait_ms: float
    depth: int


_Worker: TypeAlias = Callable[[], "asyncio.Task[Any] | None"]


class _Entry:
    """An item in its queue, and what its worker is at afterwards; never changed from then on.

    It is ordered and shown as the item is. A plain class: this is made for every item.

    Attributes:
        item: The user's, until it is taken.
        context: That of whoever put it.
        put_at: When that was.
        depth: How many items were in the queue then.
        wait: How long it was in there, in seconds; None stands for several items at once.
        worker: Refers to the task that took it.
        own: The context that the worker is in by itself.
    """

    __slots__ = ("context", "depth", "item", "own", "put_at", "wait", "worker")

    wait: float | None
    worker: _Worker
    own: Context

    def __init__(self, item: Any, context: Context, put_at: float, depth: int) -> None:
        self.item = item
        self.context = context
        self.put_at = put_at
        self.depth = depth

    def __lt__(self, other: _Entry) -> bool:
        return self.item < other.item  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return repr(self.item)


def _no_task() -> None:
    """Refer to code outside of tasks, as a weak reference would."""


_running_loop = asyncio._get_running_loop  # noqa: SLF001 -- the public one raises without a loop
# Before 3.12 the public one isn't compiled; this is all that it does.
_task_of: Callable[[Any], asyncio.Task[Any] | None] = (
    asyncio.current_task
    if sys.version_info >= (3, 12)
    else vars(asyncio.tasks)["_current_tasks"].get
)

# What was taken here; or, between two items, the worker itself.
_work: ContextVar[_Entry | _Worker | None] = ContextVar("tracelog_work", default=None)


def taken() -> Taken | None:
    """Tell how the item that is being worked on here fared in its queue; None if there is none."""
    work = _work.get()
    if not isinstance(work, _Entry) or work.wait is None or _has_moved_on(work):
        return None

    return Taken(round(work.wait * 1000, 3), work.depth)


def take_arrival() -> float | None:
    """Tell, once, when the item that is being worked on here was put; by the queue's clock."""
    work = _work.get()
    if not isinstance(work, _Entry) or work.wait is None or _has_moved_on(work):
        return None

    put_at, work.put_at = work.put_at, math.nan
    return None if math.isnan(put_at) else put_at


class Queue(asyncio.Queue[_T]):
    """An `asyncio.Queue` whose items carry the context of whoever put them.

    The worker that takes one works in that context until it asks for the next: with `get`, alone or
    within `asyncio.timeout`, `wait_for`, `wait`, or as a task that it awaits; or with `get_nowait`.
    An item that comes while the worker isn't waiting for it, but for something else, finds it in
    its own context, and so do several at once. `tracelog.queues.taken` tells how long the item
    waited, and how deep the queue was.

    Args:
        maxsize: As for `asyncio.Queue`.
        clock: For tests.
    """

    def __init__(self, maxsize: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entry: _Entry | None = None
        # Looked up once, not for every item.
        self._keep: Callable[[Any], None] = super()._put
        self._next: Callable[[], Any] = super()._get
        super().__init__(maxsize)

    def _put(self, item: _T) -> None:
        self._keep(_Entry(item, snapshot(), self._clock(), self.qsize()))

    def _get(self) -> _T:
        self._entry = entry = self._next()
        return entry.item  # type: ignore[no-any-return]

    # No coroutine function: the worker's own context is back when it asks, wherever it waits.
    def get(self) -> Coroutine[Any, Any, _T]:
        """Take an item, as soon as there is one, and be in its context from then on."""
        _rest(_current_task())
        return super().get()

    def get_nowait(self) -> _T:
        """Take an item, and be in its context from now on; if there is none, in one's own."""
        asked, task = _work.get(), _current_task()
        # `get` has just been called, as a rule, and there is nothing to leave.
        rests = isinstance(asked, ref) and task is not None and asked() is task
        worker: Any = asked if rests else _rest(task)
        item = super().get_nowait()
        # Not in `_get`: `shutdown` calls that, too, to throw items away.
        entry, self._entry = self._entry, None
        if entry is None:  # a subclass keeps its items in its own way
            return item

        entry.item = None
        entry.wait = self._clock() - entry.put_at
        entry.worker, entry.own = worker, current_context()
        _work.set(entry)
        enter_context(entry.context)
        if not rests:
            _hand_on(entry, asked, task)
        return item


class PriorityQueue(Queue[_Ordered], asyncio.PriorityQueue[_Ordered]):
    """A `Queue` whose least item comes first: as in `asyncio.PriorityQueue`, the items decide."""


class LifoQueue(Queue[_T], asyncio.LifoQueue[_T]):
    """A `Queue` whose latest item comes first."""


def _current_task() -> asyncio.Task[Any] | None:
    loop = _running_loop()
    return None if loop is None else _task_of(loop)


def _rest(task: asyncio.Task[Any] | None) -> _Worker:
    """Be back in one's own context; what a task has inherited is its own."""
    work = _work.get()
    worker = work.worker if isinstance(work, _Entry) else work
    if worker is None or worker() is not task or (task is None and worker is not _no_task):
        worker = _no_task if task is None else ref(task)
    elif isinstance(work, _Entry) and (work.own.connection_id is None or not _has_moved_on(work)):
        enter_context(work.own)
    _work.set(worker)
    return worker


def _has_moved_on(entry: _Entry) -> bool:
    """Tell whether a worker that is a connection's task got that connection's next message."""
    own, current = entry.own, current_context()
    return (
        own.connection_id is not None
        and own.connection_id == current.connection_id
        and _trace_id(current) not in {_trace_id(own), _trace_id(entry.context)}
    )


def _trace_id(context: Context) -> str | None:
    return context.trace.trace_id if context.trace else None


def _hand_on(entry: _Entry, asked: Any, task: asyncio.Task[Any] | None) -> None:
    """Let the worker that *asked* be in the context, if *task* takes the item for it.

    Before 3.12 `wait_for` makes a task of its own for `get`; `wait` and people do so to this day.
    """
    worker = asked() if isinstance(asked, ref) else None
    if worker is None or task is None or not _takes_for(worker, task):
        return

    variables = variables_of(worker) or Variables()
    try:
        variables.run(_receive, entry, asked)
    except RuntimeError:  # the two share one context, and it is there already
        entry.worker = asked


def _takes_for(worker: asyncio.Task[Any], task: asyncio.Task[Any]) -> bool:
    """Tell whether *task* does nothing but take an item, and *worker* nothing but wait for it."""
    takes = getattr(task.get_coro(), "cr_code", None) is asyncio.Queue.get.__code__
    return takes and waits_for(worker, task)


def _receive(entry: _Entry, worker: _Worker) -> None:
    """Be in the context of *entry*, or, if another one has just come, in one's own."""
    before, own = _work.get(), current_context()
    received = _Entry(None, entry.context, entry.put_at, entry.depth)
    received.wait, received.worker, received.own = entry.wait, worker, own
    if isinstance(before, _Entry):
        received.context = received.own = before.own
        received.wait = None
    _work.set(received)
    enter_context(received.context)
