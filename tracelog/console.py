"""`ConsoleFormatter`: a record, as one line for eyes.

rich, which takes its time, is used for tracebacks only, and never on an event loop: there the
sink's thread gets the work.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, Final

from tracelog.events import line_by, make_event_reader
from tracelog.fields import EVENT, EXCEPTION, LEVEL, LOGGER, STACK
from tracelog.layout import HOLDS, VERDICTS, Layout, in_words, taken_below
from tracelog.loops import on_loop
from tracelog.plain import Limits, Plain
from tracelog.processors import make_chain
from tracelog.records import LEVELS, Bare, exception_of
from tracelog.redact import REDACTOR, make_redactor
from tracelog.settings import ENV_FILE, read_settings
from tracelog.spill import Lines
from tracelog.tracebacks import ExcInfo, exc_info_of


__all__ = ["ConsoleFormatter"]

_LIMITS: Final = Limits(text=65_536, items=1_000)  # the layout's are narrower


class ConsoleFormatter(logging.Formatter):
    """One line for eyes for each record, and under it the traceback if there is one.

    Args:
        _logging: What dictConfig gives each `class: …`, format, datefmt and style: not used.
        colors: Use colours; None asks NO_COLOR, FORCE_COLOR and the terminal.
        processors: As `JsonFormatter` takes them.
        env_file: Where NO_COLOR and FORCE_COLOR may stand, too.
        secret_keys: As `JsonFormatter` takes them.

    Raises:
        ConfigError: If a processor can't be found, or a secret key isn't a name.
    """

    whole = False  # it doesn't complete native events

    def __init__(
        self,
        *_logging: Any,
        colors: bool | None = None,
        processors: Iterable[Any] = (),
        env_file: str | None = ENV_FILE,
        secret_keys: Collection[str] = (),
    ) -> None:
        super().__init__()
        self._redactor = make_redactor(secret_keys) if secret_keys else REDACTOR
        self._wanted = read_settings(env_file).color if colors is None else colors
        chain = make_chain(processors)
        self._read = make_event_reader(chain=chain, caller=False, exception=_text_that_came_along)
        self._is_stock = chain is None and not secret_keys and type(self) is ConsoleFormatter
        self._has_own_format = type(self).format is not ConsoleFormatter.format
        self.on_terminal(False)  # noqa: FBT003

    def on_terminal(self, terminal: bool) -> None:  # noqa: FBT001 -- called by handlers, by position
        """Be told whether lines are read on a terminal."""
        self._layout = Layout(colors=self._wanted, terminal=terminal)
        self._line = self._layout.line

    @property
    def line_of(self) -> Callable[[Bare], bytes] | None:
        """As with `JsonFormatter`."""
        return self._line_of if self._is_stock else None

    def _line_of(self, bare: Bare) -> bytes:
        created, name, levelno, message, fields, context = bare
        level = LEVELS.get(levelno)
        if level is None or name in (VERDICTS, HOLDS):
            return b""

        event = {**context.begun, **fields, LEVEL: level, LOGGER: name, EVENT: message}  # type: ignore[dict-item]
        return f"{self._line(event, created)}\n".encode("utf-8", "backslashreplace")

    def encode(self, record: logging.LogRecord) -> Lines:
        """Make the finished line; empty if a processor dropped the event."""
        return line_by(self.format, record) if self._has_own_format else self._lines(record)

    def _lines(self, record: logging.LogRecord) -> Lines:
        event = self._read(record)
        if event is None:
            return b""

        if not self._redactor.passes(event, ""):
            event = Plain(_LIMITS, masks=self._redactor).mapping(event)
        below = taken_below(event) if EXCEPTION in event or STACK in event else ""
        logger = event[LOGGER]
        shown, color = in_words(event, verdict=logger == VERDICTS, hold=logger == HOLDS)
        line = self._line(shown, record.created, color) + below
        exc_info = exc_info_of(record.exc_info) if record.exc_info else None
        if exc_info is None:
            return f"{line}\n".encode("utf-8", "backslashreplace")

        layout = self._layout
        draw = partial(_drawn, exc_info, layout.width, layout.colors, self._redactor.text)
        render = partial(_with_traceback, line, draw)
        return render if on_loop() else render()

    def format(self, record: logging.LogRecord) -> str:
        """Make the line, without its newline."""
        lines = self._lines(record)
        done = lines if isinstance(lines, bytes) else lines()
        return done.decode().removesuffix("\n")


def _text_that_came_along(record: logging.LogRecord) -> Any:
    """Tell an exception that is but text by now; one that is whole will be drawn."""
    return None if exc_info_of(record.exc_info) else exception_of(record, as_text=True)


def _with_traceback(line: str, draw: Callable[[], str]) -> bytes:
    return f"{line}\n{draw()}\n".encode("utf-8", "backslashreplace")


def _drawn(
    exc_info: ExcInfo,
    width: int,
    colors: bool,  # noqa: FBT001 -- `partial`'s, by position
    mask: Callable[[str], str],
) -> str:
    from tracelog.rich_traceback import render  # noqa: PLC0415 -- rich loads with the first one

    return render(exc_info, width=width, colors=colors, mask=mask)
