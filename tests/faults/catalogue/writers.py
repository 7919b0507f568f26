"""Several processes that write to one file, or one pipe."""

from __future__ import annotations

import os

from laboratory import Fault, Reader


WRITERS = "abc"
LINES = 60


class _Writers(Fault):
    promise = 4
    alone = True
    events = tuple(f"{writer} {i}" for writer in WRITERS for i in range(LINES))
    sizes = (2000,)

    def act(self, child):
        me = os.environ["WRITER"]
        child.note("ready")
        child.wait()
        for i in range(LINES):
            child.log.info(f"{me} {i}", pad=me * self.sizes[i % len(self.sizes)])

    def around(self, lab):
        for writer in WRITERS:
            lab.start(WRITER=writer)
        self.let_go(lab)
        lab.finish()

    def let_go(self, lab):
        lab.wait_for("ready", len(WRITERS))
        lab.go_on()


class ProcessesOneFile(_Writers):
    """Processes that append lines of 2 and of 20 kB to one file tear none."""

    sizes = (2000, 20_000)


class ProcessesOnePipe(_Writers):
    """Processes that write 2 kB lines to the pipe they have inherited tear none."""

    sink = "stdout"

    def around(self, lab):
        read, write = os.pipe()
        for writer in WRITERS:
            lab.start(stdout=write, WRITER=writer)
        os.close(write)
        reader = Reader(read)
        self.let_go(lab)
        lab.finish()
        lab.output = reader.all()


class ProcessesOnePipeLong(ProcessesOnePipe):
    """Processes that write 20 kB lines, over PIPE_BUF, to one pipe tear none."""

    sizes = (20_000,)
