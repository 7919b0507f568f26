"""A configuration as dictConfig will read it: its sections, with `ext://` and `cfg://` replaced.

What is too large, too deep or endless is found here, first, so that no rule has to fear it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracelog.rules.findings import KeyPath, index, step
from tracelog.rules.names import Unresolved, convert, is_reference, referenced


__all__ = ["BROKEN", "SECTIONS", "TOO_LARGE", "Draft", "Entry", "is_too_large", "walk", "without"]

SECTIONS: Final = ("formatters", "filters", "handlers", "loggers")

# Stands for a reference that leads nowhere. `references` reports those; other rules pass them by.
BROKEN: Final = object()

_MOST_VALUES: Final = 20_000
_DEEPEST: Final = 50
# What is wrong with what is too large, and the way out.
TOO_LARGE: Final = (
    "with its aliases followed, this is larger or deeper than any configuration",
    "fewer aliases; a configuration has some hundred values",
)
_PRIVATE: Final = ("x-", "_", ".")

# The settings of one handler, logger, formatter or filter.
Entry: TypeAlias = dict[object, object]


def is_too_large(config: object) -> bool:
    """Is *config*, with its aliases followed, larger or deeper than any sound one?"""
    waiting = [(config, 0)]
    seen = 0
    while waiting:
        value, depth = waiting.pop()
        below = _children(value)
        seen += 1 + len(below)
        if seen > _MOST_VALUES or depth > _DEEPEST:
            return True
        waiting.extend((child, depth + 1) for _, child in below)
    return False


def walk(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Go through a *value* that isn't too large, in the order it was written."""
    yield path, value
    for part, child in _children(value):
        yield from walk(child, (*path, part))


def without(entry: Entry, keys: Container[object]) -> Entry:
    """Copy an *entry*, but for some of its *keys*."""
    return {key: value for key, value in entry.items() if key not in keys}


def _children(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(step(key), child) for key, child in value.items()]

    if isinstance(value, (list, tuple)):
        return [(index(position), child) for position, child in enumerate(value)]

    return []


@dataclass(frozen=True, slots=True)
class Draft:
    """A configuration that isn't too large, and what its texts stand for.

    Attributes:
        data: The configuration as it was given.
    """

    data: Mapping[str, object]
    _found: dict[str, object] = field(default_factory=dict)

    def resolve(self, reference: str) -> object:
        """Find what an `ext://` or `cfg://` text stands for, once."""
        if reference not in self._found:
            self._found[reference] = convert(reference, self.data)
        return self._found[reference]

    def value(self, raw: object) -> object:
        """Replace *raw* by what it stands for."""
        if not (isinstance(raw, str) and is_reference(raw)):
            return raw

        found = self.resolve(raw)
        return BROKEN if isinstance(found, Unresolved) else found

    def top(self, key: str, default: object = None) -> object:
        """Read a top-level *key*."""
        return self.value(self.data.get(key, default))

    def raw_entries(self, section: str) -> dict[object, object]:
        """Read a *section*: whatever is in it under any name."""
        found = self.top(section)
        return {key: self.value(raw) for key, raw in _items(found)}

    def entries(self, section: str) -> Iterator[tuple[KeyPath, Entry]]:
        """Go through the entries of a *section* that have settings, and a path each."""
        for name, raw in self.raw_entries(section).items():
            if isinstance(raw, dict):
                yield (section, step(name)), self._entry(raw)

    def loggers(self) -> Iterator[tuple[KeyPath, Entry]]:
        """Go through all loggers, the root among them."""
        yield from self.entries("loggers")
        root = self.top("root")
        if isinstance(root, dict):
            yield ("root",), self._entry(root)

    def private_keys(self) -> Iterator[str]:
        """Name the top-level keys that are nobody's business: anchors, and what `cfg://` reads."""
        yield from (key for key in self.data if isinstance(key, str) and key.startswith(_PRIVATE))
        for _, value in walk(self.data):
            name = referenced(value) if isinstance(value, str) else None
            if name is not None:
                yield name

    def _entry(self, raw: Entry) -> Entry:
        return {key: self.value(value) for key, value in raw.items()}


def _items(found: object) -> list[tuple[object, object]]:
    return list(found.items()) if isinstance(found, dict) else []
