"""structlog without the standard library, as its page on performance has it: orjson, BytesLogger."""

from __future__ import annotations

import logging

import orjson
import structlog
from structlog import processors


TITLE = "structlog, BytesLogger + orjson"
bind = structlog.contextvars.bind_contextvars
get_logger = structlog.get_logger
_streams = []  # a stream that is collected closes the buffer that is written to


def setup(sink, *, console=False):
    stream = open(sink, "a") if isinstance(sink, str) else sink
    _streams.append(stream)
    shared = [
        structlog.contextvars.merge_contextvars,
        processors.add_log_level,
        processors.TimeStamper(fmt="iso", utc=True),
    ]
    factory = structlog.WriteLoggerFactory(stream)
    if console:
        last = [structlog.dev.ConsoleRenderer(colors=True)]
    elif hasattr(stream, "buffer"):
        last = [processors.format_exc_info, processors.JSONRenderer(serializer=orjson.dumps)]
        factory = structlog.BytesLoggerFactory(stream.buffer)
    else:
        last = [processors.format_exc_info, processors.JSONRenderer()]
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=factory,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        cache_logger_on_first_use=True,
    )


def read(line):
    return line.pop("event"), line.pop("level"), line
