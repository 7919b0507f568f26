"""What is wrong with a logging configuration: where, why, and the way out.

A configuration is what `logging.config.dictConfig` takes. Checking one imports the classes that it
names and does nothing else: no file is opened and no handler is built.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeAlias, cast

from tracelog.errors import ConfigError
from tracelog.escapes import printable
from tracelog.rules import (
    advice,
    allowed,
    filters,
    formatters,
    handlers,
    levels,
    links,
    our_formatters,
    relays,
    shape,
)
from tracelog.rules.draft import TOO_LARGE, Draft, is_too_large, walk
from tracelog.rules.findings import Finding, KeyPath, dotted, kind, show


__all__ = ["Problem", "find_problems", "refuse"]

_MOST: Final = 500  # findings of one rule: nobody reads more
_START: Final = "start from the file that `tracelog init` writes"

_Rule: TypeAlias = Callable[[Draft], Iterator[Finding]]

# An incremental configuration changes levels and nothing else; what it names exists already.
_ALWAYS: Final[tuple[_Rule, ...]] = (
    shape.keys,
    shape.loggers,
    shape.references,
    shape.sections,
    shape.switches,
    shape.version,
    levels.levels,
)
_INCREMENTAL: Final[tuple[_Rule, ...]] = (*_ALWAYS, advice.ignored)
_RULES: Final[tuple[_Rule, ...]] = (
    *_ALWAYS,
    links.filter_names,
    links.formatter_names,
    links.handler_names,
    filters.filters,
    formatters.formatters,
    handlers.handlers,
    our_formatters.our_formatters,
    relays.build_order,
    relays.relays,
    advice.context,
    advice.disabling,
    advice.roots,
    advice.rotation,
    advice.silence,
    advice.twice,
    advice.unused,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a configuration.

    Attributes:
        where: Dotted path of the key, e.g. `handlers.out.max_bytes`; empty for the whole.
        line: Its line in the file, if it came from one.
        text: What is wrong.
        hint: The way out.
        fatal: Whether the configuration fails, or loses something that was written in it; else
            this is advice.
    """

    where: str
    line: int | None
    text: str
    hint: str
    fatal: bool = True

    def place(self, source: str) -> str:
        """Say where this is, in a file or whatever else *source* names.

        >>> Problem("root.level", 12, "there is no level 'INFOO'", "INFO").place("logging.yaml")
        'logging.yaml:12: root.level'
        """
        file = source if self.line is None else f"{source}:{self.line}"
        return f"{file}: {self.where}" if self.where else file

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.where or 'config'}: {self.text}\n  Try: {self.hint}"


def find_problems(
    config: object,
    *,
    lines: Mapping[str, int] | None = None,
    allow: Collection[str] | None = None,
) -> list[Problem]:
    """Find everything that is wrong with a *config*, in the order it was written.

    Args:
        config: What was read from a file, or any other value; this never raises.
        lines: The line of each dotted path, if it was read from a file.
        allow: What it may name beside the packages that every file may; None trusts it. If it
            names anything else, nothing but that is found, as nothing is imported.

    >>> [problem] = find_problems([])
    >>> problem.text
    'a configuration is a mapping, got a list: []'
    """
    whole = _whole(config)
    if whole is not None:
        return [_problem(whole, lines or {})]

    draft = Draft(dict(cast("Mapping[str, object]", config)))
    places = _places(draft)
    found = dict.fromkeys(_found(draft, allow))
    ordered = sorted(found, key=lambda finding: _place(finding.path, places))
    return [_problem(finding, lines or {}) for finding in ordered]


def _found(draft: Draft, allow: Collection[str] | None) -> list[Finding]:
    refused = [] if allow is None else [*islice(allowed.refused_names(draft, allow), _MOST)]
    if refused:
        return refused

    rules = _INCREMENTAL if draft.top("incremental") is True else _RULES
    return [finding for rule in rules for finding in islice(rule(draft), _MOST)]


def refuse(
    config: object,
    *,
    source: str = "config",
    lines: Mapping[str, int] | None = None,
    allow: Collection[str] | None = None,
) -> None:
    """Raise for the first thing that makes *config* unusable; advice is passed over.

    Args:
        config: The configuration.
        source: Where it came from, for the message.
        lines: The line of each dotted path, if it was read from a file.
        allow: What it may name beside the packages that every file may; None trusts it.

    Raises:
        ConfigError: If there is anything fatal.
    """
    problems = find_problems(config, lines=lines, allow=allow)
    fatal = [problem for problem in problems if problem.fatal]
    if fatal:
        first, *others = fatal
        text = f"{first.text}{_more(len(others))}"
        raise ConfigError(first.place(printable(source)), text, hint=first.hint)


def _more(count: int) -> str:
    if not count:
        return ""

    return f" (and {count} more {'problem' if count == 1 else 'problems'}: see `tracelog check`)"


def _whole(config: object) -> Finding | None:
    """Say what keeps *config* from being looked into."""
    if config is None:
        return Finding((), "the configuration is empty: expected a mapping", _START)

    if not isinstance(config, Mapping):
        text = f"a configuration is a mapping, got {kind(config)}: {show(config)}"
        return Finding((), text, _START)

    if is_too_large(config):
        return Finding((), *TOO_LARGE)

    return None


def _places(draft: Draft) -> dict[KeyPath, int]:
    return {path: place for place, (path, _) in enumerate(walk(draft.data))}


def _place(path: KeyPath, places: Mapping[KeyPath, int]) -> int:
    """Tell when a *path*, or what it would be in, was written."""
    while path not in places:
        path = path[:-1]
    return places[path]


def _problem(finding: Finding, lines: Mapping[str, int]) -> Problem:
    path = finding.path
    return Problem(dotted(path), _line(path, lines), finding.text, finding.hint, finding.fatal)


def _line(path: KeyPath, lines: Mapping[str, int]) -> int | None:
    while path and dotted(path) not in lines:
        path = path[:-1]
    return lines.get(dotted(path))
