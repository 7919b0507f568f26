"""How soon `tracelog tail` shows its first lines, against Python's own start.

    python benchmarks/tail.py [--rounds 15] [--lines 100000]

Each contender is a process of its own, and is timed until its first byte is out; they run in turn,
so that a busy machine is busy for all of them. `tracelog tail` should need less than 150 ms more
than a Python that prints a line. Beside that: how many lines a second it counts, through a pipe,
and how many Python's json reads.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import table


LINE = (
    '{"timestamp":"2026-11-22T10:10:10.123456Z","level":"info","logger":"app.chat",'
    '"event":"message handled","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736",'
    '"span_id":"00f067aa0ba902b7","connection_id":"c-7f3a90d2","user_id":"user-456","room":"lobby"}\n'
)
READ = """
import json, sys
for line in sys.stdin.buffer: json.loads(line)
"""


def first_byte(command):
    """Time a process until it shows something; then end it."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.read(process.stdout.fileno(), 1)
    seconds = time.perf_counter() - started
    process.terminate()
    process.wait()
    process.stdout.close()
    return seconds


def whole(command, path):
    """Time a process that reads a file through a pipe, and shows nothing."""
    started = time.perf_counter()
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
        subprocess.run(command, stdin=cat.stdout, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def measured(contenders, measure, rounds):
    """Tell each contender's median; the first round only warms up."""
    figures = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, command in contenders.items():
            seconds = measure(command)
            if number:
                figures[name].append(seconds)
    return {name: statistics.median(values) for name, values in figures.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--lines", type=int, default=100_000)
    args = parser.parse_args()
    tail = [sys.executable, "-m", "tracelog", "tail"]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "app.log"))
        Path(path).write_text(LINE * args.lines)
        starts = {
            "python": [sys.executable, "-c", "print('x', flush=True)"],
            "tracelog tail": [*tail, path],
        }
        firsts = measured(starts, first_byte, args.rounds)
        reads = {
            "json.loads": [sys.executable, "-c", READ],
            "tracelog tail": [*tail, "-", "--late-only"],
        }
        wholes = measured(reads, lambda command: whole(command, path), max(1, args.rounds // 5))
    bare = firsts["python"]
    rows = [
        (name, f"{seconds / bare:.2f}", f"{(seconds - bare) * 1000:.0f}")
        for name, seconds in firsts.items()
    ]
    table("The first line, against bare Python", ("what", "ratio", "more (ms)"), rows)
    bare = wholes["json.loads"]
    rows = [
        (name, f"{seconds / bare:.2f}", f"{args.lines / seconds:,.0f}")
        for name, seconds in wholes.items()
    ]
    table("Lines through a pipe", ("what", "ratio", "lines a second"), rows)


if __name__ == "__main__":
    main()
