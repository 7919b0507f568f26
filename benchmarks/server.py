"""What everything on costs a server: requests a second, and memory for each idle WebSocket.

python benchmarks/server.py [--rounds 5] [--connections 10000]

Requests: uvicorn with TraceMiddleware, contexts for connections, an access line and a verdict for
each request, against a bare uvicorn that writes as many lines through the standard library and
python-json-logger.
"""

import argparse
import asyncio
import contextlib
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import table


ROOT = Path(__file__).parents[1]
CLIENTS = 16
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@contextlib.contextmanager
def server(app, *options):
    with tempfile.TemporaryDirectory() as folder, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        environment = {**os.environ, "LOG_FORMAT": "json", "PYTHONPATH": str(ROOT / "benchmarks")}
        with open(Path(folder, "lines.log"), "wb") as output:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", f"served:{app}", "--fd"),
                    *(str(bound.fileno()), "--backlog", "4096", "--interface", "asgi3", *options),
                ],
                pass_fds=[bound.fileno()],
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=environment,
            )
        try:
            yield process.pid, bound.getsockname()[1]
        finally:
            process.kill()
            process.wait()


def traced():
    return server("traced", "--log-config", str(ROOT / "logging.yaml"))


def plain():
    return server("plain", "--no-access-log", "--log-level", "warning")


async def connected(port):
    while True:
        with contextlib.suppress(OSError):
            return await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(0.05)


async def ask(port, until):
    reader, writer = await connected(port)
    count = 0
    while time.monotonic() < until:
        writer.write(REQUEST)
        await reader.readuntil(b"hello")
        count += 1
    writer.close()
    return count


async def requests_a_second(port, seconds):
    await ask(port, time.monotonic() + 0.5)  # warm
    begun = time.monotonic()
    counts = await asyncio.gather(*(ask(port, begun + seconds) for _ in range(CLIENTS)))
    return sum(counts) / (time.monotonic() - begun)


def memory_kib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0])


async def memory_a_connection(pid, port, count):
    opened = []
    for number in range(count + 200):
        if number == 200:  # what is made once
            before = memory_kib(pid)
        reader, writer = await connected(port)
        writer.write(HANDSHAKE)
        await reader.readuntil(b"\r\n\r\n")
        opened.append(writer)
    await asyncio.sleep(0.5)
    after = memory_kib(pid)
    for writer in opened:
        writer.close()
    return (after - before) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=10_000)
    args = parser.parse_args()
    ratios = []
    for _ in range(args.rounds):
        speeds = []
        for kind in (traced, plain):
            with kind() as (_, port):
                speeds.append(asyncio.run(requests_a_second(port, args.seconds)))
        ratios.append(speeds[0] / speeds[1])
    rows = [("requests a second, against bare", f"{statistics.median(ratios):.2f}", "at least 0.9")]
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(args.connections + 1000, most), most))
    needs = []
    for kind in (traced, plain):
        with kind() as (pid, port):
            needs.append(asyncio.run(memory_a_connection(pid, port, args.connections)))
    more = f"{needs[0] - needs[1]:.1f} KiB (of {needs[1]:.1f} without)"
    rows.append((f"memory a WebSocket more, of {args.connections:,}", more, "at most 6 KiB"))
    table("With everything on", ("what", "", "goal"), rows)


if __name__ == "__main__":
    main()
