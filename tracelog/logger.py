"""`get_logger`: structlog's bound loggers, over the standard library's."""

from __future__ import annotations

import logging
from typing import Any, Final, Protocol, cast

import structlog
from structlog.exceptions import DropEvent
from structlog.testing import LogCapture

from tracelog.context import current_context, snapshot
from tracelog.emit import emit, nearest
from tracelog.plain import text_of


__all__ = ["BoundLogger", "LogMethod", "get_logger"]

# logging keeps every logger for ever. The first names are registered there, as expected; of names
# past these, made up for each connection perhaps, nothing stays.
_MAX_REGISTERED: Final = 500

# What structlog.get_config() copies, at 0.3 µs a call; `structlog.configure` writes it.
_structlog: dict[str, Any] = vars(structlog._config._CONFIG)  # noqa: SLF001
# Empty until somebody binds through `structlog.contextvars`.
_bound_elsewhere = structlog.contextvars._CONTEXT_VARS  # noqa: SLF001


def get_logger(name: str | None = None, /, **bound: Any) -> BoundLogger:
    """Make a structlog bound logger over `logging.getLogger(name)`.

    >>> log = get_logger("app.chat", room="lobby")
    >>> log.info("message handled", size=512)

    Args:
        name: The logger's dotted name, usually `__name__`; None is the root logger.
        bound: Bound to the logger at once, as by `bind`.
    """
    if not structlog.is_configured():
        structlog.configure(
            processors=[],
            logger_factory=_LoggerFactory(),
            wrapper_class=BoundLogger,
            cache_logger_on_first_use=True,
        )
    return BoundLogger(_logger_named(name), _structlog["default_processors"], bound)


class _LoggerFactory(structlog.stdlib.LoggerFactory):
    """structlog's own, but for the logger class that it would install for the whole process."""

    def __init__(self) -> None:
        self._ignore = ["tracelog"]


def _logger_named(name: str | None) -> logging.Logger:
    registry = logging.root.manager.loggerDict
    if not name or isinstance(registry.get(name), logging.Logger):
        return logging.getLogger(name)

    return logging.getLogger(name) if len(registry) < _MAX_REGISTERED else _Unregistered(name)


class _Unregistered(logging.Logger):
    """A logger that `logging` doesn't know: it goes with whoever holds it.

    It follows the nearest logger that is registered, the one of its own name if there comes to be
    one.
    """

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 -- logging's name
        # Looked up each time: nothing tells when a logger takes the place of a placeholder.
        self.parent = nearest(self.name)
        return self.parent.isEnabledFor(level)


class LogMethod(Protocol):
    """A method that logs: an event, %-arguments for it, and fields as keyword arguments."""

    def __call__(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log *event*."""


def _make_method(level: int, name: str) -> LogMethod:
    """Build the method that logs at *level*; a call of one that is off costs next to nothing."""

    def method(self: BoundLogger, event: Any = None, /, *args: Any, **fields: Any) -> None:
        try:
            known = self._known[level]
        except KeyError:  # the first call since some level was set
            known = None
        # Not within `except`: `exc_info=True` asks for the caller's exception.
        if not known:
            if known is None or self._processors:  # structlog's tests look at what is off, too
                self._emit(level, name, event, args, fields)
        elif _structlog["default_processors"]:
            self._emit(level, name, event, args, fields)
        else:
            bound = self._context
            fields = {**bound, **fields} if bound else fields
            context = snapshot() if _bound_elsewhere else current_context()
            emit(self._logger, level, event, args, fields, context)

    method.__name__ = name
    method.__qualname__ = f"BoundLogger.{name}"
    method.__doc__ = f"Log *event* at {name.upper()} ({level})."
    return cast("LogMethod", method)


class BoundLogger(structlog.stdlib.BoundLogger):
    """A structlog bound logger whose events are records of the standard library's logger.

    Every method takes an event, %-arguments for it, and fields as keyword arguments. `exc_info`,
    `stack_info`, `stacklevel` and `extra` mean what they mean to `logging`. Nothing that an event
    holds makes a call raise.
    """

    _logger: logging.Logger
    _context: dict[str, Any]

    def __init__(self, logger: logging.Logger, processors: Any, context: Any) -> None:
        super().__init__(logger, processors, context)
        # logging's own memory of which levels are on, emptied by logging when any level changes.
        self._known: dict[int, bool] = getattr(logger, "_cache", {})

    trace: LogMethod = _make_method(5, "trace")
    debug: LogMethod = _make_method(logging.DEBUG, "debug")
    info: LogMethod = _make_method(logging.INFO, "info")
    warning: LogMethod = _make_method(logging.WARNING, "warning")
    error: LogMethod = _make_method(logging.ERROR, "error")
    critical: LogMethod = _make_method(logging.CRITICAL, "critical")
    msg, warn, fatal = info, warning, critical

    def exception(self, event: Any = None, /, *args: Any, **fields: Any) -> None:
        """Log *event* at ERROR, with the exception that is being handled."""
        fields.setdefault("exc_info", True)
        self._emit(logging.ERROR, "error", event, args, fields)

    # By position only: `level` and `event` are names of fields, too.
    def log(  # type: ignore[override]
        self, level: int | str, event: Any = None, /, *args: Any, **fields: Any
    ) -> None:
        """Log *event* at *level*, a number or a name; an unknown name counts as INFO."""
        numbers = logging.getLevelNamesMapping()
        number = level if type(level) is int else numbers.get(text_of(level).upper(), logging.INFO)
        self._emit(number, logging.getLevelName(number).lower(), event, args, fields)

    def setLevel(self, level: int | str) -> None:  # noqa: N802 -- logging's name
        """Set the level of the logger of this name, for everyone."""
        logging.getLogger(self._logger.name).setLevel(level)

    def _emit(
        self, level: int, method: str, event: Any, args: tuple[Any, ...], fields: dict[str, Any]
    ) -> None:
        processors = _structlog["default_processors"]
        if processors and processors[-1].__class__ is LogCapture:
            self._capture(method, event, args, fields)
        elif self._logger.isEnabledFor(level):
            bound = self._context
            fields = {**bound, **fields} if bound else fields
            context = snapshot() if _bound_elsewhere else current_context()
            emit(self._logger, level, event, args, fields, context)

    def _capture(
        self, method: str, event: Any, args: tuple[Any, ...], fields: dict[str, Any]
    ) -> None:
        """Do what structlog's own loggers do: its tests look at the event, not at a record."""
        if args:
            fields["positional_args"] = args
        try:
            # The chain of now: structlog may have been configured anew since we were made.
            now = BoundLogger(self._logger, _structlog["default_processors"], self._context)
            now._process_event(method, event, fields)
        except DropEvent:
            return
