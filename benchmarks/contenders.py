"""What is measured: the same line, written by us and by what people use today.

Each function sets one stack up, on a file, and gives the call to be timed. All lines carry three
event fields and two bound context values. Run in a process of its own: loggers are global.
"""

import logging
from contextvars import ContextVar
from pathlib import Path


CONTEXT = {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "user_id": "user-456"}
EVENT = "message handled"
FIELDS = {"room": "lobby", "size": 512, "ms": 1.25}


def _stdlib_logger(handler):
    logger = logging.getLogger("bench")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return logger


def python_json_logger(path):
    from pythonjsonlogger.json import JsonFormatter

    context = ContextVar("context", default=CONTEXT)

    class Inject(logging.Filter):
        def filter(self, record):
            for key, value in context.get().items():
                setattr(record, key, value)
            return True

    handler = logging.FileHandler(path)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(Inject())
    logger = _stdlib_logger(handler)
    return lambda: logger.info(EVENT, extra={"room": "lobby", "size": 512, "ms": 1.25})


def _processor_formatter(path, renderer):
    import structlog

    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.FileHandler(path)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *renderer,
            ],
        )
    )
    _stdlib_logger(handler)
    structlog.contextvars.bind_contextvars(**CONTEXT)
    log = structlog.get_logger("bench")
    return lambda: log.info(EVENT, room="lobby", size=512, ms=1.25)


def structlog_json(path):
    import structlog

    return _processor_formatter(
        path, [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )


def structlog_console(path):
    import structlog

    return _processor_formatter(path, [structlog.dev.ConsoleRenderer(colors=True)])


def structlog_bytes(path):
    import orjson
    import structlog

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        logger_factory=structlog.BytesLoggerFactory(Path(path).open("ab")),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(**CONTEXT)
    log = structlog.get_logger()
    return lambda: log.info(EVENT, room="lobby", size=512, ms=1.25)


def stdlib_disabled(_path):
    logger = _stdlib_logger(logging.NullHandler())
    return lambda: logger.debug("x")


def _tracelog(path, **options):
    import tracelog

    tracelog.configure_logging(sink=path, level="INFO", env_file=None, **options)
    tracelog.bind_context(**CONTEXT)
    return tracelog


def tracelog_native(path):
    log = _tracelog(path, format="json").get_logger("bench")
    return lambda: log.info(EVENT, room="lobby", size=512, ms=1.25)


def tracelog_foreign(path):
    _tracelog(path, format="json")
    logger = logging.getLogger("bench")
    return lambda: logger.info(EVENT, extra={"room": "lobby", "size": 512, "ms": 1.25})


def tracelog_foreign_earlier(path):
    logger = logging.getLogger("bench")  # made before configure_logging: the standard way
    _tracelog(path, format="json")
    return lambda: logger.info(EVENT, extra={"room": "lobby", "size": 512, "ms": 1.25})


def tracelog_console(path):
    import os

    os.environ["FORCE_COLOR"] = "1"
    log = _tracelog(path, format="console").get_logger("bench")
    return lambda: log.info(EVENT, room="lobby", size=512, ms=1.25)


def tracelog_disabled(path):
    log = _tracelog(path, format="json").get_logger("bench")
    return lambda: log.debug("x", a=1)
