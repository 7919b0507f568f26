"""Settings: the values of those keywords whose meaning is known.

Only for classes of the standard library and of tracelog: a subclass may mean something else.
"""

from __future__ import annotations

import codecs
import io
import logging
import logging.handlers as std
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Final, TypeAlias

from tracelog.rules.classes import is_ours
from tracelog.rules.draft import BROKEN, Entry
from tracelog.rules.findings import Finding, KeyPath, closest, kind, listing, show


__all__ = ["elsewhere", "setting_findings"]

# What is wrong with a value, and the way out.
Trouble: TypeAlias = tuple[str, str]

_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE: Final = re.compile(r"(\d{1,9})[ _]*([kmg]?)i?b?(?:ytes)?", re.IGNORECASE)
_WHEN: Final = re.compile(r"[SMHD]|MIDNIGHT|W[0-6]", re.IGNORECASE)
_MODES: Final = {"".join(sorted(verb + more)) for verb in "awx" for more in ("", "t", "+", "t+")}
_OWN: Final = frozenset({"mode", "encoding"})  # of which our handlers have but one, and say so
_STREAMS: Final = {"stdout": "ext://sys.stdout", "stderr": "ext://sys.stderr"}


@dataclass(frozen=True, slots=True)
class _Setting:
    """A keyword whose meaning is known.

    Attributes:
        base: The class it belongs to, and whose subclasses have it, too.
        name: The keyword.
        trouble: Says what is wrong with a value, or None.
    """

    base: type[logging.Handler]
    name: str
    trouble: Callable[[object], Trouble | None]


def setting_findings(path: KeyPath, cls: type[logging.Handler], given: Entry) -> Iterator[Finding]:
    """Say what is wrong with the values *given* to a handler's class."""
    if not (is_ours(cls) or cls.__module__ in {"logging", "logging.handlers"}):
        return

    for setting in _SETTINGS:
        if setting.name in given and _has(cls, setting):
            value = given[setting.name]
            trouble = None if value is BROKEN else setting.trouble(value)
            if trouble is not None:
                yield Finding((*path, setting.name), *trouble)
    yield from _directory((*path, "filename"), given, later=given.get("delay") and not is_ours(cls))


def _has(cls: type[logging.Handler], setting: _Setting) -> bool:
    return setting.name not in _OWN if is_ours(cls) else issubclass(cls, setting.base)


def elsewhere(key: str) -> str | None:
    """Say which class of handlers takes the keyword *key*, if another one does."""
    best = closest(key, [setting.name for setting in _SETTINGS], cutoff=0.85)
    home = next((setting.base for setting in _SETTINGS if setting.name == best), None)
    return f"{best} is for class: {home.__module__}.{home.__name__}" if home else None


def _directory(path: KeyPath, given: Entry, *, later: object) -> Iterator[Finding]:
    """A file can be opened for writing where it is to be."""
    name = given.get("filename")
    if not isinstance(name, str) or _filename(name) is not None:
        return

    trouble = _unwritable(Path(name).absolute())
    if trouble is not None:
        yield Finding(path, *trouble, fatal=not later)  # somebody may yet make the directory


def _unwritable(file: Path) -> Trouble | None:
    folder = str(file.parent)
    if not file.parent.is_dir():
        return f"there is no directory {show(folder)}", _make(folder)

    if file.is_dir():
        return f"{show(str(file))} is a directory", show(str(file / "app.log"))

    if not os.access(file if file.exists() else folder, os.W_OK):
        return f"{show(str(file))} isn't writable for this user", "another directory, or chmod"

    return None


def _make(folder: str) -> str:
    if "~" in folder or "$" in folder:
        return "write the path out: ~ and variables aren't expanded in this file"

    return f"mkdir -p {show(folder)}"


def _filename(value: object) -> Trouble | None:
    if isinstance(value, os.PathLike):
        return None

    if not isinstance(value, str):
        return f"expected the path of a file, got {kind(value)}: {show(value)}", "app.log"

    return (f"{show(value)} can't be a path", "app.log") if value == "" or "\0" in value else None


def _stream(value: object) -> Trouble | None:
    if value is None or hasattr(value, "write"):
        return None

    name = value.rpartition(".")[2].lower() if isinstance(value, str) else ""
    return f"expected a stream, got {show(value)}", _STREAMS.get(name, "ext://sys.stdout")


def _mode(value: object) -> Trouble | None:
    if isinstance(value, str) and "".join(sorted(value)) in _MODES:
        return None

    return f"{show(value)} isn't a mode to write text in", "a to append, w to start afresh"


def _encoding(value: object) -> Trouble | None:
    if value is None or (isinstance(value, str) and _is_encoding(value)):
        return None

    return f"there is no encoding {show(value)}", "utf-8"


def _is_encoding(name: str) -> bool:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except (LookupError, ValueError):
        return False

    return True


def _errors(value: object) -> Trouble | None:
    if value is None or (isinstance(value, str) and _treats_errors(value)):
        return None

    return f"there is no way {show(value)} to treat encoding errors", "backslashreplace"


def _treats_errors(name: str) -> bool:
    try:
        codecs.lookup_error(name)
    except (LookupError, ValueError):
        return False

    return True


def _whole(value: object) -> Trouble | None:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return None

    return f"expected a whole number, got {kind(value)}: {show(value)}", f"{_bytes(value) or 0}"


def _positive(value: object) -> Trouble | None:
    trouble = _whole(value) if value != 0 else (f"must be more than {show(value)}", "")
    return trouble and (trouble[0], f"{_bytes(value) or 1}")


def _bytes(value: object) -> int | None:
    """Read a size as people write it, such as "10 MB"."""
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(match[1]) * _UNITS[match[2].lower()] if match else None


def _when(value: object) -> Trouble | None:
    if isinstance(value, str) and _WHEN.fullmatch(value):
        return None

    return f"there is no such time to rotate: {show(value)}", "midnight, H, M, S, D or W0 to W6"


def _at_time(value: object) -> Trouble | None:
    if value is None or isinstance(value, time):
        return None

    return (
        f"expected a datetime.time, got {kind(value)}: {show(value)}",
        '{"()": datetime.time, hour: 3}',
    )


def _facility(value: object) -> Trouble | None:
    names = std.SysLogHandler.facility_names
    if type(value) is int or (isinstance(value, str) and value in names):
        return None

    return f"there is no facility {show(value)}", closest(
        value, names
    ) or f"one of {listing(names)}"


def _method(value: object) -> Trouble | None:
    if isinstance(value, str) and value.upper() in {"GET", "POST"}:
        return None

    return f"the method is GET or POST, got {show(value)}", "POST"


def _mailhost(value: object) -> Trouble | None:
    pair = isinstance(value, (list, tuple)) and len(value) == 2  # noqa: PLR2004 -- a pair
    if isinstance(value, str) or pair:
        return None

    return f"expected a host, or [host, port], got {kind(value)}: {show(value)}", "[localhost, 25]"


def _port(value: object) -> Trouble | None:
    if value is None or type(value) is int:
        return None

    return f"expected the number of a port, got {kind(value)}: {show(value)}", "9020"


def _address(value: object) -> Trouble | None:
    pair = isinstance(value, (list, tuple)) and len(value) == 2  # noqa: PLR2004 -- a pair
    if pair or (isinstance(value, str) and ":" not in value):
        return None

    return f"expected [host, port] or the path of a socket, got {show(value)}", "[localhost, 514]"


def _credentials(value: object) -> Trouble | None:
    if value is None or isinstance(value, (list, tuple)):
        return None

    return f"expected [user, password], got {kind(value)}", "[user, password]"


_SETTINGS: Final = (
    _Setting(logging.StreamHandler, "stream", _stream),
    _Setting(logging.FileHandler, "filename", _filename),
    _Setting(logging.FileHandler, "mode", _mode),
    _Setting(logging.FileHandler, "encoding", _encoding),
    _Setting(logging.FileHandler, "errors", _errors),
    _Setting(std.RotatingFileHandler, "maxBytes", _whole),
    _Setting(std.RotatingFileHandler, "backupCount", _whole),
    _Setting(std.TimedRotatingFileHandler, "backupCount", _whole),
    _Setting(std.TimedRotatingFileHandler, "when", _when),
    _Setting(std.TimedRotatingFileHandler, "interval", _positive),
    _Setting(std.TimedRotatingFileHandler, "atTime", _at_time),
    _Setting(std.MemoryHandler, "capacity", _whole),
    _Setting(std.SysLogHandler, "facility", _facility),
    _Setting(std.SysLogHandler, "address", _address),
    _Setting(std.SocketHandler, "port", _port),
    _Setting(std.SMTPHandler, "mailhost", _mailhost),
    _Setting(std.SMTPHandler, "credentials", _credentials),
    _Setting(std.HTTPHandler, "method", _method),
)
