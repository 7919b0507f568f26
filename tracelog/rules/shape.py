"""The shape: which keys a configuration may have, and what kind of value belongs to each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from tracelog.rules.draft import BROKEN, SECTIONS, Draft, Entry, walk
from tracelog.rules.findings import Finding, KeyPath, closest, did_you_mean, kind, show, step
from tracelog.rules.names import Unresolved, is_reference


__all__ = ["keys", "loggers", "references", "sections", "switches", "unknown_keys", "version"]

_SWITCHES: Final = ("disable_existing_loggers", "incremental")
_TOP: Final = ("version", *_SWITCHES, *SECTIONS, "root")
_LOGGER_KEYS: Final = ("level", "handlers", "filters", "propagate")


def references(draft: Draft) -> Iterator[Finding]:
    """Every `ext://` and `cfg://` stands for something."""
    for path, value in walk(draft.data):
        found = draft.resolve(value) if isinstance(value, str) and is_reference(value) else None
        if isinstance(found, Unresolved):
            yield Finding(path, found.text, found.hint)


def version(draft: Draft) -> Iterator[Finding]:
    """The version is 1: there is no other."""
    found = draft.top("version", BROKEN)
    if "version" not in draft.data:
        yield Finding(("version",), "is missing", "version: 1")
    elif found is not BROKEN and (isinstance(found, bool) or found != 1):
        yield Finding(
            ("version",), f"the only version there is is 1, got {show(found)}", "version: 1"
        )


def keys(draft: Draft) -> Iterator[Finding]:
    """A key that dictConfig doesn't know would be ignored without a word."""
    private = set(draft.private_keys())
    for key in draft.data:
        if key not in _TOP and key not in private:
            yield Finding((step(key),), "there is no such section", _way_out_of_top(key))


def _way_out_of_top(key: object) -> str:
    if key in _LOGGER_KEYS:
        return f"put {key} under root"

    section = closest(key, _TOP)
    return f"did you mean {section!r}?" if section else f"remove it, or call it x-{step(key)}"


def switches(draft: Draft) -> Iterator[Finding]:
    """A switch is true or false: the text "no" would count as true."""
    for name in _SWITCHES:
        yield from _switch((name,), draft.top(name, default=False))


def sections(draft: Draft) -> Iterator[Finding]:
    """A section maps names to settings."""
    for name in SECTIONS:
        section = draft.top(name, {})
        yield from _mapping((name,), section, "names with their settings")
        yield from _entries(draft, name)
    yield from _mapping(("root",), draft.top("root", {}) or {}, "level and handlers")


def _entries(draft: Draft, section: str) -> Iterator[Finding]:
    for name, entry in draft.raw_entries(section).items():
        path = (section, step(name))
        if not isinstance(name, str):
            text = f"a name is a text, got {kind(name)}: {show(name)}"
            yield Finding(path, text, f'quote it: "{step(name)}"')
        yield from _mapping(path, entry, "its settings")


def _mapping(path: KeyPath, value: object, what: str) -> Iterator[Finding]:
    if value is not BROKEN and not isinstance(value, dict):
        text = f"expected a mapping ({what}), got {_got(value)}"
        yield Finding(path, text, _mapping_hint(value))


def _got(value: object) -> str:
    return kind(value) if value is None else f"{kind(value)}: {show(value)}"


def _mapping_hint(value: object) -> str:
    if value is None:
        return "indent what belongs to it, or remove it"

    return 'one "key: value" a line, indented, without a dash'


def loggers(draft: Draft) -> Iterator[Finding]:
    """A logger has a level, handlers, filters and a switch."""
    for path, entry in draft.loggers():
        yield from unknown_keys(path, entry, _LOGGER_KEYS)
        yield from _propagate((*path, "propagate"), entry.get("propagate"))


def _propagate(path: KeyPath, value: object) -> Iterator[Finding]:
    if value is not None and not (isinstance(value, int) and value in {0, 1}):
        yield from _switch(path, value)


def _switch(path: KeyPath, value: object) -> Iterator[Finding]:
    if value is not BROKEN and not isinstance(value, bool):
        text = f"expected true or false, got {_got(value)}"
        yield Finding(path, text, "true or false, without quotes")


def unknown_keys(path: KeyPath, entry: Entry, known: Iterable[str]) -> Iterator[Finding]:
    """Find the keys of an *entry* that nobody would read."""
    known = tuple(known)
    for key in entry:
        if key not in known:
            yield Finding((*path, step(key)), "there is no such key", did_you_mean(key, known))
