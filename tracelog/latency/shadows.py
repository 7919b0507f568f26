"""Methods put on one object, in place of its class's own, and taken away again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


__all__ = ["shadow"]


def shadow(thing: Any, methods: Mapping[str, Callable[..., Any]]) -> Callable[[], None]:
    """Put *methods* on *thing*; gives what undoes it.

    What somebody has put there since is theirs to take away.
    """
    vars(thing).update(methods)

    def undo() -> None:
        for name, method in methods.items():
            if vars(thing).get(name) is method:
                delattr(thing, name)

    return undo
