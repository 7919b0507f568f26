"""Lines of any shape turned into lines of ours, in Python: for `tail`, and for what SQL can't do.

What `shaped_sql` writes for DuckDB does the same; a test holds them together.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from tracelog.answers.cutting import LONGEST
from tracelog.answers.shapes import CRI, LEVELS, Shape, Wrapper, cri_prefix, read_object
from tracelog.fields import LEVEL, TIMESTAMP, TRACE_ID


__all__ = ["LAST_US", "SECONDS", "Unwrapper", "renamed"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_US: Final = 253_370_764_800_000_000  # the year 9999
# A number is a time in seconds, or in ms, µs, ns: by how large it is. With what makes µs of it.
SECONDS: Final = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (0.0, 1e6))


class Piece(NamedTuple):
    """What was in a wrapper.

    Attributes:
        stream: Whose lines it belongs to.
        text: A line, or a piece of one.
        is_last: Whether the line ends with it.
    """

    stream: str
    text: bytes
    is_last: bool


class Unwrapper:
    """Takes lines out of their wrapper, and puts together what was written in pieces."""

    def __init__(self, wrapper: Wrapper | None) -> None:
        self._wrapper = wrapper
        self._pieces: dict[str, list[bytes]] = {}

    def feed(self, line: bytes) -> bytes:
        """Return the line within, without its end; nothing if it is blank, or has no end yet."""
        piece = self._piece(line)
        if piece is None:
            return line.strip()

        pieces = self._pieces.setdefault(piece.stream, [])
        if sum(map(len, pieces)) < LONGEST:
            pieces.append(piece.text)
        if not piece.is_last:
            return b""

        del self._pieces[piece.stream]
        return b"".join(pieces).strip()

    def rest(self) -> list[bytes]:
        """Return the lines that have no end: nothing will follow."""
        lines = [b"".join(pieces).strip() for pieces in self._pieces.values()]
        self._pieces = {}
        return [line for line in lines if line]

    def _piece(self, line: bytes) -> Piece | None:
        """Look into the wrapper; None if there is none."""
        if self._wrapper is None:
            return None

        return _cri(line) if self._wrapper is CRI else _of_object(line, self._wrapper)


def renamed(event: dict[str, Any], shape: Shape) -> dict[str, Any]:
    """Call the keys of an object as ours are called."""
    found = {}
    for ours, names in shape.names:
        value = next(filter(_is_there, (_find(event, name) for name in names)), None)
        if value is not None:
            found[ours] = _clean(ours, value)
    inner: dict[str, Any] = {}
    for name in shape.naming.inner if shape.naming else ():
        values = event.get(name)
        inner = {**(values if isinstance(values, dict) else {}), **inner}
    return {**event, **inner, **found}


def _cri(line: bytes) -> Piece | None:
    """Take the prefix away."""
    prefix = cri_prefix(line)
    if prefix is None:
        return None

    return Piece(prefix[2].decode(), line[prefix.end() :].rstrip(b"\r\n"), prefix[3] == b"F")


def _of_object(line: bytes, wrapper: Wrapper) -> Piece | None:
    """Take the text out of an object."""
    event = read_object(line) or {}
    text = event.get(wrapper.text)
    if isinstance(text, list):  # journald writes bytes so if they aren't UTF-8, or not printable
        text = _of_bytes(text)
    if not isinstance(text, str):
        return None

    # A line is one line. Within JSON, a space is as good as the end of a line.
    body = text.rstrip("\r\n").replace("\n", " ").encode("utf-8", "backslashreplace")
    is_last = "stream" not in wrapper.keys or text.endswith("\n")
    return Piece(str(event.get("stream")), body, is_last)


def _of_bytes(numbers: list[Any]) -> str | None:
    try:
        return bytes(numbers).decode("utf-8", "backslashreplace")
    except (TypeError, ValueError):
        return None


def _is_there(value: Any) -> bool:
    return value is not None


def _find(event: dict[str, Any], name: str) -> Any:
    """Look for a key, or else along a path."""
    value: Any = event.get(name)
    if value is None and "." in name:
        value = event
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    return value


def _clean(ours: str, value: Any) -> Any:
    """Write a value as a line of ours has it."""
    if ours == TIMESTAMP:
        return _timestamp(value)

    if ours == LEVEL:
        level = (value if isinstance(value, str) else json.dumps(value)).lower()
        return LEVELS.get(level, level)

    if ours == TRACE_ID and isinstance(value, str) and value.startswith("projects/"):
        return value.rpartition("/")[2]

    return value


def _timestamp(value: Any) -> Any:
    """Read a number as a time; what logging's `asctime` has in front of milliseconds is a comma."""
    if isinstance(value, dict):
        value = _number(value.get("seconds"), 0) + _number(value.get("nanos"), 0) / 1e9
    number = _number(value, None)
    if number is None:
        return value.replace(",", ".") if isinstance(value, str) else json.dumps(value)

    us = next((number * by for least, by in SECONDS if number >= least), -1)
    if not 0 <= us <= LAST_US:
        return str(value)

    moment = _EPOCH + timedelta(microseconds=round(us))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _number(value: Any, default: Any) -> Any:
    try:
        return default if isinstance(value, bool | None) else float(value)
    except (TypeError, ValueError):
        return default
