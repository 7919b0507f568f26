"""`ConsoleFormatter`: a record, as one line for eyes.

Colours are ANSI sequences known beforehand. rich, which takes its time, is used for tracebacks
only, and never on an event loop: there the sink's thread gets the work.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache, partial
from itertools import islice
from typing import Any, Final

from tracelog.escapes import printable
from tracelog.events import make_event_reader
from tracelog.fields import (
    AHEAD,
    ARRIVED_AT,
    AWAIT_MS,
    AWAITS,
    BEHIND,
    BEHIND_MS,
    BLOCKED_BY,
    BUSIEST,
    CAUSE,
    CLIENT_MS,
    CODE_MS,
    CONNECTION_ID,
    EVENT,
    EXCEPTION,
    HELD,
    LATE,
    LEADING,
    LEVEL,
    LOG_MS,
    LOGGER,
    LOOP_MS,
    QUEUE_MS,
    SEND_MS,
    SOCKET_MS,
    SPAN_ID,
    SPANS,
    STACK,
    TOTAL_MS,
    TRACE_ID,
    USER_ID,
    UTTERANCE,
)
from tracelog.loops import on_loop
from tracelog.plain import text_of
from tracelog.processors import make_chain
from tracelog.records import exception_of
from tracelog.settings import ENV_FILE, read_settings
from tracelog.sinks import Lines
from tracelog.terminal import (
    DIM,
    RESET,
    color_of,
    duration_text,
    event_text,
    value_text,
)
from tracelog.tracebacks import ExcInfo, exc_info_of


__all__ = ["ConsoleFormatter"]

_LEVELS: Final = {
    "trace": ("trace", DIM),
    "debug": ("debug", "\x1b[38;5;68m"),
    "info": ("info ", "\x1b[38;5;28m"),
    "warning": ("warn ", "\x1b[1;38;5;166m"),
    "error": ("error", "\x1b[1;38;5;196m"),
    "critical": ("crit ", "\x1b[1;97;48;5;160m"),
}
_BOLD: Final = "\x1b[1m"
_KEY: Final = "\x1b[38;5;31m"
_LOGGER_WIDTH: Final = 17  # websockets.server
_EVENT_WIDTH: Final = 26
_TRACE_WIDTH: Final = 8
_NARROW: Final = 120  # columns: below, nothing is padded
_WIDTH_OF_FILES: Final = 120
_MAX_ITEMS: Final = 200
_MAX_DURATION_MS: Final = 1e15
_PLACED: Final = frozenset({*LEADING, SPAN_ID, CONNECTION_ID})
_VERDICTS: Final = "tracelog.utterance"  # their logger
# Said by the level, by the event's name, or by the cause; programs read the facts.
_SAID: Final = frozenset(
    {LATE, UTTERANCE, BLOCKED_BY, HELD, BUSIEST, AWAITS, AHEAD, BEHIND, BEHIND_MS, SPANS}
)
_BOXES: Final = frozenset(
    {SOCKET_MS, CLIENT_MS, QUEUE_MS, LOOP_MS, CODE_MS, AWAIT_MS, SEND_MS, LOG_MS}
)


class ConsoleFormatter(logging.Formatter):
    """One line for eyes for each record, and under it the traceback if there is one.

    The time is local; the trace id is shortened, and coloured by its value, so that the eye can
    follow one flow among many.

    Args:
        colors: Use colours; None asks NO_COLOR, FORCE_COLOR and the terminal.
        processors: As `JsonFormatter` takes them.
        env_file: Where NO_COLOR and FORCE_COLOR may stand, too.

    Raises:
        ConfigError: If a processor can't be found.
    """

    whole = False  # it doesn't complete native events

    def __init__(
        self,
        *,
        colors: bool | None = None,
        processors: Iterable[Any] = (),
        env_file: str | None = ENV_FILE,
    ) -> None:
        super().__init__()
        self._wanted = read_settings(env_file).color if colors is None else colors
        self._read = make_event_reader(
            chain=make_chain(processors), caller=False, exception=_text_that_came_along
        )
        self._second = (0, "")
        self.on_terminal(False)  # noqa: FBT003

    def on_terminal(self, terminal: bool) -> None:  # noqa: FBT001 -- called by handlers, by position
        """Be told whether lines are read on a terminal."""
        self._terminal = terminal
        self._colors = terminal if self._wanted is None else self._wanted
        self._paint = _painted if self._colors else _plain
        self._measure()

    def encode(self, record: logging.LogRecord) -> Lines:
        """Make the finished line; empty if a processor dropped the event."""
        event = self._read(record)
        if event is None:
            return b""

        below = _taken_below(event) if EXCEPTION in event or STACK in event else ""
        line = self._line(event, record.created) + below
        exc_info = exc_info_of(record.exc_info) if record.exc_info else None
        if exc_info is None:
            return f"{line}\n".encode("utf-8", "backslashreplace")

        render = partial(_with_traceback, line, exc_info, self._width, self._colors)
        return render if on_loop() else render()

    def format(self, record: logging.LogRecord) -> str:
        """Make the line, without its newline."""
        lines = self.encode(record)
        done = lines if isinstance(lines, bytes) else lines()
        return done.decode().removesuffix("\n")

    def _line(self, event: dict[str, Any], created: float) -> str:
        paint = self._paint
        name = _text(event[LEVEL])
        level, color = _LEVELS.get(name) or (printable(f"{name:5.5}"), _BOLD)
        parts = [paint(self._clock(created), DIM), paint(level, color)]
        if event[LOGGER] == _VERDICTS:
            event = _verdict_for_eyes(event)
        parts.append(self._trace(event[TRACE_ID]))
        parts.append(paint(_short(_text(event[LOGGER])).ljust(self._logger_width), DIM))
        parts.append(paint(event_text(event[EVENT]).ljust(self._event_width), _BOLD))
        for key, value in islice(event.items(), _MAX_ITEMS):
            if key not in _PLACED:
                parts.append(self._pair(_text(key), value))
        if CONNECTION_ID in event:
            parts.append(paint(printable(_text(event[CONNECTION_ID])), DIM))
        return " ".join(filter(None, parts)).rstrip()

    def _pair(self, key: str, value: Any) -> str:
        if key.endswith("_ms") and type(value) in (int, float) and abs(value) < _MAX_DURATION_MS:
            return f"{self._paint(f'{printable(key[:-3])}=', _KEY)}{duration_text(value)}"

        return f"{self._paint(f'{printable(key)}=', _KEY)}{value_text(value)}"

    def _trace(self, trace_id: Any) -> str:
        if trace_id is None:
            return " " * (_TRACE_WIDTH if self._event_width else 0)

        text = _text(trace_id)
        return self._paint(printable(text[:_TRACE_WIDTH]).ljust(_TRACE_WIDTH), color_of(text))

    def _clock(self, created: float) -> str:
        milliseconds = int(created * 1e6 + 0.5) // 1000  # as JSON lines are rounded
        second = milliseconds // 1000
        known, text = self._second  # read once: another thread may put its own there
        if known != second:
            text = time.strftime("%H:%M:%S", time.localtime(second))
            self._second = (second, text)
            self._measure()  # the window may have been resized
        return f"{text}.{milliseconds - second * 1000:03d}"

    def _measure(self) -> None:
        self._width = shutil.get_terminal_size().columns if self._terminal else _WIDTH_OF_FILES
        wide = self._width >= _NARROW
        self._logger_width = _LOGGER_WIDTH if wide else 0
        self._event_width = _EVENT_WIDTH if wide else 0


def _verdict_for_eyes(event: dict[str, Any]) -> dict[str, Any]:
    """Put a verdict's cause first, and leave out what is said already, and boxes of nothing."""
    keys = dict.fromkeys((*LEADING, USER_ID, TOTAL_MS, CAUSE, *event))
    shown: dict[str, Any] = {
        key: event[key]
        for key in keys
        if key in event and key not in _SAID and not _is_nothing(key, event[key])
    }
    shown[EVENT] = f"{_text(event[EVENT])} {_text(event.get(UTTERANCE, ''))}"
    if ARRIVED_AT in shown:
        shown[ARRIVED_AT] = _time_of_day(shown[ARRIVED_AT])
    return shown


def _is_nothing(key: str, value: Any) -> bool:
    return key in _BOXES and type(value) in (int, float) and value < 1


def _time_of_day(timestamp: Any) -> Any:
    """Write a line's *timestamp* as its clock does: local, to the millisecond."""
    try:
        moment = datetime.fromisoformat(timestamp)
        second = time.strftime("%H:%M:%S", time.localtime(moment.timestamp()))
    except (OSError, OverflowError, TypeError, ValueError):  # a processor put something else there
        return timestamp

    return f"{second}.{moment.microsecond // 1000:03d}"


def _painted(text: str, color: str) -> str:
    return f"{color}{text}{RESET}"


def _plain(text: str, _color: str) -> str:
    return text


def _text(value: Any) -> str:
    return value if type(value) is str else text_of(value)


@lru_cache(maxsize=500)
def _short(name: str) -> str:
    """Shorten a logger's name to its last parts: `app.services.chat.rooms` to `chat.rooms`."""
    parts = name.split(".")
    while len(name) > _LOGGER_WIDTH and len(parts) > 1:
        parts = parts[1:]
        name = ".".join(parts)
    return printable(name)


def _text_that_came_along(record: logging.LogRecord) -> Any:
    """Tell an exception that is but text by now; one that is whole will be drawn."""
    return None if exc_info_of(record.exc_info) else exception_of(record, as_text=True)


def _taken_below(event: dict[str, Any]) -> str:
    """Take out what doesn't fit a line, indented: data can't begin a line that looks like ours."""
    texts = [event.pop(key) for key in (STACK, EXCEPTION) if isinstance(event.get(key), str)]
    lines = (line for text in texts for line in text.splitlines() if line)
    return "".join(f"\n    {printable(line)}" for line in lines)


def _with_traceback(line: str, exc_info: ExcInfo, width: int, colors: bool) -> bytes:  # noqa: FBT001
    from tracelog.rich_traceback import render  # noqa: PLC0415 -- rich loads with the first one

    return f"{line}\n{render(exc_info, width=width, colors=colors)}\n".encode(
        "utf-8", "backslashreplace"
    )
