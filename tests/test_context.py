"""What the current task is about."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import weakref
from functools import partial

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tracelog import ids
from tracelog.context import (
    Connection,
    Context,
    bind_context,
    bound_context,
    clear_context,
    current_context,
    current_trace,
    enter_context,
    get_context,
    new_trace,
    snapshot,
    unbind_context,
)
from tracelog.fields import LEADING
from tracelog.ids import TraceContext


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", state="vendor=1")

keys = st.sampled_from(["a", "b", "c", "level", "trace_id"])
values = st.dictionaries(keys, st.integers())


@pytest.fixture
def numbered_ids(monkeypatch):
    """Every id that is made is the number of ids made so far."""
    numbers = iter(range(1, 100))
    monkeypatch.setattr(ids, "_getrandbits", lambda _count: next(numbers))


def bound():
    """What is bound, in its order, as plain data."""
    return dict(get_context())


# -- Binding ---------------------------------------------------------------------------------------


def test_at_first_nothing_is_bound():
    """A task that was told nothing carries nothing."""
    assert bound() == {}
    assert current_trace() is None


def test_bound_values_add_up():
    """Binding keeps what is bound to other keys, and replaces what is bound to the same."""
    bind_context(user="kim", room="lobby")
    bind_context(room="attic", size=3)

    assert bound() == {"user": "kim", "room": "attic", "size": 3}


def test_unbinding_takes_out_some():
    """Keys are taken out; one that isn't there is no error."""
    bind_context(user="kim", room="lobby")

    unbind_context("room", "nobody")

    assert bound() == {"user": "kim"}


def test_clearing_leaves_what_nobody_bound():
    """The trace and the connection aren't the application's to clear."""
    enter_context(Context.make({"user": "kim"}, TRACE, Connection("c-1")))

    clear_context()

    assert bound() == {
        "trace_id": TRACE.trace_id,
        "span_id": TRACE.span_id,
        "connection_id": "c-1",
    }


def test_what_was_told_can_not_be_changed():
    """`get_context` is a view to read: changing it would change other tasks' context."""
    bind_context(user="kim")

    with pytest.raises(TypeError):
        get_context()["user"] = "lee"


def test_binding_never_changes_what_others_inherited():
    """A context is replaced as a whole: who holds the old one keeps it."""
    bind_context(user="kim")
    before = current_context()

    bind_context(user="lee")

    assert before.fields["user"] == "kim"
    assert current_context().fields["user"] == "lee"


@given(values, values)
def test_binding_is_updating_a_dict(first, second):
    """Law: what is bound is what a dict, updated the same way, would hold."""
    clear_context()

    bind_context(**first)
    bind_context(**second)

    assert current_context().bound == {**first, **second}


@given(values, st.lists(keys))
def test_unbinding_twice_is_unbinding_once(given_values, removed):
    """Law: unbinding is idempotent, and what isn't named stays."""
    clear_context()
    bind_context(**given_values)

    unbind_context(*removed)
    once = current_context().bound
    unbind_context(*removed)

    assert current_context().bound == once
    assert once == {key: value for key, value in given_values.items() if key not in removed}


# -- What lines show -------------------------------------------------------------------------------


def test_ids_come_first():
    """Trace, span and connection lead; what was bound follows in the order it was bound."""
    context = Context.make({"b": 1, "a": 2}, TRACE, Connection("c-1"))

    assert list(context.fields.items()) == [
        ("trace_id", TRACE.trace_id),
        ("span_id", TRACE.span_id),
        ("connection_id", "c-1"),
        ("b", 1),
        ("a", 2),
    ]


def test_outside_a_trace_its_id_is_null():
    """`trace_id` is on every line, so it is among the fields even where there is none."""
    assert Context.make({}, None, None).fields == {"trace_id": None}


def test_leading_keys_are_not_shadowed():
    """A key that belongs to the record is kept beside it; a caller's own trace id is shown."""
    context = Context.make({"level": 1, "event": 2, "trace_id": "req-123"}, TRACE, None)

    assert context.fields == {
        "trace_id": "req-123",
        "span_id": TRACE.span_id,
        "level_": 1,
        "event_": 2,
    }
    assert list(context.fields)[0] == "trace_id"


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        pytest.param("text", True, id="text"),
        pytest.param(None, True, id="None"),
        pytest.param([], False, id="list"),
        pytest.param(structlog, False, id="any object"),
        pytest.param("sent Bearer hunter2hunter2", False, id="secret"),
    ],
)
def test_whether_values_are_scalars_is_decided_once(value, flat):
    """If they are, without a secret, lines begin with them; else they have to be walked."""
    context = Context.make({"key": value}, None, None)
    begun = context.begin()

    assert begun == ({**dict.fromkeys(LEADING), "key": value} if flat else None)
    assert context.begun is begun


# -- Traces ----------------------------------------------------------------------------------------


def test_a_new_trace_begins_here(numbered_ids):
    """It is returned, current, and on every line from here on."""
    trace = new_trace()

    assert trace == TraceContext(f"{1:032x}", f"{2:016x}")
    assert current_trace() == trace
    assert bound() == {"trace_id": trace.trace_id, "span_id": trace.span_id}


@pytest.mark.parametrize(
    "parent", [TRACE, str(TRACE), str(TRACE).encode()], ids=["trace", "header", "bytes"]
)
def test_a_caller_s_trace_is_continued(parent, numbered_ids):
    """Its trace id stays; the span is a new one, ours."""
    trace = new_trace(parent)

    assert (trace.trace_id, trace.span_id) == (TRACE.trace_id, f"{1:016x}")


@pytest.mark.parametrize("parent", ["00-nonsense", b"\xff", 5, {}, [str(TRACE)]], ids=repr)
def test_an_invalid_header_begins_a_trace(parent, numbered_ids):
    """W3C Trace Context: what can't be read isn't continued, whatever a message had there."""
    assert new_trace(parent).trace_id == f"{1:032x}"


def test_a_leaked_trace_is_never_adopted(numbered_ids):
    """What the task was in before says nothing about what begins now; its bound values stay."""
    enter_context(Context.make({"trace_id": "req-1", "user": "kim"}, TRACE, Connection("c-1")))

    trace = new_trace()

    assert bound() == {
        "trace_id": trace.trace_id,
        "span_id": trace.span_id,
        "connection_id": "c-1",
        "user": "kim",
    }


def test_a_caller_s_own_id_is_shown_but_not_propagated():
    """`trace_id` can be bound for the lines' sake; the trace on the wire is the W3C one."""
    enter_context(Context.make({}, TRACE, None))

    bind_context(trace_id="req-123")

    assert get_context()["trace_id"] == "req-123"
    assert current_trace() == TRACE


# -- structlog.contextvars -------------------------------------------------------------------------


def test_what_others_bind_through_structlog_appears():
    """Code that uses `structlog.contextvars` needs no change; what is bound here wins."""
    structlog.contextvars.bind_contextvars(user="lee", tenant="t1")
    bind_context(user="kim")

    assert bound() == {"user": "kim", "tenant": "t1"}
    assert snapshot().fields == {"trace_id": None, "user": "kim", "tenant": "t1"}


def test_binding_does_not_take_over_what_is_structlog_s():
    """What structlog clears is gone, though something was bound here meanwhile."""
    structlog.contextvars.bind_contextvars(tenant="t1")
    bind_context(user="kim")

    structlog.contextvars.clear_contextvars()

    assert bound() == {"user": "kim"}


@pytest.mark.parametrize(
    ("trace", "shown"),
    [
        pytest.param(None, "req-1", id="outside a trace"),
        pytest.param(TRACE, TRACE.trace_id, id="inside a trace"),
    ],
)
def test_structlog_s_trace_id_counts_where_there_is_no_other(trace, shown):
    """An id that another library left behind never hides the trace."""
    structlog.contextvars.bind_contextvars(trace_id="req-1")
    enter_context(Context.make({}, trace, None))

    assert snapshot().fields["trace_id"] == shown


def test_without_structlog_nothing_is_looked_for(monkeypatch):
    """A process that never loaded structlog doesn't load it for the context's sake."""
    monkeypatch.delitem(sys.modules, "structlog.contextvars")
    bind_context(user="kim")

    assert snapshot() is current_context()


# -- bound_context ---------------------------------------------------------------------------------


def test_a_block_binds_and_restores():
    """After the block, its keys are what they were before; other keys are left alone."""
    bind_context(room="lobby")

    with bound_context(room="attic", size=3):
        inside = bound()
        bind_context(user="kim")

    assert inside == {"room": "attic", "size": 3}
    assert bound() == {"room": "lobby", "user": "kim"}


def test_a_block_restores_after_an_exception():
    """However the block ends."""
    with pytest.raises(ZeroDivisionError), bound_context(room="attic"):
        1 / 0  # noqa: B018

    assert bound() == {}


def test_a_block_s_keys_may_be_bound_again_or_cleared_inside():
    """The values from before return all the same."""
    bind_context(room="lobby")

    with bound_context(room="attic"):
        bind_context(room="cellar")
    with bound_context(room="attic"):
        clear_context()

    assert bound() == {"room": "lobby"}


@given(values, st.lists(values, max_size=5))
def test_blocks_leave_no_trace(before, blocks):
    """Law: after blocks inside one another, what is bound is what was bound before."""
    clear_context()
    bind_context(**before)

    def nest(rest):
        if rest:
            with bound_context(**rest[0]):
                nest(rest[1:])

    nest(blocks)

    assert current_context().bound == before


def test_one_object_may_be_entered_again_inside_itself():
    """Each exit undoes its own entry."""
    block = bound_context(room="attic")

    with block:
        with block:
            pass
        inside = bound()

    assert inside == {"room": "attic"}
    assert bound() == {}


class Value:
    """Something that is bound."""


def test_one_object_may_be_shared_by_contexts():
    """Each restores its own values, in whatever order they leave."""
    block = bound_context(room="attic")
    kim, lee = contextvars.copy_context(), contextvars.copy_context()
    kim.run(bind_context, room="kim's")
    lee.run(bind_context, room="lee's")

    kim.run(block.__enter__)
    lee.run(block.__enter__)
    kim.run(block.__exit__, None, None, None)
    lee.run(block.__exit__, None, None, None)

    assert kim.run(bound) == {"room": "kim's"}
    assert lee.run(bound) == {"room": "lee's"}


def test_a_block_left_elsewhere_changes_nothing_there():
    """A generator may be closed by another task, whose values are its own."""
    elsewhere = contextvars.copy_context()
    elsewhere.run(bind_context, room="theirs")
    block = bound_context(room="attic")

    block.__enter__()
    elsewhere.run(block.__exit__, None, None, None)

    assert elsewhere.run(bound) == {"room": "theirs"}


def test_a_kept_block_left_elsewhere_keeps_nothing():
    """One block used by a thousand generators, all closed elsewhere, is no leak."""
    block = bound_context(room="attic")
    values = [Value() for _ in range(3)]
    alive = [weakref.ref(value) for value in values]

    for value in values:
        task = contextvars.copy_context()
        task.run(bind_context, value=value)
        task.run(block.__enter__)
    for _ in alive:
        contextvars.copy_context().run(block.__exit__, None, None, None)
    del task, value, values
    gc.collect()

    assert [reference() for reference in alive] == [None] * 3


def test_a_block_left_elsewhere_leaves_others_theirs():
    """Whose entry it was can't be told then: nobody's is taken away."""
    block = bound_context(room="attic")
    kim, lee = contextvars.copy_context(), contextvars.copy_context()
    kim.run(block.__enter__)
    lee.run(block.__enter__)

    contextvars.copy_context().run(block.__exit__, None, None, None)
    lee.run(block.__exit__, None, None, None)

    assert lee.run(bound) == {}


# -- bound_context as a decorator ------------------------------------------------------------------


def test_a_function_is_decorated():
    """Bound for each call; name, signature and result stay."""

    @bound_context(room="attic")
    def handle(size, *, times=1):
        """Handle it."""
        return size * times, bound()

    assert handle(2, times=3) == (6, {"room": "attic"})
    assert (handle.__name__, handle.__doc__) == ("handle", "Handle it.")
    assert bound() == {}


def test_a_recursive_function_is_decorated():
    """Every level restores what the one above had."""

    @bound_context(room="attic")
    def descend(levels):
        bind_context(room=levels)
        if levels:
            descend(levels - 1)
        return get_context()["room"]

    assert descend(3) == 3
    assert bound() == {}


def test_a_coroutine_function_is_decorated():
    """Bound while it runs, across what it awaits."""

    @bound_context(room="attic")
    async def handle():
        await asyncio.sleep(0)
        return bound()

    async def main():
        return await handle(), bound()

    assert asyncio.run(main()) == ({"room": "attic"}, {})


def test_a_partial_of_a_coroutine_function_is_decorated():
    """What counts is what calling it gives."""

    async def handle(size):
        await asyncio.sleep(0)
        return size, bound()

    assert asyncio.run(bound_context(room="attic")(partial(handle, 3))()) == (3, {"room": "attic"})


def test_a_generator_is_bound_while_it_runs_only():
    """A generator shares the context of whoever iterates it; between steps that one's is restored."""

    @bound_context(room="attic")
    def steps():
        yield bound()
        yield bound()

    seen = [(inside, bound()) for inside in steps()]

    assert seen == [({"room": "attic"}, {})] * 2


def test_an_async_generator_is_bound_while_it_runs_only():
    """As a generator is."""

    @bound_context(room="attic")
    async def steps():
        yield bound()
        await asyncio.sleep(0)
        yield bound()

    async def main():
        return [(inside, bound()) async for inside in steps()]

    assert asyncio.run(main()) == [({"room": "attic"}, {})] * 2


def test_a_context_knows_its_connection():
    """By its id; there may be none."""
    contexts = [Context.make({}, None, Connection("c-1")), Context.make({}, None, None)]

    assert [context.connection_id for context in contexts] == ["c-1", None]


@pytest.mark.parametrize(
    ("bound", "begun_in"),
    [
        ({"user_id": "kim"}, TraceContext.new()),
        ({"user_id": "kim"}, None),
        ({"trace_id": "req-123"}, TraceContext.new()),
        ({"rooms": ["lobby"]}, TraceContext.new()),
    ],
    ids=["plain", "outside of a trace", "a caller's own id", "no scalars"],
)
def test_the_same_in_another_trace_is_the_same_but_for_that(bound, begun_in):
    """Made from what is there, in less time, or anew: it shows the same."""
    trace, ledger, connection = TraceContext.new(), object(), Connection("c-1")

    here = Context.make(bound, begun_in, connection)
    here.begin()
    context = here.with_trace(trace, ledger)

    expected = Context.make(bound, trace, connection, ledger)
    assert (context, list(context.fields.items())) == (expected, list(expected.fields.items()))
    assert context.ledger is ledger
    assert (context.begun or context.begin()) == expected.begin()
