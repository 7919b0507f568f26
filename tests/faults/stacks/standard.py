"""What the stacks over the standard library share: its handlers, its dictConfig."""

from __future__ import annotations

import logging.config
import logging.handlers

import yaml


rotation = {}


def make_handler(sink):
    """Make the usual handler for a path or a stream."""
    if not isinstance(sink, str):
        return logging.StreamHandler(sink)

    kind = "RotatingFileHandler" if rotation else "WatchedFileHandler"
    return getattr(logging.handlers, kind)(sink, encoding="utf-8", **rotation)


def install(make):
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "handlers": {"out": {"()": make}},
            "root": {"level": "DEBUG", "handlers": ["out"]},
        }
    )


def add_handler(handler):
    logging.getLogger().handlers.insert(0, handler)


def load(path):
    """Do what `uvicorn --log-config` does."""
    with open(path) as file:
        logging.config.dictConfig(yaml.safe_load(file))
