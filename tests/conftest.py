"""Every test begins in the same world, whatever the one before it did."""

from __future__ import annotations

import gc
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

import hypothesis
import pytest
import structlog

from tracelog import gate
from tracelog.answers import clickhouse_table
from tracelog.context import Context, enter_context
from tracelog.delivery import delivery_stats


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
    "LOG_CONFIG_ALLOW",
    "ENVIRONMENT",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "CLICKHOUSE_PASSWORD",
)


@pytest.hookimpl(tryfirst=True)  # whoever runs the loop lets nobody else
def pytest_runtestloop():
    """What is loaded by now stays: the collector needn't look through it again and again."""
    gc.collect()
    gc.freeze()
    # What runs the tests is measured, not what they start.
    os.environ.pop("COVERAGE_PROCESS_START", None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session, exitstatus):
    """Of the tests that somebody asks for, none may have to be alone, or all."""
    if exitstatus is pytest.ExitCode.NO_TESTS_COLLECTED and session.config.option.markexpr:
        session.exitstatus = pytest.ExitCode.OK


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


@pytest.fixture(scope="session")
def clickhouse_port():
    """A ClickHouse that speaks HTTP: its engine, in a process of its own."""
    for package in ("chdb", "clickhouse_connect"):
        if not importlib.util.find_spec(package):
            pytest.skip(f"{package} isn't installed: there is no ClickHouse to ask")

    script = Path(__file__).with_name("clickhouse_server.py")
    command = [sys.executable, "-W", "ignore", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        yield int(process.stdout.readline())
        process.stdin.close()


@pytest.fixture
def run_sql(clickhouse_port):
    """Run SQL there, as a shipper or an administrator would: with curl."""

    def run(sql, data=None):
        query = urllib.parse.urlencode({"query": sql})
        url = f"http://127.0.0.1:{clickhouse_port}/{'?' + query if data is not None else ''}"
        body = sql.encode() if data is None else data
        with urllib.request.urlopen(url, body) as response:
            return response.read().decode()

    return run


@pytest.fixture
def make_table(clickhouse_port, run_sql):
    """Make a table of some lines, and give the address of it."""
    made = []

    def make(content, *, table="lines", database=None):
        name = database or f"test_{uuid.uuid4().hex[:12]}"
        run_sql(f"CREATE DATABASE IF NOT EXISTS {name}")
        made.append(name)
        run_sql(clickhouse_table.create(name, table, days=30).rstrip().rstrip(";"))
        data = content if isinstance(content, bytes) else content.encode()
        run_sql(f"INSERT INTO {name}.{table} (line) FORMAT LineAsString", data)
        return f"clickhouse://127.0.0.1:{clickhouse_port}/{name}.{table}"

    yield make
    for name in made:
        run_sql(f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def gained():
    """How many lines were written, had to wait, and were lost since the test began."""
    before = delivery_stats()

    def gained():
        now = delivery_stats()
        return (
            now.written - before.written,
            now.spilled - before.spilled,
            now.dropped - before.dropped,
        )

    return gained
