"""Classes and factories: what `class` and `()` name."""

from __future__ import annotations

import inspect
import logging
import logging.config
from collections.abc import Iterator
from typing import Any, Final

from tracelog.rules.draft import BROKEN, Entry
from tracelog.rules.findings import Finding, KeyPath, kind, show
from tracelog.rules.names import Unresolved, locate


__all__ = [
    "CLASSES_AS_OBJECTS",
    "class_of",
    "factory_findings",
    "handler_class",
    "handler_class_findings",
    "is_ours",
    "parameters",
]

# Since 3.12 a handler's class may be the class itself; before, dictConfig takes texts only.
CLASSES_AS_OBJECTS: Final = hasattr(logging.config.DictConfigurator, "_configure_queue_handler")


def class_of(value: object) -> object:
    """Find what a `class` or a `()` names: an object, `Unresolved`, or BROKEN."""
    return value if callable(value) or value is BROKEN else locate(value)


def handler_class(entry: Entry) -> type[logging.Handler] | None:
    """Find the class of a handler, if it names a sound one."""
    found = class_of(entry["class"]) if "class" in entry and "()" not in entry else None
    return found if isinstance(found, type) and issubclass(found, logging.Handler) else None


def is_ours(thing: object) -> bool:
    """Is *thing* defined in tracelog?"""
    return str(getattr(thing, "__module__", None)).partition(".")[0] == "tracelog"


def parameters(factory: Any) -> dict[str, inspect.Parameter] | None:
    """Read what a *factory* takes, if Python can tell."""
    try:
        return dict(inspect.signature(factory).parameters)
    except Exception:  # noqa: BLE001 -- a signature may be anybody's object
        return None


def factory_findings(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    """Say what is wrong with the factory under `()`."""
    found = class_of(entry["()"])
    if isinstance(found, Unresolved):
        yield Finding((*path, "()"), found.text, found.hint)
    elif found is not BROKEN and not callable(found):
        text = f"{show(entry['()'])} is {kind(found)}, not a class or a function"
        yield Finding((*path, "()"), text, "name what builds it: package.module.name")


def handler_class_findings(path: KeyPath, value: object) -> Iterator[Finding]:
    """Say what is wrong with the class of a handler."""
    found = class_of(value)
    path = (*path, "class")
    if isinstance(found, Unresolved):
        yield Finding(path, found.text, found.hint)
    elif found is BROKEN:
        return
    elif not (isinstance(found, type) and issubclass(found, logging.Handler)):
        text = f"{show(value)} isn't a class of handlers"
        yield Finding(path, text, 'logging.StreamHandler; or name what builds one under "()"')
    elif found is logging.Handler:
        text = "logging.Handler writes nothing: it is what handlers are made of"
        yield Finding(path, text, "logging.StreamHandler")
    elif not isinstance(value, str) and not CLASSES_AS_OBJECTS:
        yield Finding(
            path, "must be a text before Python 3.12", f"{found.__module__}.{found.__name__}"
        )
