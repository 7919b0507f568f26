"""An exception, as data that a machine can read: types, messages, frames, causes, groups, notes.

The data hold no local variables and no source lines, nothing is read from a disk, and every list is
bounded. Nothing raises, whatever an exception's own code does.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, TypeAlias

from tracelog.plain import text_of


__all__ = ["ExcInfo", "exc_info_of", "exception_data", "exception_text"]

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None]

_MAX_CHAIN: Final = 20
_MAX_FRAMES: Final = 50
_MAX_MEMBERS: Final = 20
_MAX_DEPTH: Final = 5
_MAX_ENTRIES: Final = 200  # of the chain, its groups and theirs together


def exc_info_of(value: Any) -> ExcInfo | None:
    """Read what a caller passed as `exc_info`, whatever it is; None if there is no exception."""
    error = value[1] if isinstance(value, tuple) and len(value) == 3 else value  # noqa: PLR2004
    if not isinstance(error, BaseException):
        return None

    return (type(error), error, error.__traceback__)


def exception_data(error: BaseException) -> list[dict[str, Any]]:
    """Describe *error* and, after it, what led to it.

    Each entry has `type`, `message` and `frames` (innermost last, each with `file`, `line` and
    `function`); where there are any `notes` and, for a group, `exceptions`, a list a member; all
    but the first tell in `link` whether they were the `cause` or the `context` of the one before.
    """
    try:
        return _chain(error, 0, iter(range(_MAX_ENTRIES)))
    except Exception:  # noqa: BLE001 -- an exception's own code may raise anything
        return [_described(error)]


def exception_text(error: BaseException) -> str:
    """Write the traceback as the interpreter would, without the final newline."""
    try:
        described = traceback.TracebackException.from_exception(error, limit=-_MAX_FRAMES)
        return text_of("".join(described.format()).rstrip("\n"))
    except Exception:  # noqa: BLE001 -- an exception's own code may raise anything, RecursionError too
        return "\n".join(f"{entry['type']}: {entry['message']}" for entry in exception_data(error))


def _chain(error: BaseException, depth: int, budget: Iterator[int]) -> list[dict[str, Any]]:
    chain: list[dict[str, Any]] = []
    seen: set[int] = set()
    link: str | None = None
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        if len(chain) == _MAX_CHAIN or next(budget, None) is None:
            return [*chain, {"type": "…", "message": "and further exceptions", "frames": []}]

        seen.add(id(current))
        entry = _described(current)
        if link:
            entry["link"] = link
        entry.update(_details(current, depth, budget))
        chain.append(entry)
        current, link = _origin(current)
    return chain


def _described(error: BaseException) -> dict[str, Any]:
    return {
        "type": _qualified(type(error)),
        "message": text_of(error),
        "frames": _frames(error.__traceback__),
    }


def _details(error: BaseException, depth: int, budget: Iterator[int]) -> dict[str, Any]:
    details: dict[str, Any] = {}
    notes = getattr(error, "__notes__", None)
    if isinstance(notes, list):
        details["notes"] = [text_of(note) for note in notes[:_MAX_MEMBERS]]
    if isinstance(error, BaseExceptionGroup) and depth < _MAX_DEPTH:
        members = error.exceptions[:_MAX_MEMBERS]
        details["exceptions"] = [_chain(member, depth + 1, budget) for member in members]
    return details


def _origin(error: BaseException) -> tuple[BaseException | None, str]:
    if error.__cause__ is not None:
        return error.__cause__, "cause"

    return (None if error.__suppress_context__ else error.__context__), "context"


def _frames(tb: TracebackType | None) -> list[dict[str, Any]]:
    # The innermost ones: a recursion's first thousand frames say less than its last fifty.
    innermost = deque(traceback.walk_tb(tb), maxlen=_MAX_FRAMES)
    return [
        {"file": frame.f_code.co_filename, "line": line, "function": frame.f_code.co_qualname}
        for frame, line in innermost
    ]


def _qualified(kind: type) -> str:
    name = kind.__qualname__
    return name if kind.__module__ == "builtins" else f"{kind.__module__}.{name}"
