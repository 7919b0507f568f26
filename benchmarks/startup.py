"""What it costs to start: `import tracelog`, and `configure_logging()`.

python benchmarks/startup.py [--rounds 15]
"""

import argparse
import statistics
import subprocess
import sys
import time

from side_by_side import table


STARTS = {
    "python": "pass",
    "import logging": "import logging",
    "import tracelog": "import tracelog",
    "configure_logging()": "import tracelog; tracelog.configure_logging(format='json')",
    "get_logger()": "import tracelog; tracelog.get_logger('x')",
    "import structlog": "import structlog",
    "import fastapi": "import fastapi",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    costs = {name: [] for name in STARTS}
    for _ in range(args.rounds):
        for name, code in STARTS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            costs[name].append(time.perf_counter() - started)
    bare = statistics.median(costs["python"])
    rows = [
        (
            name,
            f"{statistics.median(values) / bare:.2f}",
            f"{(statistics.median(values) - bare) * 1000:.0f}",
        )
        for name, values in costs.items()
    ]
    table("Starting, against bare Python", ("what", "ratio", "more (ms)"), rows)


if __name__ == "__main__":
    main()
