"""More than a sink takes: stalled readers, bursts, many tasks, greenlets, set-up twice."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import random
import threading
import time

from child import memory
from laboratory import Broken, Fault, Reader


PAD = "x" * 900


class _Stalled(Fault):
    """stdout is something that nobody reads until all is logged."""

    alone = True
    sink = "stdout"
    open = staticmethod(os.pipe)

    def act(self, child):
        self.log(child)
        child.note("logged")
        child.wait()
        child.note_dropped()

    def around(self, lab):
        read, write = self.open()
        lab.start(stdout=write)
        os.close(write)
        logged = lab.wait_for("logged", within_s=10)
        reader = Reader(read)
        reader.wait_for_some()
        lab.go_on()
        lab.finish()
        lab.output = reader.all()
        if not logged:
            raise Broken("blocks", "the caller stood still as long as nobody read")


class StalledPipe(_Stalled):
    """A pipe that nobody reads holds up no event loop, and loses nothing of a thousand lines."""

    def log(self, child):
        asyncio.run(self.beat(child))

    async def beat(self, child):
        longest = 0.0
        for i in range(1000):
            begin = time.monotonic()
            child.log.info(f"entry {i}", pad=PAD)
            longest = max(longest, time.monotonic() - begin)
            await asyncio.sleep(0)
        child.note("longest", longest)

    def judge(self, seen):
        if seen.note("longest") > 1.0:
            raise Broken("blocks", f"a call took {seen.note('longest'):.2f} s")
        seen.counted(seen.count("entry"), 1000)


class StalledTerminal(StalledPipe):
    """A terminal that was stopped (Ctrl-S, a hung ssh) holds up nothing either."""

    open = staticmethod(os.openpty)


class StalledMemory(_Stalled):
    """Thirty megabytes for a sink that stands still cost less than 32 MiB, and are counted exactly."""

    promise = 3
    number = 15_000

    def log(self, child):
        before = memory()
        for i in range(self.number):
            child.log.info(f"entry {i}", pad=PAD, more=PAD)
        child.note("grown", memory() - before)

    def judge(self, seen):
        if seen.note("grown") > 32:
            raise Broken("grows", f"{seen.note('grown'):.0f} MiB")
        seen.counted(seen.count("entry"), self.number)


class ErrorsOutlive(_Stalled):
    """Under overload errors outlive infos."""

    promise = 3
    number = 12_000

    def log(self, child):
        for i in range(self.number):
            child.log.info(f"entry {i}", pad=PAD)
            if i % 1000 == 0:
                child.log.error(f"error {i // 1000}")

    def judge(self, seen):
        errors = seen.count("error")
        seen.lost(12 - errors, f"{errors} of 12 errors are there", may_tell=False)


class OverloadIsSaid(ErrorsOutlive):
    """What was lost under overload is said in the log itself, with its number."""

    promise = 2

    def judge(self, seen):
        lost = self.number - seen.count("entry")
        seen.said(lost, "entry", "error")


class SlowReader(_Stalled):
    """Eight threads into a pipe whose reader takes little at a time: all is there, or counted."""

    promise = 2
    each = 800

    def log(self, child):
        def work(me):
            for i in range(self.each):
                child.log.info(f"entry {me} {i}", pad=PAD)

        threads = [threading.Thread(target=work, args=(me,)) for me in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def around(self, lab):
        read, write = os.pipe()
        lab.start(stdout=write)
        os.close(write)
        parts = []

        def read_slowly():
            while data := os.read(read, 5000):
                parts.append(data)

        reader = threading.Thread(target=read_slowly)
        reader.start()
        lab.wait_for("logged")
        lab.go_on()
        lab.finish()
        reader.join()
        os.close(read)
        lab.output = b"".join(parts)

    def judge(self, seen):
        if len(seen.events) != len(set(seen.events)):
            raise Broken("twice")
        seen.counted(seen.count("entry"), 8 * self.each)


class BurstComplete(Fault):
    """A burst of five thousand lines is complete and in order at the end, without any flush."""

    anew = True
    promise = 2
    events = tuple(f"entry {i}" for i in range(5000))

    def act(self, child):
        for event in self.events:
            child.log.info(event)

    def judge(self, seen):
        if seen.events != [*self.events]:
            raise Broken("wrong", "they are out of order")


class TasksApart(Fault):
    """Of two hundred tasks each has its own bound id, its threads too, and no other's."""

    promise = 7
    needs = ("bind",)
    events = tuple(f"task {task} {i}" for task in range(200) for i in range(3))

    def act(self, child):
        async def task(number):
            child.stack.bind(request=number)
            for i in range(3):
                await asyncio.sleep(random.random() / 500)
                child.log.info(f"task {number} {i}")
            await asyncio.to_thread(child.log.info, f"task {number} thread")

        async def main():
            await asyncio.gather(*map(task, range(200)))
            child.log.info("task outside")

        asyncio.run(main())

    def judge(self, seen):
        for line in seen.lines:
            kind, number, *_ = str(line.event).split()
            if kind != "task":
                continue  # asyncio's own
            if number != "outside" and str(line.fields.get("request")) != number:
                raise Broken("wrong", line.raw)
            if number == "outside" and "request" in line.fields:
                raise Broken("wrong", "an id is left over")


class GreenletsApart(Fault):
    """Greenlets of gevent have their own ids, after its monkey patching; nothing hangs or is lost."""

    alone = True
    sink = None
    promise = 7
    needs = ("bind",)
    events = tuple(f"greenlet {number} {i}" for number in range(50) for i in range(5))

    def act(self, child):
        from gevent import joinall, monkey, sleep, spawn

        monkey.patch_all()
        child.setup(str(child.path))

        def greenlet(number):
            child.stack.bind(request=number)
            for i in range(5):
                sleep(0.001)
                child.log.info(f"greenlet {number} {i}")

        joinall([spawn(greenlet, number) for number in range(50)])

    def judge(self, seen):
        for line in seen.lines:
            if str(line.fields.get("request")) != str(line.event).split()[1]:
                raise Broken("wrong", line.raw)


if importlib.util.find_spec("gevent") is None:
    GreenletsApart.needs = ("gevent",)


class SetUpTwice(Fault):
    """Setting up twice, by an import or a reload, writes no line twice; old loggers follow."""

    promise = 6
    anew = True
    events = ("new", "old")

    def act(self, child):
        old = child.log
        child.setup(str(child.path)).info("new")
        old.info("old")

    def judge(self, seen):
        if len(seen.lines) != 2:
            raise Broken("twice", f"{len(seen.lines)} lines for two records")


class SetUpUnderLoad(Fault):
    """Setting up again while threads log loses no line, and writes none twice."""

    promise = 6
    anew = True
    events = tuple(f"entry {me} {i}" for me in range(3) for i in range(200))

    def act(self, child):
        def work(me):
            for i in range(200):
                child.attempt(log.info, f"entry {me} {i}")
                begun.release()

        log, begun = child.log, threading.Semaphore(0)
        threads = [threading.Thread(target=work, args=(me,)) for me in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            begun.acquire()
            child.setup(str(child.path))
        for thread in threads:
            thread.join()

    def judge(self, seen):
        if len(seen.events) != len(self.events):
            raise Broken("twice", f"{len(seen.events)} lines for {len(self.events)}")


class EarlyLogger(Fault):
    """A logger that was made and used before the set-up follows it."""

    promise = 6
    alone = True
    sink = None
    events = ("from the early one",)

    def act(self, child):
        early = child.stack.get_logger("early")
        child.attempt(early.info, "too early")
        child.setup(str(child.path))
        early.info("from the early one")
