"""One record at a time: what a repr, a processor or a finalizer logs meanwhile has to wait."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from tracelog.records import ContextFilter


__all__ = ["one_at_a_time"]

_keep_context = ContextFilter().filter

_MAX_WAITING: Final = 1_000
_MAX_GENERATION: Final = 3  # a record made for one that was made for one that was made for one

_Handle = Callable[[logging.LogRecord], bool]
_Lose = Callable[[BaseException], Any]


class _Here(threading.local):
    """What this thread is at."""

    waiting: deque[tuple[_Handle, logging.LogRecord, _Lose, int]] | None = None
    generation = 0


_here = _Here()


def one_at_a_time(handle: _Handle, record: logging.LogRecord, lose: _Lose) -> bool:
    """Let *handle* have *record*; once the one before it is done, if this thread is at one.

    Args:
        handle: Formats and writes a record.
        record: Which.
        lose: Counts it as lost: what each record logs about itself would never end.

    Returns:
        What *handle* says; True for a record that waits.
    """
    waiting = _here.waiting
    if waiting is not None:
        _wait(waiting, handle, record, lose)
        return True

    _here.waiting = waiting = deque()
    try:
        done = handle(record)
        while waiting:
            handle, record, lose, _here.generation = waiting.popleft()
            handle(record)
        return done
    finally:  # whoever interrupts the program interrupts this, too
        _here.waiting, _here.generation = None, 0
        for _, _, lose_one, _ in waiting:
            lose_one(InterruptedError())


def _wait(waiting: deque[Any], handle: _Handle, record: logging.LogRecord, lose: _Lose) -> None:
    generation = _here.generation + 1
    if generation > _MAX_GENERATION or len(waiting) >= _MAX_WAITING:
        lose(RecursionError("it was logged by what logs it"))
        return

    _keep_context(record)
    waiting.append((handle, record, lose, generation))
