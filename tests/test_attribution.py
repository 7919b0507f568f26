"""Whose a line is, where the current context doesn't tell."""

from __future__ import annotations

import asyncio
import logging
import pickle

import pytest

from tracelog.attribution import is_servers, leave_tail, of_exception, of_line, stamp
from tracelog.context import Connection, Context, current_context, enter_context
from tracelog.ids import TraceContext


OURS = Context.make({"user": "kim"}, TraceContext.new(), Connection("c-1"))
OTHER = Context.make({}, TraceContext.new(), None)
NOBODY = Context.make({}, None, None)


@pytest.mark.parametrize(
    ("logger", "servers"),
    [("uvicorn.error", True), ("websockets", True), ("uvicorns", False), ("app.uvicorn", False)],
)
def test_servers_are_known_by_their_loggers(logger, servers):
    """The logger, or any below it."""
    assert is_servers(logger) is servers


# -- The stamp -------------------------------------------------------------------------------------


def test_a_stamp_beats_the_current_context():
    """Whoever reports an exception, it is the request's that it left."""
    error = ValueError()
    enter_context(OURS)
    stamp(error)

    assert of_exception(error, OTHER) is OURS
    assert of_exception(error, NOBODY) is OURS


def test_the_last_stamp_counts():
    """One exception may leave several requests: a pool's, raised again for each."""
    error = ValueError()
    for context in (OURS, OTHER):
        enter_context(context)
        stamp(error)

    assert of_exception(error, NOBODY) is OTHER


@pytest.mark.parametrize("link", ["__cause__", "__context__"])
def test_outside_of_a_trace_a_cause_tells(link):
    """Inside one, the failure of another may be shared by many."""
    cause, error = ValueError(), RuntimeError()
    enter_context(OURS)
    stamp(cause)
    setattr(error, link, cause)

    assert of_exception(error, NOBODY) is OURS
    assert of_exception(error, OTHER) is OTHER


def test_without_a_stamp_the_current_context_counts():
    """As for a line without an exception."""
    assert of_exception(ValueError(), NOBODY) is NOBODY
    assert of_exception(None, OURS) is OURS


def test_one_exception_of_two_connections_is_each_ones_own():
    """A pool's, of a connection that failed, is raised again for everybody."""
    error = ValueError()
    enter_context(OURS)
    stamp(error)
    theirs = Context.make({}, TraceContext.new(), Connection("c-2"))

    assert of_exception(error, theirs) is theirs


def test_a_stamp_stays_in_its_process():
    """An exception that is pickled takes nothing of it along."""
    error = ValueError("bad")
    enter_context(OURS)
    stamp(error)

    received = pickle.loads(pickle.dumps(error))

    assert received.args == ("bad",)
    assert of_exception(received, NOBODY) is NOBODY


# -- The tail --------------------------------------------------------------------------------------


async def in_a_task(function, *args):
    async def call():
        return function(*args)

    return await asyncio.create_task(call())


def test_what_just_ended_in_the_task_is_a_servers():
    """The server's access line comes after the request; an application's line isn't meant."""

    async def story():
        leave_tail(OURS)
        return of_line("uvicorn.access"), of_line("app"), await in_a_task(of_line, "uvicorn.error")

    assert asyncio.run(story()) == (OURS, NOBODY, NOBODY)


def test_the_current_trace_beats_the_tail():
    """A task that goes on to something else is about that."""

    async def story():
        leave_tail(OURS)
        enter_context(OTHER)
        return of_line("uvicorn.error")

    assert asyncio.run(story()) is OTHER


def test_outside_of_tasks_there_is_no_tail():
    """Nobody could tell whose it is."""
    leave_tail(OURS)

    assert of_line("uvicorn.error") is current_context()


# -- The connection --------------------------------------------------------------------------------


def test_a_servers_line_is_its_websockets_at_last():
    """A connection that is one conversation has one trace, for lines that no task makes."""
    connection = Connection("c-1", trace=TraceContext.new())
    enter_context(Context.make({"user": "kim"}, None, connection))

    found = of_line("uvicorn.error")

    assert (found.trace, found.connection) == (connection.trace, connection)
    assert found.bound == {"user": "kim"}
    assert of_line("app").trace is None


def test_a_connection_without_a_trace_tells_its_id():
    """Requests have traces, a keep-alive connection has none."""
    enter_context(Context.make({}, None, Connection("c-1")))

    assert of_line("uvicorn.error") is current_context()


# -- On lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["app", "uvicorn.error"])
def test_lines_are_attributed(name):
    """Foreign and native lines about an exception are its request's."""
    from tracelog.logger import get_logger
    from tracelog.records import Event, context_of

    class Kept(logging.Handler):
        def emit(self, record):
            contexts.append(context_of(record))
            assert isinstance(record, (Event, logging.LogRecord))

    contexts = []
    logger = logging.getLogger(name)
    logger.addHandler(Kept())
    error = ValueError()
    enter_context(OURS)
    stamp(error)
    enter_context(NOBODY)

    logger.error("bad", exc_info=error)
    get_logger(name).error("bad", exc_info=error)
    get_logger(name).error("bad")

    assert contexts == [OURS, OURS, NOBODY]
