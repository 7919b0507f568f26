"""A catalogue of lateness: one known thing makes one user late, and the verdict has to say so.

python tests/lateness/scenarios.py docs/lateness.md
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import os
import re
import subprocess
import sys
from collections import Counter
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from causes import (
    BLOCKING,
    C_CALL,
    COLLECTOR,
    CPU,
    NO_CPU,
    THREADS,
    AnotherItem,
    Awaited,
    Behind,
    Busy,
    Fed,
    Held,
    Own,
    Sending,
    SlowClient,
    Unknown,
)
from clients import Server, User, cpu_s


LOOPS = ("asyncio", "uvloop")
BOXES = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
# The users and the service share whatever CPU there is.
TOLERANCE, TOLERANCE_MS = 0.05, 5
SHORT = 0.25
ATTEMPTS = 3

SCENARIOS = []


@dataclass(frozen=True)
class Scenario:
    """One known thing, and what the verdict on the last utterance of its victim has to tell.

    Attributes:
        play: What happens: it is given its users, by name, and the server, if it asks for one that
            is its own and not started yet.
        victim: Whose last utterance is judged.
        box: Where most of its time went; or which of two, where it isn't told apart.
        because: Why, the longest first. Nothing: it was on time, and nobody is to be named.
        on: The same for one kind of event loop, where less is seen.
    """

    play: object
    victim: str
    box: str
    because: tuple
    on: dict

    @property
    def name(self):
        return self.play.__name__.replace("_", " ")

    @property
    def truth(self):
        return " ".join(self.play.__doc__.split())

    @property
    def cast(self):
        return tuple(inspect.signature(self.play).parameters)


@dataclass(frozen=True)
class Outcome:
    """What became of a scenario.

    Attributes:
        measured_ms: How long the victim waited, by the client's clock.
        own_wait_ms: How long the clients themselves have waited for a CPU, at most some of it then.
        verdict: The ledger's, of the same utterance.
        verdicts: All of them.
        traces: The users' traces, by name.
        short_of_cpu: The server has waited for a CPU for a good part of the time that it had one.
    """

    measured_ms: float
    own_wait_ms: float
    verdict: dict
    verdicts: list
    traces: dict
    short_of_cpu: bool


def late(victim, box, *because, **on):
    """Register what makes *victim* late."""

    def register(play):
        SCENARIOS.append(Scenario(play, victim, box, because, on))
        return play

    return register


def on_time(victim):
    """Register what makes nobody late."""
    return late(victim, None)


# -- somebody holds the loop -------------------------------------------------------------------------


@late("alice", "socket_ms", Held("bob", "resize_image", BLOCKING))
async def a_blocking_call(bob, alice):
    """alice's message arrives while bob's handler sleeps, and keeps the loop."""
    await bob.begins("resize")
    await alice.says("hello")


@late("alice", "loop_ms", Held("bob", "count_primes", CPU))
async def a_query_interrupted(bob, alice):
    """alice's query of 60 ms is under way when bob's handler takes the CPU for 250 ms."""
    query = await alice.begins("query 60")
    await bob.begins("count 250")
    await query


@late("alice", "socket_ms", Held("bob", "save_order", BLOCKING))
async def a_synchronous_database_driver(bob, alice):
    """bob's handler asks sqlite3, which takes 200 ms, without a thread."""
    await bob.begins("order")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "fetch_rates", BLOCKING))
async def a_synchronous_HTTP_client(bob, alice):
    """bob's handler asks another service by urllib, which takes 200 ms, without a thread."""
    await bob.begins("rates")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "Payment.check_iban", CPU))
async def a_slow_validator(bob, alice):
    """bob's message is checked by a pydantic validator that takes 200 ms."""
    await bob.begins("pay")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "Courier.emit", BLOCKING))
async def a_logging_handler_that_blocks(bob, alice):
    """bob's handler logs a line, by a handler that takes 200 ms to send it somewhere."""
    await bob.begins("login")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "load_report", C_CALL))
async def nine_megabytes_of_JSON(bob, alice):
    """bob's handler calls json.loads: one call in C, during which no other thread runs either."""
    await bob.begins("load")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "check_name", C_CALL))
async def a_regex_that_explodes(bob, alice):
    """bob's name is matched against (a|a?)+b, which tries millions of ways."""
    await bob.begins("rename")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "make_garbage", COLLECTOR))
async def garbage_collection(bob, alice):
    """The collector runs in bob's handler, over a heap of 300,000 lists."""
    await bob.begins("collect")
    await alice.says("hello")


@late("alice", "socket_ms", Held("bob", "purge_cache", BLOCKING))
async def a_lock_of_threads(bob, alice):
    """bob's handler takes a threading.Lock that a thread keeps for 200 ms."""
    await bob.begins("purge")
    await alice.says("hello")


@late("alice", "code_ms", Own("count_primes", THREADS))
async def a_thread_that_hogs_the_GIL(bob, alice):
    """alice's handler needs 100 ms of CPU, and bob's thread wants the GIL all the while."""
    mining = await bob.begins("mine 600")
    await alice.says("count 100")
    await mining


@late("alice", "socket_ms", Held("bob", "count_primes", NO_CPU))
async def a_process_short_of_CPU(bob, alice):
    """bob's handler needs 100 ms of CPU, on a core that two busy processes are on, too."""
    core = max(os.sched_getaffinity(0))
    everywhere = sorted(os.sched_getaffinity(0))
    await bob.says(f"pin [{core}]")
    try:
        with busy_processes(2, core):
            counting = await bob.begins("count 100")
            await alice.says("hello")
            await counting
    finally:
        await bob.says(f"pin {everywhere}")


@late("alice", "code_ms", Own("resize_image", BLOCKING))
async def ones_own_blocking_call(alice):
    """alice's own handler sleeps, and keeps the loop."""
    await alice.says("resize")


@late(
    "alice",
    "socket_ms",
    Held("bob", "count_primes", CPU),
    Held("carol", "count_primes", CPU),
)
async def two_holders_in_one_wait(bob, carol, alice):
    """bob's handler takes 200 ms of CPU and carol's 100 ms, one after the other."""
    counts = await asyncio.gather(carol.begins("meet 100"), bob.begins("meet 200"))
    await alice.says("hello")
    await asyncio.gather(*counts)


@late(
    "alice",
    "socket_ms or loop_ms",
    *(Held(user, "count_primes", CPU) for user in ("bob", "carol", "dave")),
)
async def a_burst_of_work(bob, carol, dave, alice):
    """bob's handler takes 150 ms of CPU, and then carol's and dave's take 80 ms each."""
    counting = await bob.begins("count 150")
    others = [asyncio.create_task(user.sends("count 80")) for user in (carol, dave)]
    await asyncio.sleep(0)
    await alice.says("hello")
    await asyncio.gather(counting, *others)


@late(
    "alice",
    "socket_ms or queue_ms",
    Fed("bob", r"[\w.]+", CPU),
    uvloop=(Unknown(),),
)
async def a_storm_of_pings(bob, alice):
    """bob sends 60,000 ping frames at once, which the server answers in one go."""
    bob.pings(60_000)
    await asyncio.sleep(0.005)
    await alice.says("hello")


@late("alice", "queue_ms or socket_ms", Held("task janitor sweep", "sweep_floor", BLOCKING))
async def a_background_task(bob, alice):
    """A task named janitor, which is nobody's, sleeps and keeps the loop; bob has woken it."""
    await bob.begins("wake")
    await alice.says("hello")


@late("alice", "loop_ms", Busy(("bob", "carol", "dave", "erin", "frank")))
async def a_saturated_loop(bob, carol, dave, erin, frank, alice):
    """Five users' handlers run in steps of 2 ms, which alone are harmless."""
    walks = [await user.begins("steps 60") for user in (bob, carol, dave, erin, frank)]
    await alice.says("walk 25")
    await asyncio.gather(*walks)


@late("alice", "socket_ms", Held("bob", "resize_image", BLOCKING))
async def an_HTTP_request_held(bob, alice):
    """alice asks by HTTP while bob's handler sleeps, and keeps the loop."""
    await bob.begins("resize")
    await alice.asks("hello")


@late("alice", "code_ms", Own("resize_image", BLOCKING))
async def an_HTTP_request_that_holds(alice):
    """The handler of alice's HTTP request sleeps, and keeps the loop."""
    await alice.asks("resize")


# -- somebody is waited for --------------------------------------------------------------------------


@late("alice", "await_ms", Awaited("lock", "edit", by="bob"))
async def a_lock(bob, alice):
    """alice's handler waits for an asyncio.Lock that bob's has for 200 ms."""
    await bob.begins("edit 200")
    await alice.says("edit 50")


@late("alice", "await_ms", Awaited("lock", "edit_soon", by="bob"))
async def a_lock_in_wait_for(bob, alice):
    """The same, but alice's handler would give up after a while: asyncio.wait_for."""
    await bob.begins("edit 200")
    await alice.says("edit_soon")


@late("alice", "await_ms", Awaited("lock", "pages", by="bob"))
async def a_lock_in_an_async_generator(bob, alice):
    """alice's handler loops over an async generator, which waits for that lock."""
    await bob.begins("edit 200")
    await alice.says("leaf")


@late("alice", "await_ms", Awaited("lock", "edit", by="dave"))
async def a_lock_convoy(bob, carol, dave, alice):
    """alice's handler is the fourth in a row for an asyncio.Lock; dave's is the third."""
    edits = [await bob.begins("edit 100")]
    for user in (carol, dave, alice):
        edits.append(asyncio.create_task(user.sends("edit 100")))
        await asyncio.sleep(0)
        await user.is_read()
    await asyncio.gather(*edits)


@late("alice", "await_ms", Awaited("semaphore", "export", by="bob"))
async def a_semaphore_of_one(bob, alice):
    """alice's handler waits for an asyncio.Semaphore(1) that bob's has for 200 ms."""
    await bob.begins("export 200")
    await alice.says("export 50")


@late("alice", "await_ms", Awaited("queue get", "check_out", by="bob"))
async def a_pool_exhausted(bob, alice):
    """alice's handler waits for the only connection of a pool, which bob's has for 200 ms."""
    await bob.begins("lookup 200")
    await alice.says("lookup 50")


@late("alice", "await_ms", Awaited("event", "question", by="bob"))
async def a_question_to_another_user(bob, alice):
    """alice asks, and bob takes 200 ms to answer: an asyncio.Event."""
    question = await alice.begins("question")
    await bob.says("reply alice")
    await question


@late("alice", "await_ms", Awaited("free thread for zip_files", "zip"))
async def an_executor_starved(bob, carol, alice):
    """Both threads of the executor are at work for bob and carol; alice's job waits for one."""
    await bob.begins("zip 200")
    await carol.begins("zip 200")
    await alice.says("zip 50")


@late(
    "alice",
    "await_ms",
    Awaited("free thread for zip_files", "make_album"),
    Awaited("thread running zip_files", "make_album"),
)
async def an_executor_overfilled(alice):
    """alice's handler asks for eight jobs of 50 ms at once; there are two threads."""
    await alice.says("album 8")


@late("alice", "await_ms", Awaited("network read", "ask_backend"))
async def a_job_that_nobody_waits_for(alice):
    """A thread works for alice's handler, which waits 200 ms for another service meanwhile."""
    await alice.says("warm")


@late("alice", "await_ms", Awaited("thread running slow_getaddrinfo", "resolve"))
async def a_slow_name_server(alice):
    """A thread looks a name up for alice, which takes 200 ms."""
    await alice.says("resolve")


@late("alice", "await_ms", Awaited("network read", "ask_backend"))
async def a_slow_backend(alice):
    """alice's handler asks another service, by asyncio's streams, which takes 200 ms."""
    await alice.says("backend")


@late("alice", "await_ms", Awaited("subprocess", "run_converter"))
async def a_subprocess(alice):
    """alice's handler waits for a program that takes 200 ms."""
    await alice.says("convert")


@late("alice", "await_ms", Awaited("subprocess", "read_from_converter"))
async def a_subprocess_output(alice):
    """alice's handler reads from a program that has nothing to say for 200 ms."""
    await alice.says("pipe")


@late("alice", "await_ms", Awaited("sleep", "never_ready"))
async def a_timeout(alice):
    """alice's handler gives something up after 200 ms: asyncio.timeout."""
    await alice.says("hurry")


@late("alice", "await_ms", Awaited("sleep", "never_ready"))
async def a_timeout_of_wait_for(alice):
    """The same, by asyncio.wait_for."""
    await alice.says("hurry_task")


@late("alice", "await_ms", Awaited("sleep", "remove_files"))
async def a_cancellation(alice):
    """alice's handler cancels a task, which takes 200 ms to clean up."""
    await alice.says("abort")


@late("alice", "await_ms", Awaited("sleep", "back_off"))
async def a_retry_loop(alice):
    """alice's handler tries again, after 40, 80 and 160 ms."""
    await alice.says("retry")


@late("alice", "await_ms", Awaited("sleep", "fetch_comments"))
async def the_slowest_task_of_a_group(alice):
    """alice's handler waits for three tasks, of 20, 50 and 250 ms."""
    await alice.says("page")


@late("alice", "await_ms", Awaited("sleep", "query"))
async def ones_own_slow_query(alice):
    """alice's own query takes 200 ms; nobody else has to do with it."""
    await alice.says("query 200")


# -- in a row ----------------------------------------------------------------------------------------


@late("alice", "queue_ms", Behind(2))
async def a_burst_on_one_socket(alice):
    """alice sends three messages at once, whose queries take 100 ms each."""
    await alice.sends("query 100", "query 100", "query 100")


@late("alice", "queue_ms", Behind(1))
async def behind_ones_own_query(bob, alice):
    """alice's message waits for her query; bob's hold, meanwhile, delays neither."""
    query = await alice.begins("query 400")
    next_one = asyncio.create_task(alice.sends("hello"))
    await asyncio.sleep(0)
    await alice.is_read()
    await bob.says("resize")
    await query
    await next_one


@late("alice", "queue_ms", AnotherItem(("bob",)))
async def a_worker_fed_by_a_queue(bob, alice):
    """alice's booking waits in a tracelog.Queue, as its worker is at bob's, for 200 ms."""
    await asyncio.gather(await bob.books(), await alice.books(100))


@late("alice", "queue_ms", AnotherItem(("bob", "carol")))
async def a_worker_with_a_backlog(bob, carol, alice):
    """alice's booking is the third in that queue: bob's and carol's have their turn first."""
    bookings = [await user.books() for user in (bob, carol, alice)]
    await asyncio.gather(*bookings)


# -- clients that take their time --------------------------------------------------------------------


@late("alice", "send_ms", SlowClient())
async def a_client_that_does_not_read(alice):
    """alice is sent 24 MB, and reads nothing for 300 ms."""
    download = await alice.begins("download 24")
    alice.goes_deaf()
    await asyncio.sleep(0.3)
    alice.hears_again()
    await download


@late("alice", "await_ms", Awaited("sleep", "think"), SlowClient())
async def a_client_that_does_not_read_what_a_task_sends(alice):
    """alice's handler thinks for 200 ms, while its task sends to her; she reads nothing for 300 ms."""
    answer = await alice.begins("essay 24")
    alice.goes_deaf()
    await asyncio.sleep(0.3)
    alice.hears_again()
    await answer


@late("alice", "await_ms", Sending("bob", "User.hears"))
async def a_slow_client_that_stalls_others(bob, alice):
    """alice tells everybody something; bob reads nothing for 300 ms, and all wait for him."""
    bob.goes_deaf()
    broadcast = await alice.begins("broadcast 24")
    await asyncio.sleep(0.3)
    bob.hears_again()
    await broadcast


@late("alice", "await_ms", Sending("bob", "User.hears"))
async def a_slow_consumer_of_a_broadcast(carol, bob, alice):
    """The same, in a task for each of them: bob reads nothing for 500 ms, carol reads."""
    bob.goes_deaf()
    broadcast = await alice.begins("announce 8")
    await asyncio.sleep(0.5)
    bob.hears_again()
    await broadcast


@late("alice", "await_ms", Awaited("sleep", "query"))
async def a_client_that_others_stall_at(bob, alice):
    """alice reads nothing while bob tells her something: bob's time, not that of her query."""
    query = await alice.begins("query 300")
    alice.goes_deaf()
    broadcast = await bob.begins("broadcast 24")
    await asyncio.sleep(0.2)
    alice.hears_again()
    await asyncio.gather(query, broadcast)


@late("alice", "await_ms", Awaited("queue put", "put_news", by="bob"))
async def a_slow_consumer(bob, alice):
    """alice's handler puts something into a queue that is full until bob's takes from it."""
    reading = await bob.begins("subscribe")
    await alice.says("publish")
    await reading


# -- the server's life -------------------------------------------------------------------------------


@late("alice", "socket_ms", Held("LifespanOn.main", "warm_caches", BLOCKING))
async def a_server_that_starts(server, alice):
    """alice's request arrives while the service warms its caches, which takes 200 ms."""
    server.start()
    await server.says(event="starting")
    await alice.asks("hello")


@late("alice", "await_ms", Awaited("sleep", "query"))
async def a_server_that_stops(server, alice):
    """The server is told to end during alice's query of 200 ms, and holds its loop after that."""
    server.start()
    await server.says(event="Application startup complete.")
    query = asyncio.create_task(alice.asks("query 200"))
    await server.says(event="asked")
    server.terminate()
    await query


# -- nothing is wrong --------------------------------------------------------------------------------


@on_time("alice")
async def nothing_wrong(alice):
    """alice's message is answered at once."""
    await alice.says("hello")


@on_time("alice")
async def after_a_pause(alice):
    """alice's second message comes after a while: time between messages is nobody's."""
    await alice.says("hello")
    await asyncio.sleep(0.3)
    await alice.says("hello")


@late("alice", "await_ms", Awaited("sleep", "query"))
async def a_hold_that_delays_nobody(bob, alice):
    """bob's handler holds the loop while alice's query runs, and is done before that is."""
    query = await alice.begins("query 400")
    await bob.says("resize")
    await query


# -- playing -----------------------------------------------------------------------------------------


@contextmanager
def busy_processes(count, core):
    """Keep a CPU core busy."""
    busy = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(count)]
    try:
        for process in busy:
            os.sched_setaffinity(process.pid, {core})
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


async def play(scenario, server):
    """Let it happen, and give what the server says of it."""
    users = {name: User(name, server) for name in scenario.cast if name != "server"}
    async with asyncio.timeout(30), AsyncExitStack() as stack:
        for user in users.values():
            stack.push_async_callback(user.leave)
            if "server" not in scenario.cast:
                await user.connect()
        before = (0.0, 0.0) if "server" in scenario.cast else server.cpu_s()
        _, queued_before = cpu_s()
        guests = {"server": server} if "server" in scenario.cast else {}
        await scenario.play(**guests, **users)
        own_wait_ms = (cpu_s()[1] - queued_before) * 1000
        verdicts = await verdicts_on(users.values(), server)
        running, queued = (now - then for now, then in zip(server.cpu_s(), before))
    said = users[scenario.victim].said[-1]
    of_victim = [v for v in verdicts if is_about(v, scenario.victim, said.kind)]
    traces = {name: {v["trace_id"] for v in verdicts if v["user_id"] == name} for name in users}
    short_of_cpu = queued > SHORT * running
    return Outcome(said.ms, own_wait_ms, of_victim[-1], verdicts, traces, short_of_cpu)


async def verdicts_on(users, server):
    """Wait until each thing that they have said has its verdict."""
    for user in users:
        for kind, count in Counter(said.kind for said in user.said).items():
            await server.says(count, event="utterance", user_id=user.name, kind=kind)
    return server.lines(event="utterance")


def names_in(by):
    return by if isinstance(by, tuple) else (by,)


def is_about(verdict, user, kind):
    return (verdict["user_id"], verdict["kind"]) == (user, kind)


def run(scenario, loop, server):
    """Play a scenario on *server*, or on a server of its own."""
    if "server" not in scenario.cast:
        server.mark()
        return asyncio.run(play(scenario, server))

    own = Server(loop, COLD="1")
    try:
        return asyncio.run(play(scenario, own))
    finally:
        own.stop()


# -- judging -----------------------------------------------------------------------------------------


def faults_of(scenario, loop, outcome):
    """List what the verdict on the victim tells wrongly, or doesn't tell."""
    return [*_faults(replace(scenario, because=scenario.on.get(loop, scenario.because)), outcome)]


def _faults(scenario, outcome):
    verdict, measured_ms = outcome.verdict, outcome.measured_ms
    for each in outcome.verdicts:
        total, boxes = each["total_ms"], sum(each[box] for box in BOXES)
        if abs(boxes - total) > max(1, 0.01 * total):
            yield f"the boxes of {each['user_id']}'s {each['kind']} sum to {boxes:.1f} of {total} ms"
    tolerance_ms = max(TOLERANCE_MS, TOLERANCE * measured_ms)
    if not -tolerance_ms < measured_ms - verdict["total_ms"] < tolerance_ms + outcome.own_wait_ms:
        yield f"{verdict['total_ms']} ms, where the client has measured {measured_ms:.1f}"
    yield from (_faults_of_late if scenario.because else _faults_of_on_time)(scenario, outcome)


def _faults_of_on_time(scenario, outcome):
    verdict = outcome.verdict
    if verdict["late"]:
        yield f"late, after {verdict['total_ms']} ms"
    for key in ("cause", "blocked_by", "busiest"):
        if key in verdict:
            yield f"{key}: {verdict[key]}, where nothing was wrong"


def _faults_of_late(scenario, outcome):
    verdict = outcome.verdict
    cause = verdict.get("cause", "")
    largest = max(BOXES, key=verdict.get)
    if largest not in scenario.box.split(" or "):
        yield f"most is in {largest}, not in {scenario.box}"
    for truth in scenario.because:
        if not truth.is_told_by(verdict, outcome):
            yield f"{truth} isn't told"
    first, *more = [truth.clause for truth in scenario.because]
    wanted = "; ".join(
        rf"\d+ ms: ({clause})" for clause in (first, *["|".join(more)][: bool(more)])
    )
    if not re.match(wanted, cause):
        yield f"the cause is {cause!r}, not {wanted!r}"
    guilty = {name for truth in scenario.because for name in names_in(truth.by)}
    named = {user for user in scenario.cast if re.search(rf"\b{user}('s)?\b", cause)}
    for innocent in named - guilty:
        yield f"{innocent} is blamed: {cause!r}"


# -- the page ----------------------------------------------------------------------------------------

PAGE = """# A catalogue of lateness

Each row is a small, real service with real clients, in which one known thing makes one user late. What the verdict on that user tells is held against the truth:
the holder, the line of code, the kind, the trace, and the delay as the client has measured it (within {tolerance:.0%} or {tolerance_ms} ms). Where nobody is to blame, nobody is blamed.
Written by `python tests/lateness/scenarios.py docs/lateness.md`; the same judges run in the test-suite.

Two things differ by the event loop. uvloop doesn't tell of the callbacks that read its sockets: a server that is busy in one of them is told as a wait for the event loop, and nobody is blamed.
And after a hold, uvloop may let a timer that is due wait once more for as long as it was set to: that is told as a wait for the event loop, too.

uvicorn {uvicorn}, websockets {websockets}, uvloop {uvloop}, CPython {python}

| what happens | client | asyncio | client | uvloop |
|---|---|---|---|---|
{rows}
"""


def outcomes_on(loop):
    """Play all scenarios, and give what became of each.

    Raises:
        AssertionError: If one is judged to be wrong.
    """
    server = Server(loop)
    try:
        asyncio.run(start(server))
        judged = [judge(scenario, loop, server) for scenario in SCENARIOS]
    finally:
        server.stop()
    assert not any(faults for _, faults in judged), [faults for _, faults in judged if faults]
    return [outcome for outcome, _ in judged]


async def start(server):
    server.start()
    await server.says(event="Application startup complete.")


def judge(scenario, loop, server):
    """Play a scenario, and list its faults; again, if there are some: the machine has moods."""
    for _ in range(ATTEMPTS):
        outcome = run(scenario, loop, server)
        faults = faults_of(scenario, loop, outcome)
        if not faults:
            break
    return outcome, faults


def row(scenario, *outcomes):
    cells = [scenario.truth]
    for outcome in outcomes:
        cause = outcome.verdict.get("cause", "on time")
        cells += [f"{outcome.measured_ms:.0f} ms", cause.replace("; ", "; <br>")]
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def page():
    """Play all scenarios on each loop, and tell the result."""
    by_loop = [outcomes_on(loop) for loop in LOOPS]
    return PAGE.format(
        rows="\n".join(row(*both) for both in zip(SCENARIOS, *by_loop)),
        tolerance=TOLERANCE,
        tolerance_ms=TOLERANCE_MS,
        python=".".join(map(str, sys.version_info[:3])),
        **{name: version(name) for name in ("uvicorn", "websockets", "uvloop")},
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the page to write")
    parser.parse_args().output.write_text(page(), "utf-8")


if __name__ == "__main__":
    main()
