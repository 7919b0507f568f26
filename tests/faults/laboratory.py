"""What an experiment is made of: a fault, the laboratory around it, and what was seen.

A fault's `act` runs in a fresh interpreter, with a logging stack set up (child.py); `around` runs
here meanwhile, and holds the other ends of its pipes; `judge` looks at what is left. Faults that
can't disturb each other share an interpreter, so that a hundred of them cost seconds.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path


HERE = Path(__file__).parent
# Parts of the catalogue, each a module with faults as classes.
PARTS = (
    *("values", "keys", "injection", "masking", "exceptions", "sinks", "files"),
    *("rotation", "writers", "overload", "reentry", "processes", "shutdown"),
    *("configuration", "headers"),
)
FAULTS = {}


class Broken(AssertionError):
    """A promise is broken.

    Attributes:
        how: In one word, for the table: hangs, dies, raises, lost, told (lost, but it says so),
            torn, forged, leaks, blocks, grows, floods, twice, wrong, opaque.
    """

    def __init__(self, how, why=""):
        super().__init__(f"{how}: {why}")
        self.how = how


class Fault:
    """One fault; the first line of its docstring is what is promised in spite of it.

    Attributes:
        promise: The number of the contract's promise, in docs/reliability.md.
        alone: Needs an interpreter of its own.
        anew: Needs a set-up of its own, and a folder.
        sink: What the stack is set up on: "file", "stdout", a path, or None: `act` does it itself.
        console: Lines for people, in place of JSON.
        needs: What a stack must offer for it; one that doesn't isn't judged.
        events: Have to be among the lines.
        ends: The exit code.
        within_s: How long it may take at most.
    """

    promise = 1
    alone = False
    anew = False
    sink = "file"
    console = False
    needs = ()
    events = ()
    ends = 0
    within_s = 20.0

    def __init_subclass__(cls):
        if not cls.__name__.startswith("_"):
            cls.id = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", cls.__name__).lower()
            cls.part = cls.__module__.rpartition(".")[2]
            FAULTS[cls.id] = cls()

    def act(self, child):
        """Do it, in the child."""

    def around(self, lab):
        """Run the child, with whatever has to happen outside of it."""
        lab.start()
        lab.finish()

    def written(self, folder):
        """Read what was logged to files in *folder*."""
        path = folder / ("stdout" if self.sink == "stdout" else "app.log")
        return path.read_bytes() if path.exists() else b""

    def judge(self, seen):
        """Raise `Broken` if the promise was broken in a way of this fault's own."""


def experiments(faults):
    """Divide *faults* into those that share an interpreter, and those that don't."""
    shared = {}
    for fault in faults:
        key = fault.id if fault.alone else (fault.console, fault.anew)
        shared.setdefault(key, []).append(fault)
    return [*shared.values()]


def load_catalogue(parts=PARTS):
    for part in parts:
        importlib.import_module(f"catalogue.{part}")
    return FAULTS


# What was seen


def _refuse(name):
    raise ValueError(f"{name} is no JSON")


def _unique(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key comes twice")
    return dict(pairs)


def read_strictly(line):
    """Read a line as RFC 8259 wants it."""
    text = line.decode("utf-8", "strict")
    text.encode("utf-8", "strict")
    line = json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)
    json.dumps(line, ensure_ascii=False).encode("utf-8", "strict")  # no lone surrogate, escaped
    return line


@dataclass
class Line:
    """A line, read as its stack means it."""

    event: object
    level: str
    fields: dict
    raw: bytes


@dataclass
class Seen:
    """What a fault left behind: its lines, what it has noted, how its process ended."""

    output: bytes
    notes: dict
    errors: str = ""
    code: int | None = 0
    ended: bool = True
    at: str = ""
    lines: list = field(default_factory=list)
    spoilt: list = field(default_factory=list)

    def read(self, stack):
        for raw in self.output.split(b"\n"):
            if raw:
                try:
                    self.lines.append(Line(*stack.read(read_strictly(raw)), raw))
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                    self.spoilt.append((raw, f"{type(error).__name__}: {error}"))
        return self

    @property
    def events(self):
        return [line.event for line in self.lines]

    @property
    def text(self):
        return self.output.decode("utf-8", "replace")

    def note(self, key, default=None):
        return self.notes.get(key, [default])[-1]

    def count(self, start):
        """Count the lines whose event begins so."""
        return sum(str(event).startswith(start) for event in self.events)

    def lost(self, number, why, *, may_tell=True):
        """Break the promise, if *number* isn't 0: in silence, or not."""
        told = may_tell and (self.errors.strip() or self.note("dropped"))
        if number:
            raise Broken("told" if told else "lost", why)

    def said(self, lost, *known):
        """Hold the log to telling how many were lost, on a line that doesn't begin as *known* do."""
        others = [line.raw for line in self.lines if not str(line.event).startswith(known)]
        if lost and not any(str(lost).encode() in line for line in others):
            raise Broken("lost", f"{lost} lines, and the log says {others[:3]}")

    def counted(self, number, total):
        """Hold what isn't there against what the stack has counted."""
        if number + self.note("dropped", 0) != total:
            counted = self.note("dropped", "none")
            self.lost(1, f"{number} of {total} are there, {counted} counted", may_tell=False)


def judge(fault, seen):
    """Judge by what holds for every fault, then by what holds for this one."""
    if not seen.ended:
        raise Broken("hangs", seen.at or "it never came to its end")
    if "raised" in seen.notes:
        raise Broken("raises", "; ".join(seen.notes["raised"])[:400])
    if seen.code != fault.ends or "done" not in seen.notes:
        raise Broken("dies", f"exit code {seen.code}: {seen.errors[-400:]}")
    if not fault.console and seen.spoilt:
        line, why = seen.spoilt[0]
        raise Broken("torn", f"{len(seen.spoilt)}, the first: {why}: {line[:80]}")
    there = set(map(str, seen.events))
    missing = [] if fault.console else [event for event in fault.events if event not in there]
    seen.lost(len(missing), f"{len(missing)} of {len(fault.events)}, the first {missing[:1]}")
    fault.judge(seen)


# The laboratory


class Laboratory:
    """Runs faults, which share an interpreter, against a stack."""

    def __init__(self, faults, stack, folder):
        self.faults, self.stack, self.folder = faults, stack, folder
        self.output = None
        self._fault = faults[0]
        self._processes = []
        self._ended = True
        folder.mkdir(exist_ok=True)

    def run(self):
        """Run them, and give what was seen of each."""
        try:
            self._fault.around(self)
        finally:
            self._kill()
        return dict(self._seen())

    def start(self, *, stdout=None, **environment):
        """Start the interpreter, and give its process; its stdin is how it's told to go on."""
        # PYTHONUNBUFFERED and its like change what a stream does.
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        path = os.pathsep.join(path for path in sys.path if path)
        with (self.folder / "stdout").open("ab") as out, (self.folder / "stderr").open("ab") as err:
            process = subprocess.Popen(
                [
                    *(sys.executable, str(HERE / "child.py"), self.stack, str(self.folder)),
                    *(f"{fault.part}.{fault.id}" for fault in self.faults),
                ],
                cwd=self.folder,
                env={**clean, "PYTHONPATH": path, **environment},
                stdin=subprocess.PIPE,
                stdout=out if stdout is None else stdout,
                stderr=err,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def finish(self):
        """Wait for the end of every process, as long as the fault may take."""
        deadline = time.monotonic() + self._fault.within_s
        for process in self._processes:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                self._ended = False
                process.send_signal(signal.SIGUSR2)  # where does it hang?
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)

    def wait_for(self, key, times=1, *, within_s=10.0):
        """Wait for the children to note *key*; False if they haven't, in time."""
        deadline = time.monotonic() + within_s
        while len(self.notes().get(key, ())) < times:
            if time.monotonic() > deadline or all(p.poll() is not None for p in self._processes):
                return False
            time.sleep(0.003)
        return True

    def go_on(self):
        """Let every child that waits for it go on."""
        for process in self._processes:
            with suppress(BrokenPipeError):
                process.stdin.write(b"\n")
                process.stdin.flush()

    def notes(self, of=None):
        """Read what the children have noted."""
        notes = {}
        for line in self._read("notes").splitlines():
            fault, key, value = json.loads(line)
            if of in (None, fault):
                notes.setdefault(key, []).append(value)
        return notes

    def _kill(self):
        for process in self._processes:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # what it has forked, too
            process.stdin.close()
            process.wait()

    def _seen(self):
        stack = importlib.import_module(f"stacks.{self.stack}")
        errors = self._read("stderr")
        hanging = self._read("hanging").decode()
        at = " < ".join(re.findall(r"line \d+ in \w+", hanging)[:4])
        for fault in self.faults:
            notes, code, said = self.notes(fault.id), self._processes[-1].returncode, errors
            if len(self.faults) > 1 and "done" in notes:
                code, said = 0, errors[slice(*notes["said"][0])]  # the rest is of the others
            output = self.output
            if output is None:
                folder = self.folder / fault.id if fault.anew else self.folder
                output = fault.written(folder)[slice(*notes.get("wrote", [[]])[0] or [None])]
            ended = self._ended or "done" in notes
            said = said.decode("utf-8", "replace")
            yield fault.id, Seen(output, notes, said, code, ended, at).read(stack)

    def _read(self, name):
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""


class Reader:
    """Reads a descriptor to its end, in a thread; a terminal's line ends are made plain."""

    def __init__(self, descriptor):
        self._descriptor, self._parts = descriptor, []
        self._began = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def wait_for_some(self):
        self._began.wait(10)

    def all(self):
        self._thread.join(10)
        os.close(self._descriptor)
        return b"".join(self._parts).replace(b"\r\n", b"\n")

    def _read(self):
        with suppress(OSError):  # how a terminal says that this is the end
            while data := os.read(self._descriptor, 1 << 20):
                self._parts.append(data)
                self._began.set()
        self._began.set()
