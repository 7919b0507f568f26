"""Dotted names, `ext://` and `cfg://`: what a configuration's texts stand for.

As `logging.config` resolves them, but a name that stands for nothing says which part is missing.
"""

from __future__ import annotations

import logging
import logging.config
import logging.handlers
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from tracelog.errors import ConfigError
from tracelog.escapes import printable
from tracelog.rules.findings import clip, closest, show


__all__ = ["Unresolved", "convert", "is_reference", "locate", "referenced"]

_REFERENCE: Final = re.compile(r"(ext|cfg)://(.*)")
_ALIKE: Final = 0.75  # how near a suggestion must be, from 0 to 1
_GENERIC: Final = ("Filter", "Formatter", "Handler")  # half of all packages have those
_LONGEST_REASON: Final = 200
_WORD: Final = re.compile(r"cfg://\s*(\w+)")

_OURS: Final = (
    "tracelog.ConsoleFormatter",
    "tracelog.ContextFilter",
    "tracelog.FileHandler",
    "tracelog.Formatter",
    "tracelog.JsonFormatter",
    "tracelog.RotatingFileHandler",
    "tracelog.StreamHandler",
)


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A name that stands for nothing, and why.

    Attributes:
        text: What is wrong.
        way_out: The hint, or what finds it when it is wanted: looking for one takes time.
    """

    text: str
    way_out: str | Callable[[], str]

    @property
    def hint(self) -> str:
        """The way out."""
        return self.way_out if isinstance(self.way_out, str) else self.way_out()


def is_reference(value: object) -> bool:
    """Is *value* a text that dictConfig replaces by something else?"""
    return isinstance(value, str) and _REFERENCE.match(value) is not None


def referenced(value: str) -> str | None:
    """Name the top-level key that a `cfg://` text leads to."""
    match = _WORD.match(value)
    return match[1] if match else None


def convert(value: str, config: Mapping[str, object]) -> object:
    """Find what a reference stands for, or say why it stands for nothing."""
    if value.startswith("ext://"):
        return locate(value.removeprefix("ext://"))

    return _convert_cfg(value, config)


def _convert_cfg(value: str, config: Mapping[str, object]) -> object:
    try:
        return logging.config.BaseConfigurator(dict(config)).convert(value)
    except RecursionError:
        return Unresolved(f"{show(value)} leads back to itself", "write the value itself")
    except Exception as error:  # noqa: BLE001 -- what lies on the way may raise anything
        reason = _reason(error)
        hint = "cfg://section.name.key, with names that this configuration has"
        return Unresolved(f"{show(value)} leads nowhere ({reason})", hint)


def locate(name: object) -> object:
    """Import what a dotted *name* stands for, or say why it stands for nothing."""
    if not isinstance(name, str) or not all(name.split(".")):
        return Unresolved(f"{show(name)} isn't a dotted name", "write package.module.name")

    first, *rest = name.split(".")
    found = _load(first, name)
    used = first
    for part in rest:
        if isinstance(found, Unresolved):
            break
        used = f"{used}.{part}"
        found = _descend(found, part, used, name)
    return found


def _descend(found: object, part: str, used: str, name: str) -> object:
    """Take the attribute *part*, which may be a module that nobody imported yet."""
    try:
        return getattr(found, part)
    except AttributeError:
        loaded = _load(used, name, parent=found)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- a lazy module may raise anything
        return _broken(used, error)

    return loaded if isinstance(loaded, Unresolved) else getattr(found, part, loaded)


def _load(used: str, name: str, *, parent: object = None) -> object:
    try:
        return _import(used)
    except ModuleNotFoundError as error:
        # `error.name` is the module that is missing: ours, a package above it, or one it needs.
        if f"{used}.".startswith(f"{error.name}."):
            return _missing(used, name, parent)
        return _broken(used, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- importing runs anybody's code
        return _broken(used, error)


def _import(used: str) -> object:
    __import__(used)
    return sys.modules[used]


def _missing(used: str, name: str, parent: object) -> Unresolved:
    if _is_being_imported(parent):
        return _circular(used)

    hint = partial(_suggest, used, name, parent)
    above, _, part = used.rpartition(".")
    if above:
        return Unresolved(f"{show(above)} has no {show(part)} (in {show(name)})", hint)

    return Unresolved(f"there is no module {show(used)} (in {show(name)})", hint)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {clip(printable(str(error)), at=_LONGEST_REASON)}"


def _circular(used: str) -> Unresolved:
    above, _, part = used.rpartition(".")
    return Unresolved(
        f"{show(above)} is still being imported and has no {show(part)} yet (a circular import)",
        f"move {printable(part)} to a module of its own, or configure logging later",
    )


def _is_being_imported(module: object) -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _broken(used: str, error: BaseException) -> Unresolved:
    if isinstance(error, ConfigError):  # of ours, from a setting that makes no sense
        return Unresolved(f"{error.where}: {error.problem}", error.hint)

    reason = _reason(error)
    return Unresolved(
        f"importing {show(used)} failed with {reason}",
        f"python -c 'import {clip(printable(used))}' shows where",
    )


def _suggest(used: str, name: str, parent: object) -> str:
    """Find a name like *name*, of which the part up to *used* could not be found."""
    near = _neighbours(used, parent)
    last = name.rpartition(".")[2]
    known = {} if last in _GENERIC else {full.rpartition(".")[2]: full for full in _well_known()}
    wanted = {**known, **near} if used == name else known
    for word, pool in ((last, wanted), (used.rpartition(".")[2], near)):
        best = closest(word, pool, cutoff=_ALIKE)
        if best is not None:
            return f"did you mean {printable(pool[best])}?"

    return "check the spelling, and that the package is installed here"


def _neighbours(used: str, parent: object) -> dict[str, str]:
    """Name what stands beside *used*, in its package or among the standard modules."""
    above = used.rpartition(".")[0]
    if not above:
        return {name: name for name in sys.stdlib_module_names}

    return {name: f"{above}.{name}" for name in dir(parent) if not name.startswith("_")}


def _well_known() -> Iterator[str]:
    yield from _OURS
    for module in (logging, logging.handlers):
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield f"{module.__name__}.{name}"
