"""The standard library's loggers, on the short way that native events take."""

from __future__ import annotations

import logging
from typing import Any, Final

from tracelog.attribution import of_line
from tracelog.delivery import report_loss
from tracelog.emit import emit
from tracelog.records import FOREIGN, without_attributes


__all__ = ["Logger", "install_logger_class"]

# Fields to `logging`; `emit` would give them a meaning.
_MEANINGFUL: Final = frozenset({"extra", "stacklevel"})

_base = logging.Logger
_MAKE_RECORD: Final = logging.Logger.makeRecord
_HANDLE: Final = logging.Logger.handle


class Logger(logging.Logger):
    """What `logging.getLogger` makes from the first `configure_logging()` on.

    It does what its parent does, in less time: where only our own handlers are going to see a
    record, the half of it that they don't need isn't made. What a filter or a handler raises is
    counted as a loss, and doesn't reach the caller. Loggers that were there before stay as they
    are.
    """

    def _log(  # noqa: PLR0913, PLR0917 -- logging's signature
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: Any = None,
        extra: Any = None,
        stack_info: bool = False,  # noqa: FBT001, FBT002
        stacklevel: int = 1,
    ) -> None:
        if (
            exc_info
            or stack_info
            or stacklevel != 1
            or (extra and not _MEANINGFUL.isdisjoint(extra))
            # Whoever overrides a step, in a class of theirs or in logging's, wants it taken.
            or type(self) is not Logger
            or _base.makeRecord is not _MAKE_RECORD
            or _base.handle is not _HANDLE
        ):
            try:
                super()._log(level, msg, args, exc_info, extra, stack_info, stacklevel + 1)
            except Exception as error:  # noqa: BLE001 -- a filter or a handler may raise anything
                report_loss(error)
            return

        fields = {**extra} if extra else {}
        if not _is_ordinary(fields):
            fields = without_attributes(fields)
        emit(self, level, msg, args, fields, of_line(self.name))


_is_ordinary = FOREIGN.isdisjoint


def install_logger_class() -> None:
    """Let `logging.getLogger` make ours, unless the application chose a class of its own."""
    if logging.getLoggerClass() is logging.Logger:
        logging.setLoggerClass(Logger)
