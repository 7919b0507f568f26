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
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar
from weakref import ref

from tracelog.context import Context, current_context, enter_context, snapshot
from tracelog.loops import coroutine_of, variables_of, waits_for


__all__ = ["LifoQueue", "PriorityQueue", "Queue", "Taken", "take_arrival", "taken", "task_of"]


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


class _Entry(NamedTuple):
    """An item in its queue; it is ordered and shown as the item is.

    Attributes:
        item: The user's.
        context: That of whoever put it.
        put_at: When that was.
        depth: How many items were in the queue then.
    """

    item: Any
    context: Context
    put_at: float
    depth: int

    def __lt__(self, other: Any) -> bool:
        return self.item < other.item  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return repr(self.item)


_make_entry = partial(tuple.__new__, _Entry)  # for every item: a third of the time


class _Work:
    """What a worker is at: an item that it has taken. A plain class: one is made for every item.

    Attributes:
        context: That of whoever put the item.
        put_at: When that was; NaN once somebody has taken over what it began.
        depth: How many items were in the queue then.
        wait: How long it was in there, in seconds; None stands for several items at once.
        worker: Refers to the task that took it.
        own: The context that the worker is in by itself.
    """

    __slots__ = ("context", "depth", "own", "put_at", "wait", "worker")

    context: Context
    put_at: float
    depth: int
    wait: float | None
    worker: _Worker
    own: Context


def _no_task() -> None:
    """Refer to code outside of tasks, as a weak reference would."""


_running_loop = asyncio._get_running_loop  # noqa: SLF001 -- the public one raises without a loop
# Before 3.12 the public one isn't compiled; this is all that it does.
task_of: Callable[[Any], asyncio.Task[Any] | None] = (
    asyncio.current_task
    if sys.version_info >= (3, 12)
    else vars(asyncio.tasks)["_current_tasks"].get
)


# What was taken here; or, between two items, the worker itself.
_work: ContextVar[_Work | _Worker | None] = ContextVar("tracelog_work", default=None)


def taken() -> Taken | None:
    """Tell how the item that is being worked on here fared in its queue; None if there is none."""
    work = _work.get()
    if not isinstance(work, _Work) or work.wait is None or _has_moved_on(work):
        return None

    return Taken(round(work.wait * 1000, 3), work.depth)


def take_arrival() -> float | None:
    """Tell, once, when the item that is being worked on here was put; by the queue's clock."""
    work = _work.get()
    if not isinstance(work, _Work) or work.wait is None or _has_moved_on(work):
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
        self._take: Callable[[], _T] = super().get_nowait
        self._wait: Callable[[], Coroutine[Any, Any, _T]] = super().get
        self._asked_on: Any = None
        super().__init__(maxsize)

    def _put(self, item: _T) -> None:
        self._keep(_make_entry((item, snapshot(), self._clock(), self.qsize())))

    def _get(self) -> _T:
        self._entry = entry = self._next()
        return entry[0]  # type: ignore[no-any-return]

    # No coroutine function: the worker's own context is back when it asks, wherever it waits.
    def get(self) -> Coroutine[Any, Any, _T]:
        """Take an item, as soon as there is one, and be in its context from then on."""
        _rest(self._task())
        return self._wait()

    def get_nowait(self) -> _T:
        """Take an item, and be in its context from now on; if there is none, in one's own."""
        asked, task = _work.get(), self._task()
        # `get` has just been called, as a rule, and there is nothing to leave.
        rests = type(asked) is ref and task is not None and asked() is task
        worker: Any = asked if rests else _rest(task)
        item = self._take()
        # Not in `_get`: `shutdown` calls that, too, to throw items away.
        entry, self._entry = self._entry, None
        if entry is None:  # a subclass keeps its items in its own way
            return item

        work = _Work()
        _, work.context, work.put_at, work.depth = entry
        work.wait = self._clock() - work.put_at
        work.worker, work.own = worker, current_context()
        _work.set(work)
        enter_context(work.context)
        if not rests:
            _hand_on(work, asked, task)
        return item

    def _task(self) -> asyncio.Task[Any] | None:
        """Tell who asks."""
        # On the loop of the last time, as a rule; before 3.12 it is a system call to find it.
        loop = self._asked_on
        task = None if loop is None else task_of(loop)
        if task is None:
            self._asked_on = loop = _running_loop()
            task = None if loop is None else task_of(loop)
        return task


class PriorityQueue(Queue[_Ordered], asyncio.PriorityQueue[_Ordered]):
    """A `Queue` whose least item comes first: as in `asyncio.PriorityQueue`, the items decide."""


class LifoQueue(Queue[_T], asyncio.LifoQueue[_T]):
    """A `Queue` whose latest item comes first."""


def _rest(task: asyncio.Task[Any] | None) -> _Worker:
    """Be back in one's own context; what a task has inherited is its own."""
    work = _work.get()
    worker = work.worker if isinstance(work, _Work) else work
    if worker is None or worker() is not task or (task is None and worker is not _no_task):
        worker = _no_task if task is None else ref(task)
    elif isinstance(work, _Work) and (work.own.connection is None or not _has_moved_on(work)):
        enter_context(work.own)
    _work.set(worker)
    return worker


def _has_moved_on(work: _Work) -> bool:
    """Tell whether a worker that is a connection's task got that connection's next message."""
    own, current = work.own, current_context()
    return (
        own.connection_id is not None
        and own.connection_id == current.connection_id
        and _trace_id(current) not in {_trace_id(own), _trace_id(work.context)}
    )


def _trace_id(context: Context) -> str | None:
    return context.trace.trace_id if context.trace else None


def _hand_on(work: _Work, asked: Any, task: asyncio.Task[Any] | None) -> None:
    """Let the worker that *asked* be in the context, if *task* takes the item for it.

    Before 3.12 `wait_for` makes a task of its own for `get`; `wait` and people do so to this day.
    """
    worker = asked() if isinstance(asked, ref) else None
    if worker is None or task is None or not _takes_for(worker, task):
        return

    variables = variables_of(worker) or Variables()
    try:
        variables.run(_receive, work, asked)
    except RuntimeError:  # the two share one context, and it is there already
        work.worker = asked


def _takes_for(worker: asyncio.Task[Any], task: asyncio.Task[Any]) -> bool:
    """Tell whether *task* does nothing but take an item, and *worker* nothing but wait for it."""
    takes = getattr(coroutine_of(task), "cr_code", None) is asyncio.Queue.get.__code__
    return takes and waits_for(worker, task)


def _receive(work: _Work, worker: _Worker) -> None:
    """Be in the context of *work*, or, if other work has just come, in one's own."""
    before, own = _work.get(), current_context()
    received = _Work()
    received.context, received.put_at, received.depth = work.context, work.put_at, work.depth
    received.wait, received.worker, received.own = work.wait, worker, own
    if isinstance(before, _Work):
        received.context = received.own = before.own
        received.wait = None
    _work.set(received)
    enter_context(received.context)
