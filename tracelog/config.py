"""`configure_logging`: from settings, a file or a dict to a working configuration, in one step.

What is new is built first, whole; then it takes the old one's place. A thread that logs meanwhile
goes the old way or the new one, and a configuration that is refused changes nothing.
"""

from __future__ import annotations

import logging
import logging.config
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TextIO

from tracelog import outside_tasks
from tracelog.check import refuse
from tracelog.errors import ConfigError
from tracelog.focus import Focus
from tracelog.foreign import install_logger_class
from tracelog.handlers import FileHandler
from tracelog.settings import ENV_FILE, Settings, level_number, read_settings
from tracelog.yamlfile import load


__all__ = ["DEFAULT_CONFIG", "configure_logging"]

DEFAULT_CONFIG: Final = Path(__file__).with_name("logging.yaml")

_HINT: Final = "tracelog check FILE shows all that is wrong with a file"
_NOT_YET: Final = "not configured yet"  # how DictConfigurator says that a target comes later
_OUR_FORMATTERS: Final = tuple(
    f"tracelog.{name}" for name in ("Formatter", "JsonFormatter", "ConsoleFormatter")
)
_CHANGEABLE: Final = frozenset({"level", "propagate"})  # by an incremental configuration
_STREAM_HANDLER: Final = "tracelog.StreamHandler"
_LEVEL_SETTING: Final = "ext://tracelog.settings.LOG_LEVEL"
_log = logging.getLogger("tracelog.internal")


def configure_logging(  # noqa: PLR0913 -- one function is the whole configuration
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    level: int | str | None = None,
    environment: str | None = None,
    format: str | None = None,  # noqa: A002 -- the setting's name
    sink: str | os.PathLike[str] | TextIO | None = None,
    processors: Iterable[Any] = (),
    env_file: str | os.PathLike[str] | None = ENV_FILE,
) -> None:
    """Configure `logging`, and with it every logger of the process.

    May be called again at any time. Loggers made and used before follow. Handlers that others
    attached stay, but for the standard library's own on loggers that are configured here.

    Reads LOG_LEVEL, LOG_LEVELS, LOG_FORMAT, LOG_CONFIG, ENVIRONMENT, NO_COLOR and FORCE_COLOR from
    the environment, or from *env_file* where the environment is silent.

    Args:
        config: A dictConfig, or the path of one in YAML; by default LOG_CONFIG, or what
            `tracelog init` writes.
        level: The root's level, in place of LOG_LEVEL.
        environment: In place of ENVIRONMENT: development, local or dev for the console.
        format: In place of LOG_FORMAT: "auto", "console" or "json".
        sink: Where the lines go: a path, a text stream, or None for stdout.
        processors: structlog processors, run on every event: callables, or as YAML names them.
        env_file: Only a file other than `.env` has to exist; None reads none.

    Raises:
        ConfigError: If anything is wrong. The configuration that was working still works.
    """
    settings = read_settings(env_file, environment=environment, format=format)
    source, plain, lines = _load(config if config is not None else settings.config)
    refuse(plain, source=source, lines=lines)
    formatter = {
        "environment": environment,
        "format": format,
        "env_file": env_file and os.fspath(env_file),
        "processors": list(processors),
    }
    plain = _with_overrides(plain, settings, sink=sink, level=level, formatter=formatter)
    plan = _built_or_undone(plain, source=source)
    with _swapping:
        install_logger_class()
        _swap(plan)


def _load(
    config: str | os.PathLike[str] | Mapping[str, Any] | None,
) -> tuple[str, Any, Mapping[str, int]]:
    if config is not None and not isinstance(config, (str, os.PathLike)):
        return "config", config, {}

    loaded = load(DEFAULT_CONFIG if config is None else config)
    return loaded.source, loaded.data, loaded.lines


def _with_overrides(
    config: Mapping[str, Any],
    settings: Settings,
    *,
    sink: Any,
    level: int | str | None,
    formatter: Mapping[str, Any],
) -> dict[str, Any]:
    """Copy *config* as far as it is changed, and change what the caller and LOG_LEVELS ask for."""
    changed = {**config}
    changed["formatters"] = {
        name: _formatter(draft, formatter) for name, draft in config.get("formatters", {}).items()
    }
    if sink is not None:
        handlers = config.get("handlers", {})
        changed["handlers"] = {name: _handler(draft, sink) for name, draft in handlers.items()}
    root = {**config.get("root", {})}
    if level is not None:
        root["level"] = level_number(level, where="level")
    elif root.get("level") == _LEVEL_SETTING:
        root["level"] = settings.level  # env_file may not be the one that the reference reads
    if root:
        changed["root"] = root
    loggers = {name: {**draft} for name, draft in config.get("loggers", {}).items()}
    for name, wanted in settings.levels.items():
        loggers.setdefault(name, {})["level"] = wanted
    changed["loggers"] = loggers
    return changed


def _formatter(draft: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    made_by = _documented(draft.get("()"))
    if made_by not in _OUR_FORMATTERS:
        return {**draft}

    processors = [*draft.get("processors", ()), *overrides["processors"]]
    if made_by != "tracelog.Formatter":
        return {**draft, "processors": processors}

    chosen = {key: overrides[key] for key in ("environment", "format") if overrides[key]}
    return {"env_file": overrides["env_file"], **draft, **chosen, "processors": processors}


def _handler(draft: Mapping[str, Any], sink: Any) -> dict[str, Any]:
    if _documented(draft.get("class", draft.get("()"))) != _STREAM_HANDLER:
        return {**draft}

    kept = {key: value for key, value in draft.items() if key not in ("class", "()", "stream")}
    if isinstance(sink, (str, os.PathLike)):
        return {**kept, "()": _file_handler, "sink": os.fspath(sink)}

    return {**kept, "()": _STREAM_HANDLER, "stream": sink}


def _file_handler(sink: str) -> FileHandler:
    """Open what the caller named; the configuration isn't to blame if that fails."""
    try:
        return FileHandler(sink)
    except OSError as error:
        text = f"{sink!r} can't be opened: {error.strerror}"
        raise ConfigError("sink", text, hint="a file in a folder that is there") from error


def _documented(kind: Any) -> str:
    """Write a class of ours, or a path to one, as the documentation does: `tracelog.Formatter`."""
    path = f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)
    package, _, name = path.partition(".")
    return f"{package}.{name.rpartition('.')[2]}" if package == "tracelog" else path


@dataclass(frozen=True, slots=True)
class _LoggerPlan:
    """What one logger is to become; None leaves a thing as it is."""

    level: int | None
    handlers: list[logging.Handler] | None
    filters: list[Any] | None
    propagate: bool | None


_NOTHING: Final = _LoggerPlan(None, None, None, None)


@dataclass(frozen=True, slots=True)
class _Plan:
    """A configuration, built: all that is left to do can't fail."""

    loggers: Mapping[str, _LoggerPlan]
    handlers: Mapping[str, logging.Handler]
    levels: Mapping[logging.Handler, int]
    disable_existing: bool
    incremental: bool
    outside_tasks: bool = False


def _built(config: dict[str, Any], *, source: str) -> _Plan:
    configurator = logging.config.DictConfigurator(config)
    parts: Any = configurator.config
    where = source
    try:
        where = f"{source}: handlers"
        if parts.get("incremental", False):
            return _incremental_plan(parts)

        for section, make in (
            ("formatters", configurator.configure_formatter),
            ("filters", configurator.configure_filter),
        ):
            drafts = parts.get(section, {})
            for name in drafts:
                where = f"{source}: {section}.{name}"
                drafts[name] = make(drafts[name])
        where = f"{source}: handlers"
        handlers = _built_handlers(configurator, source=source)
        where = f"{source}: loggers"
        loggers = {
            name: _logger_plan(draft, parts, handlers) for name, draft in _loggers(parts).items()
        }
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(where, _reason(error), hint=_HINT) from error

    disable = bool(parts.get("disable_existing_loggers", False))
    inline = [each for plan in loggers.values() for each in plan.filters or ()]
    follows = _follows(handlers.values(), *parts.get("filters", {}).values(), *inline)
    return _Plan(loggers, handlers, {}, disable, incremental=False, outside_tasks=follows)


def _built_or_undone(config: dict[str, Any], *, source: str) -> _Plan:
    """Build; a refused configuration's filter may have wrapped other people's classes already."""
    followed = outside_tasks.is_followed()
    try:
        return _built(config, source=source)
    except ConfigError:
        with _swapping:
            if not followed and not _follows(_made):  # another thread's may be in place by now
                outside_tasks.release()
        raise


def _follows(handlers: Iterable[logging.Handler], *filters: Any) -> bool:
    """Tell whether one of the filters, or of the handlers', asks for lines outside of tasks."""
    inline = [each for handler in handlers for each in handler.filters]
    return any(getattr(each, "outside_tasks", False) for each in (*filters, *inline))


def _incremental_plan(parts: Any) -> _Plan:
    """Plan what an incremental configuration may change: levels, and whether loggers propagate."""
    known = {handler.name: handler for handler in _made}
    levels = {
        known[name]: level_number(draft["level"], where=f"handlers.{name}.level")
        for name, draft in parts.get("handlers", {}).items()
        if "level" in draft
    }
    loggers = {
        name: _logger_plan({key: draft[key] for key in _CHANGEABLE & draft.keys()}, parts, {})
        for name, draft in _loggers(parts).items()
    }
    return _Plan(loggers, {}, levels, disable_existing=False, incremental=True)


def _loggers(parts: Any) -> dict[str, Any]:
    return {**parts.get("loggers", {}), **({"": parts["root"]} if "root" in parts else {})}


def _built_handlers(configurator: Any, *, source: str) -> dict[str, logging.Handler]:
    """Build the handlers; those that name another as their target come after it."""
    drafts = configurator.config.get("handlers", {})
    deferred = []
    for name in sorted(drafts):
        try:
            drafts[name] = configurator.configure_handler(drafts[name])
        except ConfigError:
            raise
        except Exception as error:
            if _NOT_YET not in str(error.__cause__):
                raise ConfigError(
                    f"{source}: handlers.{name}", _reason(error), hint=_HINT
                ) from error
            deferred.append(name)
    for name in deferred:
        drafts[name] = configurator.configure_handler(drafts[name])
    return {name: drafts[name] for name in drafts}


def _reason(error: BaseException) -> str:
    """Tell what is at the bottom of a chain that says "Unable to configure" on top."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


def _logger_plan(draft: Any, parts: Any, handlers: Mapping[str, logging.Handler]) -> _LoggerPlan:
    level = draft.get("level")
    filters = parts.get("filters", {})
    return _LoggerPlan(
        level=None if level is None else level_number(level, where="level"),
        handlers=[handlers[name] for name in draft["handlers"]] if "handlers" in draft else None,
        filters=[filters[f] if isinstance(f, str) else f for f in draft.get("filters", ())] or None,
        propagate=draft.get("propagate"),
    )


# What the last call configured, so that the next one can take it back.
_configured: dict[str, _LoggerPlan] = {}
_made: set[logging.Handler] = set()
_swapping = threading.Lock()


def _swap(plan: _Plan) -> None:
    if plan.incremental:
        _set_levels(plan)
        return

    old = set(_made)
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
    _made.clear()
    _made.update(plan.handlers.values())
    _configured.clear()
    _configured.update(plan.loggers)


def _close(handler: logging.Handler) -> None:
    for each in handler.filters:
        if isinstance(each, Focus):
            each.close()
    try:
        handler.close()
    except Exception:  # noqa: BLE001 -- somebody else's code; the new configuration is in place
        _log.exception("handler %r couldn't be closed", handler)


def _set_levels(plan: _Plan) -> None:
    for handler, level in plan.levels.items():
        handler.setLevel(level)
    for name, wanted in plan.loggers.items():
        _set(logging.getLogger(name or None), wanted)


def _complete(name: str, wanted: _LoggerPlan, before: _LoggerPlan) -> _LoggerPlan:
    """Take back what was set *before* and isn't *wanted* now: `logging`'s default in its place."""
    level, propagate = wanted.level, wanted.propagate
    if level is None and before.level is not None:
        level = logging.NOTSET if name else logging.WARNING
    if propagate is None and before.propagate is not None:
        propagate = True
    return replace(wanted, level=level, propagate=propagate)


def _apply(
    logger: logging.Logger,
    wanted: _LoggerPlan,
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


def _set(logger: logging.Logger, wanted: _LoggerPlan) -> None:
    if wanted.propagate is not None:
        logger.propagate = wanted.propagate
    if wanted.level is not None:
        logger.setLevel(wanted.level)


def _is_stock(handler: logging.Handler) -> bool:
    """Tell a handler that a basicConfig or a dictConfig left from one that a tool attached."""
    return type(handler).__module__ in ("logging", "logging.handlers")


def _set_disabled(plan: _Plan) -> None:
    """Disable, or enable again, what isn't configured, nor below what is."""
    configured = tuple(filter(None, plan.loggers))
    below = tuple(f"{name}." for name in configured)
    for name, logger in list(logging.root.manager.loggerDict.items()):
        if isinstance(logger, logging.Logger):
            spared = name in configured or name.startswith(below)
            logger.disabled = plan.disable_existing and not spared
