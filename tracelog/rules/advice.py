"""Advice: what works, but hardly as it was meant."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

from tracelog.rules.classes import class_of, handler_class, is_ours
from tracelog.rules.draft import Draft, Entry, walk
from tracelog.rules.findings import Finding, KeyPath, listing, step
from tracelog.rules.names import is_reference


__all__ = ["context", "disabling", "ignored", "roots", "rotation", "silence", "twice", "unused"]

_INCREMENTAL: Final = ("level", "propagate")
_ROOTS: Final = (("root",), ("loggers", ""), ("loggers", "root"))
_STAMP: Final = 'filters: [context], with filters: {context: {"()": tracelog.ContextFilter}} above'
_USE: Final = {
    "handlers": "list it under a logger's handlers, or remove it",
    "formatters": "name it as a handler's formatter, or remove it",
    "filters": "list it under a handler's filters, or remove it",
}
# By name, so that the advice stands even where the class can't be imported.
_CONTEXT_FILTERS: Final = ("tracelog.ContextFilter", "ext://tracelog.ContextFilter")
_NO_RELAY: Final = frozenset({"()", "class", "filters", "formatter", "level"})


def disabling(draft: Draft) -> Iterator[Finding]:
    """Forgotten, `disable_existing_loggers` is true, and silences libraries."""
    if "disable_existing_loggers" not in draft.data:
        yield Finding(
            ("disable_existing_loggers",),
            "is missing, and then true: it silences uvicorn.error, asyncio and all other loggers "
            "that are in use already",
            "disable_existing_loggers: false",
            fatal=False,
        )


def ignored(draft: Draft) -> Iterator[Finding]:
    """An incremental configuration changes levels, and whether loggers propagate."""
    paths: list[KeyPath] = [(key,) for key in ("formatters", "filters") if draft.top(key)]
    for path, entry in [*draft.entries("handlers"), *draft.loggers()]:
        paths += [(*path, step(key)) for key in entry if key not in _INCREMENTAL]
    for path in paths:
        text = "is ignored, because this configuration is incremental"
        yield Finding(path, text, "incremental: false", fatal=False)


def roots(draft: Draft) -> Iterator[Finding]:
    """The root logger is there, once, and has handlers."""
    there = [(path, entry) for path, entry in draft.loggers() if path in _ROOTS and entry]
    if not any(entry.get("handlers") for _, entry in there):
        text = "has no handlers: what no logger in this file writes goes to stderr, bare"
        yield Finding(("root",), text, "root: {level: INFO, handlers: […]}", fatal=False)
    for path, _ in there[:-1]:
        text = f"is the root logger, and {'.'.join(there[-1][0])} replaces it"
        yield Finding(path, text, "one section, root, at the top level")
    for path, entry in there:
        if path == ("root",) and "propagate" in entry:
            text = "means nothing: there is no logger above the root"
            yield Finding((*path, "propagate"), text, "remove it", fatal=False)


def unused(draft: Draft) -> Iterator[Finding]:
    """Handlers, formatters and filters are there to be used."""
    used = {
        "handlers": {*_listed(draft, "handlers"), *_mentioned(draft)},
        "formatters": {_text(entry.get("formatter")) for _, entry in draft.entries("handlers")},
        "filters": set(_listed(draft, "filters")),
    }
    texts = [value for _, value in walk(draft.data) if is_reference(value)]
    for section, names in used.items():
        for name in draft.raw_entries(section):
            reference = f"cfg://{section}.{step(name)}"
            if name not in names and not any(str(text).startswith(reference) for text in texts):
                text = "nobody uses it"
                yield Finding((section, step(name)), text, _USE[section], fatal=False)


def _listed(draft: Draft, key: str) -> Iterator[str]:
    """List the names that handlers and loggers have under *key*."""
    for _, entry in [*draft.entries("handlers"), *draft.loggers()]:
        yield from _texts(entry.get(key))


def _mentioned(draft: Draft) -> Iterator[str]:
    """List the texts that are given to handlers: some of them pass on to others."""
    for path, value in walk(draft.data.get("handlers")):
        if len(path) > 1 and path[1] not in _NO_RELAY and isinstance(value, str):
            yield value


def _texts(names: object) -> list[str]:
    return (
        [one for one in names if isinstance(one, str)] if isinstance(names, (list, tuple)) else []
    )


def _text(name: object) -> str:
    return name if isinstance(name, str) else ""


def context(draft: Draft) -> Iterator[Finding]:
    """Every handler stamps the context onto the lines of other libraries."""
    stamps = [name for name, entry in draft.raw_entries("filters").items() if _stamps(entry)]
    hint = f"filters: [{step(stamps[0])}]" if stamps else _STAMP
    for path, entry in draft.entries("handlers"):
        names = entry.get("filters")
        listed = names if isinstance(names, (list, tuple)) else ()
        if handler_class(entry) is not logging.NullHandler and not any(
            (isinstance(each, str) and each in stamps) or _is_context_filter(type(each))
            for each in listed
        ):
            text = "has no context filter: what other threads and libraries log lacks the trace"
            yield Finding((*path, "filters"), text, hint, fatal=False)


def _stamps(entry: object) -> bool:
    factory = entry.get("()") if isinstance(entry, dict) else None
    if factory in _CONTEXT_FILTERS:
        return True

    return factory is not None and _is_context_filter(class_of(factory))


def _is_context_filter(cls: object) -> bool:
    bases = cls.__mro__ if isinstance(cls, type) else ()
    return any(base.__name__ == "ContextFilter" and is_ours(base) for base in bases)


def rotation(draft: Draft) -> Iterator[Finding]:
    """A file rotates when it may have a size, and has somewhere to go."""
    for path, entry in draft.entries("handlers"):
        cls = handler_class(entry)
        if cls is None or cls.__name__ != "RotatingFileHandler":
            continue

        given = [key for key in ("maxBytes", "backupCount") if entry.get(key)]
        if len(given) == 1:
            other = "backupCount: 5" if given == ["maxBytes"] else "maxBytes: 10485760"
            text = f"alone doesn't rotate: the file grows without {other.partition(':')[0]}"
            yield Finding((*path, given[0]), text, other, fatal=False)


def silence(draft: Draft) -> Iterator[Finding]:
    """A logger that keeps its lines from the root has handlers of its own."""
    for path, entry in draft.loggers():
        if entry.get("propagate") is False and not entry.get("handlers") and path != ("root",):
            text = "propagates nothing and has no handlers: its lines are lost"
            yield Finding(path, text, "handlers: […], or propagate: true", fatal=False)


def twice(draft: Draft) -> Iterator[Finding]:
    """A line is written once by one handler."""
    named = draft.raw_entries("loggers")
    for name, entry in named.items():
        if isinstance(name, str) and isinstance(entry, dict):
            yield from _twice(draft, named, name, set(_texts(entry.get("handlers"))))


def _twice(draft: Draft, named: Entry, name: str, own: set[str]) -> Iterator[Finding]:
    for above in _climb(named, name):
        entry = named.get(above) if above else draft.top("root")
        both = own & set(_texts(entry.get("handlers"))) if isinstance(entry, dict) else set()
        if both:
            text = (
                f"{listing(sorted(both))} has each line twice: {above or 'root'} writes there, too"
            )
            path = ("loggers", step(name), "handlers")
            yield Finding(path, text, "propagate: false, or handlers: []", fatal=False)
            return


def _climb(named: Entry, name: str) -> Iterator[str]:
    """Go up from a logger to those that its lines propagate to; the root is ""."""
    while name:
        entry = named.get(name)
        if isinstance(entry, dict) and entry.get("propagate") == 0:
            return
        name = name.rpartition(".")[0]
        yield name
