"""From a dictConfig to a `Plan`: every part of a configuration made, and none of it in use yet."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from tracelog import outside_tasks
from tracelog.errors import ConfigError
from tracelog.installed import (
    LoggerPlan,
    Plan,
    follows_outside_tasks,
    let_go,
    made,
    release_unless_wanted,
)
from tracelog.settings import level_number


__all__ = ["build"]

_HINT: Final = "tracelog check FILE shows all that is wrong with a file"
_NOT_YET: Final = "not configured yet"  # how DictConfigurator says that a target comes later
_CHANGEABLE: Final = frozenset({"level", "propagate"})  # by an incremental configuration


def build(config: dict[str, Any], *, source: str) -> Plan:
    """Build what *config* says, whole, and change nothing.

    A refused configuration's filters may have changed levels, or classes, already: that is undone.

    Raises:
        ConfigError: If a part can't be made.
    """
    followed = outside_tasks.is_followed()
    configurator = logging.config.DictConfigurator(config)
    try:
        return _built(configurator, source=source)
    except ConfigError:
        if not followed:
            release_unless_wanted()
        let_go(configurator.config.get("filters", {}).values())
        raise


def _built(configurator: Any, *, source: str) -> Plan:
    parts = configurator.config
    if parts.get("incremental", False):
        with _blamed(f"{source}: handlers"):
            return _incremental_plan(parts)

    for section, make in (
        ("formatters", configurator.configure_formatter),
        ("filters", configurator.configure_filter),
    ):
        drafts = parts.get(section, {})
        for name in drafts:
            with _blamed(f"{source}: {section}.{name}"):
                drafts[name] = make(drafts[name])
    handlers = _built_handlers(configurator, source=source)
    with _blamed(f"{source}: loggers"):
        loggers = {
            name: _logger_plan(draft, parts, handlers) for name, draft in _loggers(parts).items()
        }
    disable = bool(parts.get("disable_existing_loggers", False))
    inline = [each for plan in loggers.values() for each in plan.filters or ()]
    wanted = follows_outside_tasks(handlers.values(), *parts.get("filters", {}).values(), *inline)
    return Plan(loggers, handlers, {}, disable, incremental=False, outside_tasks=wanted)


@contextmanager
def _blamed(where: str) -> Iterator[None]:
    """Raise whatever a part raises while it is made as an error that says *where* that was."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(where, _reason(error), hint=_HINT) from error


def _incremental_plan(parts: Any) -> Plan:
    """Plan what an incremental configuration may change: levels, and whether loggers propagate."""
    known = {handler.name: handler for handler in made}
    levels = {
        known[name]: level_number(draft["level"], where=f"handlers.{name}.level")
        for name, draft in parts.get("handlers", {}).items()
        if "level" in draft
    }
    loggers = {
        name: _logger_plan({key: draft[key] for key in _CHANGEABLE & draft.keys()}, parts, {})
        for name, draft in _loggers(parts).items()
    }
    return Plan(loggers, {}, levels, disable_existing=False, incremental=True)


def _loggers(parts: Any) -> dict[str, Any]:
    return {**parts.get("loggers", {}), **({"": parts["root"]} if parts.get("root") else {})}


def _built_handlers(configurator: Any, *, source: str) -> dict[str, logging.Handler]:
    """Build the handlers; those that name another as their target come after it."""
    drafts = configurator.config.get("handlers", {})
    deferred = []
    for name in sorted(drafts):
        with _blamed(f"{source}: handlers.{name}"):
            try:
                drafts[name] = configurator.configure_handler(drafts[name])
            except Exception as error:
                if _NOT_YET not in str(error.__cause__):
                    raise
                deferred.append(name)
    for name in deferred:
        with _blamed(f"{source}: handlers.{name}"):
            drafts[name] = configurator.configure_handler(drafts[name])
    return dict(drafts)


def _reason(error: BaseException) -> str:
    """Tell what is at the bottom of a chain that says "Unable to configure" on top."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


def _logger_plan(draft: Any, parts: Any, handlers: Mapping[str, logging.Handler]) -> LoggerPlan:
    level, names = draft.get("level"), draft.get("handlers")
    filters = parts.get("filters", {})
    chosen = [filters[f] if isinstance(f, str) else f for f in draft.get("filters") or ()]
    return LoggerPlan(
        level=None if level is None else level_number(level, where="level"),
        handlers=None if names is None else [handlers[name] for name in names],
        filters=chosen or None,
        propagate=draft.get("propagate"),
    )
