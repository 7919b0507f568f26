"""Formatters: what builds one, and whether its format can be filled in."""

from __future__ import annotations

import inspect
import logging
import logging.config
import operator
import re
from collections.abc import Iterator, Mapping
from string import Template
from typing import Final, Literal, cast

from tracelog.escapes import printable
from tracelog.rules.classes import class_of, factory_findings, parameters
from tracelog.rules.draft import BROKEN, Draft, Entry, without
from tracelog.rules.findings import Finding, KeyPath, clip, closest, kind, show, step
from tracelog.rules.handlers import keyword_findings, property_findings
from tracelog.rules.names import Unresolved
from tracelog.rules.shape import unknown_keys


__all__ = ["formatters", "style_findings", "type_findings"]

# Before 3.12 dictConfig doesn't read `defaults`.
_configure: Final = logging.config.DictConfigurator.configure_formatter
_DEFAULTS: Final = "defaults" in _configure.__code__.co_consts
_KEYS: Final = ("format", "datefmt", "style", "validate", "class", "defaults")
_EXAMPLES: Final = {"%": '"%(message)s"', "{": '"{message}"', "$": '"$message"'}
_MARKS: Final = {"%": "%(", "{": "{", "$": "$"}
_TYPES: Final = {"format": str, "fmt": str, "datefmt": str, "validate": bool, "defaults": dict}
_NEAR: Final = 0.85  # how near a field must be to be the one that was meant, from 0 to 1
_WIDE: Final = re.compile(r"\d{4}")  # a width that would cost memory to try


class _Anything(int):
    """Stands for a field that isn't a record's own: it can be written in every way."""

    def __format__(self, _spec: str) -> str:
        return ""

    def __getattr__(self, _name: str) -> _Anything:
        return self

    def __getitem__(self, _key: object) -> _Anything:
        return self


class _Probe(dict[str, object]):
    """A record's fields, to fill a format with; it remembers those that it hasn't."""

    def __init__(self, defaults: dict[str, object]) -> None:
        super().__init__(defaults, message="", asctime="")
        self.update(vars(logging.makeLogRecord({})))
        self.own = frozenset(self)
        self.asked: list[str] = []

    def __missing__(self, key: str) -> _Anything:
        self.asked.append(key)
        return _Anything()


def formatters(draft: Draft) -> Iterator[Finding]:
    """A formatter can be built, and its format filled in."""
    for path, entry in draft.entries("formatters"):
        if "()" in entry:
            yield from _made(draft, path, entry)
        else:
            yield from _unknown(path, entry)
            yield from _class(path, entry)
            yield from _too_new(path, entry)
            factory = class_of(entry.get("class") or "logging.Formatter")
            yield from _settings(draft, path, entry, factory, "format")


def _made(draft: Draft, path: KeyPath, entry: Entry) -> Iterator[Finding]:
    yield from factory_findings(path, entry)
    yield from property_findings(path, entry)
    factory = class_of(entry["()"])
    given = without(entry, ("()", "."))
    yield from keyword_findings(path, factory, _renamed(given, factory), more=("format",))
    yield from _settings(draft, path, given, factory, "fmt" if "fmt" in given else "format")


def _renamed(given: Entry, factory: object) -> Entry:
    """Call `format` what the *factory* calls it: dictConfig tries `fmt`, too."""
    taken = parameters(factory) or {}
    if "format" in given and "fmt" in taken and "format" not in taken:
        return {("fmt" if key == "format" else key): value for key, value in given.items()}

    return given


def _unknown(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    """Of a class's own keywords dictConfig passes none on; a factory gets them all."""
    name = entry.get("class")
    found = class_of(name) if name else None
    taken = (parameters(found) if callable(found) else None) or {}
    is_open = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in taken.values())
    for unknown in unknown_keys(path, entry, _KEYS):
        key = unknown.path[-1]
        if closest(key, _KEYS) is None and (is_open or key in taken):
            text = "dictConfig doesn't pass this on to a class"
            yield Finding(unknown.path, text, f'"()": {step(name)}, in place of class')
        else:
            yield unknown


def _class(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    name = entry.get("class")
    found = class_of(name) if name else None
    path = (*path, "class")
    if isinstance(found, Unresolved):
        yield Finding(path, found.text, found.hint)
    elif found is not None and found is not BROKEN and not _formats(found, name):
        yield Finding(path, f"{show(name)} isn't a class of formatters", "logging.Formatter")
    elif found is not None and not _takes_what_dict_config_gives(found, entry):
        text = f"{show(name)} doesn't take (format, datefmt, style) as dictConfig gives them"
        yield Finding(path, text, 'name it under "()", beside its own keywords')


def _formats(found: object, name: object) -> bool:
    """Is it a formatter, and named by a text? Nothing else is allowed here by any Python."""
    if not isinstance(name, str):
        return False

    if isinstance(found, type):
        return not issubclass(found, logging.Handler) and callable(getattr(found, "format", None))

    return callable(found)


def _takes_what_dict_config_gives(found: object, entry: Entry) -> bool:
    taken = parameters(found)
    given = [None, None, "%", *([True] if "validate" in entry else [])]
    more = {"defaults": None} if entry.get("defaults") is not None and _DEFAULTS else {}
    try:
        return taken is None or bool(inspect.Signature([*taken.values()]).bind(*given, **more))
    except TypeError:
        return False


def _too_new(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    if "defaults" in entry and not _DEFAULTS:
        text = "is ignored before Python 3.12"
        yield Finding((*path, "defaults"), text, 'a formatter under "()", which takes defaults')


def _settings(
    draft: Draft, path: KeyPath, entry: Entry, factory: object, key: str
) -> Iterator[Finding]:
    """Say what is wrong with the settings of logging's own formatter: they are known."""
    if getattr(factory, "__init__", None) is not logging.Formatter.__init__:
        return

    wrong = [*type_findings(path, entry, _TYPES), *style_findings(path, entry)]
    yield from wrong
    text = entry.get(key)
    if not wrong and isinstance(text, str) and entry.get("validate", True) is True:
        yield from _format(draft, (*path, key), text, entry)


def type_findings(path: KeyPath, entry: Entry, types: Mapping[str, type]) -> Iterator[Finding]:
    """Say which settings are of another kind than *types* wants."""
    for key, expected in types.items():
        value = entry.get(key)
        if value is not None and value is not BROKEN and not isinstance(value, expected):
            text = f"expected {kind(expected())}, got {kind(value)}: {show(value)}"
            yield Finding((*path, key), text, "quote it" if expected is str else f"{expected()}")


def style_findings(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    """A style is one of three."""
    style = entry.get("style", "%")
    if style is not BROKEN and not (isinstance(style, str) and style in _EXAMPLES):
        text = f"there is no style {show(style)}"
        yield Finding((*path, "style"), text, '"%", "{" or "$", with the quotes')


def _format(draft: Draft, path: KeyPath, text: str, entry: Entry) -> Iterator[Finding]:
    style = entry.get("style", "%")
    defaults = entry.get("defaults")
    probe = _Probe(defaults if isinstance(defaults, dict) else {})
    if style is BROKEN:
        return

    try:
        logging.Formatter(text, style=cast("Literal['%', '{', '$']", style))
        _fill(text, style, probe)
    except Exception as error:  # noqa: BLE001 -- the values under `defaults` may raise anything
        reason = clip(printable(str(error)))
        yield Finding(path, f"{show(text)} isn't a format: {reason}", _way_out(text, style))
    else:
        yield from _fields(draft, path, probe)


def _fill(text: str, style: object, probe: _Probe) -> None:
    if _WIDE.search(text):
        return

    if style == "%":
        operator.mod(text, probe)
    elif style == "{":
        text.format_map(probe)
    else:
        Template(text).substitute(probe)


def _way_out(text: str, style: object) -> str:
    meant = next((other for other, mark in _MARKS.items() if mark in text and other != style), None)
    if meant is not None and _MARKS[cast("str", style)] not in text:
        return f'add style: "{meant}"'

    return f"{_EXAMPLES[cast('str', style)]}; a {style} of its own is written twice"


def _fields(draft: Draft, path: KeyPath, probe: _Probe) -> Iterator[Finding]:
    """Find the fields that nothing puts on a record."""
    filtered = any("()" in entry for _, entry in draft.entries("filters"))
    for name in dict.fromkeys(probe.asked):
        near = closest(name, probe.own, cutoff=_NEAR)
        if near or not filtered:
            hint = f"did you mean {near}?" if near else f"defaults: {{{name}: ...}}, or a filter"
            text = f"a record has no field {show(name)} of its own; its lines would be lost"
            # A filter may set any field, even one that looks like a slip of the pen.
            yield Finding(path, text, printable(hint), fatal=bool(near) and not filtered)
