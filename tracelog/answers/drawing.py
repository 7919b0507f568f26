"""A line of a log, drawn as the console draws it.

Whatever comes from a log is untrusted: control characters are escaped, and nothing is endless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePath
from typing import Any, Final

from tracelog.answers.entries import Entry
from tracelog.escapes import printable
from tracelog.fields import EXCEPTION, LOGGER, TRACE_ID
from tracelog.layout import VERDICTS, Layout, in_words, taken_below
from tracelog.terminal import DIM, color_of, event_text


__all__ = ["Drawing", "exception_lines"]

_NAME_WIDTH: Final = 20
_LONGEST: Final = 500  # characters of one line below another
_MOST_BELOW: Final = 40  # lines
_FRAMES: Final = 5
_INSTALLED: Final = "/site-packages/"  # where that is, nobody wants to read five times
_DEPTH: Final = 3  # of groups in groups
_LINKS: Final = {"cause": "caused by ", "context": "while handling "}


class Drawing:
    """Draws lines.

    Args:
        layout: How a line looks.
        names: What they are read from; if there are several, each line begins with its own.
    """

    def __init__(self, layout: Layout, names: Sequence[str]) -> None:
        self._layout = layout
        self._names = _short(names) if len(names) > 1 else {}
        self._width = max(map(len, self._names.values()), default=0)

    def text(self, entry: Entry) -> str:
        """Draw one, and below it what doesn't fit a line."""
        created = entry.created
        if entry.event is None or created is None:
            return self._named(entry, event_text(entry.raw.decode("utf-8", "backslashreplace")))

        event = {TRACE_ID: None, **entry.event}
        below = _below(event)
        is_verdict = entry.is_late or event[LOGGER] == VERDICTS
        shown, color = in_words(event, verdict=is_verdict, hold=entry.is_hold)
        line = self._layout.line(shown, created, color)
        return self._named(entry, line + below)

    def note(self, text: str) -> str:
        """Draw what isn't from the log."""
        return self._layout.paint(text, DIM)

    def _named(self, entry: Entry, text: str) -> str:
        if not self._names:
            return text

        name = self._names[entry.source].ljust(self._width)
        return f"{self._layout.paint(name, color_of(entry.source))} {text}"


def exception_lines(chain: Any, depth: int = 0) -> Iterator[str]:
    """Tell a line's `exception`: each one's type and message, and its innermost frames."""
    for entry in chain if isinstance(chain, list) and depth < _DEPTH else ():
        if not isinstance(entry, dict):
            continue

        link = _LINKS.get(str(entry.get("link")), "")
        yield f"{link}{entry.get('type')}: {entry.get('message')}"
        if frames := " < ".join(_frames(entry.get("frames"))):
            yield f"  in {frames}"
        for member in _listed(entry.get("exceptions")):
            yield from (f"  {line}" for line in exception_lines(member, depth + 1))


def _below(event: dict[str, Any]) -> str:
    """Take out what goes below the line."""
    lines = list(islice(exception_lines(event.get(EXCEPTION)), _MOST_BELOW))
    if lines:
        del event[EXCEPTION]
    drawn = "".join(f"\n    {printable(line[:_LONGEST])}" for line in lines)
    return taken_below(event) + drawn


def _frames(frames: Any) -> Iterator[str]:
    """Name the innermost, and say how many more there are."""
    known = [frame for frame in _listed(frames) if isinstance(frame, dict)]
    for frame in known[: -_FRAMES - 1 : -1]:
        file = str(frame.get("file")).rpartition(_INSTALLED)[2]
        yield f"{file}:{frame.get('line')} {frame.get('function')}"
    if len(known) > _FRAMES:
        yield f"{len(known) - _FRAMES} more"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(names: Sequence[str]) -> dict[str, str]:
    """Shorten paths to the files' own names, unless two are the same."""
    own = {name: PurePath(name).name for name in names}
    chosen = own if len(set(own.values())) == len(own) else {name: name for name in names}
    return {name: printable(short)[-_NAME_WIDTH:] for name, short in chosen.items()}
