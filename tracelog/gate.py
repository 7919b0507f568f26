"""Levels that are lower for some flows: what `logging` is told when it asks whether one is on.

While there is a rule, `logging.Logger.isEnabledFor` asks it for whose flow a level is to be on; no
level is changed, no record is made that nobody wants, and without a rule nothing is there at all.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from tracelog.attribution import of_line
from tracelog.context import Context
from tracelog.errors import ConfigError
from tracelog.matching import fits
from tracelog.settings import level_number


__all__ = ["Rule", "is_open", "let", "read_rules"]

_LEVEL: Final = "level"
_HINT: Final = '[{"user_id": "user-456", "level": "DEBUG"}]'
_ANY: Final = sys.maxsize  # a level that is off only where all are: the logger is disabled


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        level: From which level on lines are made,
        wanted: where the context shows all of these.
    """

    level: int
    wanted: Mapping[str, Any]


def read_rules(drafts: Any, *, where: str) -> tuple[Rule, ...]:
    """Read rules as YAML writes them: mappings of what is bound to whom, and a `level`.

    Raises:
        ConfigError: If they aren't.

    >>> read_rules([{"user_id": "user-456"}], where="rules")
    (Rule(level=10, wanted={'user_id': 'user-456'}),)
    """
    if drafts is None:  # an empty file
        return ()

    if not isinstance(drafts, Iterable) or isinstance(drafts, (str, Mapping)):
        raise ConfigError(where, f"expected a list of rules, got {drafts!r}", hint=_HINT)

    return tuple(_read(draft, f"{where}[{number}]") for number, draft in enumerate(drafts))


def _read(draft: Any, where: str) -> Rule:
    if not isinstance(draft, Mapping) or not draft.keys() - {_LEVEL}:
        raise ConfigError(where, f"{draft!r} doesn't say for whom", hint=_HINT)

    wanted = {key: value for key, value in draft.items() if key != _LEVEL}
    return Rule(level_number(draft.get(_LEVEL, logging.DEBUG), where=f"{where}.level"), wanted)


_IsEnabledFor = Callable[[logging.Logger, int], bool]

_lock = threading.RLock()  # an owner may be collected while another one changes its rules
_owned: dict[Hashable, tuple[Rule, ...]] = {}
_rules: list[Rule] = []
_replaced: list[tuple[_IsEnabledFor, _IsEnabledFor]] = []


def let(owner: Hashable, rules: tuple[Rule, ...] = ()) -> None:
    """Have *rules* apply from now on, in place of those that *owner* had."""
    with _lock:
        if rules:
            _owned[owner] = rules
        else:
            _owned.pop(owner, None)
        _rules[:] = chain.from_iterable(_owned.values())
        if _rules:
            _begin()
        else:
            _end()


def is_open(context: Context, level: int) -> bool:
    """Tell whether a rule has lines of *level* made, and written, in *context*."""
    return any(rule.level <= level and fits(context.fields, rule.wanted) for rule in _rules)


def _begin() -> None:
    if not _replaced:
        original: _IsEnabledFor = logging.Logger.isEnabledFor
        asking = _asking(original)
        _replaced.append((original, asking))
        logging.Logger.isEnabledFor = asking  # type: ignore[method-assign,assignment]
        _forget_levels()


def _end() -> None:
    if _replaced:
        original, asking = _replaced.pop()
        if logging.Logger.isEnabledFor is asking:  # or somebody's has it, and gives it back
            logging.Logger.isEnabledFor = original  # type: ignore[method-assign,assignment]
        _forget_levels()


def _forget_levels() -> None:
    """Empty what loggers know by heart, as `logging` does when a level is set."""
    logging.root.setLevel(logging.root.level)


def _asking(original: _IsEnabledFor) -> _IsEnabledFor:
    def isEnabledFor(self: logging.Logger, level: int) -> bool:  # noqa: N802 -- logging's name
        """Is this logger enabled for level 'level'?"""
        if not _rules:
            return original(self, level)

        # Whatever `original` says it keeps, for every flow: of *level* it must not be asked.
        if not original(self, _ANY) or self.manager.disable >= level:
            return False

        return level >= self.getEffectiveLevel() or is_open(of_line(self.name), level)

    return isEnabledFor
