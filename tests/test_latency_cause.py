"""The cause: why an utterance was late, in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.latency.cause import cause_of


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
WHERE = "render.py:42 resize"


def hold(ms=205.0, where=WHERE, kind="blocking call", **who):
    return {"ms": ms, **who, "where": where, "kind": kind}


def wait(what, /, where="chat.py:12 reply", ms=205.0, **until):
    return {"ms": ms, "what": what, "where": where, **({"until": until} if until else {})}


def item(ms, user):
    return {"ms": ms, "trace_id": TRACE, "user_id": user, "what": "item"}


LOOP = {"total_ms": 210.0, "loop_ms": 205.0}


@pytest.mark.parametrize(
    ("holds", "sentence"),
    [
        (
            [hold(user_id="user-456", trace_id=TRACE, what="message 17")],
            "205 ms: loop held by user-456's message 17 in render.py:42 resize (blocking call)",
        ),
        (
            [hold(user_id="user-456", trace_id=TRACE, kind="CPU-bound")],
            "205 ms: loop held by user-456 in render.py:42 resize (CPU-bound)",
        ),
        (
            [hold(trace_id=TRACE, connection_id="c-1", what="GET /report")],
            f"205 ms: loop held by GET /report of trace {TRACE} in render.py:42 resize (blocking call)",
        ),
        (
            [hold(trace_id=TRACE)],
            f"205 ms: loop held by trace {TRACE} in render.py:42 resize (blocking call)",
        ),
        (
            [hold(connection_id="c-1", holder="Transport._read_ready")],
            "205 ms: loop held by connection c-1 in render.py:42 resize (blocking call)",
        ),
        (
            [hold(holder="task Task-3 refresh", where="cache.py:3 refresh")],
            "205 ms: loop held by task Task-3 refresh in cache.py:3 refresh (blocking call)",
        ),
        (
            [hold(where="cache.py:3 refresh")],
            "205 ms: loop held by somebody in cache.py:3 refresh (blocking call)",
        ),
        (
            [hold(holder="task Task-3 refresh", where="before cache.py:9 refresh", kind="not sampled")],
            "205 ms: loop held by task Task-3 refresh before cache.py:9 refresh",
        ),
        (
            [hold(holder="Cache.refresh", where="Cache.refresh", kind="not sampled")],
            "205 ms: loop held by Cache.refresh",
        ),
        (
            [hold(holder="Cache.refresh", where="Cache.refresh", kind="garbage collection")],
            "205 ms: loop held by Cache.refresh (garbage collection)",
        ),
        (
            [
                hold(80.0, user_id="user-1", what="message 2"),
                hold(50.0, user_id="user-2", what="message 9"),
                hold(75.0, user_id="user-3", what="message 4"),
            ],
            "80 ms: loop held by user-1's message 2 in render.py:42 resize (blocking call); "
            "75 ms: loop held by user-3's message 4 in render.py:42 resize (blocking call)",
        ),
    ],
    ids=[
        *("a user's message", "a user's", "nobody's message", "a trace", "a connection"),
        *("a task", "nobody known", "a task, not seen", "a callback, not seen", "the collector", "several"),
    ],
)  # fmt: skip
def test_a_hold_has_a_holder_a_place_and_a_kind(holds, sentence):
    """Who was it, where, and what did it do: as far as that is known."""
    assert cause_of({**LOOP, "blocked_by": holds}) == sentence


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        (
            {"loop_ms": 200.0},
            "200 ms: waiting for the event loop",
        ),
        (
            {
                **{"loop_ms": 100.0, "socket_ms": 60.0, "queue_ms": 45.0},
                "busiest": [
                    {"ms": 15.0, "user_id": "user-456", "what": "message 17"},
                    {"ms": 9.0, "trace_id": TRACE},
                ],
            },
            "205 ms: the loop was busy with many short steps, most of them of "
            f"user-456's message 17, trace {TRACE}",
        ),
        (
            {"loop_ms": 100.0, "queue_ms": 100.0, "blocked_by": [hold(150.0, user_id="kim")]},
            "150 ms: loop held by kim in render.py:42 resize (blocking call); "
            "50 ms: waiting for the event loop",
        ),
        (
            {"socket_ms": 100.0, "queue_ms": 90.0},
            "190 ms: waiting for the event loop",
        ),
        (
            {"loop_ms": 200.0, "busiest": [{"ms": 2.0, "user_id": "kim"}]},
            "200 ms: waiting for the event loop",
        ),
        (
            {"loop_ms": 0.0, "queue_ms": 205.0, "behind_ms": 200.0},
            "200 ms: waiting for its worker, which was at another item",
        ),
        (
            {"loop_ms": 0.0, "queue_ms": 205.0, "behind_ms": 200.0, "ahead": [item(150.0, "kim")]},
            "200 ms: waiting for its worker, which was at kim's item",
        ),
        (
            {
                **{"loop_ms": 0.0, "queue_ms": 205.0, "behind_ms": 200.0},
                "ahead": [item(80.0, "kim"), item(60.0, "lee"), item(60.0, "kim")],
            },
            "200 ms: waiting for its worker, which was at kim's item and lee's item",
        ),
        (
            {"loop_ms": 0.0, "queue_ms": 205.0, "behind_ms": 200.0, "ahead": [item(30.0, "kim")]},
            "200 ms: waiting for its worker, which was at other items",
        ),
        (
            {"loop_ms": 0.0, "queue_ms": 205.0, "behind": 16, "behind_ms": 200.0},
            "200 ms: waiting for message 16 of the same connection",
        ),
        (
            {
                **{"loop_ms": 0.0, "queue_ms": 205.0, "behind": 16, "behind_ms": 200.0},
                "blocked_by": [hold(80.0, user_id="kim")],
            },
            "120 ms: waiting for message 16 of the same connection; "
            "80 ms: loop held by kim in render.py:42 resize (blocking call)",
        ),
    ],
    ids=[
        *("nobody in particular", "somebody", "what holds leave", "not exact", "hardly anybody"),
        *("an item", "whose item", "whose items", "many items", "behind", "behind, held"),
    ],
)  # fmt: skip
def test_a_wait_that_no_hold_explains_is_told(verdict, sentence):
    """Every millisecond is told once: what holds have had is not the loop's."""
    assert cause_of({"total_ms": 210.0, **verdict}) == sentence


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (wait("sleep"), "sleeping in chat.py:12 reply"),
        (wait("lock", user_id="kim", what="message 3"), "waiting for a lock in chat.py:12 reply, until kim's message 3 let it go on"),
        (wait("lock", trace_id=TRACE), f"waiting for a lock in chat.py:12 reply, until trace {TRACE} let it go on"),
        ({**wait("lock"), "until": {}}, "waiting for a lock in chat.py:12 reply"),
        (wait("semaphore"), "waiting for a semaphore in chat.py:12 reply"),
        (wait("event"), "waiting for an event in chat.py:12 reply"),
        (wait("condition"), "waiting for a condition in chat.py:12 reply"),
        (wait("barrier"), "waiting for others at a barrier in chat.py:12 reply"),
        (wait("queue get"), "waiting for an item in a queue in chat.py:12 reply"),
        (wait("queue put"), "waiting for room in a queue in chat.py:12 reply"),
        (wait("queue join"), "waiting for a queue to be worked off in chat.py:12 reply"),
        (wait("network read"), "waiting for data from the network in chat.py:12 reply"),
        (wait("network read in asyncpg"), "waiting for data from the network (asyncpg) in chat.py:12 reply"),
        (wait("network write"), "waiting for the network to take data in chat.py:12 reply"),
        (wait("network connect"), "waiting for a connection to be made in chat.py:12 reply"),
        (wait("network accept"), "waiting for somebody to connect in chat.py:12 reply"),
        (wait("DNS"), "looking up a host's name in chat.py:12 reply"),
        (wait("subprocess"), "waiting for a subprocess in chat.py:12 reply"),
        (wait("thread"), "waiting for a thread in chat.py:12 reply"),
        (wait("thread running resize"), "waiting while a thread ran resize in chat.py:12 reply"),
        (wait("free thread for resize"), "waiting for a free thread to run resize in chat.py:12 reply"),
        (wait("tasks"), "waiting for tasks in chat.py:12 reply"),
        (wait("asyncpg"), "waiting for asyncpg in chat.py:12 reply"),
        ({**wait("send"), "to": {"trace_id": TRACE, "connection_id": "c-1", "user_id": "kim"}}, "kim's client was slow to take what was sent in chat.py:12 reply"),
        ({**wait("send"), "to": {"trace_id": TRACE, "connection_id": "c-1"}}, "the client of c-1 was slow to take what was sent in chat.py:12 reply"),
        (wait("send"), "another client was slow to take what was sent in chat.py:12 reply"),
        (wait("future"), "waiting in chat.py:12 reply"),
        (wait("future", where=""), "waiting"),
    ],
    ids=lambda value: value["what"] if isinstance(value, dict) else "",
)  # fmt: skip
def test_a_wait_is_told_in_plain_words(found, sentence):
    """What for, where, and who ended it, if that is known."""
    verdict = {"total_ms": 210.0, "await_ms": 205.0, "awaits": [found]}

    assert cause_of(verdict) == f"205 ms: {sentence}"


@pytest.mark.parametrize(
    ("verdict", "sentence"),
    [
        ({"code_ms": 190.0}, "190 ms: its own code"),
        ({"code_ms": 190.0, "log_ms": 90.0}, "190 ms: its own code"),
        (
            {"code_ms": 190.0, "log_ms": 100.0},
            "100 ms: its own log calls; 90 ms: its own code",
        ),
        (
            {"code_ms": 190.0, "held": [hold(150.0)]},
            "150 ms: its own code in render.py:42 resize (blocking call); 40 ms: its own code",
        ),
        (
            {"code_ms": 190.0, "held": [hold(190.0, "before chat.py:3 reply", "not sampled")]},
            "190 ms: its own code before chat.py:3 reply",
        ),
        ({"code_ms": 0.0, "send_ms": 190.0}, "190 ms: the client was slow to take the reply"),
        ({"code_ms": 10.0, "send_ms": 0.0}, ""),
    ],
    ids=["code", "some logging", "logging", "held", "held, not seen", "client", "nothing"],
)
def test_what_nobody_else_is_to_blame_for(verdict, sentence):
    """Its own code, and its own client."""
    assert cause_of({"total_ms": 210.0, **verdict}) == sentence


@pytest.mark.parametrize(
    ("total_ms", "ms", "told"),
    [(1000.0, 99.0, False), (1000.0, 100.0, True), (2.0, 0.9, False), (2.0, 1.0, True)],
    ids=["little of it", "a tenth of it", "next to nothing", "a millisecond"],
)
def test_what_is_little_is_not_why(total_ms, ms, told):
    """A budget may be as low as it likes."""
    assert bool(cause_of({"total_ms": total_ms, "code_ms": ms})) is told


boxes = st.dictionaries(
    st.sampled_from(["socket_ms", "queue_ms", "loop_ms", "code_ms", "send_ms", "log_ms"]),
    st.floats(0, 1e6),
)
lists = st.fixed_dictionaries(
    {},
    optional={
        "blocked_by": st.lists(st.builds(hold, st.floats(0, 1e6))),
        "held": st.lists(st.builds(hold, st.floats(0, 1e6))),
        "awaits": st.lists(st.builds(wait, st.text("abc "), st.text("abc "), st.floats(0, 1e6))),
        "busiest": st.lists(st.just({"ms": 1.0, "trace_id": TRACE})),
    },
)


@given(boxes, lists)
def test_there_are_two_clauses_at_most_the_longest_first(boxes, lists):
    """Whatever a verdict shows."""
    clauses = [*_clauses(cause_of({"total_ms": 100.0, **boxes, **lists}))]

    assert len(clauses) <= 2
    assert clauses == sorted(clauses, reverse=True)


def _clauses(sentence):
    for clause in sentence.split("; "):
        ms, unit, _ = clause.partition(" ms: ")
        if unit and ms.isdecimal():
            yield int(ms)
