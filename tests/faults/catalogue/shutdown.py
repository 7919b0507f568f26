"""The end of a process, and time that doesn't behave."""

from __future__ import annotations

import asyncio
import atexit
import sys
import threading
import time
import types

from laboratory import Broken, Fault


class _Ending(Fault):
    alone = True

    def judge(self, seen):
        for word in ("Exception ignored", "Logging error", "Traceback"):
            if word in seen.errors:
                raise Broken("floods", f"at the end: {seen.errors[-300:]}")


class DaemonThreads(_Ending):
    """Daemon threads that log while the interpreter ends don't abort it."""

    sink = "stdout"

    def act(self, child):
        def work():
            while True:
                child.log.info("noise", pad="x" * 500)

        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.1)

    def around(self, lab):
        super().around(lab)
        lab.output = (lab.folder / "stdout").read_bytes().rpartition(b"\n")[0]


class LoggedAtExit(_Ending):
    """A line of an `atexit` function that was registered before the set-up is written."""

    promise = 2
    sink = None
    events = ("before", "at exit")

    def act(self, child):
        atexit.register(lambda: child.log.info("at exit"))
        child.setup(str(child.path)).info("before")


class LoggedByTheLast(_Ending):
    """An object that outlives everything and logs in `__del__` makes no error."""

    events = ("before",)

    def act(self, child):
        class Last:
            def __del__(self):
                child.log.info("from the last")

        sys.modules["holder"] = types.ModuleType("holder")
        sys.modules["holder"].last = Last()
        child.log.info("before")


class LoggedByLoopsEnd(_Ending):
    """What tasks and generators log while `asyncio.run` cancels them is written."""

    promise = 2
    events = ("cancelled", "closed", "afterwards")

    def act(self, child):
        async def numbers():
            try:
                yield 1
            finally:
                child.log.info("closed")

        async def wait():
            try:
                await asyncio.sleep(60)
            finally:
                child.log.info("cancelled")

        async def main():
            self.tasks = [asyncio.create_task(wait())]
            self.generator = numbers()
            await anext(self.generator)

        asyncio.run(main())
        child.log.info("afterwards")


class Uncaught(Fault):
    """An exception that nobody catches: every line before it is there."""

    promise = 2
    alone = True
    ends = 1
    events = tuple(f"entry {i}" for i in range(500))

    def act(self, child):
        for event in self.events:
            child.log.info(event)
        child.note("done")
        raise RuntimeError("the application's own")


class StalledAtExit(Fault):
    """A pipe that nobody reads doesn't keep a process from ending: it waits two seconds at most."""

    alone = True
    sink = "stdout"

    def act(self, child):
        for i in range(200):
            child.log.info(f"entry {i}", pad="x" * 900)
        child.note("end", time.monotonic())

    def around(self, lab):
        import os

        read, write = os.pipe()
        process = lab.start(stdout=write)
        os.close(write)
        try:
            process.wait(8)
        except Exception as error:
            raise Broken("hangs", "it waits for a reader") from error
        finally:
            os.close(read)
        lab.output = b""


class ClockJumps(Fault):
    """A clock that jumps back, stands at 1970, before it, or in the year 10,000 loses no line."""

    anew = True
    clocks = (1e9, 0.0, -5.0, 253_402_300_800.0, 1e30, float("nan"))
    events = (*(f"clock {i}" for i in range(len(clocks))), "afterwards")

    def act(self, child):
        real = time.time, time.time_ns
        for number, clock in enumerate(self.clocks):
            time.time = lambda clock=clock: clock
            time.time_ns = lambda clock=clock: int(min(clock, 1e9) * 1e9) if clock == clock else 0
            child.attempt(child.log.info, f"clock {number}")
            child.flush()
            time.time, time.time_ns = real
        child.log.info("afterwards")
