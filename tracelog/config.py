"""`configure_logging`: from settings, a file or a dict to a working configuration, in one step.

What is new is built first, whole; then it takes the old one's place. A thread that logs meanwhile
goes the old way or the new one, and a configuration that is refused changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final, TextIO

from tracelog.building import build
from tracelog.check import refuse
from tracelog.errors import ConfigError
from tracelog.foreign import install_logger_class
from tracelog.handlers import FileHandler
from tracelog.installed import install
from tracelog.settings import ENV_FILE, Settings, level_number, read_settings
from tracelog.yamlfile import load


__all__ = ["DEFAULT_CONFIG", "configure_logging"]

DEFAULT_CONFIG: Final = Path(__file__).with_name("logging.yaml")

_OUR_FORMATTERS: Final = tuple(
    f"tracelog.{name}" for name in ("Formatter", "JsonFormatter", "ConsoleFormatter")
)
_STREAM_HANDLER: Final = "tracelog.StreamHandler"
_LEVEL_SETTING: Final = "ext://tracelog.settings.LOG_LEVEL"


def configure_logging(  # noqa: PLR0913 -- one function is the whole configuration
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    level: int | str | None = None,
    environment: str | None = None,
    format: str | None = None,  # noqa: A002 -- the setting's name
    sink: str | os.PathLike[str] | TextIO | None = None,
    processors: Iterable[Any] = (),
    secret_keys: Iterable[str] = (),
    env_file: str | os.PathLike[str] | None = ENV_FILE,
    allow: Iterable[str] | None = None,
) -> None:
    """Configure `logging`, and with it every logger of the process.

    May be called again at any time. Loggers made and used before follow. Handlers that others
    attached stay, but for the standard library's own, and those that a dictConfig made of ours,
    on loggers that are configured here.

    Reads LOG_LEVEL, LOG_LEVELS, LOG_FORMAT, LOG_CONFIG, LOG_CONFIG_ALLOW, ENVIRONMENT, NO_COLOR and
    FORCE_COLOR from the environment, or from *env_file* where the environment is silent.

    Args:
        config: A dictConfig, or the path of one in YAML; by default LOG_CONFIG, or what
            `tracelog init` writes.
        level: The root's level, in place of LOG_LEVEL.
        environment: In place of ENVIRONMENT: development, local or dev for the console.
        format: In place of LOG_FORMAT: "auto", "console" or "json".
        sink: Where the lines go: a path, a text stream, or None for stdout.
        processors: structlog processors, run on every event: callables, or as YAML names them.
        secret_keys: More names whose values are masked, in any spelling.
        env_file: Only a file other than `.env` has to exist; None reads none.
        allow: Packages that a file may name beside those that every file may, and LOG_CONFIG_ALLOW.
            A dict is code, and may name anything, unless this is given.

    Raises:
        ConfigError: If anything is wrong. The configuration that was working still works.
    """
    given = {
        "processors": _list_of("processors", processors, "processors=[my_app.logs.add_region]"),
        "secret_keys": _list_of("secret_keys", secret_keys, 'secret_keys=["iban"]'),
    }
    if sink is not None and not isinstance(sink, (str, os.PathLike)):
        _refuse_stream(sink)
    settings = read_settings(env_file, environment=environment, format=format)
    source, plain, lines = _load(config, settings)
    refuse(plain, source=source, lines=lines, allow=_allowed(config, allow, settings))
    formatter = {
        "environment": environment,
        "format": format,
        "env_file": env_file and os.fspath(env_file),
        **given,
    }
    plain = _with_overrides(plain, settings, sink=sink, level=level, formatter=formatter)
    plan = build(plain, source=source)
    install_logger_class()
    install(plan)


def _list_of(where: str, given: Any, example: str) -> list[Any]:
    """Take a list; of a text, which could be iterated, too, only its letters would be taken."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise ConfigError(where, f"expected a list, got {given!r}", hint=example)

    return list(given)


def _refuse_stream(sink: Any) -> None:
    """Raise if no line could ever be written to *sink*."""
    if not callable(getattr(sink, "write", None)) or isinstance(sink, BytesIO):
        text = f"expected a path or a text stream, got {sink!r}"
    elif getattr(sink, "closed", False) is True:
        text = f"{sink!r} is closed"
    else:
        return

    raise ConfigError("sink", text, hint='sink="app.log", or sink=sys.stderr')


def _load(
    config: str | os.PathLike[str] | Mapping[str, Any] | None, settings: Settings
) -> tuple[str, Any, Mapping[str, int]]:
    if config is not None and not isinstance(config, (str, os.PathLike)):
        return "config", config, {}

    try:
        loaded = load(settings.config or DEFAULT_CONFIG if config is None else config)
    except ConfigError as error:
        if config is not None or settings.config is None:
            raise
        # Who reads this may not know that a variable names the file.
        where = f"{settings.config_from}: {error.where}"
        raise ConfigError(where, error.problem, hint=error.hint) from error

    return loaded.source, loaded.data, loaded.lines


def _allowed(
    config: object, allow: Iterable[str] | None, settings: Settings
) -> tuple[str, ...] | None:
    """Tell what *config* may name beside what every file may; None if it is code, and trusted."""
    if allow is None and isinstance(config, Mapping):
        return None

    more = [allow] if isinstance(allow, str) else allow or ()
    return (*settings.allow, *_list_of("allow", more, 'allow=["my_app"]'))


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
    root = {**(config.get("root") or {})}  # "root:" with nothing below it
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

    lists = ("processors", "secret_keys")
    added = {key: [*(draft.get(key) or ()), *overrides[key]] for key in lists}
    if made_by != "tracelog.Formatter":
        return {**draft, **added}

    chosen = {key: overrides[key] for key in ("environment", "format") if overrides[key]}
    return {"env_file": overrides["env_file"], **draft, **chosen, **added}


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
