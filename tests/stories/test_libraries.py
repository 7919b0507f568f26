"""Libraries that look at records or events understand ours, unaided."""

from __future__ import annotations

import io
import json
import logging

import pytest
import sentry_sdk
import structlog
from pythonjsonlogger.json import JsonFormatter as StockJsonFormatter
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport
from structlog.testing import LogCapture, capture_logs

import tracelog


# structlog


def test_structlog_gives_our_loggers():
    """`structlog.get_logger()` is one of ours once tracelog is in use."""
    tracelog.get_logger()
    stream = io.StringIO()
    tracelog.configure_logging(sink=stream, format="json")

    structlog.get_logger("app").info("hello", room="lobby")

    line = json.loads(stream.getvalue())
    assert (line["logger"], line["event"], line["room"]) == ("app", "hello", "lobby")


def test_structlogs_context_is_shown():
    """What others bind with structlog.contextvars is on our lines, too."""
    stream = io.StringIO()
    tracelog.configure_logging(sink=stream, format="json")

    with structlog.contextvars.bound_contextvars(user="kim"):
        tracelog.get_logger("app").info("hello")
        logging.getLogger("app").info("hello")

    assert [json.loads(line)["user"] for line in stream.getvalue().splitlines()] == ["kim", "kim"]


def never(logger, method, event):
    raise AssertionError("the user's processors don't run on captured events")


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda: None, id="as it is"),
        pytest.param(structlog.reset_defaults, id="reset"),
        pytest.param(
            lambda: structlog.configure(
                processors=[never], wrapper_class=structlog.stdlib.BoundLogger
            ),
            id="configured by the user",
        ),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("level", [logging.DEBUG, logging.CRITICAL], ids=["on", "off"])
def test_events_are_captured(prepare, when, level):
    """`capture_logs` sees every event, whatever is configured and whichever levels are on.

    But for a level that is off, on a logger made before structlog was configured anew: like
    structlog's own, it knows the chain that it was made with.
    """
    logging.getLogger("app").setLevel(level)
    early = tracelog.get_logger("app")
    early.debug("before it is captured")
    prepare()

    with capture_logs() as events:
        log = early if when == "before" else tracelog.get_logger("app")
        log.debug("hello", room="lobby")

    outdated = early._processors is not structlog.get_config()["processors"]
    missed = outdated and when == "before" and level > logging.DEBUG
    captured = [{"event": "hello", "room": "lobby", "log_level": "debug"}]
    assert events == ([] if missed else captured)


def test_capture_ends():
    """After the block, events are lines again."""
    stream = io.StringIO()
    tracelog.configure_logging(sink=stream, format="json")
    log = tracelog.get_logger("app")

    with capture_logs():
        log.info("captured")
    log.info("hello")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["hello"]


def test_a_log_capture_of_ones_own():
    """The fixture that structlog's documentation shows works with our loggers."""
    capture = LogCapture()
    structlog.configure(processors=[capture])

    tracelog.get_logger("app", user="kim").warning("hello", room="lobby")

    assert capture.entries == [
        {"event": "hello", "room": "lobby", "user": "kim", "log_level": "warning"}
    ]


# pytest


def test_caplog_reads_native_events(caplog):
    """Message, level and fields; `caplog.text` names the line that logged."""
    with caplog.at_level(logging.DEBUG):
        tracelog.get_logger("app").debug("hello %s", "kim", room="lobby")

    [record] = caplog.records
    assert caplog.record_tuples == [("app", logging.DEBUG, "hello kim")]
    assert caplog.messages == ["hello kim"]
    assert record.room == "lobby"
    assert "test_libraries.py:" in caplog.text


def test_caplog_reads_beside_our_handlers(caplog):
    """configure_logging leaves pytest's handler where it is."""
    tracelog.configure_logging(sink=io.StringIO())

    tracelog.get_logger("app").info("native")
    logging.getLogger("app").info("foreign")

    assert caplog.messages == ["native", "foreign"]


# Sentry


class Envelopes(Transport):
    """Keeps what would have been sent."""

    def __init__(self):
        super().__init__()
        self.events = []

    def capture_envelope(self, envelope):
        self.events.extend(filter(None, [envelope.get_event()]))


# What Sentry puts in the place of `logging.Logger.callHandlers`, once a process.
_call_handlers = []


@pytest.fixture
def sentry(monkeypatch):
    transport = Envelopes()
    integration = LoggingIntegration(level=logging.INFO, event_level=logging.ERROR)
    client = sentry_sdk.Client(
        "http://key@localhost/1",
        transport=transport,
        integrations=[integration],
        default_integrations=False,
        auto_enabling_integrations=False,
    )
    _call_handlers.append(logging.Logger.callHandlers)
    monkeypatch.setattr(logging.Logger, "callHandlers", _call_handlers[0])
    with sentry_sdk.isolation_scope() as scope:
        scope.set_client(client)
        scope.clear_breadcrumbs()
        yield transport.events
    client.close(timeout=0)


@pytest.mark.parametrize(
    "make", [logging.getLogger, tracelog.get_logger], ids=["foreign", "native"]
)
def test_sentry_gets_events_and_breadcrumbs(sentry, make):
    """The real integration: errors are events with their exception, what was before is a trail."""
    tracelog.configure_logging(sink=io.StringIO())
    log = make("app.sentry")

    log.info("first %s", "step")
    try:
        raise ValueError("bad")
    except ValueError:
        log.exception("failed %s", "here")

    [event] = sentry
    assert event["logger"] == "app.sentry"
    assert event["level"] == "error"
    assert event["logentry"]["message"] == "failed %s"
    assert event["logentry"]["params"] == ["here"]
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["first step"]


def test_sentry_gets_fields(sentry):
    """Fields of a native event are extra data, as those of `extra=` are."""
    tracelog.configure_logging(sink=io.StringIO())

    with tracelog.bound_context(user="kim"):
        tracelog.get_logger("app.sentry").error("failed", room="lobby")

    assert sentry[0]["extra"]["room"] == "lobby"
    assert sentry[0]["extra"]["user"] == "kim"


class SentryLike(logging.Handler):
    """Looks at whatever a reporting tool looks at."""

    def __init__(self):
        super().__init__()
        self.reports = []

    def emit(self, record):
        ordinary = set(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
        self.reports.append(
            {
                "message": record.getMessage(),
                "template": record.msg,
                "place": (record.module, record.funcName),
                "error": record.exc_info and record.exc_info[0].__name__,
                "extra": {k: v for k, v in vars(record).items() if k not in ordinary},
            }
        )


def test_a_reporting_handler_sees_the_same_of_both():
    """Nothing tells a native event from one of logging's."""
    handler = SentryLike()
    logging.getLogger("app").addHandler(handler)

    for log, fields in (
        (logging.getLogger("app"), {"extra": {"room": "lobby"}}),
        (tracelog.get_logger("app"), {"room": "lobby"}),
    ):
        try:
            raise ValueError("bad")
        except ValueError:
            log.exception("failed %s", "here", **fields)

    foreign, native = handler.reports
    native["extra"].pop("trace_id")
    assert native == foreign


# python-json-logger, and logging's own formatter


def test_a_stock_json_formatter_reads_native_events():
    """Fields, context and exception are keys of its line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(StockJsonFormatter("%(levelname)s %(name)s %(message)s"))
    logging.getLogger("app").addHandler(handler)

    with tracelog.bound_context(user="kim"):
        tracelog.get_logger("app").warning("hello %s", "kim", room="lobby")

    assert json.loads(stream.getvalue()) == {
        "levelname": "WARNING",
        "name": "app",
        "message": "hello kim",
        "trace_id": None,
        "user": "kim",
        "room": "lobby",
    }


@pytest.mark.parametrize(
    "make", [logging.getLogger, tracelog.get_logger], ids=["foreign", "native"]
)
@pytest.mark.parametrize("handler", ["logging.StreamHandler", "tracelog.StreamHandler"])
def test_a_stock_formatter_shows_the_trace(make, handler):
    """`%(trace_id)s` works in any format, by ContextFilter on the handler."""
    stream = io.StringIO()
    tracelog.configure_logging(
        {
            "version": 1,
            "filters": {"context": {"()": "tracelog.ContextFilter"}},
            "formatters": {"text": {"format": "%(trace_id)s %(name)s %(message)s"}},
            "handlers": {
                "out": {
                    "()": handler,
                    "stream": stream,
                    "formatter": "text",
                    "filters": ["context"],
                }
            },
            "root": {"level": "INFO", "handlers": ["out"]},
        }
    )
    trace = tracelog.new_trace()

    make("app").info("hello")

    assert stream.getvalue() == f"{trace.trace_id} app hello\n"
