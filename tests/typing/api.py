"""What type checkers are promised; checked by mypy and pyright, never run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, MutableMapping
from io import StringIO
from typing import assert_type

import httpx

import tracelog
from tracelog.asgi import TraceMiddleware
from tracelog.httpx import AsyncTransport
from tracelog.queues import Taken, taken
from tracelog.testing import check_processor, check_sink, hostile_values
from tracelog.websockets import connect


def configuring() -> None:
    assert_type(tracelog.configure_logging(), None)
    tracelog.configure_logging("logging.yaml", level="DEBUG", format="json", sink="app.log")
    tracelog.configure_logging({"version": 1}, level=10, processors=["app.add_region"])
    tracelog.configure_logging(env_file=None, environment="development", sink=None)
    assert_type(tracelog.flush(timeout=1.0), bool)
    assert_type(tracelog.delivery_stats(), tracelog.DeliveryStats)
    assert_type(tracelog.delivery_stats().dropped, int)


def logging_events() -> None:
    log = tracelog.get_logger(__name__)
    assert_type(log, tracelog.BoundLogger)
    assert_type(log.bind(room="lobby"), tracelog.BoundLogger)
    assert_type(log.info("x %s", 1, room="lobby", exc_info=True), None)
    assert_type(log.isEnabledFor(logging.DEBUG), bool)
    log.log(logging.INFO, "x")
    log.exception("x", stack_info=True, stacklevel=2)


def binding() -> None:
    tracelog.bind_context(user_id="user-456")
    tracelog.unbind_context("user_id", "room")
    tracelog.clear_context()
    context: Mapping[str, object] = tracelog.get_context()
    context["user_id"]
    with tracelog.bound_context(room="lobby"):
        pass


@tracelog.bound_context(room="lobby")
def decorated(number: int, *, text: str) -> str:
    return text * number


@tracelog.bound_context(room="lobby")
async def decorated_too(number: int) -> int:
    return number


@tracelog.bound_context(room="lobby")
async def decorated_generator(number: int) -> AsyncIterator[int]:
    yield number


@tracelog.span("llm")
async def timed_generator(number: int) -> AsyncIterator[int]:
    yield number


async def calling() -> None:
    async for number in timed_generator(1):
        assert_type(number, int)
    assert_type(decorated(1, text="x"), str)
    assert_type(await decorated_too(1), int)
    async for number in decorated_generator(1):
        assert_type(number, int)


def tracing() -> None:
    trace = tracelog.new_trace(parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    assert_type(trace, tracelog.TraceContext)
    assert_type(trace.trace_id, str)
    assert_type(trace.sampled, bool)
    assert_type(tracelog.current_trace(), tracelog.TraceContext | None)
    assert_type(tracelog.inject(), dict[str, str])
    assert_type(tracelog.extract({"traceparent": "x"}), tracelog.TraceContext | None)
    assert_type(tracelog.extract([(b"traceparent", b"x")]), tracelog.TraceContext | None)
    assert_type(tracelog.extract_request_id({}), str | None)


async def carrying() -> None:
    assert_type(tracelog.carry(decorated)(1, text="x"), str)
    assert_type(await tracelog.carry(decorated_too)(1), int)
    with tracelog.ContextThreadPoolExecutor(2) as pool:
        assert_type(pool.submit(decorated, 1, text="x").result(), str)


async def queueing() -> None:
    queue = tracelog.Queue[int](maxsize=5)
    await queue.put(1)
    assert_type(await queue.get(), int)
    assert_type(queue.get_nowait(), int)
    assert_type(await asyncio.create_task(queue.get()), int)
    assert_type(await tracelog.PriorityQueue[tuple[int, str]]().get(), tuple[int, str])
    assert_type(await tracelog.LifoQueue[str]().get(), str)
    handed_over: asyncio.Queue[int] = queue
    handed_over.task_done()
    assert_type(taken(), Taken | None)


def handling() -> None:
    handler: logging.Handler = tracelog.StreamHandler()
    handler.setFormatter(tracelog.JsonFormatter(rename_fields={"event": "message"}))
    handler.addFilter(tracelog.ContextFilter(outside_tasks=True))
    handler.addFilter(tracelog.FlightRecorder(level="INFO", records=100, keep=0.1))
    handler.addFilter(tracelog.FloodFilter(first=10, then=1000))
    handler.addFilter(tracelog.Focus(rules=[{"user_id": "user-456"}], file="focus.yaml"))
    formatter: logging.Formatter = tracelog.ConsoleFormatter(colors=True)
    assert_type(formatter.format(logging.makeLogRecord({})), str)


def wrapping(app: TraceMiddleware) -> TraceMiddleware:
    budgets = [{"path": "/report/*", "late_ms": 2000}]
    late = TraceMiddleware(app, late_ms=100.0, budgets=budgets, on_time="debug", keep=0.1)
    return TraceMiddleware(late, access_log=False, trace_from=tracelog.current_trace, watch=None)


def timing() -> None:
    with tracelog.span("llm", model="m") as here:
        assert_type(here, tracelog.TraceContext)
    with tracelog.utterance(user_id="kim", budget_ms=50, parent=here) as trace:
        assert_type(trace, tracelog.TraceContext)
    assert_type(tracelog.span("add")(decorated)(1, text="x"), str)
    assert_type(tracelog.watch_loop(mode="sampled").stop(), None)


async def travelling(message: dict[str, object]) -> None:
    assert_type(tracelog.inject(message, sent_at=1.0, keys=["user_id"]), dict[str, object])
    assert_type(tracelog.ClientWait.of(message, arrived=2.0), tracelog.ClientWait | None)
    httpx.AsyncClient(transport=AsyncTransport())
    async with connect("ws://localhost", additional_headers={"x-app": "yes"}):
        pass


def checking(stream: StringIO) -> None:
    def process(logger: object, method_name: str, event: dict[str, object]) -> object:
        return {**event, "method": method_name}

    check_processor(process)
    check_sink(lambda: stream, stream.getvalue)
    check_sink(lambda: logging.StreamHandler(stream), stream.getvalue)
    for name in hostile_values():
        assert_type(name, str)
