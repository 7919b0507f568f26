"""Eager tasks (`asyncio.eager_task_factory`, Python 3.12) begin inside of the step that makes them.

That step is somebody else's: no handle tells when such a beginning is over, but its maker does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelog.context import CURRENT, Context, current_context
from tracelog.latency.shadows import shadow
from tracelog.latency.steps import Steps
from tracelog.loops import variables_of


__all__ = ["time_eager_tasks"]


def time_eager_tasks(loop: Any, steps: Steps) -> Callable[[], None]:
    """Let *loop*'s `create_task` tell *steps* whose time the beginning was; gives the undoing."""
    plain, clock = loop.create_task, steps.clock

    def create_task(coro: Any, **options: Any) -> Any:
        if loop.get_task_factory() is None:  # nobody else makes eager ones
            return plain(coro, **options)

        maker, began = current_context(), clock()
        if maker.ledger is not None:
            maker.ledger.ran(steps.began, began)
        task = plain(coro, **options)
        variables = variables_of(task)
        context = None if variables is None else variables.get(CURRENT)
        if context is not None and context.ledger is not None:
            _note(steps, context, began)
        return task

    return shadow(loop, {"create_task": create_task})


def _note(steps: Steps, context: Context, began: float) -> None:
    """Note that what *context* is about has run since it *began*, within somebody's step."""
    ledger, now = context.ledger, steps.clock()
    ledger.ran(began, now)
    if ledger.root.begun >= began:  # an utterance of its own
        steps.leave(context, now)
