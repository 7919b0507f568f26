"""Which user's utterance, at which moment, was handled late, and why?

This is the front door. Names load on first use, so that `import tracelog` costs little; nothing
inside the package imports from here.
"""

from __future__ import annotations

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from tracelog.carriers import ContextThreadPoolExecutor, carry
    from tracelog.config import configure_logging
    from tracelog.context import (
        bind_context,
        bound_context,
        clear_context,
        current_trace,
        get_context,
        new_trace,
        unbind_context,
    )
    from tracelog.delivery import DeliveryStats, delivery_stats
    from tracelog.envelope import ClientWait
    from tracelog.errors import ConfigError, InputError, TracelogError, TraceparentError
    from tracelog.farewell import flush
    from tracelog.flood import FloodFilter
    from tracelog.focus import Focus
    from tracelog.formatters import ConsoleFormatter, Formatter, JsonFormatter
    from tracelog.handlers import FileHandler, RotatingFileHandler, StreamHandler
    from tracelog.headers import extract, extract_baggage, extract_request_id, inject
    from tracelog.ids import TraceContext
    from tracelog.latency.loop import watch_loop
    from tracelog.latency.recorder import FlightRecorder
    from tracelog.latency.spans import span, utterance
    from tracelog.logger import BoundLogger, get_logger
    from tracelog.queues import LifoQueue, PriorityQueue, Queue
    from tracelog.records import ContextFilter


__version__ = "0.1.0"

__all__ = [
    "BoundLogger",
    "ClientWait",
    "ConfigError",
    "ConsoleFormatter",
    "ContextFilter",
    "ContextThreadPoolExecutor",
    "DeliveryStats",
    "FileHandler",
    "FlightRecorder",
    "FloodFilter",
    "Focus",
    "Formatter",
    "InputError",
    "JsonFormatter",
    "LifoQueue",
    "PriorityQueue",
    "Queue",
    "RotatingFileHandler",
    "StreamHandler",
    "TraceContext",
    "TracelogError",
    "TraceparentError",
    "bind_context",
    "bound_context",
    "carry",
    "clear_context",
    "configure_logging",
    "current_trace",
    "delivery_stats",
    "extract",
    "extract_baggage",
    "extract_request_id",
    "flush",
    "get_context",
    "get_logger",
    "inject",
    "new_trace",
    "span",
    "unbind_context",
    "utterance",
    "watch_loop",
]

_HOMES = {
    "carriers": ["ContextThreadPoolExecutor", "carry"],
    "config": ["configure_logging"],
    "context": [
        "bind_context",
        "bound_context",
        "clear_context",
        "current_trace",
        "get_context",
        "new_trace",
        "unbind_context",
    ],
    "delivery": ["DeliveryStats", "delivery_stats"],
    "envelope": ["ClientWait"],
    "errors": ["ConfigError", "InputError", "TracelogError", "TraceparentError"],
    "farewell": ["flush"],
    "flood": ["FloodFilter"],
    "focus": ["Focus"],
    "formatters": ["ConsoleFormatter", "Formatter", "JsonFormatter"],
    "handlers": ["FileHandler", "RotatingFileHandler", "StreamHandler"],
    "headers": ["extract", "extract_baggage", "extract_request_id", "inject"],
    "ids": ["TraceContext"],
    "latency.loop": ["watch_loop"],
    "latency.recorder": ["FlightRecorder"],
    "latency.spans": ["span", "utterance"],
    "logger": ["BoundLogger", "get_logger"],
    "queues": ["LifoQueue", "PriorityQueue", "Queue"],
    "records": ["ContextFilter"],
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

# Here, and not where it is used: a YAML file may say `level: TRACE` before anything else is loaded.
logging.addLevelName(5, "TRACE")


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'tracelog' has no attribute {name!r}")

    value = getattr(import_module(f"tracelog.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
