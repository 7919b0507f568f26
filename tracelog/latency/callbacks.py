"""Whose a callback is, and which task of an utterance goes on by it."""

from __future__ import annotations

from asyncio import Task
from collections.abc import Iterator
from typing import Any

from tracelog.context import CURRENT
from tracelog.latency.ledger import Ledger
from tracelog.loops import awaited_that_waits_for, variables_of, waiter_of


__all__ = ["owner_of", "task_of"]


def owner_of(callback: Any) -> Any:
    """Find whose method a callback is."""
    return getattr(callback, "__self__", None)


def task_of(callback: Any, args: Any, ledger: Ledger) -> Any:
    """Find the task of *ledger*'s utterance that a callback goes on with, or is about to let go on.

    That is: its own; the one that waits for a future which it sets, as a timer does, or whoever
    tells that a thread is done; the one that it cancels, when a timeout is over; or one that the
    handler gathers or shields, and that is told of a future after this callback, as by asyncpg.
    """
    owner = owner_of(callback)
    if isinstance(owner, Task):
        return owner

    tasks = _candidates(owner, args or (), ledger)
    return next((task for task in tasks if _is_part(task, ledger)), None)


def _candidates(owner: Any, args: Any, ledger: Ledger) -> Iterator[Any]:
    """Give whoever may go on, the likeliest first: it takes a while to find out."""
    yield from map(waiter_of, args)
    for name in ("_task", "_host_task"):
        yield getattr(owner, name, None)
    yield awaited_that_waits_for(ledger.root.task, args)


def _is_part(task: Any, ledger: Ledger) -> bool:
    """Tell whether *task* is of *ledger*'s utterance: others may await the same future."""
    variables = variables_of(task) if isinstance(task, Task) else None
    context = None if variables is None else variables.get(CURRENT)
    return context is not None and context.ledger is not None and context.ledger.root is ledger.root
