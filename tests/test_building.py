"""From a dictConfig to a plan: every part made, none of it in use yet."""

from __future__ import annotations

import logging
import logging.handlers

import pytest

import tracelog
from tracelog import outside_tasks
from tracelog.building import build
from tracelog.errors import ConfigError
from tracelog.gate import is_open
from tracelog.installed import made


STREAM = {"class": "logging.StreamHandler"}
MEMORY = {"class": "logging.handlers.MemoryHandler", "capacity": 10, "target": "out"}
NO_FILE = {"class": "logging.FileHandler", "filename": "no/such/folder"}
FOCUS = {"()": "tracelog.Focus", "rules": [{"user_id": "kim"}]}
FOLLOWING = {"()": "tracelog.ContextFilter", "outside_tasks": True}


@pytest.fixture(autouse=True)
def _nothing_followed():
    yield
    outside_tasks.release()
    made.clear()


def plan(**parts):
    return build({"version": 1, **parts}, source="logging.yaml")


def test_nothing_is_in_use_yet():
    """A plan has handlers and loggers; `logging` has none of them."""
    built = plan(
        handlers={"out": STREAM},
        filters={"context": {"()": "tracelog.ContextFilter"}},
        loggers={"app": {"level": "DEBUG", "handlers": ["out"], "filters": ["context"]}},
        root={"level": "WARNING"},
        disable_existing_loggers=True,
    )

    [handler] = built.loggers["app"].handlers
    assert handler is built.handlers["out"]
    assert handler not in logging.getLogger("app").handlers
    assert (built.loggers["app"].level, built.loggers[""].level) == (logging.DEBUG, logging.WARNING)
    assert built.loggers[""].handlers is built.loggers[""].filters is None
    assert (built.disable_existing, built.incremental, built.outside_tasks) == (True, False, False)


def test_what_writes_to_another_comes_after_it():
    """Whatever their names are."""
    built = plan(handlers={"a": MEMORY, "out": STREAM})

    assert built.handlers["a"].target is built.handlers["out"]


@pytest.mark.parametrize(
    ("parts", "where"),
    [
        ({"formatters": {"json": {"()": "no.such.thing"}}}, "formatters.json"),
        ({"filters": {"one": {"()": "no.such.thing"}}}, "filters.one"),
        ({"handlers": {"out": NO_FILE}}, "handlers.out"),
        ({"handlers": {"out": STREAM}, "root": {"handlers": ["err"]}}, "loggers"),
    ],
    ids=["a formatter", "a filter", "a handler", "a logger"],
)
def test_what_cannot_be_made_is_named(parts, where):
    """By its place in the file."""
    with pytest.raises(ConfigError) as refused:
        plan(**parts)

    assert refused.value.where == f"logging.yaml: {where}"


@pytest.mark.parametrize("root", [None, {"handlers": None, "filters": None, "level": None}])
def test_what_is_left_empty_is_as_if_it_was_not_there(root):
    """As with dictConfig: `root:` or `handlers:` in YAML, and nothing below it."""
    assert plan(root=root).loggers.keys() <= {""}


def _refuse():
    raise ConfigError("processors[0]", "there is no such processor", hint="another")


@pytest.mark.parametrize("section", ["filters", "handlers"])
def test_what_says_itself_what_is_wrong_is_believed(section):
    """An error of ours passes as it is."""
    with pytest.raises(ConfigError) as refused:
        plan(**{section: {"one": {"()": _refuse}}})

    assert refused.value.where == "processors[0]"


def test_an_increment_names_what_is_there():
    """Levels of handlers, and of loggers, that were made before."""
    handler = logging.StreamHandler()
    handler.name = "out"
    made.add(handler)
    app = {"level": "ERROR", "handlers": ["out"], "propagate": False}

    built = plan(
        incremental=True,
        handlers={"out": {"level": "WARNING"}, "unnamed": {}},
        loggers={"app": app},
    )

    assert built.levels == {handler: logging.WARNING}
    assert (built.loggers["app"].level, built.loggers["app"].propagate) == (logging.ERROR, False)
    assert built.loggers["app"].handlers is None


def test_an_increment_of_what_is_not_there_is_refused():
    """As `logging.config` does."""
    with pytest.raises(ConfigError, match="'out'"):
        plan(incremental=True, handlers={"out": {"level": "WARNING"}})


def test_a_filter_may_ask_for_lines_outside_of_tasks():
    """On its own, or given to a handler as it is."""
    built = plan(filters={"context": FOLLOWING})

    assert built.outside_tasks


@pytest.mark.parametrize("followed", [True, False], ids=["before, too", "only by it"])
def test_a_refused_configuration_changes_nothing(followed):
    """Neither other people's classes nor levels: its filters had done so already."""
    if followed:
        outside_tasks.follow()
    tracelog.bind_context(user_id="kim")

    with pytest.raises(ConfigError):
        plan(filters={"context": FOLLOWING, "focus": FOCUS}, handlers={"out": NO_FILE})

    assert outside_tasks.is_followed() == followed
    assert not is_open(tracelog.context.current_context(), logging.DEBUG)
