"""The configuration in use, and how a new one takes its place: in one step, that can't fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tracelog import outside_tasks
from tracelog.flood import FloodFilter
from tracelog.focus import Focus


__all__ = [
    "LoggerPlan",
    "Plan",
    "follows_outside_tasks",
    "install",
    "let_go",
    "made",
    "release_unless_wanted",
]

_log = logging.getLogger("tracelog.internal")


@dataclass(frozen=True, slots=True)
class LoggerPlan:
    """What one logger is to become; None leaves a thing as it is."""

    level: int | None
    handlers: list[logging.Handler] | None
    filters: list[Any] | None
    propagate: bool | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A configuration, built: all that is left to do can't fail."""

    loggers: Mapping[str, LoggerPlan]
    handlers: Mapping[str, logging.Handler]
    levels: Mapping[logging.Handler, int]
    disable_existing: bool
    incremental: bool
    outside_tasks: bool = False


_NOTHING: Final = LoggerPlan(None, None, None, None)

# What the last plan made, so that the next one can take it back.
_configured: dict[str, LoggerPlan] = {}
made: set[logging.Handler] = set()
_swapping = threading.Lock()


def install(plan: Plan) -> None:
    """Put *plan* in the place of the one before; no record falls between them."""
    with _swapping:
        if plan.incremental:
            _set_levels(plan)
        else:
            _swap(plan)


def release_unless_wanted() -> None:
    """Let go of lines outside of tasks, but for a configuration that is in place by now."""
    with _swapping:
        if not follows_outside_tasks(made):
            outside_tasks.release()


def follows_outside_tasks(handlers: Iterable[logging.Handler], *filters: Any) -> bool:
    """Tell whether one of the filters, or of the handlers', asks for lines outside of tasks."""
    inline = [each for handler in handlers for each in handler.filters]
    return any(getattr(each, "outside_tasks", False) for each in (*filters, *inline))


def _swap(plan: Plan) -> None:
    old = set(made)
    for name in {**_configured, **plan.loggers}:
        before = _configured.get(name, _NOTHING)
        wanted = _complete(name, plan.loggers.get(name, _NOTHING), before)
        _apply(logging.getLogger(name or None), wanted, old, before.filters or ())
    _set_disabled(plan)
    if plan.outside_tasks:
        outside_tasks.follow()
    else:
        outside_tasks.release()
    for handler in old:
        _close(handler)
    for name, handler in plan.handlers.items():
        handler.name = name  # after the old one of that name has given it up
    made.clear()
    made.update(plan.handlers.values())
    _configured.clear()
    _configured.update(plan.loggers)


def _close(handler: logging.Handler) -> None:
    let_go(handler.filters)
    try:
        handler.close()
    except Exception:  # noqa: BLE001 -- somebody else's code; the new configuration is in place
        _log.exception("handler %r couldn't be closed", handler)


def let_go(filters: Iterable[Any]) -> None:
    """End what filters do beside filtering, now: they may be collected much later."""
    for each in filters:
        if isinstance(each, (FloodFilter, Focus)):
            each.close()


def _set_levels(plan: Plan) -> None:
    for handler, level in plan.levels.items():
        handler.setLevel(level)
    for name, wanted in plan.loggers.items():
        _set(logging.getLogger(name or None), wanted)


def _complete(name: str, wanted: LoggerPlan, before: LoggerPlan) -> LoggerPlan:
    """Take back what was set *before* and isn't *wanted* now: `logging`'s default in its place."""
    level, propagate = wanted.level, wanted.propagate
    if level is None and before.level is not None:
        level = logging.NOTSET if name else logging.WARNING
    if propagate is None and before.propagate is not None:
        propagate = True
    return replace(wanted, level=level, propagate=propagate)


def _apply(
    logger: logging.Logger,
    wanted: LoggerPlan,
    old_handlers: set[logging.Handler],
    old_filters: Sequence[Any],
) -> None:
    """Make *logger* what is *wanted*, without what is old; stock handlers found there become so."""
    if wanted.handlers is not None:
        old_handlers.update(filter(_is_stock, logger.handlers))
    kept = [handler for handler in logger.handlers if handler not in old_handlers]
    logger.handlers = [*(wanted.handlers or ()), *kept]  # one assignment: no record falls between
    filters = [each for each in logger.filters if each not in old_filters]
    logger.filters = [*(wanted.filters or ()), *filters]
    _set(logger, wanted)


def _set(logger: logging.Logger, wanted: LoggerPlan) -> None:
    if wanted.propagate is not None:
        logger.propagate = wanted.propagate
    if wanted.level is not None:
        logger.setLevel(wanted.level)


def _is_stock(handler: logging.Handler) -> bool:
    """Tell a handler that a basicConfig or a dictConfig left from one that a tool attached."""
    # Of ours, what a dictConfig has named: `uvicorn --log-config` gave it the same file, say.
    named = ("tracelog.handlers",) if handler.name else ()
    return type(handler).__module__ in ("logging", "logging.handlers", *named)


def _set_disabled(plan: Plan) -> None:
    """Disable, or enable again, what isn't configured, nor below what is."""
    configured = tuple(filter(None, plan.loggers))
    below = tuple(f"{name}." for name in configured)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            spared = name in configured or name.startswith(below)
            logger.disabled = plan.disable_existing and not spared
