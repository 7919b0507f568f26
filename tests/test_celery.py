"""celery: real workers, over a broker in memory, and in processes of their own over one of files."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from threading import Semaphore

import pytest
from celery import Celery, chain, signals
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Ignore, Reject
from celery.worker import state

import tracelog
from tracelog.celery import connect, disconnect
from tracelog.context import bind_context, bound_context, current_context, get_context, new_trace
from tracelog.latency.utterance import Clock


TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
NOON = 1763812800.0
CLOCK = Clock(wall=lambda: NOON, monotonic=lambda: 7.0)
WITHIN_S = 30


@pytest.fixture(autouse=True)
def _disconnected():
    """Whatever a test connects is gone after it."""
    yield
    disconnect()


@pytest.fixture
def lines():
    """Tell the lines so far; those with *wanted* in them."""
    stream = io.StringIO()
    tracelog.configure_logging(sink=stream, format="json")

    def lines(**wanted):
        found = map(json.loads, stream.getvalue().splitlines())
        return [line for line in found if wanted.items() <= line.items()]

    return lines


class Queue:
    """An app whose broker and results are in memory, and what its task saw."""

    def __init__(self, **options):
        self.app = Celery("shop", broker="memory://", set_as_current=False)
        self.app.conf.update(task_ignore_result=True, **options)
        self.seen = []

        def run(*args):
            self.seen.append(dict(get_context()))
            return self._work(*args)

        again = {"autoretry_for": (ValueError,), "default_retry_delay": 0}
        self._greet = self.app.task(run, name="greet", shared=False)
        self._retried = self.app.task(run, name="retried", shared=False, **again)

    def task(self, work=lambda: None, *, retried=False):
        """A task that does *work*. To be called once tracelog is connected: to see what it does."""
        self.seen, self._work, self._ran = [], work, Semaphore(0)
        signals.task_postrun.connect(self._note, weak=False, dispatch_uid="note")
        return self._retried if retried else self._greet

    def _note(self, **_):
        self._ran.release()

    def wait(self, runs=1):
        """Wait until there were as many *runs*."""
        for _ in range(runs):
            assert self._ran.acquire(timeout=WITHIN_S)
        signals.task_postrun.disconnect(dispatch_uid="note")


@pytest.fixture(scope="module", params=["solo", "threads"])
def queue(request):
    """A queue, and a worker: in the thread that reads the messages, or in others.

    One at a time: celery has one worker in a process.
    """

    def leave_it(**_):
        """Logging is ours."""

    queue = Queue(broker_transport_options={"polling_interval": 0.01})
    options = {"pool": request.param, "concurrency": 1, "perform_ping_check": False}
    signals.setup_logging.connect(leave_it)
    with start_worker(queue.app, **options):
        yield queue
        # It is told to end. It waits for messages twice more, 2 s each: here they are.
        state.should_terminate = 0
        for _ in range(2):
            queue.app.send_task("nothing")
    signals.setup_logging.disconnect(leave_it)


@pytest.fixture
def eager():
    """A queue whose tasks run where they are called."""
    return Queue(task_always_eager=True)


def boom():
    raise ValueError("no such room")


def test_a_task_runs_in_the_trace_of_its_sender(queue):
    """The same trace, a span of its own, and what was named of what was bound."""
    connect(keys=("user_id",))
    greet = queue.task()
    sent = new_trace(TRACEPARENT)
    with bound_context(user_id="kim", token="hunter2"):
        greet.delay()
    new_trace()

    queue.wait()

    [context] = queue.seen
    assert (context["trace_id"], context["user_id"]) == (TRACE_ID, "kim")
    assert context["span_id"] != sent.span_id
    assert "token" not in context


def test_each_run_ends_with_a_line(queue, lines):
    """Task, id, times and outcome."""
    connect(clock=CLOCK)
    result = queue.task().delay()

    queue.wait()

    [line] = lines(logger="tracelog.celery")
    assert line["level"] == "info"
    assert {key: line[key] for key in ("task", "job_id", "outcome", "duration_ms", "wait_ms")} == {
        "task": "greet",
        "job_id": result.id,
        "outcome": "success",
        "duration_ms": 0.0,
        "wait_ms": 0.0,
    }


def test_a_time_that_was_asked_for_is_no_wait(queue, lines):
    """A task with an `eta` waits from then on, not from when it was sent."""
    later = iter([NOON, NOON + 3601])
    connect(clock=Clock(wall=lambda: next(later)))

    # Long past by celery's clock: the worker runs it at once.
    queue.task().apply_async(eta="2025-11-22T13:00:00+00:00")
    queue.wait()

    [line] = lines(logger="tracelog.celery")
    assert line["wait_ms"] == 1000.0


def test_the_library_s_own_line_about_an_error_has_the_trace(queue, lines):
    """An exception that escapes is written by celery, once, and can be found by its trace."""
    connect()
    greet = queue.task(boom)
    new_trace(TRACEPARENT)
    greet.delay()
    new_trace()

    queue.wait()

    [error] = lines(level="error")
    assert (error["logger"], error["trace_id"]) == ("celery.app.trace", TRACE_ID)
    assert error["exception"][0]["message"] == "no such room"
    [line] = lines(logger="tracelog.celery")
    assert (line["level"], line["outcome"], line["trace_id"]) == ("warning", "failure", TRACE_ID)


def test_a_task_is_bound_to_nothing_of_the_one_before(queue):
    """One thread runs them all: what one binds, or fails with, the next doesn't have."""
    connect()

    def work(user_id):
        bind_context(user_id=user_id)
        raise ValueError(user_id)

    greet = queue.task(work)
    for user_id in ("kim", "lee"):
        new_trace()
        greet.delay(user_id)

    queue.wait(runs=2)

    assert len({context["trace_id"] for context in queue.seen}) == 2
    assert not any("user_id" in context for context in queue.seen)


def test_a_retry_stays_in_its_trace(queue, lines):
    """Each run is one of the same trace, with what travelled."""
    connect(keys="user_id")

    def work():
        if len(queue.seen) < 3:
            boom()

    greet = queue.task(work, retried=True)
    new_trace(TRACEPARENT)
    with bound_context(user_id="kim"):
        greet.delay()
    new_trace()

    queue.wait(runs=3)

    assert {(each["trace_id"], each["user_id"]) for each in queue.seen} == {(TRACE_ID, "kim")}
    assert len({each["span_id"] for each in queue.seen}) == 3
    outcomes = [line["outcome"] for line in lines(logger="tracelog.celery")]
    assert outcomes == ["retry", "retry", "success"]


def test_what_comes_after_in_a_chain_is_in_its_trace(queue):
    """What celery sends when a task is done goes on where that was."""
    connect()
    greet = queue.task()
    new_trace(TRACEPARENT)
    chain(greet.si(), greet.si()).apply_async()
    new_trace()

    queue.wait(runs=2)

    assert [context["trace_id"] for context in queue.seen] == [TRACE_ID, TRACE_ID]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        pytest.param(Ignore(), "ignored", id="ignored"),
        pytest.param(Reject("no", requeue=False), "rejected", id="rejected"),
    ],
)
def test_an_outcome_of_celery_s_own_is_told_as_it_is(error, outcome, eager, lines):
    """Neither success nor failure."""
    connect()

    def work():
        raise error

    eager.task(work).delay()

    [line] = lines(logger="tracelog.celery")
    assert (line["level"], line["outcome"]) == ("warning", outcome)


def test_what_ends_the_worker_is_a_failure_of_its_task(eager, lines):
    """celery has no state for it."""
    connect()

    def work():
        raise SystemExit

    with pytest.raises(SystemExit):
        eager.task(work).delay()

    [line] = lines(logger="tracelog.celery")
    assert line["outcome"] == "failure"


@pytest.mark.parametrize("fails", [False, True])
def test_a_task_that_runs_at_once_is_in_the_caller_s_trace(fails, eager):
    """No message is sent; the caller goes on in its own context."""
    connect(keys="user_id")

    def work():
        bind_context(room="lobby")
        if fails:
            boom()

    greet = eager.task(work)
    trace = new_trace(TRACEPARENT)
    bind_context(user_id="kim", token="hunter2")
    before = current_context()

    greet.delay()

    [context] = eager.seen
    assert (context["trace_id"], context["user_id"]) == (TRACE_ID, "kim")
    assert context["span_id"] != trace.span_id
    assert "token" not in context
    assert current_context() is before


def test_the_last_call_counts(eager, lines):
    """Connecting again is no second line; other keys travel."""
    connect()
    connect(keys="user_id")
    bind_context(user_id="kim")

    eager.task().delay()

    assert len(lines(logger="tracelog.celery")) == 1
    assert eager.seen[0]["user_id"] == "kim"


def test_what_is_connected_can_be_disconnected(eager, lines):
    """Then celery's signals are as they were."""
    before = [signal.receivers for signal in (signals.task_prerun, signals.task_postrun)]
    before = [[*receivers] for receivers in before]
    connect()

    disconnect()

    after = [signals.task_prerun.receivers, signals.task_postrun.receivers]
    assert after == before
    eager.task().delay()
    assert lines(logger="tracelog.celery") == []


# in processes of their own

APP = """
from celery import Celery, signals

import tracelog
import tracelog.celery

FOLDER = {folder!r}
app = Celery("shop", broker="filesystem://", backend="file://" + FOLDER + "/results")
app.conf.broker_transport_options = {{
    "data_folder_in": FOLDER + "/messages",
    "data_folder_out": FOLDER + "/messages",
    "control_folder": FOLDER + "/control",
    "polling_interval": 0.01,
}}
tracelog.celery.connect(keys=("user_id",))
log = tracelog.get_logger("shop")

@signals.setup_logging.connect
def configure(**_):
    tracelog.configure_logging(format="json", env_file=None)

@app.task(name="greet")
def greet(fails):
    log.info("hello")
    tracelog.bind_context(left="behind")
    if fails:
        raise ValueError("no such room")
"""
SENDER = """
import tracelog, shop

results = []
for number, trace_id in enumerate({trace_ids}):
    tracelog.new_trace("00-" + trace_id + "-b7ad6b7169203331-01")
    with tracelog.bound_context(user_id=number):
        results.append(shop.greet.delay(number == 0))
for result in results:
    result.get(timeout={within}, propagate=False, interval=0.01)
"""


@pytest.fixture
def shop(tmp_path):
    """A folder with an app, and the environment to run it in."""
    for name in ("results", "messages", "control"):
        (tmp_path / name).mkdir()
    (tmp_path / "shop.py").write_text(APP.format(folder=str(tmp_path)))
    path = os.pathsep.join([str(tmp_path), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    environment = {**os.environ, "PYTHONPATH": path}
    # The user of a container is root; celery minds, in a warning.
    return tmp_path, environment | {"PYTHONWARNINGS": "ignore", "C_FORCE_ROOT": "1"}


def test_a_prefork_pool_keeps_traces_and_tasks_apart(shop):
    """Over a broker of files, from one process to the child of another."""
    folder, environment = shop
    trace_ids = [f"{number:032x}" for number in (1, 2, 3)]
    output = folder / "output.log"
    options = ["-P", "prefork", "-c", "1", "--without-gossip", "--without-mingle"]
    with output.open("wb") as file:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "shop", "worker", *options],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        sender = SENDER.format(trace_ids=trace_ids, within=WITHIN_S)
        subprocess.run([sys.executable, "-c", sender], cwd=folder, env=environment, check=True)
    finally:
        worker.terminate()
        worker.wait(WITHIN_S)

    text = output.read_text("utf-8")
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    # A folder is no queue: they come in any order.
    lines.sort(key=lambda line: line["trace_id"] or "")
    hello = [line for line in lines if line["event"] == "hello"]
    assert [(line["trace_id"], line["user_id"]) for line in hello] == [*zip(trace_ids, range(3))]
    assert not any("left" in line for line in hello)
    [error] = [line for line in lines if line["level"] == "error"]
    assert (error["logger"], error["trace_id"]) == ("celery.app.trace", trace_ids[0])
    told = [line for line in lines if line["logger"] == "tracelog.celery"]
    assert [line["trace_id"] for line in told] == trace_ids
    assert [line["outcome"] for line in told] == ["failure", "success", "success"]
    assert all(line["wait_ms"] >= 0 and line["duration_ms"] >= 0 for line in told)
