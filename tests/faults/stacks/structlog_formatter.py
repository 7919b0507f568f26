"""structlog over the standard library, as its documentation has it: `ProcessorFormatter`."""

from __future__ import annotations

import structlog
from structlog import processors, stdlib as bridge

from stacks import standard
from stacks.standard import add_handler, load


TITLE = "structlog, ProcessorFormatter"
stdlib = True
bind = structlog.contextvars.bind_contextvars
get_logger = structlog.get_logger


def setup(sink, *, console=False):
    shared = [
        structlog.contextvars.merge_contextvars,
        bridge.add_log_level,
        bridge.add_logger_name,
        bridge.ExtraAdder(),
        processors.TimeStamper(fmt="iso", utc=True),
        processors.StackInfoRenderer(),
    ]
    last = (
        [structlog.dev.ConsoleRenderer(colors=True)]
        if console
        else [processors.dict_tracebacks, processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            bridge.filter_by_level,
            *shared,
            bridge.PositionalArgumentsFormatter(),
            bridge.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=bridge.LoggerFactory(),
        wrapper_class=bridge.BoundLogger,
        cache_logger_on_first_use=True,
    )

    def make():
        handler = standard.make_handler(sink)
        chain = [bridge.ProcessorFormatter.remove_processors_meta, *last]
        handler.setFormatter(bridge.ProcessorFormatter(processors=chain, foreign_pre_chain=shared))
        return handler

    standard.install(make)


def setup_rotating(path, max_bytes, backups):
    standard.rotation.update(maxBytes=max_bytes, backupCount=backups)
    setup(path)


def read(line):
    return line.pop("event"), line.pop("level"), line
