"""Thread pools tell how long a job had to wait for a thread, and how long it ran."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from itertools import count

import pytest

from tracelog.context import Context, enter_context
from tracelog.latency.executors import time_jobs
from tracelog.latency.threads import Job
from tracelog.latency.ledger import Ledger


class Loop:
    """Runs jobs at once; says what it was given."""

    def __init__(self):
        self.given = []

    def run_in_executor(self, executor, func, *args):
        self.given.append((executor, func, args))
        future = Future()
        try:
            future.set_result(func(*args))
        except (TypeError, ValueError) as error:
            future.set_exception(error)
        return future


class Resizer:
    def resize(self, width, height=0):
        return width * height

    def __call__(self):
        return "called"

    def run(self, width):
        return width


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def ledger():
    """Of the utterance that the test runs for."""
    ledger = Ledger(0.0)
    enter_context(Context.make({}, None, None, Ledger(1.0, "page", ledger)))
    return ledger


@pytest.fixture
def undo(loop):
    return time_jobs(loop, count(100.0).__next__)


def test_a_job_tells_when_it_was_asked_for_when_it_began_and_ended(loop, undo, ledger):
    """Its result and its arguments are what they were."""
    answer = loop.run_in_executor(None, Resizer().resize, 3, 4).result()

    assert answer == 12
    assert [*ledger.notes.jobs] == [Job("Resizer.resize", 100.0, 101.0, 102.0)]


def test_a_job_that_fails_is_told_of_too(loop, undo, ledger):
    """Its error is the caller's."""
    future = loop.run_in_executor(None, int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        future.result()
    assert [*ledger.notes.jobs] == [Job("int", 100.0, 101.0, 102.0)]


@pytest.mark.parametrize(
    ("func", "name"),
    [
        (functools.partial(Resizer().resize, 1, height=2), "Resizer.resize"),
        (functools.partial(functools.partial(max, 1), 2), "max"),
        (functools.partial(Context.make, {}, None, None), "Context.make"),
        (functools.partial(Resizer().run, 5), "Resizer.run"),
        (Resizer(), "Resizer"),
        (lambda: None, "<lambda>"),
    ],
    ids=["partial", "partial of a partial", "class method", "a run of one's own", "object", "lambda"],
)  # fmt: skip
def test_a_job_is_named_by_the_function(loop, undo, ledger, func, name):
    """Whatever it is wrapped in."""
    loop.run_in_executor(None, func)

    assert [job.name for job in ledger.notes.jobs] == [name]


def test_a_job_in_a_context_of_its_own_is_named_by_its_function(loop, undo, ledger):
    """`Context.run` may be given it by the loop, as Quart and many a service do."""
    loop.run_in_executor(None, contextvars.copy_context().run, Resizer().resize, 3, 4)

    assert [job.name for job in ledger.notes.jobs] == ["Resizer.resize"]


def test_what_cannot_be_called_is_the_threads_to_find_out(loop, undo, ledger):
    """Whoever asks for it gets the error where they would without us."""
    future = loop.run_in_executor(None, None, 3)

    with pytest.raises(TypeError, match="not callable"):
        future.result()


def test_outside_of_an_utterance_a_job_is_as_it_was(loop, undo):
    """Nobody waits for it who wants to know."""
    job = Resizer().resize

    loop.run_in_executor(None, job, 3)

    assert loop.given == [(None, job, (3,))]


def test_only_threads_are_told_of(loop, undo, ledger):
    """What goes into another process has to be pickled as it is."""
    job = Resizer()
    with ThreadPoolExecutor() as threads, ProcessPoolExecutor() as processes:
        loop.run_in_executor(threads, job)
        loop.run_in_executor(processes, job)
        loop.run_in_executor(object(), job)

    assert [func is job for _, func, _ in loop.given] == [False, True, True]


def test_undone_it_leaves_nothing_behind(loop, undo):
    """The loop has its own method again."""
    undo()
    undo()

    assert "run_in_executor" not in vars(loop)


def test_who_has_wrapped_it_since_keeps_it(loop, undo):
    """It is theirs to give back."""
    ours = loop.run_in_executor
    loop.run_in_executor = theirs = lambda *args: ours(*args)

    undo()

    assert loop.run_in_executor is theirs


def test_a_thread_that_asyncio_starts_is_told_of(ledger):
    """For real: `to_thread` hides the function in a partial of `Context.run`."""
    clock, ran_in = count().__next__, []

    def resize(width):
        ran_in.append(threading.current_thread())
        return width

    async def main():
        loop = asyncio.get_running_loop()
        undo = time_jobs(loop, clock)
        answers = await asyncio.to_thread(resize, 7), await loop.run_in_executor(None, resize, 8)
        undo()
        return answers

    assert asyncio.run(main()) == (7, 8)
    name = "test_a_thread_that_asyncio_starts_is_told_of.resize"
    assert [job.name for job in ledger.notes.jobs] == [name, name]
    assert threading.current_thread() not in ran_in
