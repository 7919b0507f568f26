"""Beginnings and ends: children, shutdown, other schedulers, other interpreters."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest


@pytest.fixture
def run(tmp_path):
    """Run a script of its own, in a folder of its own."""

    def run(code, *arguments, options=(), **more):
        script = tmp_path / "script.py"
        script.write_text(code)
        path = os.pathsep.join(path for path in sys.path if path)
        return subprocess.run(
            [sys.executable, *options, script, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            timeout=60,
            **{"capture_output": True, "text": True, **more},
        )

    return run


def lines_of(text):
    return [json.loads(line) for line in text.splitlines()]


CHILDREN = """
import logging
import multiprocessing
import sys

import tracelog

METHODS = ("spawn", "fork", "forkserver")


def configure():
    tracelog.configure_logging(format="json", sink="app.log", env_file=None)


def work(name):
    if not logging.root.handlers:  # spawn and forkserver begin anew
        configure()
    native, foreign = tracelog.get_logger("app"), logging.getLogger("app")
    for number in range(100):
        native.info("native %s", name, number=number, filler="x" * 3000)
        foreign.info("foreign %s", name, extra={"number": number})


if __name__ == "__main__":
    configure()
    children = [
        multiprocessing.get_context(method).Process(target=work, args=(method,))
        for method in METHODS
    ]
    for child in children:
        child.start()
    work("parent")
    for child in children:
        child.join()
    sys.exit(max(child.exitcode for child in children))
"""


def test_children_write_to_one_file(run, tmp_path):
    """Every line of every process is there, whole, and in the order that it was logged in."""
    done = run(CHILDREN)

    lines = lines_of((tmp_path / "app.log").read_text())
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("spawn", "fork", "forkserver", "parent"):
        for kind in ("native", "foreign"):
            numbers = [line["number"] for line in lines if line["event"] == f"{kind} {name}"]
            assert numbers == list(range(100)), (kind, name)
    assert len(lines) == 800


SHUTDOWN = """
import asyncio
import gc
import logging

import tracelog

tracelog.configure_logging(format="json")
log = tracelog.get_logger("app")


async def serve(user):
    tracelog.new_trace()
    tracelog.bind_context(user_id=user)
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.info("native, cancelled")
        logging.getLogger("app").info("foreign, cancelled")
        raise
    finally:
        log.info("cleaned up")


async def fail(user):
    tracelog.bind_context(user_id=user)
    raise ValueError(user)


async def fail_at_the_end(user):
    tracelog.bind_context(user_id=user)
    try:
        await asyncio.Event().wait()
    finally:
        raise ValueError(user)


async def main():
    tasks = [asyncio.create_task(serve(user)) for user in ("kim", "lee")]
    tasks.append(asyncio.create_task(fail_at_the_end("max")))
    asyncio.create_task(fail("pat"))  # nobody will ever ask for it
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()


asyncio.run(main())
log.info("the loop has ended")
"""


def test_the_end_of_a_loop(run):
    """Tasks that log while they are cancelled do so in their context; asyncio's own lines arrive."""
    done = run(SHUTDOWN)

    lines = lines_of(done.stdout)
    said = {
        (line["logger"], line["event"].partition("\n")[0], line.get("user_id")) for line in lines
    }
    assert (done.returncode, done.stderr) == (0, "")
    for user in ("kim", "lee"):
        for event in ("native, cancelled", "foreign, cancelled", "cleaned up"):
            assert ("app", event, user) in said
    assert ("asyncio", "Task exception was never retrieved", "pat") in said
    assert ("asyncio", "unhandled exception during asyncio.run() shutdown", "max") in said
    assert lines[-1]["event"] == "the loop has ended"


STDOUT = """
import logging
import os

import tracelog

tracelog.configure_logging(format="json")
print("a line of print's", flush=True)
for number in range(500):
    tracelog.get_logger("app").info("native", number=number, filler="x" * 500)
logging.getLogger("app").info("foreign")
os._exit(0)  # nothing is flushed any more
"""


def test_a_socket_as_stdout(run):
    """As under journald: a stream socket, which can't be opened by a name."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)

        done = run(STDOUT, capture_output=False, stdout=theirs, stderr=subprocess.PIPE)
        theirs.close()
        with ours.makefile(encoding="utf-8") as stream:
            first, *rest = stream.read().splitlines()

    assert (done.returncode, done.stderr) == (0, "")
    assert first == "a line of print's"
    lines = [json.loads(line) for line in rest]
    assert [line.get("number") for line in lines] == [*range(500), None]


GREENLETS = """
from gevent import monkey

monkey.patch_all()

import logging

import gevent
import tracelog

tracelog.configure_logging(format="json", env_file=None)


def work(user):
    tracelog.bind_context(user_id=user)
    gevent.sleep()
    tracelog.get_logger("app").info(user)
    gevent.sleep()
    logging.getLogger("app").info(user)
    with tracelog.utterance(user_id=user):
        gevent.sleep()


gevent.joinall([gevent.spawn(work, user) for user in ("kim", "lee", "max")], raise_error=True)
assert tracelog.flush(10)
"""


def test_gevent(run):
    """Patched by it, greenlets keep their contexts apart, and have their utterances."""
    pytest.importorskip("gevent")

    done = run(GREENLETS)

    lines = lines_of(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    of_app = [line for line in lines if line["logger"] == "app"]
    assert len(of_app) == 6
    assert all(line["event"] == line["user_id"] for line in of_app)
    verdicts = [line for line in lines if line["event"] == "utterance"]
    assert {line["user_id"] for line in verdicts} == {"kim", "lee", "max"}
    assert len({line["trace_id"] for line in verdicts}) == 3


INTERPRETERS = """
import sys

import _interpreters
import tracelog

code = f'''
import sys
sys.path[:] = {sys.path}
import tracelog
try:
    tracelog.configure_logging(format="json")
except tracelog.ConfigError as error:
    print(error, flush=True)
'''
interpreter = _interpreters.create()
_interpreters.exec(interpreter, code)
_interpreters.destroy(interpreter)
tracelog.configure_logging(format="json")
tracelog.get_logger("app").info("the first one works")
"""


@pytest.mark.skipif(
    sys.version_info < (3, 13),
    reason="before 3.12 they share all; 3.12 itself crashes where one of them has loaded asyncio",
)
def test_another_interpreter(run):
    """One with a GIL of its own can't load orjson: that is said, and harms nobody."""
    done = run(INTERPRETERS)

    refused, *_, last = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (0, "")
    assert "orjson does not support loading in subinterpreters" in refused
    assert json.loads(last)["event"] == "the first one works"
