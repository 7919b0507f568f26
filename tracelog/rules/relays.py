"""Relays: handlers that pass on to other handlers, MemoryHandler and QueueHandler."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator
from logging.handlers import MemoryHandler, QueueHandler, QueueListener
from typing import Final

from tracelog.rules.classes import class_of, factory_findings, handler_class
from tracelog.rules.draft import BROKEN, Draft, Entry
from tracelog.rules.findings import Finding, KeyPath, kind, show, step
from tracelog.rules.levels import level_findings
from tracelog.rules.links import name_finding, name_findings


__all__ = ["QUEUE_KEYS", "build_order", "destinations", "relays"]

_configurator: Final = logging.config.DictConfigurator

# What dictConfig builds a QueueHandler of, beside the class's own keywords; nothing before 3.12.
QUEUE_KEYS: Final = (
    ("queue", "listener", "handlers", "respect_handler_level")
    if hasattr(_configurator, "_configure_queue_handler")
    else ()
)
_HANDLERS_REQUIRED: Final = (
    "No handlers specified for a QueueHandler" in _configurator.configure_handler.__code__.co_consts
)
_FLUSH_LEVEL_BY_NAME: Final = "flushLevel" in _configurator.configure_handler.__code__.co_consts


def relays(draft: Draft) -> Iterator[Finding]:
    """What a relay writes to is in the file, and its queue is one."""
    known = draft.raw_entries("handlers")
    for path, entry in draft.entries("handlers"):
        cls = handler_class(entry)
        if cls is not None and issubclass(cls, MemoryHandler):
            yield from _memory(path, entry, known)
        elif cls is not None and issubclass(cls, QueueHandler):
            yield from _queue(path, entry, known)


def _memory(path: KeyPath, entry: Entry, known: dict[object, object]) -> Iterator[Finding]:
    if entry.get("target", BROKEN) is not BROKEN:
        yield from name_finding((*path, "target"), entry["target"], known, "handler")
    yield from _flush_level((*path, "flushLevel"), entry.get("flushLevel", BROKEN))


def _flush_level(path: KeyPath, level: object) -> Iterator[Finding]:
    if isinstance(level, str) and not _FLUSH_LEVEL_BY_NAME:
        number = logging.getLevelNamesMapping().get(level, logging.ERROR)
        yield Finding(path, "must be a number in this version of Python", f"{number}")
    elif level is None:
        yield Finding(path, "a level is a name or a number, got nothing", "ERROR")
    else:
        yield from level_findings(path, level)


def _queue(path: KeyPath, entry: Entry, known: dict[object, object]) -> Iterator[Finding]:
    yield from _queue_itself((*path, "queue"), entry.get("queue", BROKEN))
    if QUEUE_KEYS:
        if _HANDLERS_REQUIRED and "handlers" not in entry:
            text = "has no `handlers`, and this version of Python needs them"
            yield Finding(path, text, "handlers: [name of a handler]")
        yield from _handlers((*path, "handlers"), entry.get("handlers", BROKEN), known)
        yield from _listener((*path, "listener"), entry.get("listener", BROKEN))


def _handlers(path: KeyPath, names: object, known: dict[object, object]) -> Iterator[Finding]:
    if names is None:  # which is no list here, unlike under a logger
        yield Finding(path, "expected a list of handlers, got nothing", "[name of a handler]")
    yield from name_findings(path, names, known, "handler")


def _queue_itself(path: KeyPath, queue: object) -> Iterator[Finding]:
    if QUEUE_KEYS and isinstance(queue, (str, dict)):
        yield from _built(path, queue, "queue.Queue")
    elif queue is not BROKEN and not hasattr(queue, "put_nowait"):
        text = f"expected a queue, got {kind(queue)}: {show(queue)}"
        yield Finding(path, text, "queue.Queue" if QUEUE_KEYS else "ext://package.module.queue")


def _listener(path: KeyPath, listener: object) -> Iterator[Finding]:
    found = class_of(listener) if isinstance(listener, str) else listener
    wrong = isinstance(found, type) and not issubclass(found, QueueListener)
    if wrong or (found is not BROKEN and not isinstance(listener, (str, dict, type))):
        text = f"expected a class of listeners, got {kind(listener)}: {show(listener)}"
        yield Finding(path, text, "logging.handlers.QueueListener")
    elif isinstance(listener, (str, dict)):
        yield from _built(path, listener, "logging.handlers.QueueListener")


def _built(path: KeyPath, recipe: str | Entry, example: str) -> Iterator[Finding]:
    """Say what is wrong with a *recipe*: the name of a factory, or a mapping with one."""
    if isinstance(recipe, str):
        for found in factory_findings(path, {"()": recipe}):
            yield Finding(path, found.text, found.hint)
    elif "()" not in recipe:
        yield Finding(path, 'expected a factory under "()"', f'{{"()": {example}}}')
    else:
        yield from factory_findings(path, recipe)


def destinations(entry: Entry) -> list[str]:
    """List the handlers that the handler described by *entry* writes to."""
    cls = handler_class(entry)
    if cls is None:
        return []

    if issubclass(cls, MemoryHandler):
        named: object = [entry.get("target")]
    else:
        named = entry.get("handlers") if QUEUE_KEYS and issubclass(cls, QueueHandler) else None
    return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []


def build_order(draft: Draft) -> Iterator[Finding]:
    """A relay is built after what it writes to: dictConfig goes by the alphabet, twice."""
    entries = draft.raw_entries("handlers")
    needs = {
        name: {one for one in destinations(entry) if one in entries}
        for name, entry in entries.items()
        if isinstance(name, str) and isinstance(entry, dict)
    }
    for name in _stuck(needs):
        yield Finding(
            ("handlers", step(name)),
            "what it writes to isn't built yet when its own turn comes",
            "no circles; after a relay to a relay in the alphabet, not before it",
        )


def _stuck(needs: dict[str, set[str]]) -> list[str]:
    built: set[str] = set()
    waiting = sorted(needs)
    for _ in range(2):
        waiting = [name for name in waiting if not _build(name, needs, built)]
    return waiting


def _build(name: str, needs: dict[str, set[str]], built: set[str]) -> bool:
    """Build *name* if what it needs is there already."""
    if not needs[name] <= built:
        return False

    built.add(name)
    return True
