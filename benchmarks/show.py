"""How long `tracelog show TRACE` takes, against grep for that id in the same file.

    python benchmarks/show.py [--megabytes 1000] [--rounds 7]

The trace is in the middle of the file, was late, and was held up by another one, whose lines are
looked for, too. Each contender is a process of its own; they run in turn, so that a busy machine is
busy for all of them. `tracelog show` should need at most twice as long as grep, beside what a
Python that shows anything at all needs to start: on small files, that is most of it.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tail import measured
from side_by_side import table


LINES = 8  # of a trace


def line(number, event, trace_id, **fields):
    second = number / 1000
    clock = f"{int(second) // 3600 % 24:02}:{int(second) // 60 % 60:02}:{second % 60:09.6f}"
    leading = {"timestamp": f"2026-11-22T{clock}Z", "level": "info", "logger": "app.chat"}
    about = {"connection_id": "c-7f3a90d2", "user_id": f"user-{number % 997}", "room": "lobby"}
    return json.dumps({**leading, "event": event, "trace_id": trace_id, **about, **fields})


def flow(number, trace_id, holder):
    """Write the lines of one trace."""
    for step in range(LINES - 1):
        yield line(number + step, f"step {step} of the message is done", trace_id, size=212)
    held = [{"ms": 40.0, "trace_id": holder, "user_id": "nils", "where": "app.py:41 handle"}]
    boxes = {"socket_ms": 45.0, "queue_ms": 1.0, "code_ms": 4.0, "total_ms": 50.0, "late": True}
    yield line(number + LINES, "utterance", trace_id, **boxes, blocked_by=held)


def write(path, size):
    """Fill *path*, and tell the trace in the middle of it."""
    ids = random.Random(1)  # noqa: S311 -- the same in each run
    holder, number, wanted = "0" * 32, 0, None
    with path.open("w") as file:
        while file.tell() < size:
            trace_id = f"{ids.getrandbits(128):032x}"
            file.write("\n".join(flow(number, trace_id, holder)) + "\n")
            if wanted is None and file.tell() > size / 2:
                wanted = trace_id
            holder, number = trace_id, number + LINES
    return wanted


def run(command):
    """Time a process; its output goes into a pipe, as grep stops at once in front of /dev/null."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    show = [sys.executable, "-m", "tracelog", "show"]
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "app.log"), Path(folder, "small.log")
        wanted = write(large, args.megabytes * 1_000_000)
        grepped = subprocess.run(["grep", wanted, large], check=True, capture_output=True)
        small.write_bytes(grepped.stdout)
        contenders = {
            "grep": ["grep", wanted, large],
            "grep -F, in the C locale": ["env", "LC_ALL=C", "grep", "-F", wanted, large],
            "tracelog show, of that trace's lines alone": [*show, wanted, small],
            "tracelog show": [*show, wanted, large],
        }
        figures = measured(contenders, run, args.rounds)
    grep, _, start, _ = figures.values()
    rows = [
        (name, f"{seconds:.3f}", f"{seconds / grep:.2f}", f"{(seconds - start) / grep:.2f}")
        for name, seconds in figures.items()
    ]
    rows[:3] = [(*row[:3], "") for row in rows[:3]]
    title = f"One trace in {args.megabytes:,} MB, against grep"
    table(title, ("what", "s", "ratio", "ratio without the start"), rows)


if __name__ == "__main__":
    main()
