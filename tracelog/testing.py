"""The contract, held against what you plug in: processors, handlers, streams of your own.

Each check runs a table of what is hard to process or to write, in a thread, and raises an
`AssertionError` that names the promise which is broken and what has broken it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from threading import Thread
from typing import Any, Final, TextIO

from structlog.exceptions import DropEvent

from tracelog.fields import EVENT, LEADING, LEVEL, LOGGER, TIMESTAMP, TRACE_ID
from tracelog.handlers import StreamHandler
from tracelog.json_formatter import JsonFormatter
from tracelog.processors import Processor


__all__ = ["PROMISES", "check_processor", "check_sink", "hostile_values"]

#: The contract of docs/reliability.md, by number.
PROMISES: Final = {
    1: "a log call never raises, hangs or blocks",
    2: "nothing is lost in silence",
    3: "memory is bounded",
    4: "one record is one line of strict JSON",
    5: "what comes from outside is data",
    6: "a refused configuration leaves the old one working",
    7: "a record is a snapshot of its moment",
}

_WITHIN_S = 10.0
_THREADS: Final = 4
_LINES: Final = 50  # of each thread
# What the standard library's own formatters leave on a record.
_LEFT_BY_FORMATTING: Final = {"message", "asctime", "exc_text"}


class _NoText:
    """Raises whatever is asked of it."""

    def __repr__(self) -> str:
        raise ValueError("no text for you")


def hostile_values() -> dict[str, Any]:
    """Make values that fight back when they are shown, each by what it is.

    >>> "text of 100,000 characters" in hostile_values()
    True
    """
    within_itself: dict[str, Any] = {"list": [1]}
    within_itself["itself"] = within_itself
    return {
        "number": 1,
        "None": None,
        "nested list": {"list": [1, {"deep": [2]}]},
        "value whose repr raises": _NoText(),
        "dict that holds itself": within_itself,
        "not a number": float("nan"),
        "number of 5,000 digits": 10**5000,
        "lone surrogate": "\ud800",
        "line end": 'x\n{"event":"forged"}\r\n',
        "escape sequence": "\x1b[2J\x9b2J\u202e",
        "format": "%s %(name)s {0.__class__} ${jndi:ldap://x}",
        "text of 100,000 characters": "x" * 100_000,
        "bytes": b"\xff\x00",
        "key that is no text": {1: "number", "1": "text"},
        "exception": ValueError("boo"),
    }


def check_processor(processor: Processor) -> None:
    """Hold *processor* against the contract.

    It has to take any event, give a mapping, or raise `structlog.DropEvent` to drop it; and to
    leave the values in it as they are, for they are the caller's.

    >>> def add_region(logger, method_name, event_dict):
    ...     event_dict["region"] = "eu-1"
    ...     return event_dict
    >>> check_processor(add_region)

    Raises:
        AssertionError: If it breaks a promise.
    """
    _in_time(_check_processor, processor)


def check_sink(make_sink: Callable[[], logging.Handler | TextIO], read: Callable[[], str]) -> None:
    """Hold a handler, or a stream for `configure_logging(sink=…)`, against the contract.

    >>> from io import StringIO
    >>> stream = StringIO()
    >>> check_sink(lambda: stream, stream.getvalue)

    Args:
        make_sink: Makes the handler or the stream. A handler gets a `tracelog.JsonFormatter`.
        read: Tells all that came out so far, as it would be found; called after a flush.

    Raises:
        AssertionError: If it breaks a promise.
    """
    _in_time(_check_sink, make_sink, read)


def _in_time(check: Callable[..., None], *arguments: Any) -> None:
    """Run *check* in a thread that may hang, and raise here what it raises."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            check(*arguments)
        except BaseException as error:  # noqa: BLE001 -- it is raised again, below
            raised.append(error)

    thread = Thread(target=run, daemon=True, name="tracelog.testing")
    thread.start()
    thread.join(_WITHIN_S)
    _keep(1, not thread.is_alive(), f"it didn't come back within {_WITHIN_S:.0f} s")
    if raised:
        raise raised[0]


def _keep(promise: int, kept: object, what: str) -> None:
    if not kept:
        raise _broken(promise, what)


def _broken(promise: int, what: str) -> AssertionError:
    return AssertionError(f"promise {promise}, {PROMISES[promise]!r}, is broken: {what}")


# Processors


def _check_processor(processor: Processor) -> None:
    before: Any = None
    for name, event in _events():
        values = {key: _copy_of(value) for key, value in event.items()}
        held = dict(event)
        try:
            result = _without_raising(name, processor, None, "info", event)
        except DropEvent:
            continue

        _keep(2, isinstance(result, Mapping), f"{name}: it gave {type(result)}, no mapping")
        _keep(7, result is not before, f"{name}: it gave the mapping of the event before")
        before = result
        for key, value in held.items():
            _keep(7, _same(value, values[key]), f"{name}: it changed the value of {key!r} in place")


def _events() -> Iterator[tuple[str, dict[str, Any]]]:
    leading = {TIMESTAMP: "2026-11-22T10:10:10.123456Z", LEVEL: "info", LOGGER: "app"}
    yield "an event without fields", {**leading, EVENT: "hello", TRACE_ID: None}
    for name, value in hostile_values().items():
        yield f"{name}, as a field", {**leading, EVENT: "hello", TRACE_ID: None, "value": value}
        yield f"{name}, as the event", {**leading, EVENT: value, TRACE_ID: "req-123"}
    for key in ("", "a\nb", "\ud800", "exc_info", "x" * 1000):
        yield f"the key {key[:10]!r}", {**leading, EVENT: "hello", TRACE_ID: None, key: [1]}


def _copy_of(value: Any) -> Any:
    return deepcopy(value) if isinstance(value, (dict, list)) else value


def _same(value: Any, copy: Any) -> bool:
    """Compare what may hold itself: texts of such end where they begin again."""
    return value is copy or repr(value) == repr(copy)


# Sinks


def _check_sink(make_sink: Callable[[], logging.Handler | TextIO], read: Callable[[], str]) -> None:
    sink = make_sink()
    handler = sink if isinstance(sink, logging.Handler) else StreamHandler(sink)
    handler.setFormatter(JsonFormatter())
    logger = logging.Logger("tracelog.testing", 1)  # noqa: LOG001 -- it's nobody else's
    logger.addHandler(handler)

    def events() -> list[Any]:
        handler.flush()
        return [_read_strictly(line) for line in read().split("\n") if line]

    _check_values(logger, events)
    _check_threads(logger, events)
    _check_reentry(logger, events)
    for _ in range(2):
        _without_raising("closing it", handler.close)
    _without_raising("a record after it was closed", logger.info, "too late")


def _check_values(logger: logging.Logger, events: Callable[[], list[Any]]) -> None:
    expected = []
    for name, value in hostile_values().items():
        record = logger.makeRecord(
            logger.name, logging.INFO, "", 0, name, (), None, extra={"value": value}
        )
        before = dict(vars(record))
        _without_raising(name, logger.handle, record)
        changed = {k for k, v in vars(record).items() if k not in before or before[k] is not v}
        changed -= _LEFT_BY_FORMATTING
        _keep(7, not changed, f"{name}: it changed {sorted(changed)} of the record")
        expected.append(name)
        found = events()
        _keep(2, found[-1:] == [name], f"{name}: once flushed, the last line is {found[-1:]}")
        _keep(4, found == expected, f"{name}: {len(found)} lines for {len(expected)} records")


def _check_threads(logger: logging.Logger, events: Callable[[], list[Any]]) -> None:
    before = len(events())

    def work(me: int) -> None:
        for number in range(_LINES):
            logger.info("thread %d, line %d", me, number)

    threads = [Thread(target=work, args=(me,), daemon=True) for me in range(_THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = events()[before:]
    wanted = {f"thread {me}, line {number}" for me in range(_THREADS) for number in range(_LINES)}
    _keep(2, wanted <= set(found), f"{len(wanted - set(found))} lines of {_THREADS} threads")
    _keep(4, len(found) == len(wanted), "lines of several threads are there twice")


def _check_reentry(logger: logging.Logger, events: Callable[[], list[Any]]) -> None:
    class Chatty:
        def __repr__(self) -> str:
            logger.info("inner")
            return "chatty"

    _without_raising("a value that logs", logger.info, "outer", extra={"value": Chatty()})
    found = set(events()[-2:])
    _keep(2, found == {"inner", "outer"}, f"of a value that logs, only {sorted(found)} came out")


def _without_raising(what: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except Exception as error:
        problem = f"{what}: {type(error).__name__} was raised: {error}"
        raise _broken(1, problem) from error


def _read_strictly(line: str) -> Any:
    try:
        event: dict[str, Any] = json.loads(line)
        leading = tuple(event)[: len(LEADING)]
    except ValueError:
        leading = ()
    _keep(4, leading == LEADING, f"this isn't one of the lines that it was given: {line[:80]!r}")
    return event[EVENT]
