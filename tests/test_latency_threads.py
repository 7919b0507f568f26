"""What an executor's threads are to run, and how much of a wait that explains."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import ref

import pytest

from tracelog.latency.threads import Job, jobs_for, parts_in_threads


def parts(began, ended, *jobs):
    return {what: s for s, what in parts_in_threads(jobs, began, ended) if s > 0}


def test_a_wait_is_for_a_free_thread_and_then_for_it_to_run():
    """Only what of it lies within the wait."""
    job = Job("resize", 1.0, 2.0, 4.0)

    assert parts(1.5, 7.0, job) == {"free thread for resize": 0.5, "thread running resize": 2.0}


def test_a_job_that_no_thread_has_begun_waits_for_one():
    """As it does while others, asked for together with it, keep all of them."""
    jobs = [Job("resize", 1.0, 1.0, 3.0), Job("resize", 1.0, 1.0), Job("resize", 1.0)]

    assert parts(1.0, 3.0, *jobs) == {"free thread for resize": 2.0}


def test_of_jobs_side_by_side_the_wait_is_for_the_last_to_end():
    """No moment counts twice."""
    quick, slow = Job("thumbnail", 1.0, 1.0, 2.0), Job("resize", 1.0, 1.0)

    assert parts(1.0, 5.0, quick, slow) == {"thread running resize": 4.0}


def test_of_jobs_one_after_the_other_each_has_its_part():
    """What lies between them is none of theirs, nor what was before the wait."""
    jobs = [Job("f", 0.0, 0.0, 1.0), Job("g", 3.0, 3.0, 4.0), Job("h", 6.0, 7.0, 9.0)]

    assert parts(2.0, 10.0, *jobs) == {
        "thread running g": 1.0,
        "free thread for h": 1.0,
        "thread running h": 2.0,
    }


async def waits_for_it(job):
    await job


async def waits_for_two(job):
    await asyncio.gather(job, asyncio.get_running_loop().create_future())


async def waits_for_a_group(job):
    await asyncio.wait([job])


async def waits_for_a_task(job):
    await asyncio.create_task(waits_for_it(job))


async def waits_for_something_else(job):
    await asyncio.get_running_loop().create_future()


@pytest.mark.parametrize(
    ("user", "whether"),
    [
        (waits_for_it, True),
        (waits_for_two, True),
        (waits_for_a_group, True),
        (waits_for_a_task, True),
        (waits_for_something_else, False),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_who_does_not_wait_for_a_job_is_not_told_that(user, whether):
    """Whatever threads do for it meanwhile: it may have asked for something, and gone on."""

    async def main():
        future = asyncio.get_running_loop().create_future()
        jobs = [Job("resize", 1.0, future=ref(future)), Job("a job that is long over", 0.0)]
        task = asyncio.create_task(user(future))
        await asyncio.sleep(0)
        found = jobs_for(task, "tasks" if user is waits_for_a_group else "future", jobs, 0.0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        return jobs[0] in found

    assert asyncio.run(main()) is whether


def test_of_whom_nothing_is_known_it_may_wait_for_any():
    """A callback, say, whose task can't be found."""
    jobs = [Job("resize", 1.0)]

    assert jobs_for(None, "queue get", jobs, 0.0) == jobs


def test_a_job_that_had_ended_before_has_no_part():
    """Nobody looks at it again."""
    assert jobs_for(None, "future", [Job("resize", 1.0, 2.0, 3.0)], 3.0) == []
