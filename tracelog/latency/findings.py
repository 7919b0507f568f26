"""What was found out about one utterance's waits: whom it waited for, where, and who let it go on.

Bounded, whatever the utterance does: what there is no room for is in the boxes all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final, NamedTuple

from tracelog.context import CURRENT, Context
from tracelog.latency.awaits import await_of, inmost, is_for_client
from tracelog.latency.callbacks import task_of
from tracelog.latency.holds import Hold
from tracelog.latency.ledger import NOTABLE_S, Ledger
from tracelog.latency.steps import Step, Steps
from tracelog.latency.threads import Job, jobs_for, parts_in_threads
from tracelog.loops import coroutine_of, variables_of


__all__ = ["Awaited", "Findings", "explain"]

_LEAST_S: Final = 0.001  # of a wait, or of a hold's part in one
_MAX: Final = 64
_LATEST: Final = 512  # steps that are looked at for whose the short ones were


class Awaited(NamedTuple):
    """Something that was waited for.

    Attributes:
        what: Its kind.
        where: In which line of the user's code.
        until: The trace whose step let it go on, if that was another's.
        to: The trace of the connection whose client was to take what was sent, if it was that.
        after: That step came after the end of its utterance: of a task that this has left behind.
    """

    what: str
    where: str
    until: str | None
    to: str | None = None
    after: bool = False


class _Aside(NamedTuple):
    """What other tasks waited for while their utterance's handler waits for one thing.

    Attributes:
        main: The handler's task.
        handler: What that is.
        since: When they began to.
        awaits: Seconds, by what they waited for.
    """

    main: Any
    handler: Any
    since: float
    awaits: dict[Awaited, float]


class Findings:
    """What is known about the waits of one utterance.

    Args:
        root: Its ledger.

    Attributes:
        awaits: Seconds waited, by what for.
        own: Seconds for which steps of its own held the loop, by where and why.
        holds: Seconds for which somebody's step held the loop meanwhile.
        others: Seconds for which many short steps did, by the trace whose they were.
        who: The latest context of each trace in here.
        spans: Count, and total and own seconds, of the spans within it, by their names.
        jobs: The latest that executors were given for it.
        waits: From when to when it waited for the loop while no hold was; in order.
    """

    __slots__ = (
        *("_aside", "_root", "awaits", "holds", "jobs", "others", "own", "spans", "waits"),
        "who",
    )

    def __init__(self, root: Ledger) -> None:
        self._root = root
        self._aside = _Aside(None, None, 0.0, {})
        self.awaits: dict[Awaited, float] = {}
        self.own: dict[tuple[str, str], float] = {}
        self.holds: dict[Hold, float] = {}
        self.others: dict[str, float] = {}
        self.who: dict[str, Context] = {}
        self.spans: dict[tuple[str, ...], list[float]] = {}
        self.jobs: deque[Job] = deque(maxlen=_MAX)
        self.waits: list[tuple[float, float]] = []

    @classmethod
    def of(cls, ledger: Ledger) -> Findings:
        """Give those of the utterance that *ledger* is part of; most have none until they wait."""
        root = ledger.root
        if root.notes is None:
            root.notes = cls(root)
        return root.notes  # type: ignore[no-any-return]

    def note_await(self, task: Any, began: float, ended: float, waker: Context | None) -> None:
        """Note that, from then to then, it waited for what *task* did, until *waker*'s step.

        While a handler waits, other tasks of its utterance may go on: one that pings, say, or one
        that does what it waits for. It is seen when the handler goes on: by a step of its own
        utterance, the wait was theirs; by another's, or by none, it was the handler's all along.
        """
        root = self._root.task
        main = task if task is root else inmost(root)
        waited = getattr(main, "_fut_waiter", None)
        if waited is not self._aside.handler:
            self.settle()
            self._aside = _Aside(main, waited, began, {})
        seconds, aside = ended - began, self._aside.awaits
        if waited is not None and task is not main and coroutine_of(task) is not None:
            self._note_await(aside, task, (began, ended), seconds, waker)
            _ask_about_next_step(main)
            return

        if waker is None or not self._is_own(waker):
            began = self._aside.since if aside else began
            seconds += sum(aside.values())
            aside.clear()
        self.settle()
        self._note_await(self.awaits, task, (began, ended), seconds, waker)

    def is_handlers(self, task: Any) -> bool:
        """Tell whether *task* is the handler's, which waited while others were seen at work."""
        return task is not None and task is self._aside.main

    def settle(self) -> None:
        """Take what other tasks than the handler's waited for as what it waited for."""
        for awaited, seconds in self._aside.awaits.items():
            _add(self.awaits, awaited, seconds)
        self._aside = _Aside(None, None, 0.0, {})

    def _note_await(
        self,
        sums: dict[Awaited, float],
        task: Any,
        span: tuple[float, float],
        left: float,
        waker: Context | None,
    ) -> None:
        """Add to *sums* what *task* waited for within *span*, for *left* seconds of it."""
        found = await_of(task, self._root.task)
        jobs = jobs_for(task, found.what, self.jobs, span[0])
        for seconds, what in parts_in_threads(jobs, *span):
            part = min(left, seconds)
            if part >= _LEAST_S:
                _add(sums, Awaited(what, found.where, None), part)
                left -= part
        if left < _LEAST_S:
            return

        until = to = None
        after = False
        if found.to is not None:  # whatever the step was, it was the client that let it go on
            to = self._remember(found.to)
        elif waker is not None and not self._is_own(waker):
            until = self._remember(waker)
            after = waker.ledger is not None and waker.ledger.root.ended < span[1]
        _add(sums, Awaited(found.what, found.where, until, to, after), left)

    def note_wait(self, steps: Steps, began: float, ended: float) -> None:
        """Note that it waited for the loop from then to then.

        Whose many short steps kept the loop is found out at the end, if it is late: under load
        everybody waits, and to ask each time would be the greatest load of all.
        """
        if steps.held_until > began:
            self.note_loop(reversed(steps.recent), began, ended)
        elif len(self.waits) < _MAX:
            self.waits.append((began, ended))

    def note_others(self, steps: Steps) -> None:
        """Note whose short steps kept the loop while it waited."""
        waits = self.waits
        for step in islice(reversed(steps.recent), _LATEST):
            while waits and step.ended <= waits[-1][0]:
                waits.pop()
            if not waits:
                break
            self._note_part(step, *waits[-1])

    def note_loop(
        self,
        recent: Iterable[Step],
        began: float,
        ended: float,
        *,
        only: Callable[[Step], bool] | None = None,
    ) -> None:
        """Note which of the *recent* steps, the latest first, kept the loop from then to then.

        Args:
            recent: What ran.
            began: Since when it waited for the loop, or for somebody who did.
            ended: Until when.
            only: Tells which of them count; all do by default.
        """
        for step in recent:
            if step.ended <= began:
                break
            if only is None or only(step):
                self._note_part(step, began, ended)

    def note_own(self, where: str, kind: str, seconds: float) -> None:
        """Note that it held the loop itself."""
        _add(self.own, (where, kind), seconds)

    def note_span(self, ledger: Ledger) -> None:
        """Note that a span within it has ended."""
        names: list[str] = []
        span: Ledger | None = ledger
        while span is not None and span is not self._root:
            names.append(span.name)
            span = span.parent
        path = tuple(reversed(names))
        if path in self.spans or len(self.spans) < _MAX:
            sums = self.spans.setdefault(path, [0, 0.0, 0.0])
            sums[0] += 1
            sums[1] += ledger.ended - ledger.begun
            sums[2] += ledger.own

    def _note_part(self, step: Step, began: float, ended: float) -> None:
        """Note the part of *step* that lies between then and then."""
        seconds = min(ended, step.ended) - max(began, step.began)
        if seconds <= 0 or self._is_own(step.context):
            return

        if step.hold is not None:
            _add(self.holds, step.hold, seconds)
            step.hold.delay(self._root, seconds)
        elif step.context is not None:
            trace_id = self._remember(step.context)
            if trace_id is not None:
                _add(self.others, trace_id, seconds)

    def _is_own(self, context: Context | None) -> bool:
        return (
            context is not None and context.ledger is not None and context.ledger.root is self._root
        )

    def _remember(self, context: Context) -> str | None:
        if context.trace is None:
            return None

        trace_id = context.trace.trace_id
        if trace_id not in self.who and len(self.who) >= _MAX:
            return None  # whoever is named has to be known

        self.who[trace_id] = context
        return trace_id


def _ask_about_next_step(task: Any) -> None:
    """Let it be asked what has let *task* go on, however short after the last step that was."""
    variables = variables_of(task)
    context = None if variables is None else variables.get(CURRENT)
    if context is not None and context.ledger is not None:
        context.ledger.notable = 0.0


def _add(sums: dict[Any, float], key: Any, seconds: float) -> None:
    if key in sums or len(sums) < _MAX:
        sums[key] = sums.get(key, 0.0) + seconds


def explain(
    steps: Steps, waited: Ledger, callback: Any, args: Any, ready: float, waker: Context | None
) -> None:
    """Find out why a step of *waited*'s, which could have begun when *ready*, begins only now.

    Args:
        steps: Those of its loop.
        waited: Whose step it is.
        callback: What is called in it.
        args: With what.
        ready: When it could have.
        waker: Whose step has let it.
    """
    root, now = waited.root, steps.began
    cursor = root.cursor
    ready = min(max(ready, cursor), now)
    try:
        task = task_of(callback, args, waited)
        goes_on = waited.notable < NOTABLE_S and Findings.of(root).is_handlers(task)
        if goes_on:
            waited.notable = NOTABLE_S
        notable = goes_on or ready - cursor >= NOTABLE_S
        if notable and not (root.sending and _is_for_client(root, task)):
            Findings.of(root).note_await(task, cursor, ready, waker)
            if root.sending:
                root.wait_besides(ready - cursor)
        if now - ready >= NOTABLE_S:
            Findings.of(root).note_wait(steps, ready, now)
    except Exception:  # noqa: BLE001 -- other people's objects; a reason is not worth a step
        steps.failures += 1


def _is_for_client(root: Ledger, task: Any) -> bool:
    """Tell, while *root*'s utterance sends, whether *task* has waited for its client, too.

    The one task that is going to end it tells what it waits for; what others do is beside that.
    """
    return task is not root.task or is_for_client(task)
