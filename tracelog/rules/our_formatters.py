"""Our own formatters: what their options may be, and the processors that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from inspect import Parameter
from typing import Any, Final

from tracelog.errors import ConfigError
from tracelog.escapes import printable
from tracelog.rules.classes import class_of, is_ours, parameters
from tracelog.rules.draft import BROKEN, Draft, Entry, without
from tracelog.rules.findings import (
    Finding,
    KeyPath,
    clip,
    did_you_mean,
    index,
    kind,
    show,
    step,
)
from tracelog.rules.formatters import style_findings, type_findings
from tracelog.rules.handlers import keyword_findings
from tracelog.rules.names import Unresolved


__all__ = ["our_formatters"]

_EXT: Final = "ext://"
_TYPES: Final = {
    "fmt": str,
    "datefmt": str,
    "validate": bool,
    **dict.fromkeys(("defaults", "rename_fields", "static_fields"), dict),
}
_EXAMPLE: Final = "processors: [my_app.logs.add_region]"


def our_formatters(draft: Draft) -> Iterator[Finding]:
    """A formatter of ours takes its options, and finds its processors."""
    for path, entry in draft.entries("formatters"):
        factory = class_of(entry.get("()"))
        if isinstance(factory, type) and is_ours(factory):
            yield from _options(path, factory, entry)
            yield from _processors((*path, "processors"), entry.get("processors"))


def _options(path: KeyPath, factory: Any, entry: Entry) -> Iterator[Finding]:
    """Say what is wrong with the options, by their names and kinds first, then by trying them."""
    options = {str(k): v for k, v in entry.items() if k not in {"()", ".", "processors"}}
    if BROKEN in options.values():
        return

    taken = parameters(factory) or {}
    if Parameter.VAR_KEYWORD not in {each.kind for each in taken.values()}:
        if not options.keys() <= taken.keys():
            return  # as is said of every factory
    elif unknown := list(_unknown(path, taken, options)):
        yield from unknown
        return

    listed = isinstance(entry.get("fmt"), (list, tuple))  # python-json-logger takes a list, too
    plain = without(entry, ("fmt",)) if listed else entry
    if wrong := [*type_findings(path, plain, _TYPES), *style_findings(path, plain)]:
        yield from wrong
    else:
        yield from _tried(path, factory, options)


def _tried(path: KeyPath, factory: Any, options: Mapping[str, Any]) -> Iterator[Finding]:
    """Build a formatter of ours, which opens nothing: what it refuses is said."""
    try:
        factory(**options)
    except ConfigError as error:
        yield _finding(path, error, options)
    except Exception as error:  # noqa: BLE001 -- python-json-logger's options raise what they like
        reason = clip(printable(str(error)), at=200)
        yield Finding(path, f"is refused: {reason}", "leave out what isn't needed")


def _unknown(path: KeyPath, taken: Iterable[str], options: Iterable[str]) -> Iterator[Finding]:
    """Say which options nobody takes: neither the formatter, nor to whom it passes them on."""
    # Where orjson can't be loaded, in a subinterpreter say, the one that asks for it says so.
    from tracelog.json_formatter import JsonFormatter  # noqa: PLC0415

    passed_on = (name for each in JsonFormatter.__mro__ for name in parameters(each) or ())
    known = [*dict.fromkeys((*taken, *passed_on))]
    for key in options:
        if key not in known and not key.startswith("json_"):
            text = f"there is no such option as {show(key)}"
            yield Finding((*path, step(key)), text, did_you_mean(key, known))


def _finding(path: KeyPath, error: ConfigError, options: Mapping[str, object]) -> Finding:
    if error.where in options:
        return Finding((*path, error.where), error.problem, error.hint)

    return Finding(path, printable(f"{error.where}: {error.problem}"), error.hint)


def _processors(path: KeyPath, value: object) -> Iterator[Finding]:
    if value is None or value is BROKEN:
        return

    if not isinstance(value, (list, tuple)):
        yield Finding(path, f"expected a list, got {kind(value)}: {show(value)}", _EXAMPLE)
        return

    for number, item in enumerate(value):
        yield from _processor((*path, index(number)), item)


def _processor(path: KeyPath, item: object) -> Iterator[Finding]:
    if isinstance(item, Mapping) and "()" in item:
        given = {key: value for key, value in item.items() if key != "()"}
        yield from keyword_findings(path, class_of(item["()"]), given)
        path, item = (*path, "()"), item["()"]
    found = class_of(item.removeprefix(_EXT) if isinstance(item, str) else item)
    if isinstance(found, Unresolved):
        yield Finding(path, found.text, found.hint)
    elif found is not BROKEN and not callable(found):
        yield Finding(path, f"{show(item)} can't be called: it is no processor", _EXAMPLE)
