"""The other half of an experiment: a fresh interpreter in which a stack is set up, and faults act.

python child.py <stack> <folder> <part.fault> ...
"""

from __future__ import annotations

import faulthandler
import fcntl
import importlib
import json
import os
import signal
import sys
from pathlib import Path

from laboratory import load_catalogue


class Child:
    """What a fault has to act with."""

    def __init__(self, stack, folder, descriptor):
        self.stack, self.folder, self.path = stack, folder, folder / "app.log"
        self._root = folder
        self.log = None
        self._descriptor = descriptor

    def setup(self, sink, *, console=False):
        """Set the stack up on a path or a text stream."""
        self.stack.setup(sink, console=console)
        self.log = self.stack.get_logger("app")
        return self.log

    def note(self, key, value=True):
        """Tell the laboratory something, whatever happens next."""
        line = json.dumps([self.fault.id, key, value], default=repr)
        os.write(self._descriptor, line.encode() + b"\n")

    def attempt(self, call, *args, **kwargs):
        """Call what must not raise; if it does, that's noted, and the fault goes on."""
        try:
            call(*args, **kwargs)
        except Exception as error:
            self.note("raised", f"{type(error).__name__}: {error}"[:200])

    def wait(self):
        """Wait until the laboratory lets us go on."""
        os.read(0, 1)

    def flush(self):
        """Have everything written, if the stack can."""
        getattr(self.stack, "flush", bool)()

    def enter(self, name):
        """Go on in a folder of that name."""
        self.folder = self._root / name
        self.folder.mkdir()
        self.path = self.folder / "app.log"

    def begin(self, fault):
        """Let *fault* be the one that acts."""
        self.fault, self._dropped = fault, self.dropped()

    def dropped(self):
        """Tell how many lines the stack says that it has lost."""
        return getattr(self.stack, "dropped", int)()

    def note_dropped(self):
        """Note what of this fault the stack says that it has lost, if it does."""
        self.flush()
        if hasattr(self.stack, "dropped"):
            self.note("dropped", self.dropped() - self._dropped)

    def size(self):
        """Tell how much is in the file."""
        self.flush()
        return self.path.stat().st_size if self.path.exists() else 0


def memory():
    """Tell the peak of this process's memory, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def main():
    name, folder, *wanted = sys.argv[1:]
    parts, ids = zip(*(each.split(".") for each in wanted), strict=True)
    folder, catalogue = Path(folder), load_catalogue(dict.fromkeys(parts))
    faults = [catalogue[each] for each in ids]
    # High up: faults close the low descriptors.
    notes = os.open(folder / "notes", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    hanging = open(folder / "hanging", "w")
    faulthandler.register(signal.SIGUSR2, file=hanging, all_threads=False)
    notes = fcntl.fcntl(notes, fcntl.F_DUPFD_CLOEXEC, 60)
    child = Child(importlib.import_module(f"stacks.{name}"), folder, notes)
    if not faults[0].anew:
        child.begin(faults[0])
        set_up(faults[0], child)
    if faults[0].alone:
        faults[0].act(child)
        child.note("done")
    else:
        for fault in faults:
            one_of_many(fault, child)


def set_up(fault, child):
    sink = {"file": str(child.path), "stdout": sys.stdout}.get(fault.sink, fault.sink)
    if sink is not None:
        child.setup(sink, console=fault.console)


def one_of_many(fault, child):
    child.begin(fault)
    said = os.fstat(2).st_size
    if fault.anew:
        child.enter(fault.id)
        set_up(fault, child)
    wrote = child.size()
    child.attempt(fault.act, child)
    child.note("said", [said, os.fstat(2).st_size])
    if not fault.anew:
        child.note("wrote", [wrote, child.size()])
    child.note("done")


if __name__ == "__main__":
    main()
