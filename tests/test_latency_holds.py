"""Holds: steps that kept the event loop for too long."""

from __future__ import annotations

import asyncio
import functools
import logging

import pytest

from tracelog.context import Connection, Context
from tracelog.ids import TraceContext
from tracelog.latency.holds import Hold, about_context, kind_of, name_of_step, place_of_step
from tracelog.latency.ledger import Ledger
from tracelog.latency.places import Place
from tracelog.latency.samples import Seen


TRACE = TraceContext.parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
NOON = 1763812800.0  # 2025-11-22T12:00:00Z
PLACES = [Place("/x/site-packages/PIL/image.py", 7, "save"), Place("/srv/render.py", 42, "resize")]


def context(*, ledger=None, trace=TRACE, **bound):
    return Context.make(bound, trace, Connection("c-1"), ledger)


def seen(**about):
    return Seen(PLACES, **{"samples": 8, "over": 0.2, **about})


def hold(**about):
    made = {
        **{"began": 100.0, "ended": 100.205, "at": NOON, "context": None, "step": "Cache.refresh"},
        **{"where": "render.py:42 resize", "kind": "blocking call"},
    }
    return Hold(**{**made, **about})


def test_its_line_tells_whose_it_was_and_where(caplog):
    """In the context of whoever held the loop, not of whoever writes the line."""
    hold(context=context(user_id="kim"), seen=seen()).write()

    [line] = caplog.records
    assert (line.name, line.levelname, line.getMessage()) == (
        "tracelog.hold",
        "WARNING",
        "loop held",
    )
    assert line.fields == {
        "held_ms": 205.0,
        "held_at": "2025-11-22T12:00:00.000000Z",
        "where": "render.py:42 resize",
        "kind": "blocking call",
        "holder": "Cache.refresh",
        "delayed": 0,
        "delayed_ms": 0.0,
        "stack": "image.py:7 save < render.py:42 resize",
    }
    assert (line.user_id, line.trace_id) == ("kim", TRACE.trace_id)


def test_what_was_not_seen_and_is_nobodys_has_a_short_line(caplog):
    """A callback of a library's, without a context."""
    hold().write()

    [line] = caplog.records
    assert "stack" not in line.fields
    assert line.context.fields == {"trace_id": None}


def test_the_collectors_part_is_told(caplog):
    """Whatever the main reason was."""
    hold(gc=0.03).write()

    assert caplog.records[0].fields["gc_ms"] == 30.0


def test_a_thread_that_kept_the_gil_is_named(caplog):
    """Only if that was the reason."""
    rival = seen(rival="export at report.py:3 rows")

    hold(seen=rival, kind="another thread kept the GIL").write()
    hold(seen=rival).write()

    assert [line.fields.get("thread") for line in caplog.records] == [
        "export at report.py:3 rows",
        None,
    ]


def test_it_tells_how_many_it_delayed_and_by_how_much(caplog):
    """An utterance that it delayed twice is one."""
    first, second, held = Ledger(0.0), Ledger(0.0), hold()
    held.delay(first, 0.1)
    held.delay(first, 0.05)
    held.delay(second, 0.2)

    held.write()

    assert (caplog.records[0].delayed, caplog.records[0].delayed_ms) == (2, 350.0)
    assert held.delayed == {}


def test_its_loggers_level_is_asked(caplog):
    """Whoever wants none has none; whom it delayed isn't kept all the same."""
    caplog.set_level(logging.ERROR, "tracelog.hold")
    held = hold()
    held.delay(Ledger(0.0), 0.1)

    held.write()

    assert (caplog.records, held.delayed) == ([], {})


@pytest.mark.parametrize(
    ("whose", "about"),
    [
        (None, {"holder": "Cache.refresh"}),
        (context(trace=None), {"connection_id": "c-1", "holder": "Cache.refresh"}),
        (
            context(user_id="kim", ledger=Ledger(0.0, "query", Ledger(0.0, "message 17"))),
            {
                **{"trace_id": TRACE.trace_id, "connection_id": "c-1", "user_id": "kim"},
                "what": "message 17",
            },
        ),
    ],
    ids=["nobody's", "no trace", "an utterance's"],
)
def test_a_victims_line_tells_whose_it_was(whose, about):
    """By trace, connection and what was bound; or else by what ran."""
    held = hold(context=whose)

    assert held.about() == {**about, "where": "render.py:42 resize", "kind": "blocking call"}
    assert about_context(whose) == {k: v for k, v in about.items() if k != "holder"}


@pytest.mark.parametrize(
    ("about", "gc", "kind"),
    [
        (None, 0.0, "not sampled"),
        (None, 0.15, "garbage collection"),
        ({"running": 0.9}, 0.15, "garbage collection"),
        ({"running": 0.9}, 0.05, "CPU-bound"),
        ({"running": 0.01}, 0.0, "blocking call"),
        ({"running": 0.4, "queued": 0.5}, 0.0, "short of CPU"),
        ({"running": 0.1, "rivals": 0.9, "switches": 150.0}, 0.0, "another thread kept the GIL"),
        ({"running": 0.1, "rivals": 0.9, "switches": 2.0}, 0.0, "blocking call"),
        ({"running": 0.9, "samples": 1}, 0.0, "C call that kept the GIL"),
        ({"over": 0.0}, 0.0, "CPU-bound"),
    ],
    ids=[
        *("nobody saw it", "all of it", "most of it", "little of it", "asleep"),
        *("no CPU", "a rival", "a rival, but asleep", "seen once", "no word of the system's"),
    ],
)  # fmt: skip
def test_the_kind_is_told_by_what_was_seen(about, gc, kind):
    """Of a step of 200 ms, at which the watchdog looks every 25."""
    assert kind_of(0.2, None if about is None else seen(**about), gc) == kind


class Cache:
    def refresh(self):
        """Nothing."""


async def refresh():
    await asyncio.get_running_loop().create_future()


def on_task(ask, coroutine=refresh):
    """Ask about a task that waits."""

    async def main():
        task = asyncio.create_task(coroutine(), name="refresher")
        await asyncio.sleep(0)
        answer = ask(task)
        task.cancel()
        await asyncio.wait([task])
        return answer

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (Cache().refresh, "Cache.refresh"),
        (len, "len"),
        (functools.partial(len), "partial"),
        (None, "NoneType"),
    ],
    ids=["method", "function", "object", "nothing"],
)
def test_a_step_without_a_task_is_named_by_what_was_called(step, name):
    """What isn't a function, by its kind."""
    assert name_of_step(step) == name


def test_a_step_of_a_task_is_named_by_the_task():
    """By its name, and what it runs; asyncio calls a method of the task's."""
    assert on_task(name_of_step) == "task refresher refresh"
    assert on_task(lambda task: name_of_step(task.set_name)) == "task refresher refresh"


def test_a_task_may_run_nothing_that_has_a_name():
    """What is no coroutine of Python's has none."""

    class Nameless(asyncio.Task):
        def get_coro(self):
            return None

    async def main():
        task = Nameless(refresh(), name="x")
        await asyncio.sleep(0)
        answers = name_of_step(task), place_of_step(task, None)
        task.cancel()
        await asyncio.wait([task])
        return answers

    assert asyncio.run(main()) == ("task x", "task x")


def test_its_place_is_where_it_was_seen():
    """In the user's code, not in the library that they called."""
    assert place_of_step(Cache().refresh, seen()) == "render.py:42 resize"


def test_a_task_that_was_not_seen_was_somewhere_before_where_it_is_now():
    """The step is over, and the task has stopped at its next await."""
    place = on_task(lambda task: place_of_step(task, None))

    assert place.startswith("before ")
    assert place.endswith(" refresh")


def test_what_was_not_seen_and_waits_nowhere_has_a_name_only():
    """A callback."""
    assert place_of_step(Cache().refresh, Seen([], 1)) == "Cache.refresh"
