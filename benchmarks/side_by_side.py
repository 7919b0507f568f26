"""Timing contenders in turn, each in a process of its own, and printing their ratios."""

import gc
import json
import statistics
import subprocess
import sys
import time


CALLS, BATCHES = 4_000, 15


def timed(call):
    """Time batches of calls, without the garbage collector; tell the median, in seconds."""
    gc.collect()
    gc.disable()
    batches = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        for _ in range(CALLS):
            call()
        batches.append(time.perf_counter() - started)
    return statistics.median(batches)


def measure(script, names, *, rounds):
    """Run `script --one NAME` for each name in turn, *rounds* times; tell the medians by name."""
    figures = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            done = subprocess.run(
                [sys.executable, script, "--one", name], capture_output=True, text=True, check=True
            )
            figures[name].append(json.loads(done.stdout))
    return {name: statistics.median(values) for name, values in figures.items()}


def table(title, columns, rows):
    """Print a table, in a pipe as well."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(*columns, title=title, title_justify="left")
    for row in rows:
        shown.add_row(*map(str, row))
    Console(width=None if sys.stdout.isatty() else 110).print(shown)
