"""Every test begins in the same world, whatever the one before it did."""

from __future__ import annotations

import logging
import signal
import sys

import hypothesis
import pytest
import structlog

from tracelog import gate
from tracelog.context import Context, enter_context


# The same examples on every run, and no clock that decides about them.
hypothesis.settings.register_profile("tracelog", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tracelog")

# In the background of a shell it is ignored, by us and by whatever we start.
signal.signal(signal.SIGINT, signal.default_int_handler)

_SETTINGS = (
    "LOG_LEVEL",
    "LOG_LEVELS",
    "LOG_FORMAT",
    "LOG_CONFIG",
    "ENVIRONMENT",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
)


@pytest.fixture(autouse=True)
def _no_settings(tmp_path, monkeypatch):
    """No variable and no `.env` of whoever runs the tests; files that a test makes are its own."""
    for name in _SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _no_context():
    """Nothing is bound, by tracelog or by structlog, and there is no trace."""
    enter_context(Context.make({}, None, None))
    yield
    enter_context(Context.make({}, None, None))
    structlog.contextvars.clear_contextvars()
    structlog.contextvars._CONTEXT_VARS.clear()
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _no_logging():
    """The loggers, and whatever was set on them and on `logging`, are as they were."""
    manager = logging.root.manager
    before = {name: _state(logger) for name, logger in _loggers().items()}
    factory, disabled = logging.getLogRecordFactory(), manager.disable
    logger_class, call_handlers = logging.getLoggerClass(), logging.Logger.callHandlers
    yield
    logging.setLoggerClass(logger_class)
    logging.Logger.callHandlers = call_handlers  # Sentry puts its own there
    logging.captureWarnings(False)
    logging.setLogRecordFactory(factory)
    logging.disable(disabled)
    for name, logger in _loggers().items():
        _restore(logger, before.get(name, ([], [], logging.NOTSET, True, False)))
        # A library that a test loaded first keeps its logger, and expects it to be known.
        if name not in before and name.partition(".")[0] not in sys.modules:
            del manager.loggerDict[name]
    manager._clear_cache()
    for owner in [*gate._owned]:  # a `Focus` that nobody has, but the collector
        gate.let(owner)


def _loggers():
    registered = logging.root.manager.loggerDict.items()
    loggers = {name: logger for name, logger in registered if isinstance(logger, logging.Logger)}
    return {"root": logging.root, **loggers}


def _state(logger):
    return [*logger.handlers], [*logger.filters], logger.level, logger.propagate, logger.disabled


def _restore(logger, state):
    handlers, logger.filters[:], logger.level, logger.propagate, logger.disabled = state
    for handler in set(logger.handlers).difference(handlers):
        handler.close()
    logger.handlers[:] = handlers
