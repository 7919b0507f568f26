"""What an item costs that is put and taken: our queues, as ratios of asyncio's.

The middle column is to be at most 1.4: 2 µs where asyncio takes 5 to hand an item over.

python benchmarks/queues.py [--rounds 5]
"""

import argparse
import asyncio
import gc
import json
import statistics
import time

from side_by_side import measure, table


ITEMS, BATCHES = 5_000, 15
KINDS = ["Queue", "PriorityQueue", "LifoQueue"]


async def in_passing(queue):
    """The item is there when it is asked for: no task waits for another."""
    for number in range(ITEMS):
        queue.put_nowait(number)
        await queue.get()


async def handed_over(queue):
    """A worker waits for each item."""

    async def work():
        while await queue.get() >= 0:
            pass

    worker = asyncio.create_task(work())
    for number in range(ITEMS):
        await queue.put(number)
    await queue.put(-1)
    await worker


async def from_afar(queue):
    """A thousand items are in front."""
    for number in range(1_000):
        queue.put_nowait(number)
    for number in range(ITEMS):
        queue.put_nowait(number % 1_000)
        queue.get_nowait()


WAYS = {"in passing": (in_passing, 0), "handed over": (handed_over, 1), "deep": (from_afar, 0)}
CASES = [f"{side}/{kind}/{way}" for kind in KINDS for way in WAYS for side in ("asyncio", "ours")]


async def timed(case):
    """Tell the median of an item, in seconds."""
    import tracelog

    side, kind, way = case.split("/")
    run, maxsize = WAYS[way]
    make = getattr(tracelog if side == "ours" else asyncio, kind)
    tracelog.new_trace()
    tracelog.bind_context(user_id="user-456")
    gc.collect()
    gc.disable()
    batches = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        await run(make(maxsize))
        batches.append((time.perf_counter() - started) / ITEMS)
    return statistics.median(batches)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(asyncio.run(timed(args.one))))
        return

    costs = measure(__file__, CASES, rounds=args.rounds)

    def cells(kind):
        for way in WAYS:
            theirs, ours = costs[f"asyncio/{kind}/{way}"], costs[f"ours/{kind}/{way}"]
            yield f"{ours / theirs:.2f} (+{(ours - theirs) * 1e6:.2f} µs)"

    table(
        "Ratio of an item's time to asyncio's",
        ("queue", *WAYS),
        [(kind, *cells(kind)) for kind in KINDS],
    )


if __name__ == "__main__":
    main()
