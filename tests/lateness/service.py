"""A service that is slow in all the ways that services are; each verb is one of them.

A message, and a request's path, is a verb and its arguments. Before it does what it is about, a
verb says "begun", so that a client knows when.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import re
import socket
import sqlite3
import threading
import time
import urllib.request
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pydantic import BaseModel, field_validator
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocketDisconnect

import tracelog
from tracelog.asgi import TraceMiddleware


HOLD_S = 0.2
SLOW_S = 0.2
VERBS = {}

log = tracelog.get_logger("service")
audit = logging.getLogger("audit")
audit.propagate = False


def verb(handle):
    VERBS[handle.__name__] = handle
    return handle


class User:
    """Whoever is to be answered."""

    def __init__(self, name, socket=None):
        self.name = name
        self.socket = socket

    async def hears(self, text):
        if self.socket is not None:
            await self.socket.send_text(text)

    async def begun(self):
        await self.hears("begun")
        await asyncio.sleep(0)  # uvloop writes once the step is over


async def talk(websocket):
    await websocket.accept()
    user = User(websocket.path_params["user"], websocket)
    tracelog.bind_context(user_id=user.name)
    members[user.name] = user
    try:
        while True:
            await user.hears(await answer(user, await websocket.receive_text()))
    except WebSocketDisconnect:
        del members[user.name]


async def ask(request):
    user = User(request.path_params["user"])
    tracelog.bind_context(user_id=user.name)
    log.info("asked")
    return PlainTextResponse(await answer(user, request.path_params["text"]))


async def answer(user, text):
    name, *arguments = text.split(" ", 1)
    return await VERBS[name](user, *arguments) or "done"


# -- nothing wrong -----------------------------------------------------------------------------------


@verb
async def hello(user):
    await asyncio.sleep(0)


@verb
async def query(user, milliseconds):
    """Wait for a database, say, and for nobody else."""
    await user.begun()
    await asyncio.sleep(int(milliseconds) / 1000)


# -- what holds the loop -----------------------------------------------------------------------------


@verb
async def resize(user):
    await user.begun()
    resize_image()


def resize_image():
    time.sleep(HOLD_S)


@verb
async def count(user, milliseconds):
    await user.begun()
    count_primes(int(milliseconds))


@verb
async def meet(user, milliseconds):
    """Do the same, at the same time as somebody else."""
    await meeting.wait()
    await count(user, milliseconds)


def count_primes(milliseconds):
    """Take that much of the CPU."""
    number, until = 1, time.thread_time() + milliseconds / 1000
    while number % 200 or time.thread_time() < until:
        number += 1


@verb
async def order(user):
    """Ask a database whose driver knows no asyncio."""
    await user.begun()
    save_order()


def save_order():
    database = sqlite3.connect(":memory:")
    database.create_function("pause", 1, time.sleep)
    database.execute("SELECT pause(?)", [HOLD_S]).fetchall()
    database.close()


@verb
async def rates(user):
    """Ask another service, with a client that knows no asyncio."""
    await user.begun()
    fetch_rates()


def fetch_rates():
    with urllib.request.urlopen(f"http://127.0.0.1:{neighbour.server_port}/") as response:
        return response.read()


class Payment(BaseModel):
    iban: str

    @field_validator("iban")
    @classmethod
    def check_iban(cls, iban):
        until = time.thread_time() + HOLD_S
        while time.thread_time() < until:
            int(iban, 36) % 97
        return iban


@verb
async def pay(user):
    await user.begun()
    Payment(iban="x")


class Courier(logging.Handler):
    """Takes its records to somewhere far away, one by one."""

    def emit(self, record):
        time.sleep(HOLD_S)


@verb
async def login(user):
    await user.begun()
    audit.warning("somebody is here")


@verb
async def load(user):
    """Read 9 MB of JSON: one call, in C."""
    await user.begun()
    load_report()


def load_report():
    rows = json.loads(REPORT)
    for row in rows[:1000]:
        row += 1.0


@verb
async def rename(user):
    await user.begun()
    check_name("a" * 20)


def check_name(name):
    return re.fullmatch(r"(a|a?)+b", name)


@verb
async def collect(user):
    """Make garbage until the collector runs, over a large heap."""
    heap = [[number] for number in range(300_000)]
    for cell in heap:
        cell.append(cell)
    await asyncio.sleep(0)
    await user.begun()
    make_garbage(heap)
    del heap
    gc.collect()


def make_garbage(heap):
    for _ in range(2):
        gc.collect()


@verb
async def purge(user):
    """Wait, on the loop, for what a thread has taken."""
    taken, released = threading.Event(), threading.Event()
    threading.Thread(target=keep_cache, args=(taken, released)).start()
    taken.wait()
    await user.begun()
    purge_cache(released)


def keep_cache(taken, released):
    with cache:
        taken.set()
        time.sleep(HOLD_S)


def purge_cache(released):
    with cache:
        pass


@verb
async def steps(user, count):
    """Do nothing wrong, many times."""
    await user.begun()
    for _ in range(int(count)):
        count_primes(2)
        await asyncio.sleep(0)


@verb
async def walk(user, count):
    """Do next to nothing, many times."""
    await user.begun()
    for _ in range(int(count)):
        await asyncio.sleep(0)


@verb
async def mine(user, milliseconds):
    """Leave the loop alone, but not the GIL."""
    mining = asyncio.get_running_loop().run_in_executor(None, mine_coins, int(milliseconds))
    await user.begun()
    await mining


def mine_coins(milliseconds):
    count_primes(milliseconds)


@verb
async def pin(user, cores):
    """Be on these CPU cores only."""
    os.sched_setaffinity(0, json.loads(cores))


@verb
async def wake(user):
    """Let the janitor go to work, who is nobody's."""
    await user.begun()
    garbage.set()
    await asyncio.sleep(0)


async def sweep():
    while True:
        await garbage.wait()
        garbage.clear()
        sweep_floor()


def sweep_floor():
    time.sleep(HOLD_S)


# -- what is waited for ------------------------------------------------------------------------------


@verb
async def edit(user, milliseconds):
    async with document:
        await user.begun()
        await asyncio.sleep(int(milliseconds) / 1000)


@verb
async def edit_soon(user):
    """Do the same, but not at any price."""
    await asyncio.wait_for(document.acquire(), 10)
    document.release()


@verb
async def leaf(user):
    """Turn the pages, as an async generator gives them."""
    async for _ in pages():
        await user.begun()


async def pages():
    yield "the cover"
    async with document:
        yield "the text"


@verb
async def export(user, milliseconds):
    async with exports:
        await user.begun()
        await asyncio.sleep(int(milliseconds) / 1000)


@verb
async def lookup(user, milliseconds):
    connection = await check_out()
    await user.begun()
    await asyncio.sleep(int(milliseconds) / 1000)
    pool.put_nowait(connection)


async def check_out():
    return await pool.get()


@verb
async def question(user):
    answers[user.name] = asyncio.Event()
    await user.begun()
    await answers[user.name].wait()


@verb
async def reply(user, asker):
    await asyncio.sleep(SLOW_S)
    answers[asker].set()


@verb
async def zip(user, milliseconds):
    """Have a thread do it; there are two."""
    job = asyncio.get_running_loop().run_in_executor(None, zip_files, int(milliseconds))
    await user.begun()
    await job


def zip_files(milliseconds):
    time.sleep(milliseconds / 1000)


@verb
async def album(user, count):
    """Have threads do many at once; there are two."""
    await user.begun()
    await make_album(int(count))


async def make_album(count):
    loop = asyncio.get_running_loop()
    jobs = [loop.run_in_executor(None, zip_files, 50) for _ in range(count)]
    await asyncio.gather(*jobs)


@verb
async def warm(user):
    """Have a thread do something, and go on."""
    await user.begun()
    job = asyncio.get_running_loop().run_in_executor(None, zip_files, SLOW_S * 2000)
    await ask_backend()
    job.cancel()


@verb
async def resolve(user):
    """Look a name up, in a thread; the name server is slow."""
    await user.begun()
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, socket.getaddrinfo, "database", 5432)


def slow_getaddrinfo(host, *arguments, **options):
    if host != "database":
        return getaddrinfo(host, *arguments, **options)

    time.sleep(SLOW_S)
    return []


@verb
async def backend(user):
    await user.begun()
    await ask_backend()


async def ask_backend():
    reader, writer = await asyncio.open_connection("127.0.0.1", neighbour.server_port)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@verb
async def convert(user):
    await user.begun()
    await run_converter()


async def run_converter():
    converter = await asyncio.create_subprocess_exec("sleep", str(SLOW_S))
    await converter.wait()


@verb
async def pipe(user):
    await user.begun()
    await read_from_converter()


async def read_from_converter():
    script = f"sleep {SLOW_S}; echo done"
    pipe = asyncio.subprocess.PIPE
    converter = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=pipe)
    await converter.stdout.readline()
    await converter.wait()


@verb
async def hurry(user):
    await user.begun()
    try:
        async with asyncio.timeout(SLOW_S):
            await never_ready()
    except TimeoutError:
        return "too slow"


@verb
async def hurry_task(user):
    await user.begun()
    try:
        await asyncio.wait_for(never_ready(), SLOW_S)
    except TimeoutError:
        return "too slow"


async def never_ready():
    await asyncio.sleep(3600)


@verb
async def abort(user):
    """Cancel what takes its time to clean up."""
    download = asyncio.create_task(download_files())
    await asyncio.sleep(0)
    await user.begun()
    download.cancel()
    await asyncio.wait([download])


async def download_files():
    try:
        await asyncio.sleep(3600)
    finally:
        await remove_files()


async def remove_files():
    await asyncio.sleep(SLOW_S)


@verb
async def retry(user):
    await user.begun()
    for attempt in range(4):
        try:
            return await fails_at_first(attempt)
        except ConnectionError:
            await back_off(attempt)


async def fails_at_first(attempt):
    if attempt < 3:
        raise ConnectionError


async def back_off(attempt):
    await asyncio.sleep(0.04 * 2**attempt)


@verb
async def page(user):
    await user.begun()
    async with asyncio.TaskGroup() as parts:
        parts.create_task(fetch_title())
        parts.create_task(fetch_menu())
        parts.create_task(fetch_comments())


async def fetch_title():
    await asyncio.sleep(0.02)


async def fetch_menu():
    await asyncio.sleep(0.05)


async def fetch_comments():
    await asyncio.sleep(0.25)


# -- what is sent ------------------------------------------------------------------------------------


@verb
async def download(user, megabytes):
    await user.begun()
    for _ in range(int(megabytes) * 4):
        await user.hears("x" * (256 * 1024))


@verb
async def essay(user, megabytes):
    """Go on thinking while the beginning is sent."""
    await user.begun()
    beginning = asyncio.create_task(tell(user, int(megabytes)))
    await think()
    await user.hears("the end")
    await beginning


async def think():
    await asyncio.sleep(SLOW_S)


@verb
async def broadcast(user, megabytes):
    """Tell everybody else, one after the other."""
    await user.begun()
    for _ in range(int(megabytes) * 4):
        await tell_others(user)


async def tell_others(user):
    for member in [*members.values()]:
        if member is not user:
            await member.hears("x" * (256 * 1024))


@verb
async def announce(user, megabytes):
    """Tell everybody else, at the same time."""
    await user.begun()
    others = [member for member in members.values() if member is not user]
    async with asyncio.TaskGroup() as tasks:
        for other in others:
            tasks.create_task(tell(other, int(megabytes)))


async def tell(user, megabytes):
    for _ in range(megabytes * 4):
        await user.hears("x" * (256 * 1024))


@verb
async def publish(user):
    """Tell the subscriber, who has room for one message, and is slow to take the next."""
    await feed.put("first")
    await user.begun()
    await put_news()


async def put_news():
    await feed.put("second")


@verb
async def subscribe(user):
    await user.begun()
    await asyncio.sleep(SLOW_S)
    await feed.get()
    await feed.get()


# -- a worker ----------------------------------------------------------------------------------------


@verb
async def book(user, ms):
    """Leave it to the worker, who tells the user."""
    await bookings.put((user, int(ms) / 1000))
    return "booking"


async def work():
    while True:
        user, seconds = await bookings.get()
        with tracelog.utterance(budget_ms=100):
            await book_flight(seconds)
            await user.hears("booked")


async def book_flight(seconds):
    await asyncio.sleep(seconds)


# -- the service -------------------------------------------------------------------------------------


class Neighbour(BaseHTTPRequestHandler):
    """Another service, which takes its time."""

    def do_GET(self):
        time.sleep(SLOW_S)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"1.0")

    def log_message(self, *_):
        pass


def warm_caches():
    time.sleep(HOLD_S)


def flush_caches():
    time.sleep(HOLD_S)


@asynccontextmanager
async def life(_app):
    log.info("starting")
    if os.environ.get("COLD"):
        await asyncio.sleep(0.05)  # whoever waits for that line has time to ask for something
        warm_caches()
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(2))
    background = [
        asyncio.create_task(sweep(), name="janitor"),
        asyncio.create_task(work(), name="worker"),
    ]
    pool.put_nowait("the only connection")
    threading.Thread(target=neighbour.serve_forever, daemon=True).start()
    yield
    neighbour.shutdown()
    for task in background:
        task.cancel()
    flush_caches()


neighbour = ThreadingHTTPServer(("127.0.0.1", 0), Neighbour)
members = {}
answers = {}
cache = threading.Lock()
document, exports = asyncio.Lock(), asyncio.Semaphore(1)
pool, feed, bookings = asyncio.Queue(), asyncio.Queue(1), tracelog.Queue()
garbage, meeting = asyncio.Event(), asyncio.Barrier(2)
REPORT = json.dumps([1.25] * 1_500_000)  # numbers: nothing for the collector
getaddrinfo, socket.getaddrinfo = socket.getaddrinfo, slow_getaddrinfo
audit.addHandler(Courier())

app = Starlette(
    routes=[WebSocketRoute("/talk/{user}", talk), Route("/ask/{user}/{text}", ask)],
    middleware=[Middleware(TraceMiddleware, late_ms=100)],
    lifespan=life,
)
