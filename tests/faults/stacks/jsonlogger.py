"""The standard library with python-json-logger; for people, rich's handler."""

from __future__ import annotations

import logging
from contextvars import ContextVar

from pythonjsonlogger.json import JsonFormatter
from rich.console import Console
from rich.logging import RichHandler

from stacks import standard
from stacks.standard import add_handler, load


TITLE = "logging + python-json-logger"
stdlib = True
_bound = ContextVar("bound", default={})


class Logger:
    """Keyword arguments as `extra`."""

    def __init__(self, logger):
        self._logger = logger

    def __reduce__(self):
        return Logger, (self._logger,)

    def __getattr__(self, method):
        call = getattr(self._logger, method)

        def log(message, /, *args, exc_info=None, **fields):
            more = {} if method == "exception" else {"exc_info": exc_info}
            call(message, *args, extra=fields, **more)

        return log


def get_logger(name):
    return Logger(logging.getLogger(name))


def setup(sink, *, console=False):
    def make():
        if console:
            file = open(sink, "a") if isinstance(sink, str) else sink
            handler = RichHandler(console=Console(file=file, force_terminal=True, width=160))
        else:
            handler = standard.make_handler(sink)
            handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        handler.addFilter(_add_bound)
        return handler

    standard.install(make)


def setup_rotating(path, max_bytes, backups):
    standard.rotation.update(maxBytes=max_bytes, backupCount=backups)
    setup(path)


def _add_bound(record):
    vars(record).update(_bound.get())
    return True


def bind(**values):
    _bound.set({**_bound.get(), **values})


def read(line):
    return line.pop("message"), line.pop("levelname").lower(), line
