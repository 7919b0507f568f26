"""Links: one part of a configuration names another, which must be there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tracelog.rules.draft import BROKEN, Draft
from tracelog.rules.findings import Finding, KeyPath, closest, index, kind, listing, show


__all__ = ["filter_names", "formatter_names", "handler_names", "name_finding", "name_findings"]


def formatter_names(draft: Draft) -> Iterator[Finding]:
    """A handler's formatter is one of those in the file."""
    known = draft.raw_entries("formatters")
    for path, entry in draft.entries("handlers"):
        name = entry.get("formatter")
        if name is not None and name is not BROKEN:
            yield from name_finding((*path, "formatter"), name, known, "formatter")


def handler_names(draft: Draft) -> Iterator[Finding]:
    """A logger's handlers are among those in the file."""
    known = draft.raw_entries("handlers")
    for path, entry in draft.loggers():
        yield from name_findings((*path, "handlers"), entry.get("handlers"), known, "handler")


def filter_names(draft: Draft) -> Iterator[Finding]:
    """The filters of a handler or logger are among those in the file, or filters themselves."""
    known = draft.raw_entries("filters")
    for path, entry in [*draft.entries("handlers"), *draft.loggers()]:
        yield from name_findings((*path, "filters"), entry.get("filters"), known, "filter")


def name_findings(
    path: KeyPath, names: object, known: Iterable[object], what: str
) -> Iterator[Finding]:
    """Say what is wrong with a list of *names*."""
    if names is None or names is BROKEN:
        return

    if not isinstance(names, (list, tuple)):
        text = f"expected a list of {what}s, got {kind(names)}: {show(names)}"
        yield Finding(
            path, text, f"[{names}]" if _is_known(names, known) else f"[name of a {what}]"
        )
        return

    for position, name in enumerate(names):
        if what != "filter" or not _filters(name):
            yield from name_finding((*path, index(position)), name, known, what)


def _filters(thing: object) -> bool:
    return callable(thing) or callable(getattr(thing, "filter", None))


def _is_known(name: object, known: Iterable[object]) -> bool:
    return isinstance(name, str) and name in known


def name_finding(
    path: KeyPath, name: object, known: Iterable[object], what: str
) -> Iterator[Finding]:
    """Say what is wrong with one *name*."""
    if not isinstance(name, str):
        text = f"expected the name of a {what}, got {kind(name)}: {show(name)}"
        yield Finding(path, text, f"the name under {what}s, as a text")
    elif name not in known:
        yield Finding(path, f"there is no {what} {show(name)}", _way_out(name, known, what))


def _way_out(name: str, known: Iterable[object], what: str) -> str:
    best = closest(name, known)
    if best is not None:
        return f"did you mean {show(best)}?"

    there = listing(known)
    also = f", or use one of {there}" if there else ""
    return f"describe it under {what}s{also}"
