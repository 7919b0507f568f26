"""`Formatter`: lines for eyes or lines for machines, as the environment asks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from copy import copy
from functools import partial
from typing import Any

from tracelog.console import ConsoleFormatter
from tracelog.events import line_by
from tracelog.json_formatter import JsonFormatter
from tracelog.records import Bare
from tracelog.settings import ENV_FILE, FORMATS, read_settings
from tracelog.spill import Lines


__all__ = ["ConsoleFormatter", "Formatter", "JsonFormatter"]


class Formatter(logging.Formatter):
    """The console in development or on a terminal, JSON elsewhere.

    LOG_FORMAT (auto, console, json) decides. With auto, ENVIRONMENT does: the console for
    development, local and dev, JSON for anything else. Without ENVIRONMENT, a terminal gets the
    console.

    Args:
        fmt: As `JsonFormatter` takes it, like the next three; or a *format*.
        datefmt: As `JsonFormatter` takes it.
        style: Of *fmt*.
        validate: Check *fmt*.
        format: In place of LOG_FORMAT.
        environment: In place of ENVIRONMENT.
        env_file: Where these may stand, too; None for nowhere.
        processors: structlog processors, as `JsonFormatter` takes them.
        secret_keys: As `JsonFormatter` takes them.
        json_options: What else `JsonFormatter` takes.

    Raises:
        ConfigError: If one of these makes no sense.
    """

    def __init__(  # noqa: PLR0913 -- logging's own four, and ours by keyword only
        self,
        fmt: str | Sequence[str] | None = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,  # noqa: FBT001, FBT002 -- logging's signature
        *,
        format: str | None = None,  # noqa: A002 -- the setting's name
        environment: str | None = None,
        env_file: str | None = ENV_FILE,
        processors: Iterable[Any] = (),
        secret_keys: Collection[str] = (),
        **json_options: Any,
    ) -> None:
        super().__init__()
        if fmt in FORMATS:  # `class: tracelog.Formatter` and `format: json`, as dictConfig gives it
            fmt, format = None, format or str(fmt)  # noqa: A001
        processors = list(processors or ())
        self._settings = read_settings(env_file, format=format, environment=environment)
        self._json = JsonFormatter(
            *(fmt, datefmt, style, validate),
            processors=processors,
            secret_keys=secret_keys,
            **json_options,
        )
        self._console = ConsoleFormatter(
            processors=processors, secret_keys=secret_keys, env_file=env_file
        )
        self.on_terminal(False)  # noqa: FBT003

    def on_terminal(self, terminal: bool) -> None:  # noqa: FBT001 -- called by handlers, by position
        """Be told whether lines are read on a terminal."""
        self._console = copy(self._console)  # another handler's copy of us may have the old one
        self._console.on_terminal(terminal)
        console = self._settings.is_console(terminal=terminal)
        self.chosen: ConsoleFormatter | JsonFormatter = self._console if console else self._json
        self._encode: Callable[[logging.LogRecord], Lines] = self.chosen.encode
        if type(self).format is not Formatter.format:
            self._encode = partial(line_by, self.format)
        self.whole = self.chosen.whole

    @property
    def line_of(self) -> Callable[[Bare], bytes] | None:
        """As with `JsonFormatter`; None for the console."""
        return getattr(self.chosen, "line_of", None) if type(self) is Formatter else None

    def encode(self, record: logging.LogRecord) -> Lines:
        """Make the finished line; empty if a processor dropped the event."""
        return self._encode(record)

    def format(self, record: logging.LogRecord) -> str:
        """Make the line, without its newline."""
        return self.chosen.format(record)
