"""`span` and `utterance`: parts of a trace that are timed, around any code.

Both work as `with` and as a decorator, in sync and in async code. What was there before is restored
by value, as everywhere: a generator may be closed elsewhere.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any, Final, ParamSpec, Self, TypeVar
from weakref import WeakKeyDictionary

from tracelog.context import Context, current_context, enter_context
from tracelog.decorating import Block, decorate
from tracelog.emit import emit
from tracelog.errors import ConfigError
from tracelog.fields import EVENT_SPAN, FAILED, NAME, OWN_MS, TOTAL_MS
from tracelog.ids import TraceContext, read_parent
from tracelog.latency.clock import SYSTEM_CLOCK, ms_of
from tracelog.latency.findings import Findings
from tracelog.latency.ledger import Ledger
from tracelog.latency.loop import watch_of_running_loop
from tracelog.latency.policy import Policy, is_number
from tracelog.latency.utterance import Before, Utterance, make_arrival
from tracelog.latency.verdict import conclude
from tracelog.loops import running_task
from tracelog.queues import take_arrival


__all__ = ["span", "utterance"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

_log = logging.getLogger("tracelog.span")
_POLICY = Policy()
_ITEM: Final = "queue"
_FUNCTIONS: Final[tuple[type, ...]] = (FunctionType, type)  # what `@span` alone would be given
_before: WeakKeyDictionary[Any, Before] = WeakKeyDictionary()  # by the task that works on items


class _Timed(ABC):
    """A `with` block, or each call of a decorated function."""

    @abstractmethod
    def _again(self) -> Self:
        """Make another one like this: each call of a function has its own."""

    @abstractmethod
    def __enter__(self) -> TraceContext: ...

    @abstractmethod
    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None: ...

    def __call__(self, func: Callable[_P, _R], /) -> Callable[_P, _R]:
        """Decorate *func*: a function or a generator function, sync or async."""
        return decorate(func, self._again, lambda: self._again()._in_steps())  # noqa: SLF001 -- ours

    @abstractmethod
    def _go_on(self) -> None:
        """Come into it, or back into it, maybe in another task."""

    @abstractmethod
    def _pause(self) -> None:
        """Go out of it, for a while or for good."""

    @contextmanager
    def _in_steps(self) -> Iterator[Block]:
        """Be around a generator: from its first step to its end, but for what is between steps."""
        with self:
            self._pause()
            try:
                yield self._step
            finally:
                self._go_on()

    @contextmanager
    def _step(self) -> Iterator[None]:
        self._go_on()
        began = SYSTEM_CLOCK.monotonic()
        try:
            yield
        finally:
            # The loop's own step goes on for whoever iterates.
            watch, ledger = watch_of_running_loop(), current_context().ledger
            if watch is not None and ledger is not None:
                ledger.ran(max(began, watch.steps.began), SYSTEM_CLOCK.monotonic())
            self._pause()


class span(_Timed):  # noqa: N801 -- used like a function, as `bound_context` is
    """Time a part of the current trace, and of the utterance that it belongs to.

    An utterance's verdict sums its spans up, by name. Each leaves a line at DEBUG, too.

    >>> with span("llm", model="m") as here:
    ...     len(here.span_id)
    16

    Args:
        name: What it is called: the same for each of its kind.
        values: Shown on its line.

    Raises:
        TypeError: If it decorates a function without having a name.
    """

    def __init__(self, name: str, /, **values: Any) -> None:
        if isinstance(name, _FUNCTIONS):
            raise TypeError(f'a span has a name, got {name!r}\n  Try: @tracelog.span("llm")')

        self._name = name
        self._values = values

    def _again(self) -> Self:
        return type(self)(self._name, **self._values)

    def __enter__(self) -> TraceContext:
        outer = current_context()
        self._trace = outer.trace.child() if outer.trace else TraceContext.new()
        self._ledger = Ledger(SYSTEM_CLOCK.monotonic(), self._name, outer.ledger)
        self._go_on()
        return self._trace

    def _go_on(self) -> None:
        outer = self._outer = current_context()
        enter_context(Context.make(outer.bound, self._trace, outer.connection, self._ledger))

    def _pause(self) -> None:
        # What was bound within it is about its task, and stays: whose utterance it is, say.
        _leave(self._ledger, self._outer, current_context().bound)

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        now, ledger = SYSTEM_CLOCK.monotonic(), self._ledger
        watch = watch_of_running_loop()
        ledger.end(watch.steps.began if watch is not None else now, now)
        if ledger.root is not ledger and ledger.root.is_open:
            Findings.of(ledger).note_span(ledger)
        if _log.isEnabledFor(logging.DEBUG):
            fields = {NAME: self._name, **self._values}
            fields[TOTAL_MS] = ms_of(ledger.ended - ledger.begun)
            fields[OWN_MS] = ms_of(ledger.own)
            if isinstance(error, Exception):
                fields[FAILED] = True
            emit(_log, logging.DEBUG, EVENT_SPAN, (), fields)
        self._pause()


class utterance(_Timed):  # noqa: N801 -- the same
    """Account for one unit of a user's demand that is neither HTTP nor WebSocket.

    A queue's consumer, a bot, a test. It has a trace of its own and ends with a verdict. In a
    worker of a `tracelog.Queue` it is about the item that was taken last: it continues that item's
    trace, and begins when the item was put.

    >>> with utterance(user_id="kim"):
    ...     pass

    Args:
        budget_ms: From how many milliseconds on it is late; 200 by default.
        parent: The trace that it continues, as `new_trace` takes it.
        values: Bound to its context.

    Raises:
        ConfigError: If *budget_ms* is no number.
    """

    def __init__(
        self,
        *,
        budget_ms: float | None = None,
        parent: TraceContext | str | bytes | None = None,
        **values: Any,
    ) -> None:
        if budget_ms is not None and not is_number(budget_ms):
            text = f"expected a number of milliseconds, got {budget_ms!r}"
            raise ConfigError("budget_ms", text, hint="budget_ms=200")

        self._budget_ms = budget_ms
        self._parent = read_parent(parent)
        self._values = values

    def _again(self) -> Self:
        return type(self)(budget_ms=self._budget_ms, parent=self._parent, **self._values)

    def __enter__(self) -> TraceContext:
        outer = self._outer = current_context()
        item = take_arrival()
        kind, name, parent = "task", "utterance", self._parent
        wall, now = SYSTEM_CLOCK.wall(), SYSTEM_CLOCK.monotonic()
        if item is not None:
            kind, name, parent = _ITEM, "item", parent or outer.trace
            wall, now = wall - (now - item), item
        utterance = self._utterance = Utterance(
            1,
            kind,
            name,
            make_arrival((wall, now, 0.0, False)),
            policy=_POLICY,
            clock=SYSTEM_CLOCK,
            about={},
            before=_item_before() if item is not None else None,
            budget_ms=self._budget_ms,
        )
        trace = parent.child() if parent is not None else TraceContext.new()
        bound = {**outer.bound, **self._values}
        context = Context.make(bound, trace, outer.connection, utterance.ledger)
        utterance.context = context
        enter_context(context)
        return trace

    def _go_on(self) -> None:
        self._outer = current_context()
        enter_context(self._inner)

    def _pause(self) -> None:
        self._inner = current_context()
        _leave(self._utterance.ledger, self._outer, self._outer.bound)

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        conclude(self._utterance, failed=isinstance(error, Exception))
        worker = running_task() if self._utterance.kind == _ITEM else None
        if worker is not None:
            _before[worker] = self._utterance.as_turn()
        self._pause()


def _item_before() -> Before | None:
    """Tell what the current worker was at before."""
    worker = running_task()
    return None if worker is None else _before.get(worker)


def _leave(ledger: Ledger, outer: Context, bound: Mapping[str, Any]) -> None:
    """Go back to *outer*, unless this is somebody else's context: a generator was closed there."""
    if current_context().ledger is ledger:
        enter_context(outer if bound is outer.bound else outer.with_bound(bound))
