"""arq, over a real Redis."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import subprocess
from datetime import timedelta

import pytest
from arq import Retry, create_pool, cron
from arq.connections import RedisSettings
from arq.worker import create_worker, func

import tracelog
from tracelog.arq import Tracing
from tracelog.context import bind_context, bound_context, get_context, new_trace
from tracelog.latency.utterance import Clock


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
WITHIN_S = 30

# arq closes its own connections by a name that redis has replaced.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    """A server of our own, on a socket in a folder of its own; nothing is kept."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("there is no redis-server on the PATH")

    folder = tmp_path_factory.mktemp("redis")
    options = ["--port", "0", "--unixsocket", "redis.sock", "--save", "", "--daemonize", "no"]
    process = subprocess.Popen([server, *options], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            if "ready to accept connections" in line:
                break
        yield RedisSettings(unix_socket_path=str(folder / "redis.sock"))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def lines():
    """Tell the lines so far; those with *wanted* in them."""
    stream = io.StringIO()
    tracelog.configure_logging(sink=stream, format="json")

    def lines(**wanted):
        found = map(json.loads, stream.getvalue().splitlines())
        return [line for line in found if wanted.items() <= line.items()]

    return lines


@pytest.fixture
def run(redis):
    """Send jobs from a sender's task, then do them; both with *tracing*, unless told otherwise."""

    def run(send, tracing, *functions, sender=None, **settings):
        async def main():
            pool = await create_pool(redis, job_serializer=(sender or tracing).dumps)
            await pool.flushall()
            await asyncio.create_task(send(pool))
            await pool.aclose(close_connection_pool=True)
            given = {"functions": functions, "redis_settings": redis, **settings}
            worker = create_worker(
                tracing.worker(type("WorkerSettings", (), given)),
                burst=True,
                poll_delay=0.01,
                handle_signals=False,
            )
            await asyncio.wait_for(worker.main(), WITHIN_S)
            await worker.close()

        asyncio.run(main())

    return run


class Seen(list):
    """What a function saw."""

    async def greet(self, ctx):
        self.append(dict(get_context()))


@pytest.fixture
def seen():
    return Seen()


async def boom(ctx):
    raise ValueError("no such room")


async def nothing(pool):
    """Send nothing."""


def sending(name, *args, **options):
    async def send(pool):
        new_trace(TRACEPARENT)
        with bound_context(user_id="kim", token="hunter2"):
            await pool.enqueue_job(name, *args, **options)

    return send


def test_a_job_runs_in_the_trace_of_its_sender(run, seen):
    """The same trace, a span of its own, and what was named of what was bound."""
    run(sending("greet"), Tracing(keys=("user_id",)), func(seen.greet, name="greet"))

    [context] = seen
    assert (context["trace_id"], context["user_id"]) == (TRACE_ID, "kim")
    assert context["span_id"] != "b7ad6b7169203331"
    assert "token" not in context


def test_each_run_ends_with_a_line(run, lines, seen):
    """Task, id, times and outcome."""
    tracing = Tracing(clock=Clock(wall=lambda: 9e9, monotonic=lambda: 7.0))

    run(sending("greet", _job_id="1"), tracing, func(seen.greet, name="greet"))

    [line] = lines(logger="tracelog.arq")
    assert (line["level"], line["trace_id"]) == ("info", TRACE_ID)
    assert {key: line[key] for key in ("task", "job_id", "outcome", "duration_ms", "wait_ms")} == {
        "task": "greet",
        "job_id": "1",
        "outcome": "success",
        "duration_ms": 0.0,
        "wait_ms": 0.0,
    }


def test_the_library_s_own_lines_have_the_trace(run, lines):
    """Start and error are written by arq, outside of the function, and can be found by its trace."""
    run(sending("boom"), Tracing(), boom)

    [error] = lines(level="error")
    assert (error["logger"], error["trace_id"]) == ("arq.worker", TRACE_ID)
    assert error["exception"][0]["message"] == "no such room"
    assert len(lines(logger="arq.worker", trace_id=TRACE_ID)) == 2
    [line] = lines(logger="tracelog.arq")
    assert (line["level"], line["outcome"], line["trace_id"]) == ("warning", "failure", TRACE_ID)


def test_a_job_is_bound_to_nothing_of_the_one_before(run, seen):
    """What one binds, or fails with, the next doesn't have."""

    async def greet(ctx):
        await seen.greet(ctx)
        bind_context(left="behind")
        raise ValueError("no such room")

    async def send(pool):
        for _ in range(2):
            new_trace()
            await pool.enqueue_job("greet")

    run(send, Tracing(), func(greet, name="greet"), max_jobs=1)

    assert len({context["trace_id"] for context in seen}) == 2
    assert not any("left" in context for context in seen)


def test_a_retry_stays_in_its_trace(run, lines, seen):
    """arq keeps the message: each run is one of the same trace."""

    async def greet(ctx):
        await seen.greet(ctx)
        if ctx["job_try"] == 1:
            raise Retry

    run(sending("greet"), Tracing(keys="user_id"), func(greet, name="greet"))

    assert [(each["trace_id"], each["user_id"]) for each in seen] == [(TRACE_ID, "kim")] * 2
    assert seen[0]["span_id"] != seen[1]["span_id"]
    told = [(line["level"], line["outcome"]) for line in lines(logger="tracelog.arq")]
    assert told == [("info", "retry"), ("info", "success")]


def test_a_job_that_takes_too_long_is_told(run, lines):
    """arq cancels it; its own line says why."""

    async def greet(ctx):
        await asyncio.Event().wait()

    run(sending("greet"), Tracing(), func(greet, name="greet", timeout=0.01))

    [line] = lines(logger="tracelog.arq")
    assert (line["level"], line["outcome"]) == ("warning", "cancelled")
    assert [error["trace_id"] for error in lines(level="error")] == [TRACE_ID]


def test_what_a_job_enqueues_is_in_its_trace(run, seen):
    """The pool that arq gives to functions writes our messages, too."""

    async def first(ctx):
        await ctx["redis"].enqueue_job("greet")

    run(sending("first"), Tracing(), func(first, name="first"), func(seen.greet, name="greet"))

    assert [context["trace_id"] for context in seen] == [TRACE_ID]


def test_a_job_of_a_clock_is_a_trace_of_its_own(run, lines, seen):
    """Nobody asked for it."""
    job = cron(seen.greet, name="greet", run_at_startup=True, microsecond=0)

    run(nothing, Tracing(), cron_jobs=[job], max_burst_jobs=1)

    [context] = seen
    [line] = lines(logger="tracelog.arq")
    assert (line["trace_id"], line["outcome"]) == (context["trace_id"], "success")


def test_the_hooks_of_the_settings_run_within(run):
    """Between ours: they are in the job's trace, too."""
    seen = []

    async def hook(ctx):
        seen.append(get_context().get("trace_id"))

    async def greet(ctx):
        pass

    run(
        sending("greet"),
        Tracing(),
        func(greet, name="greet"),
        on_job_start=hook,
        on_job_end=hook,
    )

    assert seen == [TRACE_ID, TRACE_ID]


def test_a_worker_understands_messages_of_a_sender_without_us(run, lines, seen):
    """Its job is a trace of its own; when it was sent, arq tells."""

    class Plain:
        dumps = None

    run(sending("greet"), Tracing(), func(seen.greet, name="greet"), sender=Plain)

    assert [context["trace_id"] == TRACE_ID for context in seen] == [False]
    assert "wait_ms" in lines(logger="tracelog.arq")[0]


def test_a_worker_without_us_understands_our_messages(redis, seen):
    """What we add is under a name that arq doesn't look at."""

    async def main():
        pool = await create_pool(redis, job_serializer=Tracing().dumps)
        await pool.flushall()
        job = await pool.enqueue_job("greet")
        worker = create_worker(
            {"functions": [func(seen.greet, name="greet")], "redis_settings": redis},
            burst=True,
            handle_signals=False,
        )
        await worker.main()
        await worker.close()
        info = await job.result_info()
        await pool.aclose(close_connection_pool=True)
        return info

    assert asyncio.run(main()).success
    assert len(seen) == 1


def test_a_message_whose_context_is_none_is_one_of_a_stranger(run, seen):
    """Somebody else may use the name: the job runs."""

    class Odd:
        @staticmethod
        def dumps(data):
            return Tracing(serializer=json_bytes).dumps(data)

    def json_bytes(data):
        import pickle

        return pickle.dumps({**data, "context": "mine"})

    run(sending("greet"), Tracing(), func(seen.greet, name="greet"), sender=Odd)

    assert len(seen) == 1


def test_serializers_are_the_user_s(redis):
    """arq's results come back as they did, through either of them."""

    async def main():
        tracing = Tracing(
            serializer=lambda data: json.dumps(data).encode(), deserializer=json.loads
        )

        @tracing.worker
        class WorkerSettings:
            functions = [answer]
            redis_settings = redis

        pool = await create_pool(
            redis, job_serializer=tracing.dumps, job_deserializer=tracing.loads
        )
        await pool.flushall()
        job = await pool.enqueue_job("answer", _defer_by=timedelta())
        worker = create_worker(WorkerSettings, burst=True, handle_signals=False)
        await worker.main()
        await worker.close()
        result = await job.result(timeout=WITHIN_S, poll_delay=0.01)
        await pool.aclose(close_connection_pool=True)
        return result

    assert asyncio.run(main()) == 42


async def answer(ctx):
    return 42
