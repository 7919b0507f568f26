"""Whether a line costs the same whatever a process has been through.

python benchmarks/flat.py [--rounds 5]
"""

import argparse
import asyncio
import json
import logging
import os
import tempfile

from contenders import tracelog_native
from side_by_side import measure, table, timed


def nothing(call):
    return timed(call)


def keys_bound_and_cleared(call):
    import tracelog

    before = dict(tracelog.get_context())
    for number in range(100):
        tracelog.bind_context(**{f"key_{number}": number})
    tracelog.clear_context()
    tracelog.bind_context(**before)
    return timed(call)


def loggers(call):
    import tracelog

    kept = [tracelog.get_logger(f"bench.many.{number}") for number in range(5_000)]
    kept += [logging.getLogger(f"bench.more.{number}") for number in range(5_000)]
    return timed(call)


def live_tasks(call):
    async def main():
        end = asyncio.Event()
        tasks = [asyncio.create_task(end.wait()) for _ in range(10_000)]
        await asyncio.sleep(0)
        cost = timed(call)
        end.set()
        await asyncio.gather(*tasks)
        return cost

    return asyncio.run(main())


SITUATIONS = {
    "nothing": nothing,
    "100 keys bound and cleared": keys_bound_and_cleared,
    "10,000 loggers": loggers,
    "10,000 live tasks": live_tasks,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        with tempfile.TemporaryDirectory() as folder:
            call = tracelog_native(os.path.join(folder, "lines.log"))
            print(json.dumps(SITUATIONS[args.one](call)))
        return

    costs = measure(__file__, SITUATIONS, rounds=args.rounds)
    rows = [(name, f"{cost / costs['nothing']:.3f}", 1.1) for name, cost in costs.items()]
    table(
        "Ratio of a line's time to the same in a fresh process", ("after", "ratio", "at most"), rows
    )


if __name__ == "__main__":
    main()
