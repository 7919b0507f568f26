"""How far a query is, on a terminal that waits for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, Final


__all__ = ["Progress"]

_PATIENCE_S: Final = 0.7  # what is over sooner needs no bar
_STEP_S: Final = 0.1
_WHOLE: Final = 100
_DOING: Final = "reading"


class Progress:
    """A bar on stderr, if that is a terminal; gone when the query has ended.

    Attributes:
        doing: What it says in front of the bar.
    """

    def __init__(self, *, patience_s: float = _PATIENCE_S) -> None:
        self.doing = _DOING
        self._patience_s = patience_s

    def step(self, name: str) -> None:
        """Say which of several steps is next."""
        self.doing = f"{_DOING}: {name}"

    def watch(self, work: Future[Any], percent: Callable[[], float]) -> None:
        """Wait until *work* has ended, and show what *percent* says of it."""
        if not sys.stderr.isatty():
            return

        wait([work], timeout=self._patience_s)
        if not work.done():
            self._show(work, percent)

    def _show(self, work: Future[Any], percent: Callable[[], float]) -> None:
        """Draw the bar."""
        from rich import progress  # noqa: PLC0415 -- most queries have ended by now
        from rich.console import Console  # noqa: PLC0415 -- the same

        columns = (
            progress.TextColumn("{task.description}", markup=False),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
        )
        with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(self.doing, total=_WHOLE)
            while not work.done():
                wait([work], timeout=_STEP_S)
                bar.update(task, completed=max(percent(), 0))
