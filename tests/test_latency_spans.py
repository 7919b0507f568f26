"""`span` and `utterance`: parts of a trace that are timed, around any code."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import Counter
from contextlib import aclosing

import pytest

from tracelog.context import (
    bind_context,
    bound_context,
    current_context,
    current_trace,
    get_context,
    new_trace,
)
from tracelog.errors import ConfigError
from tracelog.ids import TraceContext
from tracelog.latency.loop import watch_loop
from tracelog.latency.spans import span, utterance
from tracelog.queues import Queue


TRACE = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.fixture(autouse=True)
def lines(caplog):
    """What was written to the loggers of spans and utterances: the fields of each line."""
    caplog.set_level(logging.DEBUG, "tracelog")
    return lambda event: [each.fields for each in caplog.records if each.getMessage() == event]


def on_a_watched_loop(story):
    async def main():
        watch = watch_loop()
        await asyncio.sleep(0)  # its first step of all was not seen
        try:
            return await story()
        finally:
            watch.stop()

    return asyncio.run(main())


# -- spans -----------------------------------------------------------------------------------------


def test_a_span_is_part_of_the_trace_that_is_there():
    """Lines within it carry its own id, and the trace's; afterwards all is as it was."""
    outer = new_trace()
    bind_context(user_id="kim")
    before = current_context()

    with span("llm") as here:
        assert current_trace() is here
        assert get_context()["user_id"] == "kim"

    assert (here.trace_id, here.span_id == outer.span_id) == (outer.trace_id, False)
    assert current_context() is before


def test_what_is_bound_within_a_span_stays():
    """A span times a part of its task's work: it may be the part that finds out whose that is."""
    with bound_context(user_id=None):
        outer = new_trace()
        with span("sign in"):
            bind_context(user_id="kim")

        assert get_context()["user_id"] == "kim"
        assert current_trace() == outer


def test_a_span_without_a_trace_begins_one():
    """Its lines belong together."""
    with span("llm") as here:
        assert len(here.trace_id) == 32

    assert current_trace() is None


def test_a_span_leaves_a_line(lines):
    """With its own fields, its time, and whether it failed."""
    with span("llm", model="m"):
        with span("http"):
            pass
    with pytest.raises(ZeroDivisionError), span("sum"):
        1 / 0

    http, llm, failed = lines("span")
    assert (llm["name"], llm["model"], http["name"]) == ("llm", "m", "http")
    assert 0 <= llm["own_ms"] <= llm["total_ms"]
    assert ("failed" in llm, failed["failed"]) == (False, True)


def test_no_line_is_made_where_none_is_wanted(caplog, lines):
    """DEBUG is off, as a rule."""
    caplog.set_level(logging.INFO, "tracelog")

    with span("llm"):
        pass

    assert lines("span") == []


def test_a_verdict_sums_its_spans_up(lines):
    """By name, with how often each was there; nested ones within."""

    async def query():
        with span("db.query"):
            await asyncio.sleep(0)

    async def story():
        with utterance(), span("page"):
            await asyncio.gather(*(query() for _ in range(41)))

    on_a_watched_loop(story)

    [verdict] = lines("utterance")
    queries, page = verdict["spans"]
    assert (queries["name"], queries["within"], queries["count"]) == ("db.query", ["page"], 41)
    assert (page["name"], page["count"]) == ("page", 1)
    assert "within" not in page


def test_a_span_that_outlives_its_utterance_belongs_to_none(lines):
    """A background task goes on; the verdict has been given."""

    async def background(gate):
        with span("mail"):
            await gate.wait()

    async def story():
        gate = asyncio.Event()
        with utterance():
            task = asyncio.create_task(background(gate))
            await asyncio.sleep(0)
        gate.set()
        await task

    on_a_watched_loop(story)

    assert "spans" not in lines("utterance")[0]
    assert lines("span")[0]["name"] == "mail"


def test_a_generator_that_is_closed_elsewhere_leaves_that_as_it_is():
    """What is restored is what this span has put there, and nothing else."""

    def steps():
        with span("steps"):
            yield

    generator = steps()

    async def begin():
        next(generator)

    asyncio.run(begin())
    before = current_context()
    generator.close()

    assert current_context() is before


# -- decorators ------------------------------------------------------------------------------------


def test_a_function_can_be_timed(lines):
    """Each call is a span of its own; what it gives is given, and its name stays."""

    @span("add")
    def add(a, b):
        """Add."""
        return a + b

    assert (add(1, 2), add(3, 4), add.__doc__) == (3, 7, "Add.")
    assert [line["name"] for line in lines("span")] == ["add", "add"]


def test_a_coroutine_function_can_be_timed(lines):
    """Its whole run counts; calls at the same time stay apart."""

    @span("add")
    async def add(a, b):
        await asyncio.sleep(0)
        return a + b

    async def main():
        return await asyncio.gather(add(1, 2), add(3, 4))

    assert asyncio.run(main()) == [3, 7]
    assert asyncio.iscoroutinefunction(add)
    assert len(lines("span")) == 2


def test_a_generator_can_be_timed(lines):
    """From its first step to its end; whoever iterates it is in the span at none of its own steps."""

    @span("rooms")
    def rooms():
        sent = yield current_trace()
        yield sent, get_context()["user_id"]

    with bound_context(user_id=None):
        outer = new_trace()
        steps = rooms()
        within = next(steps)
        bind_context(user_id="kim")
        given = steps.send("lobby")

        assert within.trace_id == outer.trace_id
        assert within.span_id != outer.span_id == current_trace().span_id
        assert given == ("lobby", "kim")
        assert not lines("span")
        assert list(steps) == []
        assert [line["name"] for line in lines("span")] == ["rooms"]
        assert get_context()["user_id"] == "kim"


def test_an_async_generator_can_be_timed(lines):
    """The answer of a language model, say, which may not be read to its end."""

    @span("llm")
    async def answer():
        await asyncio.sleep(0)
        yield current_trace()

    async def main():
        new_trace()
        outer = current_trace()
        async with aclosing(answer()) as steps:
            assert (await anext(steps)).trace_id == outer.trace_id
            assert current_trace() == outer
            assert not lines("span")
        assert current_trace() == outer

    asyncio.run(main())

    assert inspect.isasyncgenfunction(answer)
    assert [line["name"] for line in lines("span")] == ["llm"]


def test_a_generator_s_span_is_its_utterances(lines):
    """As the tokens of an answer come: what is waited for between them is named."""

    @span("llm")
    async def tokens():
        yield "a"
        await asyncio.sleep(0.02)
        yield "b"

    async def story():
        with utterance():
            assert [token async for token in tokens()] == ["a", "b"]

    on_a_watched_loop(story)

    [line], [verdict] = lines("span"), lines("utterance")
    assert line["total_ms"] == pytest.approx(verdict["total_ms"], abs=5)
    assert [each["name"] for each in verdict["spans"]] == ["llm"]
    assert verdict["awaits"][0]["where"].endswith("tokens")


def test_a_generator_can_be_an_utterance(lines):
    """What it binds is there at each of its steps, and for nobody else."""

    @utterance(room="lobby")
    def stream():
        bind_context(user_id="kim")
        yield
        yield dict(get_context())

    before = current_context()
    _, within = stream()

    assert current_context() is before
    assert (within["user_id"], within["room"]) == ("kim", "lobby")
    assert [line["kind"] for line in lines("utterance")] == ["task"]


def test_a_generator_that_raises_has_failed_and_one_that_is_closed_has_not(lines):
    """Nobody has to read to the end."""

    @span("read")
    def rows():
        yield 1 / 1
        yield 1 / 0

    next(rows()).is_integer()
    with pytest.raises(ZeroDivisionError):
        [*rows()]

    assert [line.get("failed") for line in lines("span")] == [None, True]


def test_a_generator_s_steps_are_its_own_time(lines):
    """Though the loop's step goes on for whoever iterates it: that is one, this another."""

    took = []

    @utterance(user_id="kim")
    async def answer():
        for _ in range(2):
            took.append(busy())
            yield

    async def story():
        async for _ in answer():
            busy()

    on_a_watched_loop(story)

    [verdict] = lines("utterance")
    boxes = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
    assert verdict["code_ms"] == pytest.approx(sum(took), abs=15)
    assert verdict["total_ms"] - verdict["code_ms"] >= 39
    assert sum(verdict[box] for box in boxes) == pytest.approx(verdict["total_ms"], abs=1)


def busy():
    """Compute for 20 ms; tell how long that was, on a machine that others use, too."""
    began = time.monotonic()
    while time.monotonic() < began + 0.02:
        pass
    return (time.monotonic() - began) * 1000


def test_a_function_can_be_an_utterance(lines):
    """A bot's handler, say: each call has a trace and a verdict."""

    @utterance(user_id="kim", budget_ms=0)
    def handle():
        return current_trace().trace_id

    assert handle() != handle()
    assert [line["budget_ms"] for line in lines("utterance")] == [0, 0]


# -- utterances ------------------------------------------------------------------------------------


def test_an_utterance_has_a_trace_of_its_own(lines):
    """Never one that happens to be there; what it is given is bound, and gone afterwards."""
    outer = new_trace()

    with utterance(user_id="kim") as trace:
        assert get_context()["user_id"] == "kim"

    assert trace.trace_id != outer.trace_id
    assert "user_id" not in get_context()
    [verdict] = lines("utterance")
    assert (verdict["utterance"], verdict["kind"], verdict["late"]) == (1, "task", False)


def test_a_span_without_a_name_is_refused():
    """`@span`, without parentheses: the function would be lost at its first call."""
    with pytest.raises(TypeError, match=r"a span has a name, got .*\n  Try: @tracelog\.span\("):
        span(lambda: None)


@pytest.mark.parametrize("parent", [TRACE, str(TRACE)], ids=["trace", "header"])
def test_an_utterance_may_continue_a_trace(parent):
    """That of a message from elsewhere."""
    with utterance(parent=parent) as trace:
        assert trace.trace_id == TRACE.trace_id


def test_a_budget_that_is_no_number_is_refused():
    """Before the work: at its end, what that gave would be lost."""
    with pytest.raises(ConfigError, match=r"budget_ms: expected a number of milliseconds, got '5'"):
        utterance(budget_ms="5")


def test_an_utterance_that_raises_has_failed(lines):
    """What it raised goes on."""
    with pytest.raises(ZeroDivisionError), utterance():
        1 / 0

    assert lines("utterance")[0]["failed"] is True


def test_the_item_of_a_queue_arrives_when_it_is_put(lines):
    """Its wait counts, once; and its trace goes on."""

    async def story():
        queue = Queue()
        with utterance(user_id="kim") as asked:
            await queue.put("job")
        await asyncio.sleep(0.02)
        await queue.get()
        with utterance() as done:
            pass
        with utterance() as again:
            pass
        return asked, done, again

    asked, done, again = on_a_watched_loop(story)

    kinds = Counter(line["kind"] for line in lines("utterance"))
    [item] = [line for line in lines("utterance") if line["kind"] == "queue"]
    assert kinds == {"task": 2, "queue": 1}
    assert item["queue_ms"] >= 15
    assert done.trace_id == asked.trace_id != again.trace_id


def test_boxes_sum_to_the_total(lines):
    """Whatever happens within: gathered, timed out, in a thread."""

    async def story():
        with utterance():
            await asyncio.gather(asyncio.sleep(0.01), asyncio.to_thread(sum, range(1000)))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.sleep(1), 0.01)

    on_a_watched_loop(story)

    [verdict] = lines("utterance")
    boxes = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
    assert sum(verdict[box] for box in boxes) == pytest.approx(verdict["total_ms"], abs=0.01)
