"""tracelog, through its public API alone."""

from __future__ import annotations

import logging

import tracelog


TITLE = "tracelog"
bind = tracelog.bind_context
extract_request_id = tracelog.extract_request_id
flush = tracelog.flush
get_logger = tracelog.get_logger
load = tracelog.configure_logging
stdlib = True  # lines of the standard library's loggers come out, too


def setup(sink, *, console=False):
    form = "console" if console else "json"
    tracelog.configure_logging(sink=sink, level="DEBUG", format=form, env_file=None)


def setup_rotating(path, max_bytes, backups):
    handler = {"class": "tracelog.RotatingFileHandler", "filename": path, "maxBytes": max_bytes}
    tracelog.configure_logging(
        {
            "version": 1,
            "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
            "handlers": {"out": {**handler, "backupCount": backups, "formatter": "json"}},
            "root": {"level": "DEBUG", "handlers": ["out"]},
        },
        env_file=None,
    )


def read(line):
    return line.pop("event"), line.pop("level"), line


def dropped():
    return tracelog.delivery_stats().dropped


def extract_trace(headers):
    trace = tracelog.extract(headers)
    return trace and trace.trace_id


def add_handler(handler):
    logging.getLogger().handlers.insert(0, handler)
