"""How a line looks: an event of our schema, as one line for eyes.

Colours are ANSI sequences known beforehand. It draws for the logging side and for the answering
side alike, and knows neither.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from tracelog.escapes import printable
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
    DELAYED,
    DELAYED_MS,
    EVENT,
    EXCEPTION,
    HELD,
    HELD_AT,
    HELD_MS,
    KIND,
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
    WHERE,
)
from tracelog.plain import text_of
from tracelog.terminal import (
    DIM,
    RESET,
    color_of,
    duration_text,
    event_text,
    value_text,
)


__all__ = ["ALARM", "BOLD", "HOLDS", "VERDICTS", "Layout", "in_words", "taken_below"]

ALARM: Final = "\x1b[1;38;5;196m"
BOLD: Final = "\x1b[1m"
HOLDS: Final = "tracelog.hold"  # their logger
VERDICTS: Final = "tracelog.utterance"  # theirs

_LEVELS: Final = {
    "trace": ("trace", DIM),
    "debug": ("debug", "\x1b[38;5;68m"),
    "info": ("info ", "\x1b[38;5;28m"),
    "warning": ("warn ", "\x1b[1;38;5;166m"),
    "error": ("error", "\x1b[1;38;5;196m"),
    "critical": ("crit ", "\x1b[1;97;48;5;160m"),
}
_KEY: Final = "\x1b[38;5;31m"
_LOGGER_WIDTH: Final = 17  # websockets.server
_EVENT_WIDTH: Final = 26
_TRACE_WIDTH: Final = 8
_NARROW: Final = 120  # columns: below, nothing is padded
_WIDTH_OF_FILES: Final = 120
_MAX_ITEMS: Final = 200
_LONGEST_REMEMBERED: Final = 100
_MOST_REMEMBERED: Final = 500
_MAX_DURATION_MS: Final = 1e15
_PLACED: Final = frozenset({*LEADING, SPAN_ID, CONNECTION_ID})
# Said by the event's name, or by the cause; programs read the facts.
_SAID: Final = frozenset(
    {LATE, UTTERANCE, BLOCKED_BY, HELD, BUSIEST, AWAITS, AHEAD, BEHIND, BEHIND_MS, SPANS}
)
_BOXES: Final = frozenset(
    {SOCKET_MS, CLIENT_MS, QUEUE_MS, LOOP_MS, CODE_MS, AWAIT_MS, SEND_MS, LOG_MS}
)


class Layout:
    """Lays out lines: in columns, where there is room, and in colours, where they are wanted.

    The time is local; the trace id is shortened, and coloured by its value, so that the eye can
    follow one flow among many.

    Args:
        colors: Use colours; None uses them on a terminal.
        terminal: Lines are read on one.

    Attributes:
        colors: Whether colours are used.
        paint: Puts a text in a colour, or doesn't.
        width: How many columns there are.
    """

    def __init__(self, *, colors: bool | None = None, terminal: bool = False) -> None:
        self._terminal = terminal
        self._second = (0, "")
        self.colors = terminal if colors is None else colors
        self.paint = _painted if self.colors else _plain
        self._label = _remembering(self._make_label)
        self._traced = _remembering(self._make_traced)
        self._measure()

    def line(self, event: dict[str, Any], created: float, color: str = BOLD) -> str:
        """Write an event that was made at *created*, in seconds; its text in *color*."""
        paint = self.paint
        name = _text(event[LEVEL])
        level, level_color = _LEVELS.get(name) or (printable(f"{name:5.5}"), BOLD)
        parts = [paint(self._clock(created), DIM), paint(level, level_color)]
        parts.append(self._trace(event[TRACE_ID]))
        parts.append(paint(_short(_text(event[LOGGER])).ljust(self._logger_width), DIM))
        parts.append(paint(event_text(event[EVENT]).ljust(self._event_width), color))
        for key, value in islice(event.items(), _MAX_ITEMS):
            if key not in _PLACED:
                parts.append(self._pair(_text(key), value))
        if CONNECTION_ID in event:
            parts.append(paint(printable(_text(event[CONNECTION_ID])), DIM))
        return " ".join(filter(None, parts)).rstrip()

    def _pair(self, key: str, value: Any) -> str:
        if key.endswith("_ms") and type(value) in (int, float) and abs(value) < _MAX_DURATION_MS:
            return self._label(key[:-3]) + duration_text(value)

        return self._label(key) + value_text(value)

    def _make_label(self, key: str) -> str:
        return self.paint(f"{printable(key)}=", _KEY)

    def _trace(self, trace_id: Any) -> str:
        if trace_id is None:
            return " " * (_TRACE_WIDTH if self._event_width else 0)

        return self._traced(_text(trace_id))

    def _make_traced(self, text: str) -> str:
        return self.paint(printable(text[:_TRACE_WIDTH]).ljust(_TRACE_WIDTH), color_of(text))

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
        self.width = shutil.get_terminal_size().columns if self._terminal else _WIDTH_OF_FILES
        wide = self.width >= _NARROW
        self._logger_width = _LOGGER_WIDTH if wide else 0
        self._event_width = _EVENT_WIDTH if wide else 0


def _remembering(draw: Callable[[str], str]) -> Callable[[str], str]:
    """Let *draw* be asked once for each short text: keys and traces recur."""
    known = lru_cache(_MOST_REMEMBERED)(draw)
    return lambda text: known(text) if len(text) <= _LONGEST_REMEMBERED else draw(text)


def in_words(event: dict[str, Any], *, verdict: bool, hold: bool) -> tuple[dict[str, Any], str]:
    """Put what our own lines say into words, and choose their colour: what is late stands out."""
    if hold:
        return _hold_in_words(event), ALARM

    return _verdict_in_words(event) if verdict else (event, BOLD)


def _verdict_in_words(event: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Put what a person has to know first, and leave out what that says, and boxes of nothing."""
    keys = dict.fromkeys((*LEADING, USER_ID, TOTAL_MS, CAUSE, *event))
    shown: dict[str, Any] = {
        key: event[key]
        for key in keys
        if key in event and key not in _SAID and not _is_nothing(key, event[key])
    }
    shown[EVENT] = f"{_text(event[EVENT])} {_text(event.get(UTTERANCE, ''))}"
    if ARRIVED_AT in shown:
        shown[ARRIVED_AT] = _time_of_day(shown[ARRIVED_AT])
    if event.get(LATE) is not True:
        return shown, BOLD

    cause = shown.pop(CAUSE, None)
    shown[EVENT] = f"late {shown[EVENT].rstrip()}{f', {_text(cause)}' if cause else ''}"
    return shown, ALARM


def _hold_in_words(event: dict[str, Any]) -> dict[str, Any]:
    """Say how long, where, why, and what it cost others; then whose it was."""
    shown = dict(event)
    held, delay = (_duration(shown.pop(key, None)) for key in (HELD_MS, DELAYED_MS))
    where, kind, delayed = (_text(shown.pop(key, "")) for key in (WHERE, KIND, DELAYED))
    parts = [
        (held, f" {held}"),
        (where, f" in {where}"),
        (kind, f" ({kind})"),
        (delayed.strip("0"), f", {delayed} delayed" + (f" by {delay} in all" if delay else "")),
    ]
    shown[EVENT] = _text(event[EVENT]) + "".join(text for said, text in parts if said)
    if HELD_AT in shown:
        shown[HELD_AT] = _time_of_day(shown[HELD_AT])
    return shown


def _duration(milliseconds: Any) -> str:
    """Write a duration; nothing if it is none."""
    if type(milliseconds) not in (int, float) or not 0 <= milliseconds < _MAX_DURATION_MS:
        return ""

    return duration_text(milliseconds)


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


@lru_cache(_MOST_REMEMBERED)
def _short(name: str) -> str:
    """Shorten a logger's name to its last parts: `app.services.chat.rooms` to `chat.rooms`."""
    parts = name.split(".")
    while len(name) > _LOGGER_WIDTH and len(parts) > 1:
        parts = parts[1:]
        name = ".".join(parts)
    return printable(name)


def taken_below(event: dict[str, Any]) -> str:
    """Take out what doesn't fit a line, indented: data can't begin a line that looks like ours."""
    texts = [event.pop(key) for key in (STACK, EXCEPTION) if isinstance(event.get(key), str)]
    lines = (line for text in texts for line in text.splitlines() if line)
    return "".join(f"\n    {printable(line)}" for line in lines)
