"""structlog without the standard library, as its page on performance has it: orjson, BytesLogger."""

from __future__ import annotations

import logging

import orjson
import structlog
from structlog import processors


TITLE = "structlog, BytesLogger + orjson"
bind = structlog.contextvars.bind_contextvars
get_logger = structlog.get_logger


def setup(sink, *, console=False):
    binary = open(sink, "ab") if isinstance(sink, str) else sink.buffer
    text = open(sink, "a") if isinstance(sink, str) else sink
    shared = [
        structlog.contextvars.merge_contextvars,
        processors.add_log_level,
        processors.TimeStamper(fmt="iso", utc=True),
    ]
    if console:
        last = [structlog.dev.ConsoleRenderer(colors=True)]
        factory = structlog.WriteLoggerFactory(text)
    else:
        last = [processors.format_exc_info, processors.JSONRenderer(serializer=orjson.dumps)]
        factory = structlog.BytesLoggerFactory(binary)
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=True,
    )


def read(line):
    return line.pop("event"), line.pop("level"), line
