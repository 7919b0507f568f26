"""Handlers: what builds one, and the keywords it is built with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from inspect import Parameter
from logging import Handler
from logging.handlers import QueueHandler
from typing import Any, Final, TypeAlias, TypeGuard

from tracelog.errors import ConfigError
from tracelog.escapes import printable
from tracelog.rules.classes import (
    class_of,
    factory_findings,
    handler_class,
    handler_class_findings,
    is_ours,
    parameters,
)
from tracelog.rules.draft import BROKEN, Draft, Entry, without
from tracelog.rules.findings import (
    Finding,
    KeyPath,
    clip,
    closest,
    did_you_mean,
    kind,
    listing,
    show,
    step,
)
from tracelog.rules.relays import QUEUE_KEYS
from tracelog.rules.settings import elsewhere, setting_findings


__all__ = ["handlers", "keyword_findings", "option_findings", "property_findings"]

Taken: TypeAlias = dict[str, Parameter]

_NEAR: Final = 0.75  # how near a keyword must be to be the one that was meant, from 0 to 1
_COMMON: Final = ("level", "formatter", "filters")
_OPEN: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def handlers(draft: Draft) -> Iterator[Finding]:
    """A handler names what builds it, and gives it the keywords that it takes."""
    for path, entry in draft.entries("handlers"):
        yield from property_findings(path, entry)
        if "()" in entry:
            yield from _made(path, entry)
        elif "class" in entry:
            yield from _handler(path, entry)
        else:
            yield from _nameless(path, entry)


def _made(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    yield from factory_findings(path, entry)
    made = class_of(entry["()"])
    given = without(entry, ("()", ".", *_COMMON))
    yield from keyword_findings(path, made, given, more=_COMMON)
    yield from option_findings(path, made, given)
    if isinstance(made, type) and issubclass(made, Handler):
        yield from setting_findings(path, made, given)


def _nameless(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    meant = next((key for key in entry if closest(key, ("class",))), None)
    hint = f"did you mean class, not {show(meant)}?" if meant else "class: logging.StreamHandler"
    yield Finding(path, "has no class", hint)


def _handler(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    yield from handler_class_findings(path, entry["class"])
    cls = handler_class(entry)
    if cls is None:
        return

    given = without(entry, ("class", ".", *_COMMON))
    queue_keys = QUEUE_KEYS if issubclass(cls, QueueHandler) else ()
    if queue_keys:
        given = {"queue": None, **without(given, queue_keys)}
    yield from keyword_findings(path, cls, given, more=(*_COMMON, *queue_keys))
    yield from setting_findings(path, cls, given)
    yield from option_findings(path, cls, given)


def property_findings(path: KeyPath, entry: Entry) -> Iterator[Finding]:
    """Say what is wrong with the attributes under `.`."""
    properties = entry.get(".")
    path = (*path, ".")
    if not properties or properties is BROKEN:
        return

    if not isinstance(properties, dict):
        yield Finding(
            path, f"expected a mapping of attributes, got {kind(properties)}", "name: value"
        )
    elif not all(isinstance(name, str) for name in properties):
        yield Finding(path, "the name of an attribute is a text", "name: value")


def keyword_findings(
    path: KeyPath, factory: object, given: Entry, *, more: Iterable[str] = ()
) -> Iterator[Finding]:
    """Say which of the keywords *given* a *factory* doesn't take, and which it lacks.

    Args:
        path: Where the keywords stand.
        factory: A class or a function.
        given: The keywords, with their values.
        more: What else may be written there: for the suggestions.
    """
    for key in given:
        if not _is_keyword(key):
            yield Finding((*path, step(key)), "isn't a keyword", "letters, digits and underscores")
    taken = parameters(factory) if callable(factory) else None
    if taken is not None:
        yield from _unknown(path, factory, taken, given, more)
        yield from _lacking(path, factory, taken, given)


def option_findings(path: KeyPath, factory: Any, given: Entry) -> Iterator[Finding]:
    """Say what is wrong with the options *given* to one of ours, which knows what they may be."""
    check = getattr(factory, "check", None)
    if not callable(check) or not is_ours(factory) or BROKEN in given.values():
        return

    try:
        check(**{key: value for key, value in given.items() if isinstance(key, str)})
    except ConfigError as error:
        yield Finding((*path, error.where), clip(printable(error.problem), at=200), error.hint)
    except TypeError:  # an unknown keyword, which was said before
        return


def _unknown(
    path: KeyPath, factory: object, taken: Taken, given: Entry, more: Iterable[str]
) -> Iterator[Finding]:
    if any(each.kind is Parameter.VAR_KEYWORD for each in taken.values()):
        return

    known = [name for name, each in taken.items() if _is_named(each)]
    for key in given:
        if _is_keyword(key) and key not in known:
            text = f"{_name(factory)} takes no {show(key)}"
            yield Finding((*path, step(key)), text, _way_out(key, [*known, *more]))


def _way_out(key: str, known: list[str]) -> str:
    near = closest(key, known, cutoff=_NEAR)
    return (None if near else elsewhere(key)) or did_you_mean(key, known)


def _lacking(path: KeyPath, factory: object, taken: Taken, given: Entry) -> Iterator[Finding]:
    needed = [
        name
        for name, each in taken.items()
        if each.default is Parameter.empty and each.kind not in _OPEN and name not in given
    ]
    if needed:
        yield Finding(path, f"{_name(factory)} needs {listing(needed)}", f"{needed[0]}: …")


def _is_keyword(key: object) -> TypeGuard[str]:
    return isinstance(key, str) and key.isidentifier() and key.isascii()


def _is_named(parameter: Parameter) -> bool:
    return parameter.kind not in {*_OPEN, Parameter.POSITIONAL_ONLY}


def _name(factory: object) -> str:
    module = getattr(factory, "__module__", None)
    name = getattr(factory, "__qualname__", type(factory).__qualname__)
    return step(f"{module}.{name}" if isinstance(module, str) else f"{name}")
