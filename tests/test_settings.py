"""Settings: the environment's variables, and those of `.env`."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracelog  # registers TRACE
from tracelog import settings
from tracelog.errors import ConfigError
from tracelog.settings import Settings, level_number, read_settings


@pytest.fixture
def env(tmp_path, monkeypatch):
    # As a service finds it: a working directory with or without `.env`, and an environment.
    def write(text=None, **variables):
        if text is not None:
            (tmp_path / ".env").write_text(text, "utf-8")
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return write


def test_nothing_set_is_the_default():
    """INFO for all, JSON unless it is a terminal."""
    assert read_settings() == Settings(
        level="INFO",
        levels={},
        environment="",
        format="auto",
        config=None,
        config_from="",
        allow=(),
        color=None,
    )


def test_every_variable_is_read(env):
    """Names of levels, environments and formats may be written in any case."""
    env(
        LOG_LEVEL="debug",
        LOG_LEVELS="uvicorn=WARNING, app.db = debug,,",
        LOG_FORMAT=" JSON ",
        LOG_CONFIG="conf/logging.yaml",
        LOG_CONFIG_ALLOW="app, vendor.logs,",
        ENVIRONMENT=" Production ",
        FORCE_COLOR="1",
    )

    assert read_settings() == Settings(
        level="DEBUG",
        levels={"uvicorn": "WARNING", "app.db": "DEBUG"},
        environment="production",
        format="json",
        config=Path("conf/logging.yaml"),
        config_from="LOG_CONFIG",
        allow=("app", "vendor.logs"),
        color=True,
    )


@pytest.mark.parametrize(
    "name",
    [
        "LOG_LEVEL",
        "LOG_LEVELS",
        "LOG_FORMAT",
        "LOG_CONFIG",
        "ENVIRONMENT",
        "NO_COLOR",
        "FORCE_COLOR",
    ],
)
def test_an_empty_variable_is_not_set(env, name):
    """As docker-compose leaves it for `${NAME:-}`."""
    unset = read_settings()

    env(**{name: ""})

    assert read_settings() == unset


def test_a_file_speaks_where_the_environment_is_silent(env):
    """`.env` in the working directory is read; the environment wins."""
    env("LOG_LEVEL=DEBUG\nENVIRONMENT=development # here\nLOG_FORMAT=\n", LOG_LEVEL="ERROR")

    read = read_settings()

    assert (read.level, read.environment, read.format) == ("ERROR", "development", "auto")


def test_a_mark_in_front_of_the_file_is_no_part_of_a_name(env):
    """As editors on Windows put one: the first variable would count for nothing."""
    env("\ufeffLOG_LEVEL=DEBUG")

    assert read_settings().level == "DEBUG"


def test_arguments_win(env):
    """Over the environment, and over the file."""
    env("LOG_FORMAT=console", ENVIRONMENT="development")

    read = read_settings(environment="staging", format="JSON")

    assert (read.environment, read.format) == ("staging", "json")


def test_no_file_is_read_on_demand(env):
    """env_file=None."""
    env("LOG_LEVEL=DEBUG")

    assert read_settings(None).level == "INFO"


def test_another_file_may_be_named(env, tmp_path):
    """Then `.env` isn't read."""
    env("LOG_LEVEL=DEBUG\nENVIRONMENT=dev")
    (tmp_path / "other").write_text("LOG_LEVEL=ERROR")

    read = read_settings(tmp_path / "other")

    assert (read.level, read.environment) == ("ERROR", "")


def test_a_file_changes_no_environment(env):
    """Reading `.env` is reading, nothing else."""
    env("LOG_LEVEL=DEBUG\nSECRET=1")

    read_settings()

    assert not {"LOG_LEVEL", "SECRET"} & set(settings.os.environ)


@pytest.mark.parametrize("kind", [str, Path])
def test_the_env_file_need_not_exist(kind):
    """However the one that is read by default is named."""
    assert read_settings(kind(".env")) == read_settings(None)


def test_a_missing_env_file_is_refused_if_it_was_named():
    """Whoever names a file wants it read."""
    with pytest.raises(ConfigError, match=r"other\.env: can't be read: .*No such file") as caught:
        read_settings("other.env")

    assert "Try: env_file=None" in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """The error says so."""
    (tmp_path / ".env").write_bytes(b"LOG_LEVEL=\xff")

    with pytest.raises(ConfigError, match=r"\.env: can't be read: 'utf-8' codec"):
        read_settings()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"LOG_LEVEL": "LOUD"}, r"LOG_LEVEL: 'LOUD' is no level; known are .*TRACE"),
        ({"LOG_FORMAT": "xml"}, r"LOG_FORMAT: 'xml' is none of auto, console, json"),
        ({"LOG_LEVELS": "uvicorn"}, r"LOG_LEVELS: 'uvicorn' is not <logger>=<level>"),
        ({"LOG_LEVELS": "=INFO"}, r"LOG_LEVELS: '=INFO' is not <logger>=<level>"),
        ({"LOG_LEVELS": "app=LOUD"}, r"LOG_LEVELS: app: 'LOUD' is no level"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_makes_no_sense_is_refused(env, variables, message):
    """The error names the variable, its value, and a way out."""
    env(**variables)

    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        read_settings()

    assert "\n  Try: " in str(caught.value)


@pytest.mark.parametrize(
    "line", ["LOG_LEVEL=LOUD", "LOG_FORMAT=xml", "LOG_LEVELS=app", "LOG_LEVELS=app=LOUD"]
)
def test_a_variable_of_the_file_is_named_with_the_file(env, line):
    """Whoever reads the error may not know that there is one."""
    env(line)

    with pytest.raises(ConfigError, match=f"^{re.escape('.env: ' + line.partition('=')[0])}: "):
        read_settings()


@pytest.mark.parametrize(
    ("variables", "color"),
    [
        ({}, None),
        ({"NO_COLOR": "1"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"NO_COLOR": "0"}, False),
    ],
    ids=str,
)
def test_colours_are_wanted_or_not(env, variables, color):
    """Either variable counts if it isn't empty; NO_COLOR counts more."""
    env(**variables)

    assert read_settings().color is color


@pytest.mark.parametrize(
    ("environment", "format", "on_terminal", "elsewhere"),
    [
        ("", "auto", True, False),
        ("development", "auto", True, True),
        ("local", "auto", True, True),
        ("dev", "auto", True, True),
        ("production", "auto", False, False),
        ("test", "auto", False, False),
        ("production", "console", True, True),
        ("development", "json", False, False),
    ],
)
def test_lines_are_for_eyes_or_for_machines(environment, format, on_terminal, elsewhere):
    """LOG_FORMAT decides, then ENVIRONMENT, then the terminal."""
    read = read_settings(environment=environment, format=format)

    assert read.is_console(terminal=True) is on_terminal
    assert read.is_console(terminal=False) is elsewhere


# Levels


@pytest.mark.parametrize(
    ("level", "number"),
    [(10, 10), ("INFO", 20), (" warn ", 30), ("trace", 5), ("15", 15), ("notset", 0)],
)
def test_a_level_is_a_number_or_a_name(level, number):
    """In any case, with or without space around it."""
    assert level_number(level, where="level") == number


@pytest.mark.parametrize("level", ["LOUD", "", "-1", "1.5", True, None, 2.5])
def test_what_is_no_level_is_refused(level):
    """The error says where it stood."""
    with pytest.raises(ConfigError) as caught:
        level_number(level, where="root.level")

    assert caught.value.where == "root.level"


@given(st.text())
def test_a_level_is_read_or_refused(text):
    """Nothing else ever comes of a text."""
    try:
        number = level_number(text, where="level")
    except ConfigError:
        return

    assert isinstance(number, int)


def test_a_level_of_the_applications_own_is_known():
    """What `logging.addLevelName` knows, we know."""
    logging.addLevelName(25, "NOTICE")

    assert level_number("notice", where="level") == 25


# For YAML


def test_yaml_may_name_the_level(env):
    """`ext://tracelog.settings.LOG_LEVEL` is read when the file is applied."""
    env(LOG_LEVEL="error")

    assert settings.LOG_LEVEL == "ERROR"


def test_a_level_may_be_a_number(env):
    """For `logging`, digits are no level; the number is."""
    env(LOG_LEVEL="15")

    assert settings.LOG_LEVEL == 15


def test_an_argument_that_makes_no_sense_is_named():
    """The variable isn't blamed for what the caller passed."""
    with pytest.raises(ConfigError, match=r"format: 'xml' is none of"):
        read_settings(format="xml")


def test_an_env_file_that_is_no_path_is_refused():
    """None, not False, is how none is read."""
    with pytest.raises(ConfigError, match=r"env_file: .* got False\n  Try: env_file=None"):
        read_settings(False)


@pytest.mark.parametrize("name", ["environment", "format"])
def test_an_argument_that_is_no_text_is_refused(name):
    """By its name, and not by whatever it lacks."""
    with pytest.raises(ConfigError, match=f"{name}: expected a text, got 5"):
        read_settings(**{name: 5})


def test_nothing_else_is_made_up():
    """A misspelt name is an error, as in any module."""
    with pytest.raises(AttributeError, match="'tracelog.settings' has no attribute 'LOG_LEVL'"):
        settings.LOG_LEVL
