"""What the ledger costs: CPU time of the server for each message, against the same without it.

python benchmarks/ledger.py [--rounds 15] [--loads websocket queue ping-pong] [--loops asyncio uvloop]

websocket: 16 clients in a process of their own, JSON messages echoed after some work, by a real
server over loopback. queue: the same work for items of an `asyncio.Queue`. ping-pong: nothing but
`sleep(0)`, the worst there can be. In each, all ways take turns in one process, many times: machines
are slower at one moment than at another. memory: what is left of a million utterances.
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
from functools import partial
from pathlib import Path

import structlog
from side_by_side import table
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

import tracelog


CLIENTS, WORKERS = 16, 32
WARM, MESSAGES = 200, 1_500
PONGS = 20_000
THINKING = 16  # rounds of work: one structlog line for each message costs about 1.4 of bare
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
    for _ in range(THINKING):
        told["sizes"] = sorted(told["sizes"], key=lambda size: -size)
    told["words"] = len({*told["text"].split()})
    return json.dumps(told)


def make_one_line(path):
    """Make what writes one line for each message, as structlog does beside `logging`."""
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
    logger = logging.getLogger("bench")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    processors = [*chain, formatter.wrap_for_formatter]
    log = structlog.wrap_logger(
        logger, processors, structlog.stdlib.BoundLogger, cache_logger_on_first_use=True
    )

    @contextlib.contextmanager
    def one_line():
        yield
        log.info("message handled", user_id="kim", room="lobby", late=False, total_ms=1.25)

    return one_line


class Turns:
    """The ways take turns: so many messages are handled each way, in each round.

    Attributes:
        around: What a message is handled in now.
        costs: CPU seconds for each message, by way, a figure a round.
    """

    def __init__(self, ways, rounds, folder):
        self._one_line = make_one_line(Path(folder, "structlog.log"))
        tracelog.configure_logging(sink=Path(folder, "tracelog.log"), format="json")
        self.costs = {way: [] for way in ways}
        self.done = asyncio.Event()
        self._order = [way for _ in range(rounds) for way in ways]
        self._watch = None
        self._count = 0
        self.begin()

    def begin(self):
        """Begin the next turn."""
        self._way = self._order.pop(0)
        if self._way in {"sampled", "exact", "utterance"}:
            self._watch = tracelog.watch_loop(mode="sampled" if self._way == "sampled" else "exact")
        utterance = partial(tracelog.utterance, user_id="kim")
        around = {"utterance": utterance, "structlog": self._one_line}
        self.around = around.get(self._way, contextlib.nullcontext)

    def end(self, cost):
        """End this one."""
        self.costs[self._way].append(cost)
        if self._watch is not None:
            self._watch.stop()
            self._watch = None
        if self._order:
            self.begin()
        else:
            self.done.set()

    def count(self):
        """Count a message; the first ones of a turn aren't measured."""
        if self.done.is_set():
            return

        self._count += 1
        if self._count == WARM:
            self._begun = time.process_time()
        elif self._count == WARM + MESSAGES:
            self._count = 0
            self.end((time.process_time() - self._begun) / MESSAGES)


async def websocket(turns):
    async def handle(connection):
        async for message in connection:
            with turns.around():
                answer = work(message)
                await asyncio.sleep(0)
                await connection.send(answer)
            turns.count()

    logging.getLogger("websockets.server").disabled = True  # clients are killed
    async with serve(handle, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        others = subprocess.Popen([sys.executable, __file__, "--clients", str(port)])
        try:
            await turns.done.wait()
        finally:
            others.kill()
            others.wait()


async def clients(port):
    async def one():
        async with connect(f"ws://127.0.0.1:{port}", compression=None) as connection:
            while True:
                await connection.send(MESSAGE)
                await connection.recv()

    await asyncio.gather(*(one() for _ in range(CLIENTS)))


async def queue(turns):
    items = asyncio.Queue(8)

    async def produce():
        while True:
            await items.put(MESSAGE)

    async def consume():
        while True:
            message = await items.get()
            with turns.around():
                work(message)
                await asyncio.sleep(0)
            turns.count()

    tasks = [asyncio.create_task(each()) for each in (produce, consume) * WORKERS]
    await turns.done.wait()
    for task in tasks:
        task.cancel()


async def ping_pong(turns):
    async def pong():
        for _ in range(PONGS // 10):
            await asyncio.sleep(0)

    while not turns.done.is_set():
        started = time.process_time()
        await asyncio.gather(*(pong() for _ in range(10)))
        turns.end((time.process_time() - started) / PONGS)


async def memory():
    """Tell how many objects a million utterances leave behind, some of them with children."""
    tracelog.configure_logging(sink=Path(os.devnull), format="json")
    tracelog.watch_loop()

    async def handle():
        with tracelog.utterance(user_id="kim"):
            await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))

    counts = []
    for _ in range(2):
        for _ in range(UTTERANCES // 200):
            await asyncio.gather(*(handle() for _ in range(100)))
        await asyncio.sleep(1)
        gc.collect()
        counts.append(len(gc.get_objects()))
    return counts[1] - counts[0]


LOADS = {"websocket": websocket, "queue": queue, "ping-pong": ping_pong}


def one(load, loop, rounds):
    """Print what comes of one load on one kind of loop, in this process."""

    async def main():
        if load == "memory":
            return await memory()
        with tempfile.TemporaryDirectory() as folder:
            turns = Turns(WAYS[load], rounds, folder)
            await LOADS[load](turns)
            return turns.costs

    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(main())))


def run(*names):
    # Else asyncio's buffers of 256 KiB are mapped anew in some runs, or given back at once.
    limits = {"MALLOC_MMAP_THRESHOLD_": "4194304", "MALLOC_TRIM_THRESHOLD_": "67108864"}
    environment = {**os.environ, **limits}
    command = [sys.executable, __file__, "--one", *map(str, names)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, env=environment)
    return json.loads(done.stdout)


def compare(load, loop, rounds):
    """Give a row for each way."""
    costs = run(load, loop, rounds)
    for way, figures in costs.items():
        ratios = [cost / bare for cost, bare in zip(figures, costs["bare"], strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        goal = GOALS.get((load, way), "")
        goal = goal[loop] if isinstance(goal, dict) else goal
        yield (
            *(load, loop, way),
            f"{statistics.median(figures) * 1e6:.2f}",
            f"{middle:.3f}",
            f"{low:.2f}-{high:.2f}",
            goal and f"at most {goal}",
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--loads", nargs="*", choices=[*LOADS, "memory"], default=[*WAYS])
    parser.add_argument("--loops", nargs="*", default=["asyncio", "uvloop"])
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--clients", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        load, loop, rounds = args.one
        return one(load, loop, int(rounds))
    if args.clients:
        return asyncio.run(clients(args.clients))
    rows = []
    for loop in args.loops:
        for load in args.loads:
            if load == "memory":
                left = run(load, loop, 0)
                rows.append((load, loop, "utterance", f"{left} objects", "", "", "none"))
            else:
                rows += compare(load, loop, args.rounds)
    columns = ("load", "loop", "way", "µs", "of bare", "middle half", "goal")
    version = ".".join(map(str, sys.version_info[:2]))
    table(f"CPU time for each message, Python {version}", columns, rows)


if __name__ == "__main__":
    main()
