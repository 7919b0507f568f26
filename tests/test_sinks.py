"""Where lines go: a descriptor that is never waited for, or a text stream."""

from __future__ import annotations

import errno
import fcntl
import gc
import io
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from tracelog import delivery, sinks, spill
from tracelog.delivery import delivery_stats
from tracelog.descriptors import DescriptorSink, open_sink
from tracelog.sinks import TextSink, flush


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


@pytest.fixture
def gained():
    before = delivery_stats()

    def gained():
        now = delivery_stats()
        return (
            now.written - before.written,
            now.spilled - before.spilled,
            now.dropped - before.dropped,
        )

    return gained


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

    assert gained()[1:] == (10, 91)
    assert said() == (
        f"tracelog: lines lost so far: {delivery_stats().dropped - 90} "
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


def test_a_socket_is_written(sockets, gained):
    """A service's stdout under systemd is one."""
    reader, stream = sockets

    open_sink(stream).write(b"hello\n")

    assert reader.recv(100) == b"hello\n"
    assert gained() == (1, 0, 0)


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


def test_a_full_disk_costs_lines_only(gained, said):
    """/dev/full refuses every byte, as a full disk does."""
    with open("/dev/full", "w") as stream:
        sink = open_sink(stream)
        for line in numbered(3):
            sink.write(line)

    assert gained() == (0, 0, 3)
    assert said() == (
        f"tracelog: lines lost so far: {delivery_stats().dropped - 2} "
        "(OSError: No space left on device)\n"
    )


STDERR_IS_FULL = """
import atexit, sys
from tracelog import sinks
spill.MAX_BYTES = 1000
sink = sinks.open_sink(sys.stdout)
for _ in range(3000):
    sink.write(b"x" * 63 + b"\\n")  # fills the pipe to its last byte
atexit.unregister(sinks.flush)
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


# Text streams


class Bare:
    """Has `write`, and nothing else that a stream has."""

    def __init__(self):
        self.written = []

    def write(self, text):
        self.written.append(text)


class Refusing:
    """Raises what it is told to, then takes what comes."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.text = ""

    def write(self, text):
        if self.errors:
            raise self.errors.pop()
        self.text += text


def test_a_stream_without_a_descriptor_is_written(gained):
    """A StringIO, or whatever else has `write`."""
    stream, bare = io.StringIO(), Bare()

    open_sink(stream).write(b"hello\n")
    open_sink(bare).write("Grüße\n".encode())

    assert (stream.getvalue(), bare.written) == ("hello\n", ["Grüße\n"])
    assert gained() == (2, 0, 0)


def test_a_stream_is_flushed():
    """A line is out when `write` returns, whatever the stream holds back."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "utf-8")

    TextSink(stream).write(b"hello\n")

    assert raw.getvalue() == b"hello\n"


def test_bytes_that_are_no_text_are_escaped():
    """A stream takes text; what isn't text is shown escaped."""
    stream = io.StringIO()

    TextSink(stream).write(b"\xff\n")

    assert stream.getvalue() == "\\xff\n"


@pytest.mark.parametrize("stream", [None, object()], ids=["none", "no write"])
def test_no_stream_at_all_costs_lines_only(gained, stream):
    """Under pythonw there is no stdout."""
    open_sink(stream).write(b"hello\n")

    assert gained() == (0, 0, 1)


def test_a_closed_stream_costs_lines_only(gained):
    """Whoever closed it doesn't want our lines."""
    stream = io.StringIO()
    stream.close()

    open_sink(stream).write(b"hello\n")

    assert gained() == (0, 0, 1)


def test_a_stream_that_would_block_is_tried_again(gained, monkeypatch):
    """It can't be waited for, so it is asked again after a moment."""
    monkeypatch.setattr(sinks, "_PAUSE_S", 0)
    stream = Refusing(BlockingIOError(), BlockingIOError())
    sink = TextSink(stream)

    sink.write(b"hello\n")

    assert sink.flush(PATIENCE_S)
    assert stream.text == "hello\n"
    assert gained() == (1, 1, 0)


# Lines that are yet to be made


def test_lines_may_be_made_by_the_sinks_thread(gained):
    """What takes long to write is written elsewhere; lines after it wait their turn."""
    stream = io.StringIO()
    sink = TextSink(stream)
    go = threading.Event()
    makers = []

    def make():
        go.wait(PATIENCE_S)
        makers.append(threading.current_thread())
        return b"slow\n"

    sink.write(make)
    sink.write(b"fast\n")
    go.set()

    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == "slow\nfast\n"
    assert makers != [threading.current_thread()]
    assert gained() == (2, 2, 0)


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


def test_a_maker_that_raises_costs_its_line_only(gained):
    """The next line is written."""
    stream = io.StringIO()
    sink = TextSink(stream)

    sink.write(lambda: 1 / 0)
    sink.write(b"next\n")

    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == "next\n"
    assert gained()[2] == 1


def test_lines_that_are_yet_to_be_made_are_bounded_too(gained):
    """Each of them keeps an exception alive, frames and all."""
    sink = TextSink(io.StringIO())
    go = threading.Event()
    sink.write(lambda: go.wait(PATIENCE_S) and b"")

    for _ in range(1_000):
        sink.write(lambda: b"")
    lost = gained()[2]
    go.set()

    assert sink.flush(PATIENCE_S)
    assert lost == 1_001 - spill.MAX_BYTES // 16_384


# Flushing


def test_flushing_nothing_is_done():
    """True at once."""
    assert TextSink(io.StringIO()).flush(0.0)


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


def test_flush_ends_though_lines_go_on_coming(monkeypatch):
    """It waits for what was accepted before it was asked, whatever comes after."""
    asked, more = threading.Event(), threading.Event()
    sink = TextSink(io.StringIO())
    wait_for = sink._moved.wait_for
    monkeypatch.setattr(sink._moved, "wait_for", lambda *args: asked.set() or wait_for(*args))

    def before():
        asked.wait(PATIENCE_S)
        sink.write(lambda: more.wait(PATIENCE_S) and b"after\n")
        return b"before\n"

    sink.write(before)
    done = sink.flush(None)
    waits = bool(sink._spill)
    more.set()

    assert (done, waits) == (True, True)
    assert sink.flush(PATIENCE_S)


def test_flushing_from_the_sinks_own_thread_does_not_wait_for_itself():
    """A line's maker may log or flush."""
    sink = TextSink(io.StringIO())
    results = []

    sink.write(lambda: results.append(sink.flush(PATIENCE_S)) or b"")

    assert sink.flush(PATIENCE_S)
    assert results == [False]


class NoThread(threading.Thread):
    """Can't be started, as when the interpreter is ending."""

    def start(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")


def test_sinks_may_be_made_while_they_are_counted():
    """Whoever asks for the counts, or flushes, isn't troubled by a thread that opens a file."""
    made, done = [], threading.Event()

    def keep_making():
        while not done.is_set():
            made.append(TextSink(io.StringIO()))
            del made[:-100]

    switching = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        thread = threading.Thread(target=keep_making)
        thread.start()
        for _ in range(1_000):
            delivery_stats()
        done.set()
        thread.join()
    finally:
        sys.setswitchinterval(switching)

    assert flush(PATIENCE_S)


class Watched(TextSink):
    """Notes whether another thread could come between as its own thread is asked for."""

    def __init__(self, stream):
        super().__init__(stream)
        self.open_to_others = []

    def _start_drainer(self):
        thread = threading.Thread(target=self._try)
        thread.start()
        thread.join()
        super()._start_drainer()

    def _try(self):
        taken = self._lock.acquire(blocking=False)
        self.open_to_others.append(taken)
        if taken:
            self._lock.release()


def test_flush_and_the_sinks_thread_never_write_the_same():
    """Between its look for that thread and its own writing, nobody else can start one."""
    sink = Watched(io.StringIO())

    assert sink.flush(PATIENCE_S)
    assert sink.open_to_others == [False]


def test_without_a_thread_the_farewell_writes(pipe, monkeypatch):
    """At the end of the interpreter no thread can be started: flush writes what waits."""
    monkeypatch.setattr(sinks.threading, "Thread", NoThread)
    source, stream = pipe
    sink = open_sink(stream)
    count = fill(sink)

    refused = sink.flush(0.01)
    source.read(64 * 1024)
    done = sink.flush(PATIENCE_S)

    assert (refused, done) == (False, True)
    assert sink.counts.written == count


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
    from tracelog.sinks import flush
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


# Races


def test_a_signal_handler_may_log():
    """It may come while this very thread has the lock, and must not wait for itself."""
    stream = io.StringIO()
    sink = TextSink(stream)
    go = threading.Event()
    sink.write(lambda: go.wait(PATIENCE_S) and b"")

    def interrupted():
        with sink._lock:
            sink.write(b"from the handler\n")

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    ended = not thread.is_alive()
    go.set()

    assert ended
    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == "from the handler\n"


class Scripted(sinks.Sink):
    """Takes two bytes of the first line; meanwhile another thread's line comes, and has to wait."""

    def __init__(self, *, drained):
        super().__init__()
        self.taken = []
        self.refusing = True
        self.drained = drained
        self.drainer_is_writing = threading.Event()
        self.first_is_back = threading.Event()

    def _put(self, line):
        if line == b"first\n":
            self.write(b"second\n")
            if self.drained:
                assert self.drainer_is_writing.wait(PATIENCE_S)
            self.refusing = False
            line = b"fi"
        elif threading.current_thread().name == "tracelog":
            self.drainer_is_writing.set()
            self.first_is_back.wait(PATIENCE_S)
        elif self.refusing:
            raise BlockingIOError(errno.EAGAIN, "")
        self.taken.append(line)
        return len(line)


def test_the_rest_of_a_line_is_written_once(gained):
    """If the sink's thread is writing another line meanwhile, neither is lost or doubled."""
    sink = Scripted(drained=True)

    sink.write(b"first\n")
    sink.first_is_back.set()

    assert sink.flush(PATIENCE_S)
    assert sink.taken == [b"fi", b"second\n", b"rst\n"]
    assert gained() == (2, 2, 0)


def test_the_rest_of_a_line_comes_before_what_waits(gained, monkeypatch):
    """If nobody has begun to write another line, this one stays whole."""
    monkeypatch.setattr(sinks.threading, "Thread", NoThread)
    sink = Scripted(drained=False)

    sink.write(b"first\n")

    assert sink.flush(PATIENCE_S)
    assert sink.taken == [b"fi", b"rst\n", b"second\n"]
    assert gained() == (2, 2, 0)


class Taking(sinks.Sink):
    """Takes a long line in two parts; between them another thread tries to write its own."""

    def __init__(self):
        super().__init__()
        self.taken = []
        self.other_waits = threading.Event()
        self.thread = threading.Thread(target=self.write, args=(b"short\n",))

    def _keep(self, lines):
        self.other_waits.set()
        super()._keep(lines)

    def _put(self, line):
        if line.startswith(b"long"):
            self.thread.start()
            assert self.other_waits.wait(PATIENCE_S)
            line = line[:10]
        self.taken.append(line)
        return len(line)


def test_no_line_comes_into_the_middle_of_a_long_one(gained):
    """A pipe may take a part of what is longer than PIPE_BUF; other lines wait for the rest."""
    sink = Taking()
    line = b"long " + b"x" * 5_000 + b"\n"

    sink.write(line)
    sink.thread.join(PATIENCE_S)

    assert sink.flush(PATIENCE_S)
    assert b"".join(sink.taken) == line + b"short\n"
    assert gained() == (2, 2, 0)


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


# Processes


def test_a_long_line_finds_what_another_thread_has_kept_meanwhile():
    """Between a look at the queue and the lock, a thread may come: whoever came first is first."""
    stream = io.StringIO()
    sink = TextSink(stream)
    sink._spill.append(b"first\n")
    sink._bytes += len(b"first\n")
    long = "x" * 5000 + "\n"

    sink._write_long(long.encode())

    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == f"first\n{long}"


def test_what_a_descriptor_takes_in_part_is_ended_first(pipe, monkeypatch):
    """A file system may be full after half of a line: its rest is the next to be written."""
    source, stream = pipe
    sink = open_sink(stream)
    monkeypatch.setattr(sinks, "_write", lambda descriptor, line: os.write(descriptor, line[:4]))

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


def test_what_waits_is_the_parents(pipe):
    """What the child of a fork does first."""
    _, stream = pipe
    sink = open_sink(stream)
    fill(sink)
    waiting = sink.counts.spilled

    sinks._forget_all()

    assert waiting
    assert sink.flush(0)
