"""Outputs that fail: readers that leave, full disks, closed streams, no stderr, no descriptors."""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import sys
import threading

from child import memory
from laboratory import Broken, Fault, Reader


PAD = "x" * 900


class _Alone(Fault):
    alone = True


class _Anew(Fault):
    anew = True


class ReaderLeaves(_Alone):
    """A reader that leaves (EPIPE on stdout) ends nothing, and floods nothing."""

    sink = "stdout"

    def act(self, child):
        child.log.info("first")
        child.flush()
        child.wait()
        for i in range(500):
            child.attempt(child.log.info, f"into the void {i}")
        child.note_dropped()

    def around(self, lab):
        read, write = os.pipe()
        lab.start(stdout=write)
        os.close(write)
        os.read(read, 65536)
        os.close(read)
        lab.go_on()
        lab.finish()

    def judge(self, seen):
        if len(seen.errors) > 20_000:
            raise Broken("floods", f"{len(seen.errors):,} bytes on stderr")
        seen.counted(0, 500)


class DiskFull(_Alone):
    """A full disk ends nothing, floods nothing, keeps no backlog, and every line is counted."""

    promise = 2
    sink = "/dev/full"

    def act(self, child):
        child.attempt(child.log.info, "first")
        before = memory()
        for i in range(3000):
            child.attempt(child.log.info, f"lost {i}", pad=PAD)
        child.note_dropped()
        child.note("grown", memory() - before)

    def judge(self, seen):
        if seen.note("grown") > 20:
            raise Broken("grows", f"{seen.note('grown'):.0f} MiB")
        if len(seen.errors) > 20_000:
            raise Broken("floods", f"{len(seen.errors):,} bytes on stderr")
        seen.lost(not seen.errors, "nothing is said on stderr", may_tell=False)
        seen.counted(0, 3001)


class SpaceAgain(_Anew):
    """When a full disk has space again logging goes on, no line is torn, the gap is counted."""

    promise = 2
    events = tuple(f"after {i}" for i in range(10))

    def act(self, child):
        child.log.info("before")
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (child.size() + 20_000, most))
        for i in range(100):
            child.attempt(child.log.info, f"scarce {i}", pad=PAD)
        child.flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        for event in self.events:
            child.attempt(child.log.info, event)
        child.note_dropped()

    def judge(self, seen):
        seen.counted(seen.count("scarce"), 100)


class LossIsSaid(SpaceAgain):
    """What was lost is said in the log itself, once there is space: a number, on a line."""

    def judge(self, seen):
        seen.said(100 - seen.count("scarce"), "scarce", "after", "before")


class StreamCloses(_Anew):
    """A stream that is closed under the stack ends nothing; what was logged before is there."""

    sink = None
    events = ("before",)

    def act(self, child):
        stream = child.path.open("w", encoding="utf-8")
        child.setup(stream).info("before")
        child.flush()
        stream.close()
        for i in range(3):
            child.attempt(child.log.info, f"into what is closed {i}")
        child.note_dropped()


class DescriptorCloses(_Alone):
    """Closing descriptor 1, and somebody else's file getting its number, writes no line into that."""

    sink = "stdout"
    promise = 5

    def act(self, child):
        child.log.info("before")
        child.flush()
        os.close(1)
        other = os.open(child.folder / "database", os.O_RDWR | os.O_CREAT)
        child.note("number", other)
        for i in range(3):
            child.attempt(child.log.info, f"astray {i}")
        child.flush()
        child.note("database", (child.folder / "database").stat().st_size)

    def judge(self, seen):
        if seen.note("number") == 1 and seen.note("database"):
            raise Broken("wrong", f"{seen.note('database')} bytes in a file that isn't the log")


class StreamRaises(_Anew):
    """A stream that raises now and then costs no other line than those."""

    sink = None
    events = tuple(f"entry {i}" for i in range(9) if i % 3 != 2)

    def act(self, child):
        file = child.path.open("w", encoding="utf-8")

        class Flaky:
            encoding = "utf-8"

            def write(self, text):
                if any(f"entry {i}" in text for i in (2, 5, 8)):
                    raise RuntimeError("not now")
                return file.write(text)

            def flush(self):
                file.flush()

        child.setup(Flaky())
        for i in range(9):
            child.attempt(child.log.info, f"entry {i}")
        child.note_dropped()

    def judge(self, seen):
        seen.counted(seen.count("entry"), 9)


class StreamExits(_Anew):
    """A stream that raises SystemExit once doesn't end the writing for good."""

    sink = None
    events = ("before", "after")

    def act(self, child):
        file = child.path.open("w", encoding="utf-8")

        class Stream:
            encoding, armed = "utf-8", False

            def write(self, text):
                if self.armed:
                    self.armed = False
                    raise SystemExit("from the stream")
                return file.write(text)

            def flush(self):
                file.flush()

        stream = Stream()
        child.setup(stream).info("before")
        child.flush()
        stream.armed = True
        try:
            child.log.info("hit")
            child.flush()
        except SystemExit:
            pass
        child.log.info("after")


class NoStderr(_Alone):
    """Without any stderr, a hostile value and a full disk still raise nothing."""

    events = ("bad", "after")

    def act(self, child):
        class Evil:
            def __repr__(self):
                raise ValueError("no repr for you")

            __str__ = __repr__

        real = sys.stderr
        for stderr in (None, open(os.devnull, "w")):
            sys.stderr = stderr
            if stderr:
                stderr.close()
            child.attempt(child.log.info, "bad", value=Evil())
        os.close(2)
        child.attempt(child.log.info, "bad", value=Evil())
        child.attempt(child.log.info, "after")
        child.setup("/dev/full")
        child.attempt(child.log.info, "lost")
        sys.stderr = real


class NoStdout(_Alone):
    """A process without stdout (a daemon, descriptor 1 closed) sets up and logs all the same."""

    sink = None

    def act(self, child):
        sys.stdout = None
        child.attempt(child.setup, None)
        if child.log is not None:
            child.attempt(child.log.info, "into nothing")


class AsciiStdout(_Alone):
    """A stdout that knows but ASCII (LANG=C) loses no line for its emoji."""

    sink = "stdout"
    events = ("before", "gr\u00fc\u00dfe \U0001f600", "after")

    def act(self, child):
        for event in self.events:
            child.attempt(child.log.info, event, user="\u017c\u00f3\u0142w")

    def around(self, lab):
        lab.start(PYTHONIOENCODING="ascii:strict", LC_ALL="C", PYTHONUTF8="0")
        lab.finish()


class FlagsUntouched(_Alone):
    """O_NONBLOCK of stdout stays as it is: print(), children and the parent share it."""

    sink = "stdout"

    def act(self, child):
        child.log.info("hello")
        child.flush()
        child.note("blocking", os.get_blocking(1))

    def around(self, lab):
        read, write = os.pipe()
        lab.start(stdout=write)
        os.close(write)
        lab.output = Reader(read).all()
        lab.finish()

    def judge(self, seen):
        if not seen.note("blocking"):
            raise Broken("wrong", "it is non-blocking now, for everybody")


class NonBlockingStdout(_Alone):
    """A stdout that somebody else has made non-blocking, and nobody reads, tears and loses nothing."""

    sink = "stdout"
    promise = 4
    events = ("after",)

    def act(self, child):
        os.set_blocking(1, False)
        for i in range(500):
            child.attempt(child.log.info, f"entry {i}", pad=PAD)
        child.note("logged")
        child.wait()
        child.flush()
        child.attempt(child.log.info, "after")
        child.note_dropped()

    def around(self, lab):
        read, write = os.pipe()
        lab.start(stdout=write, PYTHONUNBUFFERED="1")
        os.close(write)
        lab.wait_for("logged")
        reader = Reader(read)
        reader.wait_for_some()
        lab.go_on()
        lab.finish()
        lab.output = reader.all()

    def judge(self, seen):
        seen.counted(seen.count("entry"), 500)


class SocketStdout(_Alone):
    """A socket as stdout, as systemd gives it to a service, is written to, and never waited for."""

    sink = "stdout"
    events = ("hello",)

    def act(self, child):
        child.log.info("hello")
        for i in range(500):
            child.attempt(child.log.info, f"entry {i}", pad=PAD)
        child.note("logged")
        child.wait()
        child.note_dropped()

    def around(self, lab):
        here, there = socket.socketpair()
        lab.start(stdout=there)
        there.close()
        logged = lab.wait_for("logged", within_s=5)
        reader = Reader(here.detach())
        lab.go_on()
        lab.finish()
        lab.output = reader.all()
        if not logged:
            raise Broken("blocks", "the caller stood still as long as nobody read")

    def judge(self, seen):
        seen.counted(seen.count("entry"), 500)


class NoDescriptorsLeft(_Anew):
    """With every descriptor of the process in use, lines are written all the same."""

    events = tuple(f"entry {i}" for i in range(20))

    def act(self, child):
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
        taken = []
        try:
            while True:
                taken.append(os.dup(0))
        except OSError:
            pass
        for event in self.events:
            child.attempt(child.log.info, event)
        child.flush()
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


class NoThreads(_Alone):
    """Where no thread can be started, a stalled reader loses nothing once it reads again."""

    sink = "stdout"
    events = tuple(f"entry {i}" for i in range(200))

    def act(self, child):
        def refuse(*_):
            raise RuntimeError("can't start new thread")

        threading.Thread.start = refuse
        fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096)
        child.note("ready")
        for event in self.events:
            child.attempt(child.log.info, event, pad=PAD)

    def around(self, lab):
        read, write = os.pipe()
        lab.start(stdout=write)
        os.close(write)
        lab.wait_for("ready")
        lab.output = Reader(read).all()
        lab.finish()
