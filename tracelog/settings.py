"""Settings: the environment's variables, and those of `.env` where the environment is silent."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, Final

from tracelog.errors import ConfigError
from tracelog.terminal import wanted_colors


__all__ = ["ENV_FILE", "FORMATS", "Settings", "level_number", "read_settings"]

ENV_FILE: Final = ".env"  # in the working directory

_DEVELOPMENT: Final = frozenset({"development", "local", "dev"})
FORMATS: Final = ("auto", "console", "json")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says about logging.

    Attributes:
        level: LOG_LEVEL, a level's name or number.
        levels: LOG_LEVELS, of loggers by name: `uvicorn=WARNING,app.db=DEBUG`.
        environment: ENVIRONMENT, in lower case; empty if it isn't set.
        format: LOG_FORMAT: "auto", "console" or "json".
        config: LOG_CONFIG, the path of a dictConfig in YAML; None if it isn't set.
        config_from: Where that is set, if it is, as errors say it.
        allow: LOG_CONFIG_ALLOW: packages that a YAML file may name, beside those that every may.
        color: FORCE_COLOR (True), NO_COLOR (False), or neither (None: on terminals).
    """

    level: str
    levels: Mapping[str, str]
    environment: str
    format: str
    config: Path | None
    config_from: str
    allow: tuple[str, ...]
    color: bool | None

    def is_console(self, *, terminal: bool) -> bool:
        """Tell whether lines are for eyes, rather than for machines."""
        if self.format != "auto":
            return self.format == "console"

        return self.environment in _DEVELOPMENT if self.environment else terminal


def read_settings(
    env_file: str | os.PathLike[str] | None = ENV_FILE,
    *,
    environment: str | None = None,
    format: str | None = None,  # noqa: A002 -- the setting's name
) -> Settings:
    """Read the settings; arguments win over the environment, which wins over *env_file*.

    Args:
        env_file: None reads none. Only a file other than `.env` has to exist.
        environment: In place of ENVIRONMENT.
        format: In place of LOG_FORMAT.

    Raises:
        ConfigError: If a variable's value makes no sense, or *env_file* can't be read.
    """
    for where, given in (("environment", environment), ("format", format)):
        if given is not None and not isinstance(given, str):
            raise ConfigError(where, f"expected a text, got {given!r}", hint=f'{where}="..."')

    variables = {**_read_env_file(env_file), **os.environ}

    def place(name: str) -> str:
        return name if name in os.environ else f"{env_file}: {name}"

    chosen = (format or variables.get("LOG_FORMAT") or "auto").strip().lower()
    if chosen not in FORMATS:
        text = f"{chosen!r} is none of {', '.join(FORMATS)}"
        key = "format" if format else "LOG_FORMAT"
        raise ConfigError(key if format else place(key), text, hint=f"{key}=auto")

    level = (variables.get("LOG_LEVEL") or "INFO").strip().upper()
    level_number(level, where=place("LOG_LEVEL"))
    path = variables.get("LOG_CONFIG")
    return Settings(
        level=level,
        levels=_read_levels(variables.get("LOG_LEVELS") or "", where=place("LOG_LEVELS")),
        environment=(environment or variables.get("ENVIRONMENT") or "").strip().lower(),
        format=chosen,
        config=Path(path) if path else None,
        config_from=place("LOG_CONFIG") if path else "",
        allow=_read_list(variables.get("LOG_CONFIG_ALLOW") or ""),
        color=wanted_colors(variables),
    )


def level_number(level: Any, *, where: str) -> int:
    """Read a level: a number, a registered name in any case, or a number's digits.

    Raises:
        ConfigError: If it is none of these.
    """
    if isinstance(level, int) and not isinstance(level, bool):
        return level

    text = str(level).strip().upper()
    number = int(text) if text.isdecimal() else logging.getLevelNamesMapping().get(text)
    if number is None:
        names = ", ".join(sorted(logging.getLevelNamesMapping()))
        raise ConfigError(where, f"{level!r} is no level; known are {names}", hint="INFO")

    return number


def _read_env_file(path: str | os.PathLike[str] | None) -> dict[str, str]:
    if path is not None and not isinstance(path, (str, os.PathLike)):
        raise ConfigError(
            "env_file", f"expected a path or None, got {path!r}", hint="env_file=None"
        )

    if path is None or (os.fspath(path) == ENV_FILE and not Path(path).is_file()):
        return {}

    from dotenv import dotenv_values  # noqa: PLC0415 -- most services have no such file

    try:
        text = Path(path).read_text("utf-8-sig")  # Windows puts a mark in front
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), f"can't be read: {error}", hint="env_file=None") from error

    return {key: value for key, value in dotenv_values(stream=StringIO(text)).items() if value}


def _read_levels(text: str, *, where: str) -> dict[str, str]:
    levels = {}
    for pair in _read_list(text):
        name, equals, level = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise ConfigError(
                where, f"{pair!r} is not <logger>=<level>", hint="LOG_LEVELS=uvicorn=WARNING"
            )
        level_number(level, where=f"{where}: {name}")
        levels[name] = level.upper()
    return levels


def _read_list(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def __getattr__(name: str) -> Any:
    # For YAML, as `level: ext://tracelog.settings.LOG_LEVEL`: read when the file is applied.
    if name == "LOG_LEVEL":
        level = read_settings().level
        return int(level) if level.isdecimal() else level

    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
