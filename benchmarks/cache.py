"""How long a second question takes, in parts of the first: the same one, answered from the cache.

What the first one has read is kept by a process of its own, which is waited for in between. A second
question should take at most 0.3 of one without a cache.

    python benchmarks/cache.py --size 1000
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from late import generate, run
from rich.console import Console
from rich.table import Table


PATIENCE_S = 300
QUESTIONS = (["late"], ["late", "--group-by", "user"], ["blame"], ["stats"])


def main() -> None:
    """Generate, measure in turn, show."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000, metavar="MB")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    options = parser.parse_args()
    table = Table("", "without", "first", "second", "second / without", "MB kept")
    with TemporaryDirectory() as folder:
        log, cache = Path(folder, "app.log"), Path(folder, "cache")
        os.environ["XDG_CACHE_HOME"] = str(cache)
        generate(log, options.size, 0)
        os.utime(log, (1, 1))
        for question in QUESTIONS:
            table.add_row(" ".join(question), *measure(question, log, cache, options.rounds))
    Console().print(table)


def measure(question: list[str], log: Path, cache: Path, rounds: int) -> list[str]:
    """Ask without a cache, with an empty one, and with a full one."""
    command = [sys.executable, "-m", "tracelog", *question, str(log)]
    without, first, second = [], [], []
    for _ in range(rounds):
        shutil.rmtree(cache, ignore_errors=True)
        without.append(run([*command, "--no-cache"]).seconds)
        first.append(run(command).seconds)
        wait_for(cache / "tracelog")
        second.append(run(command).seconds)
    size = sum(path.stat().st_size for path in (cache / "tracelog").iterdir()) / 1e6
    medians = [statistics.median(each) for each in (without, first, second)]
    return [f"{each:.2f}" for each in (*medians, medians[2] / medians[0])] + [f"{size:.0f}"]


def wait_for(folder: Path) -> None:
    """Wait until what was asked is kept."""
    deadline = time.monotonic() + PATIENCE_S
    while not [*folder.glob("*.parquet")] or [*folder.glob("*.partial")]:
        if time.monotonic() > deadline:
            raise TimeoutError("nothing was kept")
        time.sleep(0.05)


if __name__ == "__main__":
    main()
