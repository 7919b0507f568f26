"""A million records, from threads and tasks, into a pipe whose reader stalls; and a kill at any moment.

python benchmarks/load.py [--records 1000000] [--kills 200]

load: 8 threads and 200 tasks log as fast as they can. Every record is there or counted, the event
loop is kept by no call for long, memory doesn't grow. kills: SIGKILL at random moments of busy
logging to a file; no line but the last one may be torn. stalled: what a line costs its caller
behind a pipe that nobody reads, against one that is read.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from side_by_side import table


THREADS, TASKS = 8, 200
PAD = "x" * 100
GOALS = {"stall": 20, "memory": 32, "stalled": 1.5}


def resident():
    """Tell this process's resident memory, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def longest_calls(records, write):
    """Let threads and tasks write so many records; tell how long calls kept the loop at most, in ms.

    Twice: by the clock, turns of the other threads included, and of the loop's own time.
    """
    clock = own = 0.0

    def in_thread(name):
        for number in range(records // 2 // THREADS):
            write("of a thread", who=name, number=number, pad=PAD)

    async def in_task(name):
        nonlocal clock, own
        for number in range(records // 2 // TASKS):
            begun, own_begun = time.perf_counter(), time.thread_time()
            write("of a task", who=name, number=number, pad=PAD)
            own = max(own, time.thread_time() - own_begun)
            clock = max(clock, time.perf_counter() - begun)
            await asyncio.sleep(0)

    async def main():
        await asyncio.gather(*(in_task(name) for name in range(TASKS)))

    threads = [threading.Thread(target=in_thread, args=(name,)) for name in range(THREADS)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    return clock * 1e3, own * 1e3


def load(records):
    """Log so many records, and tell how it went."""
    import tracelog

    tracelog.configure_logging(format="json")
    log = tracelog.get_logger("load")
    before = resident()
    clock, own = longest_calls(records, log.info)
    grown = resident() - before
    done = tracelog.flush(120)
    dropped = tracelog.delivery_stats().dropped
    told = {"done": done, "dropped": dropped, "clock": clock, "own": own, "grown": grown}
    print(json.dumps(told), file=sys.stderr, flush=True)


def said(errors):
    """Find what a process told us, beside what it says about losses."""
    lines = errors.splitlines()
    return next(json.loads(line) for line in lines if not line.startswith(b"tracelog: "))


def read_slowly(reader):
    """Count the records in a pipe, in no hurry; tell which lines aren't strict JSON."""
    pauses, records, bad, data = random.Random(1), 0, 0, b""
    while chunk := os.read(reader, 1 << 16):
        *lines, data = (data + chunk).split(b"\n")
        for line in lines:
            try:
                records += json.loads(line)["logger"] == "load"
            except ValueError:
                bad += 1
        if pauses.random() < 0.01:
            time.sleep(pauses.random() / 5)
    return records, bad + bool(data)


def loaded(records):
    reader, writer = os.pipe()
    command = [sys.executable, __file__, "--one", "load", "--records", str(records)]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        there, bad = read_slowly(reader)
        told = said(process.stderr.read())
    lost = records - there - told["dropped"]
    return [
        ("records there", there, ""),
        ("counted as lost", told["dropped"], ""),
        ("lost in silence", lost, "0"),
        ("torn", bad, "0"),
        (
            "longest call on the loop, its own time, ms",
            f"{told['own']:.1f}",
            f"under {GOALS['stall']}",
        ),
        ("by the clock, with other threads' turns", f"{told['clock']:.1f}", ""),
        ("memory grown by, MiB", f"{told['grown']:.1f}", f"under {GOALS['memory']}"),
    ]


def endless(path):
    import tracelog

    tracelog.configure_logging(sink=path, format="json")
    log = tracelog.get_logger("load")
    print("ready", flush=True)
    number = 0
    while True:
        log.info("again", number=number, pad=PAD * random.randrange(100))
        number += 1


def killed(kills):
    """Kill so many processes at any moment; count lines torn before the last, and gaps."""
    torn = gaps = 0
    moments = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        for kill in range(kills):
            path = os.path.join(folder, f"{kill}.log")
            command = [sys.executable, __file__, "--one", "endless", "--path", path]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
                process.stdout.readline()
                time.sleep(moments.random() / 50)
                process.send_signal(signal.SIGKILL)
            *lines, _last = Path(path).read_bytes().split(b"\n")
            numbers = []
            for line in lines:
                try:
                    numbers.append(json.loads(line)["number"])
                except ValueError:
                    torn += 1
            gaps += numbers != list(range(len(numbers)))
    return [(f"torn before the last, {kills} kills", torn, "0"), ("files with a gap", gaps, "0")]


def stalled(*, read):
    """Tell what a line costs behind a pipe that somebody reads, or nobody."""
    import tracelog

    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(writer)
        while read and os.read(reader, 1 << 20):
            pass
        signal.pause()
    log = tracelog.get_logger("load")
    tracelog.configure_logging(sink=os.fdopen(writer, "w"), format="json")
    rounds = []
    for _ in range(21):
        begun = time.perf_counter()
        for number in range(1_000):
            log.info("again", number=number, pad=PAD)
        rounds.append(time.perf_counter() - begun)
    print(json.dumps(statistics.median(rounds)), file=sys.stderr, flush=True)
    os.killpg(0, signal.SIGKILL)


def stall_ratio(rounds):
    def cost(name):
        command = [sys.executable, __file__, "--one", name]
        done = subprocess.run(command, stderr=subprocess.PIPE, start_new_session=True, check=False)
        return said(done.stderr)

    ratios = sorted(cost("unread") / cost("read") for _ in range(rounds))
    ratio = f"{statistics.median(ratios):.2f}"
    return [("a line behind a stalled pipe, of a normal one", ratio, f"at most {GOALS['stalled']}")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        ones = {
            "load": lambda: load(args.records),
            "endless": lambda: endless(args.path),
            "read": lambda: stalled(read=True),
            "unread": lambda: stalled(read=False),
        }
        return ones[args.one]()

    rows = [*loaded(args.records), *killed(args.kills), *stall_ratio(args.rounds)]
    table("Under load", ("what", "", "goal"), rows)


if __name__ == "__main__":
    main()
