"""The shapes that lines come in: what is around a line, and what its keys are called there.

A table, and how a file's shape is recognised by its first lines. No I/O: what is read and in which
language it is unwrapped is decided elsewhere (`unwrapping` for Python, `shaped_sql` for DuckDB).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tracelog.escapes import printable
from tracelog.fields import EVENT, LEVEL, LOGGER, SPAN_ID, TIMESTAMP, TRACE_ID, USER_ID


__all__ = [
    "CRI",
    "DOCKER",
    "JOURNAL",
    "LEVELS",
    "NAMINGS",
    "OURS",
    "Naming",
    "Recogniser",
    "Shape",
    "Wrapper",
    "about_shapes",
    "cri_prefix",
    "read_object",
    "recognise",
]

Names = tuple[tuple[str, tuple[str, ...]], ...]

_CRI: Final = re.compile(rb"(\d{4}-\d\d-\d\dT[0-9:.+Z-]{9,26}) (stdout|stderr) ([FP])\S* ?")
LEVELS: Final = {  # what others call a level of ours, in lower case
    "alert": "critical",
    "crit": "critical",
    "emerg": "critical",
    "emergency": "critical",
    "err": "error",
    "fatal": "critical",
    "notice": "info",
    "warn": "warning",
}


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What a line stands in.

    Attributes:
        name: Whose it is.
        keys: What a wrapped line has, if it is JSON.
        text: Under which of them the line is.
    """

    name: str
    keys: frozenset[str] = frozenset()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Naming:
    """What keys are called.

    Attributes:
        name: By whom.
        marks: Sets of keys; a line that has all of one is named so.
        names: Keys of ours, and what each is called: the first that is there counts. A name with
            dots is a key with dots, or else a path.
        inner: Objects whose keys count as the line's own.
    """

    name: str
    marks: tuple[frozenset[str], ...]
    names: Names
    inner: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file's lines look.

    Attributes:
        wrapper: What they stand in; None if each is a line of its own.
        naming: What their keys are called; None if they are called as ours.
        mapped: What a person says that some are called: it counts before all others.
    """

    wrapper: Wrapper | None = None
    naming: Naming | None = None
    mapped: tuple[tuple[str, str], ...] = ()

    @property
    def names(self) -> Names:
        """Give the keys that are called differently, and how."""
        theirs: dict[str, tuple[str, ...]] = {}
        for ours, name in self.mapped:
            theirs[ours] = (*theirs.get(ours, ()), name)
        for ours, names in self.naming.names if self.naming else ():
            theirs[ours] = (*theirs.get(ours, ()), *names)
        return tuple(theirs.items())

    @property
    def about(self) -> str:
        """Say what it is, in a few words; nothing if it is ours."""
        parts = [self.naming.name if self.naming else "", self.wrapper.name if self.wrapper else ""]
        return " in ".join(part for part in parts if part)


DOCKER: Final = Wrapper("Docker's json-file", frozenset({"log", "stream", "time"}), "log")
JOURNAL: Final = Wrapper(
    "journald's JSON export", frozenset({"MESSAGE", "__REALTIME_TIMESTAMP"}), "MESSAGE"
)
CRI: Final = Wrapper("Kubernetes' CRI format")
_WRAPPERS: Final = (DOCKER, JOURNAL)

OURS: Final = Shape()
_OURS: Final = frozenset({TIMESTAMP, LEVEL, LOGGER, EVENT})
_OTHERS: Final = frozenset({"message", "logger_name", "log_level"})

_DATADOG: Final = (
    (TIMESTAMP, (TIMESTAMP, "date", "asctime")),
    (LEVEL, ("levelname", LEVEL, "status")),
    (LOGGER, ("logger.name", LOGGER, "name")),
    (EVENT, ("message",)),
    (TRACE_ID, (TRACE_ID, "dd.trace_id")),
    (SPAN_ID, (SPAN_ID, "dd.span_id")),
    (USER_ID, (USER_ID, "usr.id")),
)
_MESSAGE: Final = (
    (TIMESTAMP, ("asctime", TIMESTAMP, "time", "created")),
    (LEVEL, ("levelname", LEVEL)),
    (LOGGER, ("name", LOGGER)),
    (EVENT, ("message",)),
)
# The first whose mark is there counts.
NAMINGS: Final = (
    Naming(
        "ECS",
        tuple(frozenset({"@timestamp", key}) for key in ("message", "log.level", "log", "ecs")),
        (
            (TIMESTAMP, ("@timestamp",)),
            (LEVEL, ("log.level", LEVEL)),
            (LOGGER, ("log.logger", "logger_name", LOGGER)),
            (EVENT, ("message",)),
            (TRACE_ID, (TRACE_ID, "trace.id")),
            (SPAN_ID, (SPAN_ID, "span.id")),
            (USER_ID, (USER_ID, "user.id")),
        ),
        ("labels",),
    ),
    Naming(
        "Google Cloud's JSON",
        (frozenset({"severity", "message"}), frozenset({"severity", "time"})),
        (
            (TIMESTAMP, (TIMESTAMP, "time", "timestampSeconds")),
            (LEVEL, ("severity",)),
            (LOGGER, (LOGGER, "name", "python_logger")),
            (EVENT, ("message", EVENT)),
            (TRACE_ID, (TRACE_ID, "logging.googleapis.com/trace")),
            (SPAN_ID, (SPAN_ID, "logging.googleapis.com/spanId")),
        ),
        ("logging.googleapis.com/labels",),
    ),
    Naming(
        "Datadog's JSON",
        tuple(frozenset({"message", key}) for key in ("dd.trace_id", "dd", "ddsource")),
        _DATADOG,
    ),
    Naming(
        "python-json-logger's JSON",
        tuple(frozenset({"message", key}) for key in ("levelname", "asctime", "name", LEVEL)),
        _MESSAGE,
    ),
    Naming("Datadog's JSON", (frozenset({"message", "status"}),), _DATADOG),
    Naming("python-json-logger's JSON", (frozenset({"message", TIMESTAMP}),), _MESSAGE),
    Naming(
        "structlog's JSON",
        (frozenset({EVENT, LEVEL}), frozenset({EVENT, TIMESTAMP})),
        (
            (TIMESTAMP, (TIMESTAMP,)),
            (LEVEL, (LEVEL, "log_level")),
            (LOGGER, (LOGGER, "logger_name")),
        ),
    ),
)


class Recogniser:
    """Looks at lines until one tells.

    Attributes:
        shape: What is known by now.
        is_sure: Whether no further line can change that.
    """

    def __init__(self, mapped: tuple[tuple[str, str], ...] = ()) -> None:
        self.shape = Shape(mapped=mapped)
        self.is_sure = False

    def see(self, line: bytes) -> None:
        """Look at a line; one that is cut off, or no JSON, tells little or nothing."""
        wrapper, event = _unpack(line)
        if event is not None and _is_ours(event):
            self._settle(wrapper, None)
        elif naming := next(filter(_marks(event or {}), NAMINGS), None):
            self._settle(wrapper, naming)
        elif wrapper:
            self.shape = Shape(wrapper, None, self.shape.mapped)

    def _settle(self, wrapper: Wrapper | None, naming: Naming | None) -> None:
        self.shape = Shape(wrapper, naming, self.shape.mapped)
        self.is_sure = True


def recognise(lines: Iterable[bytes], mapped: tuple[tuple[str, str], ...] = ()) -> Shape:
    """Tell the shape of a file by its first lines."""
    recogniser = Recogniser(mapped)
    for line in lines:
        recogniser.see(line)
        if recogniser.is_sure:
            break
    return recogniser.shape


def read_object(text: bytes | str) -> dict[str, Any] | None:
    """Read a JSON object, if it is one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None

    return found if isinstance(found, dict) else None


def cri_prefix(line: bytes) -> re.Match[bytes] | None:
    """Match what Kubernetes' runtimes write in front of a line: time, stream, whole or not."""
    return _CRI.match(line)


def _unpack(line: bytes) -> tuple[Wrapper | None, dict[str, Any] | None]:
    """Tell what a line stands in, and the object it is."""
    if prefix := cri_prefix(line):
        return CRI, read_object(line[prefix.end() :])

    event = read_object(line)
    if event is None or event.keys() >= _OURS:
        return None, event

    wrapper = next((each for each in _WRAPPERS if event.keys() >= each.keys), None)
    if wrapper is None:
        return None, event

    text = event[wrapper.text]
    return wrapper, read_object(text) if isinstance(text, str) else None


def _is_ours(event: Mapping[str, Any]) -> bool:
    """Tell a line of ours, or one of structlog's that has no other name for anything."""
    if not isinstance(event.get(TIMESTAMP), str) or EVENT not in event:
        return False

    return event.keys() >= _OURS or event.keys().isdisjoint(_OTHERS)


def _marks(event: Mapping[str, Any]) -> Callable[[Naming], bool]:
    """Tell which naming marks *event*."""
    return lambda naming: any(event.keys() >= mark for mark in naming.marks)


def about_shapes(named: Iterable[tuple[str, Shape]]) -> Iterator[str]:
    """Say what shapes were recognised that aren't ours."""
    by_about: dict[str, list[str]] = {}
    for name, shape in named:
        if shape.about:
            by_about.setdefault(shape.about, []).append(printable(name))
    for about, names in by_about.items():
        first, *others = names
        more = f" and {len(others):,} more are" if others else " is"
        yield f"{first}{more} read as {about}."
