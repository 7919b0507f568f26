"""Users of the service, who measure how long they wait; and its server, with what it says of them."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from websockets.asyncio.client import connect


PING = bytes([0x89, 0x80, 0, 0, 0, 0])
ROOT = Path(__file__).parents[2]
WITHIN_S = 20.0


class Server:
    """A uvicorn on an event loop of the given kind, in a process of its own, and its lines."""

    def __init__(self, loop, **env):
        self.loop = loop
        self._env = {**os.environ, "LOG_LEVEL": "INFO", "LOG_FORMAT": "json", **env}
        self._seen = 0
        self._folder = tempfile.TemporaryDirectory()
        self._output = Path(self._folder.name, "output.log")
        self._process = None

    def start(self):
        with socket.socket() as bound, self._output.open("wb") as output:
            bound.bind(("127.0.0.1", 0))
            # Passed on to connections: uvicorn takes a socket that it is given for no TCP.
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            bound.listen()
            self.port = bound.getsockname()[1]
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "uvicorn", "service:app"),
                    *("--app-dir", str(Path(__file__).parent)),
                    *("--log-config", str(ROOT / "logging.yaml"), "--fd", str(bound.fileno())),
                    *("--loop", self.loop, "--ws", "websockets-sansio"),
                    *("--timeout-graceful-shutdown", "3"),
                ],
                pass_fds=[bound.fileno()],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd=self._folder.name,
            )

    def terminate(self):
        self._process.terminate()

    def stop(self):
        """End it, and forget what it has said."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(WITHIN_S)
        self._folder.cleanup()

    def cpu_s(self):
        return cpu_s(self._process.pid)

    @property
    def output(self):
        return self._output.read_text("utf-8")

    def mark(self):
        """Forget the lines so far."""
        self._seen = len(self.output.rpartition("\n")[0])

    def lines(self, **wanted):
        """Give the lines since the mark that have *wanted* in them."""
        whole = self.output[self._seen :].rpartition("\n")[0]
        lines = [json.loads(line) for line in whole.split("\n") if line.startswith("{")]
        return [line for line in lines if wanted.items() <= line.items()]

    async def says(self, count=1, **wanted):
        """Wait for *count* lines that have *wanted* in them."""
        deadline = time.monotonic() + WITHIN_S
        while len(lines := self.lines(**wanted)) < count:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError(f"{wanted} is not in\n{self.output}")
            await asyncio.sleep(0.005)
        return lines


def cpu_s(process="self"):
    """Tell for how long its main thread has had a CPU so far, and has waited for one."""
    try:
        running, queued, _ = Path(f"/proc/{process}/schedstat").read_text().split()
    except OSError:  # not Linux
        return 0.0, 0.0
    return int(running) / 1e9, int(queued) / 1e9


@dataclass
class Said:
    """Something that a user has said, and is answered.

    Attributes:
        text: What.
        kind: Of the utterance that it is.
        number: Of the utterance, among the user's of that kind.
        sent: When it was sent, by the client's clock.
        answered: When the answer was there.
    """

    text: str
    kind: str
    number: int
    sent: float = field(default_factory=time.perf_counter)
    answered: float = 0.0

    @property
    def ms(self):
        return (self.answered - self.sent) * 1000


class User:
    """A user, with a WebSocket from the first message on, and an HTTP connection for each request."""

    def __init__(self, name, server):
        self.name = name
        self.said = []
        self._server = server
        self._stack = AsyncExitStack()
        self._reading = asyncio.Event()
        self._reading.set()
        self._frames = asyncio.Queue()
        self._reader = None
        self._socket = None

    async def connect(self):
        uri = f"ws://127.0.0.1:{self._server.port}/talk/{self.name}"
        small = socket.socket()
        small.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        small.connect(("127.0.0.1", self._server.port))
        small.setblocking(False)
        # Whoever has gone deaf doesn't hear that the other side closes, either.
        options = {"compression": None, "max_queue": 1, "ping_interval": None, "close_timeout": 0.3}
        client = connect(uri, sock=small, **options)
        self._socket = await self._stack.enter_async_context(client)
        self._reader = asyncio.create_task(self._read())

    async def leave(self):
        if self._reader is not None:
            self._reader.cancel()
        await self._stack.aclose()

    async def _read(self):
        while True:
            await self._reading.wait()
            frame = await self._socket.recv()
            self._frames.put_nowait((frame, time.perf_counter()))

    async def _hear(self, *wanted):
        while True:
            frame, at = await self._frames.get()
            if frame in wanted:
                return frame, at

    async def begins(self, text):
        """Say *text*, and wait until it is being worked on; gives what waits for the answer."""
        said = self._say(text, "websocket")
        await self._socket.send(text)
        frame, at = await self._hear("begun", *ANSWERS)
        return asyncio.create_task(self._finish(said, (frame, at)))

    async def says(self, text):
        """Say *text*, and wait for the answer."""
        await (await self.begins(text))

    async def sends(self, *texts):
        """Say all of *texts* at once, and wait for the answers."""
        saids = [self._say(text, "websocket") for text in texts]
        for said in saids:
            await self._socket.send(said.text)
        for said in saids:
            await self._finish(said)

    async def books(self, ms=200):
        """Leave that long a task to the service's worker; gives what waits until it is done."""
        asked, said = self._say("book", "websocket"), self._say("book", "queue")
        await self._socket.send(f"book {ms}")
        await self._finish(asked)
        return asyncio.create_task(self._finish(said, answers=("booked",)))

    async def is_read(self):
        """Wait until the server has read what was sent so far."""
        await (await self._socket.ping())

    async def asks(self, text):
        """Say *text* in an HTTP request, and wait for the response."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._server.port)
        said = self._say(text, "http")
        path = f"/ask/{self.name}/{text.replace(' ', '%20')}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        said.answered = time.perf_counter()
        writer.close()
        await writer.wait_closed()

    def pings(self, count):
        """Send that many ping frames at once, and take no notice of the pongs."""
        transport = self._socket.transport
        transport.pause_reading()
        transport.write(PING * count)
        self._stack.callback(transport.abort)

    def goes_deaf(self):
        """Read nothing any more."""
        self._reading.clear()

    def hears_again(self):
        self._reading.set()

    def _say(self, text, kind):
        number = sum(said.kind == kind for said in self.said) + 1
        said = Said(text, kind, number)
        self.said.append(said)
        return said

    async def _finish(self, said, heard=None, answers=()):
        frame, said.answered = heard or await self._hear(*(answers or ANSWERS))
        if frame == "begun":
            _, said.answered = await self._hear(*(answers or ANSWERS))


ANSWERS = ("done", "booking", "too slow")
