"""Sinks over descriptors: pipes, terminals, files and sockets, none of which is waited for."""

from __future__ import annotations

import errno
import fcntl
import gc
import io
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from tracelog import delivery, descriptors, sinks, spill
from tracelog.delivery import delivery_stats
from tracelog.descriptors import DescriptorSink, PipeSink, SocketSink, ThreadSink, open_sink
from tracelog.process_lock import ProcessLock
from tracelog.farewell import flush


PATIENCE_S = 30  # of tests that wait for what is certain to come


@pytest.fixture(autouse=True)
def said(monkeypatch, capfd):
    # Each test says its first loss, whatever the one before it said.
    monkeypatch.setattr(delivery, "_said", {})
    return lambda: capfd.readouterr().err


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb", buffering=0) as source:
        yield source, stream
    assert flush(PATIENCE_S)  # nobody reads what still waits: it is lost now, not in the next test


def numbered(count, size=100):
    return [f"{number:06d} ".encode().ljust(size - 1, b"x") + b"\n" for number in range(count)]


def read_lines(source, count):
    """Read *count* lines, as a reader who has come back does."""
    data = b""
    while data.count(b"\n") < count:
        data += os.read(source.fileno(), 65_536)
    return data.splitlines(keepends=True)


def fill(sink, line=b"x" * 99 + b"\n"):
    """Write until a line has to wait; tell how many were written."""
    count = 0
    while not sink.counts.spilled:
        sink.write(line)
        count += 1
    return count


def run_python(code, **options):
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
        **options,
    )


# Pipes


def test_a_line_is_out_when_write_returns(pipe, gained):
    """Nothing is buffered: a reader has the line at once."""
    source, stream = pipe

    open_sink(stream).write(b"hello\n")

    assert os.read(source.fileno(), 100) == b"hello\n"
    assert gained() == (1, 0, 0)


@pytest.mark.parametrize("size", [100, 4_096, 30_000], ids=lambda size: f"{size} bytes")
def test_a_reader_that_does_not_read_blocks_nobody(pipe, gained, size):
    """What a full pipe refuses waits; lines are whole and in order when the reader comes back."""
    source, stream = pipe
    sink = open_sink(stream)
    lines = numbered(1_000_000 // size, size)

    for line in lines:
        sink.write(line)
    waited = sink.counts.spilled
    read = read_lines(source, len(lines))

    assert waited > 0
    assert read == lines
    assert sink.flush(PATIENCE_S)
    assert gained() == (len(lines), sink.counts.spilled, 0)


def test_lines_of_many_threads_stay_whole(pipe):
    """No line is cut by another, with or without a reader, and none is there twice."""
    source, stream = pipe
    sink = open_sink(stream)
    lines = [[f"{name} {n}\n".encode().rjust(200, b".") for n in range(500)] for name in range(4)]
    start = threading.Barrier(4)

    def write(mine):
        start.wait()
        for line in mine:
            sink.write(line)

    threads = [threading.Thread(target=write, args=(mine,)) for mine in lines]
    for thread in threads:
        thread.start()
    read = read_lines(source, 2_000)
    for thread in threads:
        thread.join()

    assert sorted(read) == sorted(sum(lines, []))
    assert [[line for line in read if line in set(mine)] for mine in lines] == lines


def test_what_waits_is_bounded(pipe, gained, said, monkeypatch):
    """A reader that never comes back costs lines, not memory; the loss is counted and said."""
    monkeypatch.setattr(spill, "MAX_BYTES", 1_000)
    _, stream = pipe
    sink = open_sink(stream)
    fill(sink)

    for line in numbered(100):
        sink.write(line)

    assert gained()[1:] == (4, 97)
    assert said() == (
        f"tracelog: lines lost so far: {delivery_stats().dropped - 96} "
        "(BlockingIOError: its reader is too slow)\n"
    )


def test_a_reader_that_is_gone_costs_lines_only(pipe, gained, said):
    """A broken pipe is a loss, not an error of whoever logs."""
    source, stream = pipe
    sink = open_sink(stream)
    source.close()

    sink.write(b"hello\n")

    assert gained() == (0, 0, 1)
    assert said().endswith("(BrokenPipeError: Broken pipe)\n")


def test_a_reader_that_goes_while_lines_wait_costs_those(pipe, gained):
    """Nothing waits for ever."""
    source, stream = pipe
    sink = open_sink(stream)
    count = fill(sink)

    source.close()

    assert sink.flush(PATIENCE_S)
    assert gained() == (count - 1, 1, 1)


def test_the_flags_of_our_stdout_stay_as_they_are(pipe):
    """A parent or child that shares the pipe goes on blocking, if that is what it does."""
    _, stream = pipe
    before = fcntl.fcntl(stream, fcntl.F_GETFL)

    sink = open_sink(stream)
    sink.write(b"hello\n")

    assert fcntl.fcntl(stream, fcntl.F_GETFL) == before


def test_closing_the_stream_does_not_close_the_sink(pipe):
    """The descriptor is our own: nobody else can close it, or give its number to another file."""
    source, stream = pipe
    sink = open_sink(stream)

    stream.close()
    sink.write(b"hello\n")

    assert os.read(source.fileno(), 100) == b"hello\n"


def test_a_descriptor_is_closed_with_its_sink(pipe):
    """When nobody can write to it any more, and what it counted stays counted."""
    source, stream = pipe
    sink = open_sink(stream)
    sink.write(b"hello\n")
    before = delivery_stats()
    stream.close()

    del sink
    gc.collect()

    assert source.read() == b"hello\n"  # up to its end: no writer is left
    assert delivery_stats() == before


def test_a_descriptor_that_is_closed_already_is_no_error():
    """A sink goes quietly even if something closed its descriptor."""
    sink = DescriptorSink(os.dup(1))
    os.close(sink._descriptor)

    sink.__del__()


# Files, sockets, devices


def test_a_file_is_written_after_what_its_stream_held(tmp_path):
    """What was printed before our line stands before it."""
    with open(tmp_path / "out", "w") as stream:
        stream.write("before\n")

        open_sink(stream).write(b"hello\n")

        stream.write("after\n")
    assert (tmp_path / "out").read_text() == "before\nhello\nafter\n"


@pytest.fixture
def sockets():
    ours, theirs = socket.socketpair()
    with ours.makefile("w") as stream, ours, theirs:
        yield theirs, stream
    assert flush(PATIENCE_S)


def test_a_full_file_tears_no_line(tmp_path, gained):
    """It takes a part; the rest comes first once there is room, and then what has come since."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "app.log").open("a") as stream:
        sink = open_sink(stream)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6, limits[1]))
        for line in (b"one\n", b"two\n", b"three\n"):
            sink.write(line)
        torn = not sink.flush(PATIENCE_S)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    sink.write(b"four\n")

    assert sink.flush(PATIENCE_S)
    assert torn
    assert (tmp_path / "app.log").read_text() == "one\ntwo\nthree\nfour\n"
    assert gained() == (4, 3, 0)


def test_a_stream_without_a_descriptor_is_written_by_its_own_means():
    """A StringIO, or whatever else has `write`."""
    stream = io.StringIO()

    open_sink(stream).write(b"hello\n")

    assert stream.getvalue() == "hello\n"


def test_a_socket_is_written(sockets, gained):
    """A service's stdout under systemd is one."""
    reader, stream = sockets

    open_sink(stream).write(b"hello\n")

    assert reader.recv(100) == b"hello\n"
    assert gained() == (1, 0, 0)


def test_a_socket_that_was_refused_goes_without_a_word():
    """No descriptor may be left for it: that is the error, and there is no second one."""
    sink = SocketSink.__new__(SocketSink)

    assert sink.__del__() is None


def test_a_socket_that_nobody_reads_blocks_nobody(sockets):
    """What it refuses waits, whole and in order, and its flags stay as they are."""
    reader, stream = sockets
    before = fcntl.fcntl(stream, fcntl.F_GETFL)
    sink = open_sink(stream)
    lines = numbered(20_000)

    for line in lines:
        sink.write(line)
    waited = sink.counts.spilled
    done = sink.flush(0.01)

    assert (waited > 0, done) == (True, False)
    assert fcntl.fcntl(stream, fcntl.F_GETFL) == before
    assert read_lines(reader, len(lines)) == lines
    assert sink.flush(PATIENCE_S)


def test_what_a_full_disk_refuses_waits_for_room(gained, said):
    """/dev/full refuses every byte, as a full disk does; nobody is kept waiting."""
    with open("/dev/full", "w") as stream:
        sink = open_sink(stream)
    for line in numbered(3):
        sink.write(line)
    done, why = sink.flush(PATIENCE_S), said()

    os.dup2(os.open(os.devnull, os.O_WRONLY), sink._descriptor)  # room comes back

    assert not done
    assert "No space left on device" in why
    assert sink.flush(PATIENCE_S)
    assert gained() == (3, 3, 0)


STDERR_IS_FULL = """
import atexit, sys
from tracelog import descriptors, farewell, spill
spill.MAX_BYTES = 1000
sink = descriptors.open_sink(sys.stdout)
for _ in range(3000):
    sink.write(b"x" * 63 + b"\\n")  # fills the pipe to its last byte
atexit.unregister(farewell._farewell)
sys.exit(7 if sink.counts.dropped else 8)
"""


def test_saying_a_loss_blocks_nobody_either():
    """stdout and stderr are often the same pipe: full for one, it is full for the other."""
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", STDERR_IS_FULL], stdout=writer, stderr=writer
    ) as process:
        os.close(writer)

        try:
            status = process.wait(PATIENCE_S)
        finally:
            os.close(reader)  # whoever waits for room is let go

    assert status == 7


# Lines that are yet to be made, and flushing


def test_a_descriptor_takes_lines_that_are_yet_to_be_made(pipe):
    """The same, where lines are bytes."""
    source, stream = pipe
    sink = open_sink(stream)

    sink.write(lambda: b"slow\n")

    assert sink.flush(PATIENCE_S)
    assert os.read(source.fileno(), 100) == b"slow\n"


def test_lines_that_were_made_are_not_made_again(pipe):
    """A pipe that is full takes them later, as they are."""
    source, stream = pipe
    sink = open_sink(stream)
    made = []
    count = fill(sink)

    sink.write(lambda: made.append(1) or b"y" * 50_000 + b"\n")
    read = read_lines(source, count + 1)

    assert read[-1] == b"y" * 50_000 + b"\n"
    assert made == [1]


def test_flush_gives_up_in_time(pipe):
    """False if something still waits."""
    source, stream = pipe
    sink = open_sink(stream)
    count = fill(sink)

    done = sink.flush(0.01)
    source.read(64 * 1024)

    assert not done
    assert count > 0
    assert sink.flush(PATIENCE_S)


def test_flush_waits_for_every_sink(pipe):
    """One call for the whole process; without a timeout it takes as long as it takes."""
    source, stream = pipe
    sink = open_sink(stream)
    fill(sink)

    done = flush(0.01)
    source.read(64 * 1024)

    assert not done
    assert flush()
    assert flush(PATIENCE_S)


def test_a_long_line_waits_its_turn_as_any_other(pipe, gained):
    """If its pipe is full it comes after what waits, and if there is room it is out at once."""
    source, stream = pipe
    sink = open_sink(stream)
    line = b"y" * 5_000 + b"\n"

    sink.write(line)
    at_once = source.read(6_000)
    count = fill(sink)
    sink.write(line)

    assert at_once == line
    assert read_lines(source, count + 1)[-1] == line
    assert sink.flush(PATIENCE_S)
    assert gained() == (count + 2, 2, 0)


# Who can't be told not to wait


@pytest.fixture
def _not_anew(monkeypatch):
    """The pipe was made by somebody whose rights we don't have: /proc doesn't open it."""

    def refused(_descriptor, _flags):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(descriptors, "open_anew", refused)


@pytest.mark.usefixtures("_not_anew")
def test_a_pipe_that_cannot_be_opened_anew_is_told_with_every_line(pipe, gained):
    """Not to make us wait; its flags stay as they are."""
    source, stream = pipe
    sink = open_sink(stream)

    count = fill(sink)
    read = read_lines(source, count)

    assert os.get_blocking(stream.fileno())
    assert len(read) == count
    assert sink.flush(PATIENCE_S)
    assert gained() == (count, 1, 0)


@pytest.mark.usefixtures("_not_anew")
def test_its_lock_would_be_everybodys(pipe):
    """Whoever shares its description: so there is none, in the child of a fork either."""
    _, stream = pipe
    sink = open_sink(stream)

    sink.forget()
    sink.write(b"x" * 5_000 + b"\n")

    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.usefixtures("_not_anew")
def test_where_nothing_else_is_permitted_a_thread_waits(pipe, gained, monkeypatch):
    """An older Linux; or a terminal, which can't be told so."""
    monkeypatch.setattr(descriptors, "_write_nowait", refuse_nowait)
    source, stream = pipe
    sink = open_sink(stream)

    for line in numbered(1_000):
        sink.write(line)
    full = not sink.flush(0.05)
    read = read_lines(source, 1_000)

    assert type(sink) is ThreadSink
    assert full
    assert read == numbered(1_000)
    assert sink.flush(PATIENCE_S)
    assert gained() == (1_000, 1_000, 0)


def refuse_nowait(_descriptor, _data):
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


@pytest.mark.usefixtures("_not_anew")
def test_a_terminal_is_left_to_the_thread():
    """It can't be told not to make us wait."""
    leader, follower = os.openpty()
    with os.fdopen(follower, "w") as stream, os.fdopen(leader, "rb", buffering=0) as source:
        sink = open_sink(stream)

        sink.write(b"hello\n")

        assert type(sink) is ThreadSink
        assert source.read(100) == b"hello\r\n"
        assert sink.flush(PATIENCE_S)


# Several processes


def test_a_long_line_keeps_other_processes_out(pipe, monkeypatch):
    """Who has another description of the pipe waits until the whole line is out."""
    source, stream = pipe
    sink = open_sink(stream)
    waits, wait = threading.Event(), ProcessLock.wait
    monkeypatch.setattr(ProcessLock, "wait", lambda *args: waits.set() or wait(*args))
    with open(f"/proc/self/fd/{stream.fileno()}", "wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        sink.write(b"x" * 5_000 + b"\n")
        waited = waits.wait(PATIENCE_S)
        fcntl.flock(other, fcntl.LOCK_UN)

    assert waited
    assert read_lines(source, 1) == [b"x" * 5_000 + b"\n"]
    assert sink.flush(PATIENCE_S)


class Refusing:
    """Writes to a pipe a part of a line, and then raises what it is told to."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.parts = 1

    def __call__(self, descriptor, data):
        if self.parts:
            self.parts -= 1
            return os.write(descriptor, data[:10])
        if self.errors:
            raise self.errors.pop(0)
        return os.write(descriptor, data)


@pytest.mark.parametrize(
    ("error", "lost"),
    [(BlockingIOError(errno.EAGAIN, ""), 0), (BrokenPipeError(errno.EPIPE, ""), 1)],
    ids=["full", "nobody reads"],
)
def test_the_lock_is_kept_for_the_rest_of_a_line(pipe, gained, error, lost):
    """And given back when that is out, or never will be."""
    source, stream = pipe
    sink = PipeSink(os.open(f"/proc/self/fd/{stream.fileno()}", os.O_WRONLY), Refusing(error))
    line = b"x" * 5_000 + b"\n"

    sink.write(line)
    ended = sink.flush(PATIENCE_S)

    assert ended
    assert gained()[2] == lost
    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert len(source.read(10_000)) >= 10


LONG_AND_SHORT = """
import random, sys, tracelog
tracelog.configure_logging(format="json")
log, name = tracelog.get_logger("app"), sys.argv[1]
sizes = random.Random(name)
for number in range(300):
    log.info(f"{name} {number}", pad=name * sizes.choice([10, 300, 3_000, 9_000, 30_000]))
    if number % 30 == 0:
        tracelog.flush()
tracelog.flush()
"""


def test_processes_tear_no_line_of_each_others():
    """Long and short ones, into one pipe that is read slowly."""
    reader, writer = os.pipe()
    command = [sys.executable, "-c", LONG_AND_SHORT]
    processes = [subprocess.Popen([*command, name], stdout=writer) for name in "abc"]
    os.close(writer)

    with os.fdopen(reader, "rb", buffering=4_096) as source:
        events = [json.loads(line)["event"] for line in source]
    for process in processes:
        process.wait(PATIENCE_S)

    assert sorted(events) == sorted(f"{name} {number}" for name in "abc" for number in range(300))


# Processes that end


def run_unread(code):
    """Run *code*, whose output nobody reads until it has said that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr.readline() == b"ready\n"

        output, errors = process.communicate(timeout=PATIENCE_S)

    return output.splitlines(), errors


UNREAD = """
import os, sys, warnings
warnings.simplefilter("ignore")
from tracelog.delivery import delivery_stats
from tracelog.descriptors import open_sink
from tracelog.farewell import flush
sink = open_sink(sys.stdout)
for number in range(100):
    sink.write(f"{number:03999d}\\n".encode())
assert sink.counts.spilled
"""


def test_what_waits_at_the_end_is_written():
    """A process that ends takes a moment for what its reader is behind with."""
    lines, errors = run_unread(UNREAD + 'print("ready", file=sys.stderr, flush=True)')

    assert errors == b""
    assert [int(line) for line in lines] == list(range(100))


# Processes


def test_what_a_descriptor_takes_in_part_is_ended_first(pipe, monkeypatch):
    """A file system may be full after half of a line: its rest is the next to be written."""
    source, stream = pipe
    sink = open_sink(stream)
    monkeypatch.setattr(descriptors, "_write", lambda number, line: os.write(number, line[:4]))

    sink.write(b"a line\n")
    sink.write(b"another\n")

    assert read_lines(source, 2) == [b"a line\n", b"another\n"]


def test_killing_the_process_loses_nothing_that_fitted():
    """A line is in the kernel's hands when the logging call returns."""
    code = """
import os, signal, sys
from tracelog.descriptors import open_sink
sink = open_sink(sys.stdout)
for number in range(500):
    sink.write(f"{number:099d}\\n".encode())
os.kill(os.getpid(), signal.SIGKILL)
"""

    done = run_python(code)

    assert done.returncode == -signal.SIGKILL
    assert [int(line) for line in done.stdout.splitlines()] == list(range(500))


FORK = """
child = os.fork()
if child == 0:
    assert delivery_stats() == type(delivery_stats())(0, 0, 0)
    sink.write(b"of the child\\n")
    sys.exit(not flush(20))
print("ready", file=sys.stderr, flush=True)
print(os.waitpid(child, 0)[1], file=sys.stderr)
flush(20)
"""


def test_a_fork_doubles_nothing():
    """What waits is the parent's; the child begins with nothing, and can log at once."""
    lines, errors = run_unread(UNREAD + FORK)

    assert errors == b"0\n"
    assert [int(line) for line in lines if line != b"of the child"] == list(range(100))
    assert lines.count(b"of the child") == 1
