"""Filters: what builds one."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from tracelog.rules.classes import class_of, factory_findings, is_ours
from tracelog.rules.draft import BROKEN, Draft, Entry, without
from tracelog.rules.findings import Finding, KeyPath, kind, show, step
from tracelog.rules.handlers import keyword_findings, option_findings, property_findings
from tracelog.rules.shape import unknown_keys


__all__ = ["filters"]


def filters(draft: Draft) -> Iterator[Finding]:
    """A filter can be built, and filters."""
    for path, entry in draft.entries("filters"):
        if "()" in entry:
            yield from _made(path, entry)
        else:
            yield from _named(path, entry)


def _made(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    yield from factory_findings(path, entry)
    yield from property_findings(path, entry)
    factory = class_of(entry["()"])
    given = without(entry, ("()", "."))
    yield from keyword_findings(path, factory, given)
    yield from option_findings(path, factory, given)
    yield from _focus(path, factory, given)
    if getattr(factory, "__init__", None) is logging.Filter.__init__:
        yield from _name(path, entry)
    if isinstance(factory, type) and not _filters(factory):
        text = f"{show(entry['()'])} has no filter method"
        yield Finding((*path, "()"), text, "tracelog.ContextFilter, or a class with filter(record)")


def _focus(path: KeyPath, factory: object, given: Entry) -> Iterator[Finding]:
    is_focus = is_ours(factory) and getattr(factory, "__name__", None) == "Focus"
    if is_focus and not given.get("rules") and not given.get("file"):
        text = "has neither rules nor a file of them: it changes nothing"
        yield Finding(path, text, "file: focus.yaml, or remove it", fatal=False)


def _filters(cls: type) -> bool:
    return any(callable(getattr(each, name, None)) for each, name in _ways(cls))


def _ways(cls: type) -> list[tuple[type, str]]:
    # `__call__` is looked up in the class's own bases: every class has one as an object.
    return [
        (cls, "filter"),
        *((base, "__call__") for base in cls.__mro__ if "__call__" in vars(base)),
    ]


def _named(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    """A filter without a factory passes on the loggers under one name, and has no other key."""
    if "class" in entry:
        text = "there is no such key: this would be a filter that passes everything"
        yield Finding((*path, "class"), text, f'"()": {step(entry["class"])}')
    yield from unknown_keys(path, without(entry, ("class",)), ("name",))
    yield from _name(path, entry)


def _name(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    name = entry.get("name", "")
    if name is not BROKEN and not isinstance(name, str):
        text = f"expected the name of a logger, got {kind(name)}: {show(name)}"
        yield Finding((*path, "name"), text, "quote it")
