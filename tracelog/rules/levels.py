"""Levels: what stands where a level is expected."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from tracelog.rules.draft import BROKEN, Draft
from tracelog.rules.findings import Finding, KeyPath, closest, kind, listing, show


__all__ = ["level_findings", "levels"]


def levels(draft: Draft) -> Iterator[Finding]:
    """The level of every handler and logger is one that logging knows."""
    for path, entry in [*draft.entries("handlers"), *draft.loggers()]:
        yield from level_findings((*path, "level"), entry.get("level"))


def level_findings(path: KeyPath, level: object) -> Iterator[Finding]:
    """Say what is wrong with a *level*."""
    if level is None or level is BROKEN or type(level) is int:
        return

    if isinstance(level, bool):
        text = f"a level is a name or a number, got {str(level).lower()}"
        yield Finding(path, text, "INFO; YAML reads on, off, yes and no as true and false")
    elif not isinstance(level, str):
        text = f"a level is a name or a number, got {kind(level)}: {show(level)}"
        yield Finding(path, text, "INFO")
    elif level not in logging.getLevelNamesMapping():
        yield Finding(path, f"there is no level {show(level)}", _way_out(level))


def _way_out(level: str) -> str:
    if level.strip().isdecimal():
        return f"{level.strip()}, without the quotes"

    if "$" in level:
        return "INFO; variables aren't expanded here, but configure_logging(level=…) takes one"

    known = sorted(logging.getLevelNamesMapping(), key=logging.getLevelNamesMapping().__getitem__)
    return closest(level, known) or f"one of {listing(name for name in known if name != 'NOTSET')}"
