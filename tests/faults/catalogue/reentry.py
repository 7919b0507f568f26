"""Logging inside of logging: values, streams, finalizers and signal handlers that log."""

from __future__ import annotations

import gc
import logging
import signal
import sys
import time

from laboratory import Broken, Fault


class ReprLogs(Fault):
    """A value whose `repr` logs: both lines come out."""

    events = ("outer", "from the repr")

    def act(self, child):
        class Chatty:
            def __repr__(self):
                child.log.info("from the repr")
                return "chatty"

            __str__ = __repr__

        child.log.info("outer", value=Chatty())


class ReprLogsItself(Fault):
    """A value whose `repr` logs that very value comes to an end."""

    events = ("outer",)

    def act(self, child):
        class Chatty:
            def __repr__(self):
                child.log.info("inner", value=self)
                return "chatty"

            __str__ = __repr__

        child.attempt(child.log.info, "outer", value=Chatty())

    def judge(self, seen):
        if len(seen.output) > 200_000:
            raise Broken("floods", f"{len(seen.output):,} bytes")


class _Stream:
    """A stream without a descriptor, over the log's file."""

    encoding = "utf-8"

    def __init__(self, child, before_writing):
        self._file, self._before = child.path.open("w", encoding="utf-8"), before_writing

    def write(self, text):
        self._before()
        return self._file.write(text)

    def flush(self):
        self._file.flush()


class FinalizerLogs(Fault):
    """A finalizer that logs while a line is being written: no hang, and both lines come out."""

    anew = True
    sink = None
    events = tuple(f"{kind} {i}" for i in range(20) for kind in ("entry", "finalizer"))

    def act(self, child):
        gc.disable()

        class Cycle:
            def __init__(self, number):
                self.itself, self.number = self, number

            def __del__(self):
                child.log.info(f"finalizer {self.number}")

        child.setup(_Stream(child, gc.collect))  # what the allocator may do at any moment
        for i in range(20):
            Cycle(i)
            child.log.info(f"entry {i}")
        gc.enable()


class StreamLogs(Fault):
    """A stream that logs while it writes neither hangs nor goes on for ever."""

    anew = True
    sink = None
    events = ("outer", "outer again")

    def act(self, child):
        child.setup(_Stream(child, lambda: child.log.info("inner")))
        child.attempt(child.log.info, "outer")
        child.attempt(child.log.info, "outer again")

    def judge(self, seen):
        if len(seen.output) > 100_000:
            raise Broken("floods", f"{len(seen.output):,} bytes for two records")


class HandlerLogs(Fault):
    """Somebody else's handler that logs, and one that raises, cost neither the call nor the line."""

    alone = True
    needs = ("add_handler",)
    events = ("outer", "outer again")

    def act(self, child):
        class Chatty(logging.Handler):
            def emit(self, record):
                child.log.info("from the handler")
                raise RuntimeError("from the handler")

        child.stack.add_handler(Chatty())
        child.attempt(child.log.info, "outer")
        child.attempt(child.log.info, "outer again")

    def judge(self, seen):
        if len(seen.output) > 100_000:
            raise Broken("floods", f"{len(seen.output):,} bytes for two records")


class SignalLogs(Fault):
    """A signal handler that logs, into busy logging: no hang, no error, nothing lost."""

    anew = True

    def act(self, child):
        fired, end = 0, time.monotonic() + 0.3

        def handle(*_):
            nonlocal fired
            if time.monotonic() < end:
                child.log.info(f"signal {fired}")
                fired += 1
                signal.setitimer(signal.ITIMER_REAL, 0.001)

        before = signal.signal(signal.SIGALRM, handle)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        i = 0
        while time.monotonic() < end:
            child.log.info(f"main {i}", pad="x" * (10 if i % 20 else 5000))
            i += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        child.note("main", i)
        child.note("fired", fired)

    def judge(self, seen):
        for start, wanted in (("main", seen.note("main")), ("signal", seen.note("fired"))):
            seen.lost(wanted - seen.count(start), f"{seen.count(start)} of {wanted} of {start}")


class Interrupted(Fault):
    """A call that is interrupted in its midst, by Ctrl-C say, leaves logging as able as before."""

    anew = True
    events = ("afterwards",)

    def act(self, child):
        class Interrupt(BaseException):
            """As KeyboardInterrupt is one."""

        def interrupt(*_):
            raise Interrupt

        before, end, i = signal.signal(signal.SIGALRM, interrupt), time.monotonic() + 0.3, 0
        while time.monotonic() < end:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0007)
                while True:
                    child.log.info(f"entry {i}", pad="x" * (10 if i % 20 else 5000))
                    i += 1
            except Interrupt:
                i += 1
        signal.signal(signal.SIGALRM, before)
        child.log.info("afterwards")

    def judge(self, seen):
        if len(seen.events) != len(set(seen.events)):
            raise Broken("twice")


class StderrLogs(Fault):
    """stderr led into the logger, and a full disk: nothing goes on for ever."""

    anew = True
    sink = "/dev/full"

    def act(self, child):
        class ToLog:
            encoding = "utf-8"

            def write(self, text):
                if text.strip():
                    child.log.error(text.strip())
                return len(text)

            def flush(self):
                pass

        sys.stderr = ToLog()
        try:
            child.attempt(child.log.info, "hello")
        finally:
            sys.stderr = sys.__stderr__
