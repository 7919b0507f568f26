"""What the ledger costs: CPU time of the server for each message, against the same without it.

python benchmarks/ledger.py [--rounds 5] [--loads websocket queue ping-pong] [--loops asyncio uvloop]

websocket: 16 clients in a process of their own, JSON messages echoed after some work, by a real
server over loopback. queue: the same work for items of an `asyncio.Queue`. ping-pong: nothing but
`sleep(0)`, the worst there can be. memory: what is left of a million utterances.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import table


CLIENTS, MESSAGES, WARM = 16, 8_000, 2_000
WORKERS, ITEMS, ITEMS_WARM = 32, 20_000, 4_000
PONGS = 200_000
UTTERANCES = 1_000_000
GOALS = {
    ("websocket", "sampled"): 1.02,
    ("websocket", "exact"): 1.07,
    ("websocket", "utterance"): 1.35,
    ("queue", "sampled"): 1.02,
    ("queue", "exact"): 1.2,
    ("ping-pong", "exact"): {"asyncio": 1.3, "uvloop": 2.2},
}
WAYS = {
    "websocket": ["bare", "sampled", "exact", "utterance", "structlog"],
    "queue": ["bare", "sampled", "exact", "utterance", "structlog"],
    "ping-pong": ["bare", "sampled", "exact"],
}
MESSAGE = json.dumps(
    {"room": "lobby", "text": "hello there " * 40, "sizes": [*range(80)], "user": "kim"}
)


def work(message):
    """What a handler does: read it, think a little, write an answer."""
    told = json.loads(message)
    for _ in range(8):
        told["sizes"] = sorted(told["sizes"], key=lambda size: -size)
    told["words"] = len({*told["text"].split()})
    return json.dumps(told)


def make_around(way, folder):
    """Tell what each message is handled in."""
    path = Path(folder, "lines.log") if folder else Path(os.devnull)
    if way == "utterance":
        import tracelog

        tracelog.configure_logging(sink=path, format="json")
        return lambda: tracelog.utterance(user_id="kim")

    if way == "structlog":
        import structlog

        handler = logging.FileHandler(path)
        chain = [
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
        ]
        renderer = structlog.processors.JSONRenderer()
        formatter = structlog.stdlib.ProcessorFormatter
        handler.setFormatter(formatter(processor=renderer, foreign_pre_chain=chain))
        logging.root.addHandler(handler)
        logging.root.setLevel(logging.INFO)
        structlog.configure(
            processors=[*chain, formatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
            cache_logger_on_first_use=True,
        )
        log = structlog.get_logger("bench")

        @contextlib.contextmanager
        def one_line():
            yield
            log.info("message handled", user_id="kim", room="lobby", late=False, total_ms=1.25)

        return one_line

    return contextlib.nullcontext


class Meter:
    """CPU time for each of so many messages, after the first ones."""

    def __init__(self, warm, count):
        self.left, self.count = warm, count
        self.begun = None
        self.done = asyncio.Event()
        self.cost = 0.0

    def __call__(self):
        self.left -= 1
        if self.left == 0:
            if self.begun is None:
                self.begun, self.left = time.process_time(), self.count
            else:
                self.cost = (time.process_time() - self.begun) / self.count
                self.done.set()


async def websocket(around):
    from websockets.asyncio.server import serve

    meter = Meter(WARM, MESSAGES)

    async def handle(connection):
        async for message in connection:
            with around():
                answer = work(message)
                await asyncio.sleep(0)
                await connection.send(answer)
            meter()

    logging.getLogger("websockets.server").disabled = True  # clients are killed
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        clients = subprocess.Popen([sys.executable, __file__, "--clients", str(port)])
        try:
            await meter.done.wait()
        finally:
            clients.kill()
            clients.wait()
    return meter.cost


async def clients(port):
    from websockets.asyncio.client import connect

    async def one():
        async with connect(f"ws://127.0.0.1:{port}", compression=None) as connection:
            while True:
                await connection.send(MESSAGE)
                await connection.recv()

    await asyncio.gather(*(one() for _ in range(CLIENTS)))


async def queue(around):
    meter = Meter(ITEMS_WARM, ITEMS)
    items = asyncio.Queue(8)

    async def produce():
        while True:
            await items.put(MESSAGE)

    async def consume():
        while True:
            message = await items.get()
            with around():
                work(message)
                await asyncio.sleep(0)
            meter()

    tasks = [asyncio.create_task(each()) for each in (produce, consume) * WORKERS]
    await meter.done.wait()
    for task in tasks:
        task.cancel()
    return meter.cost


async def ping_pong(_around):
    async def pong():
        for _ in range(PONGS // 10):
            await asyncio.sleep(0)

    started = time.process_time()
    await asyncio.gather(*(pong() for _ in range(10)))
    return (time.process_time() - started) / PONGS


async def memory(around):
    """Tell how many objects a million utterances leave behind, some of them with children."""

    async def handle():
        with around():
            await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))

    counts = []
    for _ in range(2):
        for _ in range(UTTERANCES // 200):
            await asyncio.gather(*(handle() for _ in range(100)))
        await asyncio.sleep(1)
        gc.collect()
        counts.append(len(gc.get_objects()))
    return counts[1] - counts[0]


def one(load, loop, way):
    import tracelog

    async def main():
        if way in {"sampled", "exact", "utterance"}:
            tracelog.watch_loop(mode="sampled" if way == "sampled" else "exact")
        if load == "memory":
            return await memory(make_around(way, None))
        with tempfile.TemporaryDirectory() as folder:
            return await LOADS[load](make_around(way, folder))

    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(main())))


LOADS = {"websocket": websocket, "queue": queue, "ping-pong": ping_pong, "memory": memory}


def run(*names):
    # Else asyncio's buffers of 256 KiB are mapped anew in some runs, or given back at once.
    limits = {"MALLOC_MMAP_THRESHOLD_": "4194304", "MALLOC_TRIM_THRESHOLD_": "67108864"}
    environment = {**os.environ, **limits}
    command = [sys.executable, __file__, "--one", *names]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout)


def compare(load, loop, rounds):
    """Give a row for each way, after as many rounds, in each of which all had their turn."""
    ways = WAYS[load]
    figures = [{way: run(load, loop, way) for way in ways} for _ in range(rounds)]
    for way in ways:
        ratios = sorted(each[way] / each["bare"] for each in figures)
        goal = GOALS.get((load, way), "")
        goal = goal[loop] if isinstance(goal, dict) else goal
        yield (
            *(load, loop, way),
            f"{statistics.median(each[way] for each in figures) * 1e6:.2f}",
            f"{statistics.median(ratios):.3f}",
            f"{ratios[0]:.2f}-{ratios[-1]:.2f}",
            goal and f"at most {goal}",
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loads", nargs="*", choices=LOADS, default=[*WAYS])
    parser.add_argument("--loops", nargs="*", default=["asyncio", "uvloop"])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--clients", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        return one(*args.one)
    if args.clients:
        return asyncio.run(clients(args.clients))
    rows = []
    for loop in args.loops:
        for load in args.loads:
            if load == "memory":
                left = run(load, loop, "utterance")
                rows.append((load, loop, "utterance", f"{left} objects", "", "", "none"))
            else:
                rows += compare(load, loop, args.rounds)
    columns = ("load", "loop", "way", "µs", "of bare", "from-to", "goal")
    version = ".".join(map(str, sys.version_info[:2]))
    table(f"CPU time for each message, Python {version}", columns, rows)


if __name__ == "__main__":
    main()
