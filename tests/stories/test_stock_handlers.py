"""Handlers of the standard library's and of OpenTelemetry's, under our formatter and our filter."""

from __future__ import annotations

import json
import logging
import logging.handlers
import pickle
import socket
import struct
import threading

import pytest

import tracelog
from tracelog.fields import LEADING


@pytest.fixture
def log_one_of_each(request):
    """Log a native and a foreign event, each within kim's trace, through a stock handler."""

    def log(handler, **options):
        tracelog.configure_logging(
            {
                "version": 1,
                "filters": {"context": {"()": "tracelog.ContextFilter"}},
                "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
                "handlers": {
                    "stock": {
                        "class": handler,
                        "formatter": "json",
                        "filters": ["context"],
                        **options,
                    }
                },
                "root": {"level": "INFO", "handlers": ["stock"]},
            }
        )
        [made] = [each for each in logging.root.handlers if each.name == "stock"]
        request.addfinalizer(made.close)
        tracelog.new_trace()
        with tracelog.bound_context(user_id="kim"):
            tracelog.get_logger("app").info("hello %s", "kim", room="lobby")
            logging.getLogger("app").info("hello %s", "kim", extra={"room": "lobby"})
        return made

    return log


def check(lines):
    """Both events are there, whole, and in the trace they were made in."""
    lines = [json.loads(line) for line in lines]
    [trace] = {line["trace_id"] for line in lines}
    assert trace is not None
    assert [(line["event"], line["user_id"], line["room"]) for line in lines] == [
        ("hello kim", "kim", "lobby")
    ] * 2
    assert all(tuple(line)[: len(LEADING)] == LEADING for line in lines)


def test_syslog(tmp_path, log_one_of_each):
    """A datagram a line, with the priority before it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog:
        syslog.bind(str(tmp_path / "log"))
        syslog.settimeout(30)

        log_one_of_each("logging.handlers.SysLogHandler", address=str(tmp_path / "log"))
        got = [syslog.recv(65_536) for _ in range(2)]

    assert all(each.startswith(b"<14>") and each.endswith(b"\0") for each in got)
    check(each[4:-1] for each in got)


def test_a_socket(log_one_of_each):
    """A server that unpickles records writes the lines that we would have written."""
    got = []

    def receive(listening):
        peer, _ = listening.accept()
        with peer, peer.makefile("rb") as stream:
            while size := stream.read(4):
                got.append(pickle.loads(stream.read(*struct.unpack(">L", size))))

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=receive, args=(listening,))
        server.start()
        port = listening.getsockname()[1]
        log_one_of_each("logging.handlers.SocketHandler", host="127.0.0.1", port=port).close()
        server.join(30)

    formatter = tracelog.JsonFormatter()
    check(formatter.format(logging.makeLogRecord(attributes)) for attributes in got)


def test_memory(tmp_path, log_one_of_each):
    """What a MemoryHandler kept is written as of then."""
    handler = log_one_of_each("logging.handlers.MemoryHandler", capacity=10)
    target = tracelog.FileHandler(tmp_path / "app.log")
    target.setFormatter(tracelog.JsonFormatter())
    handler.setTarget(target)

    with tracelog.bound_context(user_id="lee"):
        handler.flush()

    check((tmp_path / "app.log").read_text().splitlines())
    target.close()


@pytest.mark.parametrize(
    ("handler", "options"),
    [
        ("logging.handlers.RotatingFileHandler", {"maxBytes": 10, "backupCount": 5}),
        ("logging.handlers.TimedRotatingFileHandler", {"when": "D", "backupCount": 5}),
        ("logging.FileHandler", {}),
    ],
)
def test_files(tmp_path, log_one_of_each, handler, options):
    """Whole lines, whichever file they are in."""
    log_one_of_each(handler, filename=str(tmp_path / "app.log"), **options)

    files = sorted(tmp_path.glob("app.log*"), reverse=True)
    assert (len(files) > 1) == ("maxBytes" in options)
    check(line for file in files for line in file.read_text().splitlines())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_opentelemetry():
    """Its handler's log records have the fields and the context as attributes, native and foreign."""
    logs = pytest.importorskip("opentelemetry.sdk._logs")
    export = pytest.importorskip("opentelemetry.sdk._logs.export")
    memory = getattr(export, "InMemoryLogRecordExporter", None) or export.InMemoryLogExporter
    exporter = memory()
    provider = logs.LoggerProvider()
    provider.add_log_record_processor(export.SimpleLogRecordProcessor(exporter))
    handler = logs.LoggingHandler(logger_provider=provider)
    handler.addFilter(tracelog.ContextFilter())
    logger = logging.getLogger("app.otel")
    logger.addHandler(handler)
    logger.propagate = False

    with tracelog.bound_context(user_id="kim"):
        tracelog.get_logger("app.otel").error("hello %s", "kim", room="lobby")
        logger.error("hello %s", "kim", extra={"room": "lobby"})

    got = [each.log_record for each in exporter.get_finished_logs()]
    assert [each.body for each in got] == ["hello kim"] * 2
    assert [each.severity_text for each in got] == ["ERROR"] * 2
    assert [(each.attributes["room"], each.attributes["user_id"]) for each in got] == [
        ("lobby", "kim")
    ] * 2
    provider.shutdown()
