"""One switch for lines made outside of tasks."""

from __future__ import annotations

import asyncio
import logging.config

import pytest

from tracelog import outside_tasks
from tracelog.config import configure_logging
from tracelog.errors import ConfigError
from tracelog.records import ContextFilter


CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "tracelog.ContextFilter", "outside_tasks": True}},
    "handlers": {"null": {"class": "logging.NullHandler", "filters": ["context"]}},
    "root": {"handlers": ["null"]},
}
ORIGINAL = asyncio.BaseEventLoop.call_exception_handler


@pytest.fixture(autouse=True)
def _released():
    outside_tasks.release()
    yield
    outside_tasks.release()


def refuse():
    assert outside_tasks.is_followed()  # the filters have been built by now
    raise RuntimeError("not my day")


def is_wrapped():
    assert outside_tasks.is_followed() is (
        asyncio.BaseEventLoop.call_exception_handler is not ORIGINAL
    )
    return outside_tasks.is_followed()


def test_a_filter_switches_it_on():
    """One entry in a logging.yaml, whoever reads that."""
    ContextFilter()
    assert not is_wrapped()

    logging.config.dictConfig(CONFIG)
    assert is_wrapped()

    outside_tasks.release()
    assert not is_wrapped()


def test_configuring_switches_it_on_and_off():
    """The default has it; a configuration without the entry gives everything back."""
    configure_logging(env_file=None)
    assert is_wrapped()

    configure_logging({**CONFIG, "filters": {"context": {"()": "tracelog.ContextFilter"}}})
    assert not is_wrapped()


@pytest.mark.parametrize("before", [True, False])
def test_a_refused_configuration_switches_nothing(before):
    """The one that was working still works, as it was."""
    if before:
        outside_tasks.follow()

    with pytest.raises(ConfigError, match="not my day"):
        configure_logging({**CONFIG, "handlers": {"null": {"()": refuse}}})

    assert is_wrapped() is before


def test_an_incremental_configuration_leaves_it():
    """It changes levels, and nothing else."""
    outside_tasks.follow()

    configure_logging({"version": 1, "incremental": True, "root": {"level": "INFO"}})

    assert is_wrapped()


@pytest.mark.parametrize("where", ["handler", "logger"])
def test_a_filter_that_is_given_as_it_is_counts(where):
    """Not only those that are named under `filters`."""
    given = ContextFilter(outside_tasks=True)
    config = {**CONFIG, "filters": {}, "handlers": {"null": {"class": "logging.NullHandler"}}}
    if where == "handler":
        config["handlers"]["null"]["filters"] = [given]
    else:
        config["root"] = {"handlers": ["null"], "filters": [given]}

    configure_logging(config)

    assert is_wrapped()
