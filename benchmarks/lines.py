"""What a line costs, against peers.

python benchmarks/lines.py [--rounds 5]
"""

import argparse
import json
import os
import tempfile

import contenders
from side_by_side import CALLS, measure, table, timed


# What is compared, with what, and the ratio that is the goal.
PAIRS = (
    ("native JSON line", "tracelog_native", "python_json_logger", 0.25),
    ("native JSON line", "tracelog_native", "structlog_json", 0.16),
    ("native JSON line", "tracelog_native", "structlog_bytes", 0.8),
    ("foreign JSON line", "tracelog_foreign", "python_json_logger", 0.45),
    ("foreign, logger made earlier", "tracelog_foreign_earlier", "python_json_logger", None),
    ("console line", "tracelog_console", "structlog_console", 0.35),
    ("disabled call", "tracelog_disabled", "stdlib_disabled", 1.2),
)


def one(name):
    with tempfile.TemporaryDirectory() as folder:
        call = getattr(contenders, name)(os.path.join(folder, "lines.log"))
        for _ in range(CALLS):
            call()
        print(json.dumps(timed(call)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(args.one)
        return

    names = dict.fromkeys(name for _, ours, theirs, _ in PAIRS for name in (ours, theirs))
    costs = measure(__file__, names, rounds=args.rounds)
    rows = [
        (what, theirs, f"{costs[ours] / costs[theirs]:.3f}", goal or "")
        for what, ours, theirs, goal in PAIRS
    ]
    table("Ratio of time: ours to theirs", ("what", "against", "ratio", "at most"), rows)


if __name__ == "__main__":
    main()
