"""Forks, signals from outside, ends without a farewell."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import threading
import time

from laboratory import Broken, Fault, Reader


class _Alone(Fault):
    alone = True


class ForkUnderLoad(_Alone):
    """A fork while other threads log: no child hangs, each one's line is there, once."""

    events = tuple(f"child {i}" for i in range(10))

    def act(self, child):
        stop = threading.Event()

        def work(me):
            i = 0
            while not stop.is_set():
                child.log.info(f"noise {me} {i}", pad="x" * (i % 2 * 5000))
                i += 1

        threads = [threading.Thread(target=work, args=(me,)) for me in range(3)]
        for thread in threads:
            thread.start()
        fork, hung = multiprocessing.get_context("fork"), 0
        for event in self.events:
            process = fork.Process(target=self.log_and_flush, args=(child, event))
            process.start()
            process.join(10)
            if process.is_alive():
                hung += 1
                process.kill()
            if hung > 1:
                break
        stop.set()
        for thread in threads:
            thread.join()
        child.note("hung", hung)

    def log_and_flush(self, child, event):
        child.log.info(event)
        child.flush()

    def judge(self, seen):
        if seen.note("hung"):
            raise Broken("hangs", f"{seen.note('hung')} children of a fork")
        if len(seen.events) != len(set(seen.events)):
            raise Broken("twice", f"{len(seen.events) - len(set(seen.events))} lines")


class ForkWithBacklog(_Alone):
    """Lines that wait at a fork are their parent's: they are written, and once."""

    sink = "stdout"
    events = (*(f"parent {i}" for i in range(300)), "child")

    def act(self, child):
        for i in range(300):
            child.log.info(f"parent {i}", pad="x" * 900)
        child.note("logged")
        child.wait()
        if os.fork() == 0:
            child.log.info("child")
            sys.exit()
        os.wait()

    def around(self, lab):
        read, write = os.pipe()
        lab.start(stdout=write)
        os.close(write)
        lab.wait_for("logged", within_s=5)
        lab.go_on()
        reader = Reader(read)
        lab.finish()
        lab.output = reader.all()

    def judge(self, seen):
        if len(seen.events) != len(set(seen.events)):
            raise Broken("twice", f"{len(seen.events) - len(set(seen.events))} lines")


class ForkExits(_Alone):
    """The child of `os.fork` ends as usual: its line is written, and nothing twice."""

    events = (*(f"parent {i}" for i in range(200)), "child", "afterwards")

    def act(self, child):
        for i in range(200):
            child.log.info(f"parent {i}")
        if os.fork() == 0:
            child.log.info("child")
            sys.exit()
        os.wait()
        child.log.info("afterwards")

    judge = ForkWithBacklog.judge


class HardExit(_Alone):
    """`os._exit` right after a line: it is there."""

    promise = 2
    events = tuple(f"entry {i}" for i in range(200))

    def act(self, child):
        for event in self.events:
            child.log.info(event)
        child.note("done")
        os._exit(0)


class TerminatedNicely(_Alone):
    """SIGTERM that a server turns into an exit: every line is there."""

    promise = 2
    events = tuple(f"entry {i}" for i in range(500))

    def act(self, child):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        for event in self.events:
            child.log.info(event)
        child.note("done")
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()


class Terminated(_Alone):
    """SIGTERM that nobody handles: every line before it is there."""

    promise = 2
    ends = -signal.SIGTERM
    events = tuple(f"entry {i}" for i in range(500))

    def act(self, child):
        for event in self.events:
            child.log.info(event)
        child.note("done")
        os.kill(os.getpid(), signal.SIGTERM)
        signal.pause()


class Killed(_Alone):
    """SIGKILL while lines are written: at most the last one is torn, and none before it is gone."""

    promise = 4
    ends = -signal.SIGKILL

    def act(self, child):
        child.note("done")
        child.note("logging")
        counter, i = os.open(child.folder / "counter", os.O_RDWR | os.O_CREAT), 0
        while True:
            child.log.info(f"entry {i}", pad="x" * 3000)
            i += 1
            os.pwrite(counter, str(i).encode(), 0)

    def around(self, lab):
        process = lab.start()
        lab.wait_for("logging")
        time.sleep(0.1)
        process.kill()
        lab.finish()
        whole, _, last = (lab.folder / "app.log").read_bytes().rpartition(b"\n")
        lab.output = whole
        accepted = int((lab.folder / "counter").read_text() or 0)
        with (lab.folder / "notes").open("a") as notes:
            notes.write(f'["{self.id}", "accepted", {accepted}]\n')

    def judge(self, seen):
        gone = seen.note("accepted") - len(seen.lines)
        seen.lost(max(0, gone), f"{gone} of {seen.note('accepted')}", may_tell=False)


class PickledLogger(Fault):
    """A logger that is pickled, for a spawned process, logs there."""

    promise = 7
    anew = True
    events = ("from the copy",)

    def act(self, child):
        pickle.loads(pickle.dumps(child.log)).info("from the copy")


class Spawned(_Alone):
    """Processes of every start method that set up and log lose nothing, and end."""

    events = ("fork", "spawn", "forkserver", "parent")
    promise = 2

    def act(self, child):
        for method in self.events[:3]:
            context = multiprocessing.get_context(method)
            arguments = (child.stack.__name__, str(child.path), method)
            process = context.Process(target=log_from, args=arguments)
            process.start()
            process.join()
        child.log.info("parent")


def log_from(stack, path, event):
    from importlib import import_module

    stack = import_module(stack)
    stack.setup(path)
    stack.get_logger("app").info(event)
