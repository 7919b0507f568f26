"""What the answers say of a fleet's log is what is known to be in it."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tracelog
from tracelog.calls import Call
from tracelog.cli import main
from tracelog.context import Context, enter_context
from tracelog.ids import TraceContext
from tracelog.latency.clock import SYSTEM_CLOCK, Clock
from tracelog.latency.findings import Awaited, Findings
from tracelog.latency.holds import Hold
from tracelog.latency.loop import watch_loop
from tracelog.latency.policy import Policy
from tracelog.latency.utterance import Arrival, Utterance
from tracelog.latency.verdict import conclude


def load_fleet():
    spec = importlib.util.spec_from_file_location("fleet", Path(__file__).with_name("fleet.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules["fleet"] = module  # a dataclass looks for its module there
    spec.loader.exec_module(module)
    return module


fleet = load_fleet()

DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>')
PLANTED = {*fleet.CONVOY, *fleet.BANK, *fleet.EXECUTOR, fleet.HOLDER, fleet.VICTIM}
NETWORK = "waiting for data from the network"
FORWARD, PAY = fleet.SENDING.values()


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    return folder, fleet.write_fleet(folder)


@pytest.fixture
def truths(log):
    return log[1]


@pytest.fixture
def files(log):
    return [str(log[0] / f"{host}.jsonl") for host in fleet.HOSTS]


@pytest.fixture
def ask(files, capsys):
    """Ask all files by the command line; what it says to programs."""

    def asked(*command):
        assert main([command[0], "--json", *command[1:], *files]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return asked


def keyed(records):
    return {record["key"]: record for record in records}


def late_counts(records):
    return {record["key"]: record["late"] for record in records if record["late"]}


# -- The log itself --------------------------------------------------------------------------------


def test_it_has_the_size_asked_for_and_is_the_same_every_time(tmp_path, log):
    """A seed is a log; another size has the same truths planted."""
    folder, truths = log

    small = fleet.write_fleet(tmp_path / "small", lines=500)
    again = fleet.write_fleet(tmp_path / "again", lines=500)

    assert sum(truths.lines.values()) == pytest.approx(20_000, rel=0.05)
    assert len(list(folder.iterdir())) == 4
    assert small == again
    assert small.late_by_user == truths.late_by_user
    for host in fleet.HOSTS:
        name = f"{host}.jsonl"
        assert (tmp_path / "small" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_its_verdicts_are_the_librarys(caplog):
    """Key by key, in their order, the cause included."""
    caplog.set_level(logging.INFO)
    place, about = "app.py:41 handle", {"method": "POST", "path": "/export", "status": 500}
    wall = SYSTEM_CLOCK.wall()

    async def late():
        watch = watch_loop()
        await asyncio.sleep(0)
        arrival = Arrival(wall, SYSTEM_CLOCK.monotonic(), 0.25)
        policy = Policy()
        utterance = Utterance(
            1, "http", "POST /export", arrival, policy=policy, clock=SYSTEM_CLOCK, about=about
        )
        trace = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
        enter_context(Context.make({}, trace, None, utterance.ledger))
        found = Findings.of(utterance.ledger)
        hold = Hold(0.0, 0.3, wall, None, "task Task-1 other", place, "blocking call")
        found.holds[hold] = 0.24
        found.own[place, "CPU-bound"] = 0.1
        found.awaits[Awaited("lock", place, None)] = 0.2
        conclude(utterance, failed=True)
        watch.stop()

    asyncio.run(late())

    fields = next(each for each in caplog.records if each.name == "tracelog.utterance").fields
    boxes = {box: fields[box] for box in fleet.BOXES}
    reasons = {key: fields[key] for key in ("blocked_by", "held", "awaits")}
    ours = fleet.verdict_fields(1, boxes, wall - 0.25, reasons, about, failed=True)
    ours["total_ms"] = pytest.approx(ours["total_ms"], abs=0.01)  # of boxes that are rounded
    assert list(fields) == list(ours)
    assert fields == ours


def test_its_holds_are_the_librarys(caplog):
    """Key by key, in their order."""
    hold = Hold(1.0, 2.8, fleet.HELD_AT, None, "task Task-1 f", "app.py:4 f", "blocking call")

    hold.write()

    ours = fleet.hold_fields(hold, delayed=0, delayed_ms=0.0)
    assert list(caplog.records[0].fields.items()) == list(ours.items())


def test_its_calls_are_the_librarys(caplog):
    """Key by key, in their order."""
    caplog.set_level(logging.DEBUG)
    times = iter((1.0, 1.25))
    call = Call.begin("POST", "http://chat-1:8000/rooms", {}, Clock(monotonic=lambda: next(times)))

    call.end(logging.getLogger("tracelog.httpx"), status=200)

    ours = fleet.call_fields("POST", "chat-1", "/rooms", 200, 250.0)
    assert list(caplog.records[0].fields.items()) == list(ours.items())


# -- late ------------------------------------------------------------------------------------------


def test_the_late_ones_are_all_there_with_their_users(ask, truths):
    """Nobody is missing, and nobody is accused."""
    rows = [row for row in ask("late", "--top", "1000", "--over", "199.999") if row["late"]]

    assert Counter(row["user_id"] for row in rows) == truths.late_by_user
    assert truths.late_by_user.keys() == PLANTED


def test_the_one_on_the_phone_was_hit_by_anothers_blocking_call(ask, truths):
    """Who held the loop, in which line; and the gateway waited for that."""
    gateway, chat = ask("late", "--user", fleet.VICTIM)

    assert chat["loop_ms"] == fleet.DELAYED_MS
    assert chat["cause"] == (
        f"1650 ms: loop held by {fleet.HOLDER}'s POST /export in {fleet.HELD_IN} (blocking call)"
    )
    assert gateway["cause"].endswith(f"{NETWORK} (httpx) in {FORWARD}")
    assert chat["trace_id"] == gateway["trace_id"] == truths.traces[fleet.VICTIM]


def test_a_slow_call_is_followed_through_three_services(ask, truths):
    """One trace: the gateway waits for chat, chat for billing, and billing for the bank."""
    rows = ask("late", "--where", f"trace_id={truths.traces[fleet.FAILED]}")

    assert [row["route"] for row in rows] == ["/ws", "/messages", "/charge"]
    assert [row["cause"].partition(": ")[2] for row in rows] == [
        f"{NETWORK} (httpx) in {FORWARD}",
        f"{NETWORK} (httpx) in {PAY}",
        f"{NETWORK} in {fleet.BANK_IN}",
    ]


def test_a_clock_that_is_slow_is_shown_as_it_is(ask):
    """The chat seems to have got the message before the gateway did."""
    rows = {row["route"]: row for row in ask("late", "--user", "user-join-00")}

    gateway, chat = (
        datetime.fromisoformat(rows[route]["time"]) for route in ("/ws", "/rooms/join")
    )
    assert chat - gateway == timedelta(seconds=fleet.SKEW_S[fleet.CHAT_2], milliseconds=2)


def test_show_sets_a_slow_clock_right(truths, files, capsys):
    """One trace in both services: the chat's part lies within the gateway's wait for it."""
    assert main(["show", "--json", truths.traces["user-join-00"], *files]) == 0

    shown = json.loads(capsys.readouterr().out)
    ((gateway, chat, ahead_ms),) = [each.values() for each in shown["skews"]]
    assert (Path(chat).stem, Path(gateway).stem) == (fleet.GATEWAY, fleet.CHAT_2)
    assert ahead_ms == fleet.SKEW_S[fleet.CHAT_2] * 1000
    began = [datetime.fromisoformat(each["began"]) for each in shown["others"]]
    assert began == [datetime.fromtimestamp(fleet.CONVOY_AT + 0.002, UTC)]


def test_show_names_the_holder(truths, files, capsys):
    """Whose step it was, and where that was, in the part of the service that it hit."""
    assert main(["show", "--json", truths.traces[fleet.VICTIM], *files]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert [each["title"] for each in shown["others"]] == [f"{fleet.VICTIM}'s POST /messages"]
    (held,) = [row for row in shown["others"][0]["rows"] if fleet.HELD_IN in row["about"]]
    assert (held["label"], held["length_ms"]) == (
        f"{fleet.HOLDER}'s POST /export",
        fleet.DELAYED_MS,
    )
    assert [each["title"] for each in shown["holders"]] == [f"{fleet.HOLDER}'s POST /export"]


def test_late_ones_are_counted_by_user_route_and_minute(ask, truths):
    """All of them, wherever they are."""
    by = {
        name: late_counts(ask("late", "--top", "1000", "--group-by", name))
        for name in ("user", "route", "minute")
    }

    assert by["user"] == truths.late_by_user
    assert by["route"] == truths.late_by_route
    assert by["minute"] == truths.late_by_minute


def test_late_ones_are_counted_by_place_and_cause(ask):
    """What many have in common is one row: the lock of the convoy, the threads, the bank."""
    places = late_counts(ask("late", "--group-by", "where"))
    causes = late_counts(ask("late", "--group-by", "cause"))

    assert places == {
        FORWARD: len(PLANTED),
        fleet.CONVOY_IN: len(fleet.CONVOY),
        fleet.EXECUTOR_IN: len(fleet.EXECUTOR),
        fleet.BANK_IN: len(fleet.BANK),
        PAY: len(fleet.BANK),
        fleet.HELD_IN: 2,  # who held the loop, and whom that hit
    }
    assert causes[f"waiting for a lock in {fleet.CONVOY_IN}"] == len(fleet.CONVOY)
    assert causes[f"loop held in {fleet.HELD_IN} (blocking call)"] == 1


def test_a_deploy_made_one_box_of_one_route_grow(ask):
    """It comes first, though none of its utterances is late; others have hardly changed."""
    first, *others = ask("late", "--compare", fleet.DEPLOY)

    assert (first["key"], first["box"]) == (fleet.DEPLOY_ROUTE, "code_ms")
    assert first["box_grown_ms"] == pytest.approx(fleet.DEPLOY_MS, abs=3)
    assert first["p95_grown_ms"] == pytest.approx(fleet.DEPLOY_MS, abs=5)
    assert first["after"]["late"] == 0
    assert max(other["p95_grown_ms"] for other in others) < 20


# -- blame, stats, tail, report --------------------------------------------------------------------


def test_blame_lists_what_was_planted_and_nothing_else(ask, truths):
    """With what each has cost, and whom."""
    culprits = {each["place"]: each for each in ask("blame")}

    assert {
        place: (each["sort"], each["delay_ms"], each["late"], each["users"])
        for place, each in culprits.items()
        if place not in {FORWARD, PAY}
    } == {
        fleet.HELD_IN: ("hold", fleet.DELAYED_MS, 1, 1),
        fleet.CONVOY_IN: ("lock", sum(fleet.CONVOY.values()), 12, 12),
        fleet.EXECUTOR_IN: ("executor", sum(fleet.EXECUTOR.values()), 9, 9),
        fleet.BANK_IN: ("downstream call", sum(fleet.BANK.values()), 5, 5),
    }
    assert culprits[fleet.HELD_IN]["longest_ms"] == fleet.HELD_MS
    assert culprits[fleet.HELD_IN]["traces"] == [truths.traces[fleet.VICTIM]]
    assert culprits[FORWARD]["late"] == len(PLANTED)  # the gateway has waited for all of it
    assert culprits[PAY]["late"] == len(fleet.BANK)


def test_stats_counts_what_was_written(ask, truths):
    """Lines, bytes, what is broken and where; requests, utterances, failures."""
    total = next(record for record in ask("stats") if record["what"] == "total")

    assert (total["lines"], total["size"]) == (
        sum(truths.lines.values()),
        sum(truths.size.values()),
    )
    assert (total["requests"], total["failed_requests"]) == (truths.requests, 1)
    assert (total["utterances"], total["late"]) == (truths.utterances, truths.late)
    assert (total["errors"], total["failed"], total["broken"]) == (1, truths.failed, 3)
    assert {Path(name).name for name in total["broken_at"]} == set(truths.broken)


def test_stats_tells_who_fills_the_disk_and_who_has_no_trace(ask, truths):
    """Every logger, those that write most first."""
    loggers = [record for record in ask("stats") if record["what"] == "logger"]

    assert loggers[0]["logger"] == fleet.NOISY
    assert {each["logger"]: each["size"] for each in loggers} == truths.size
    assert {each["logger"]: each["lines"] for each in loggers} == truths.lines
    traceless = {each["logger"]: each["traceless"] for each in loggers if each["traceless"]}
    assert traceless == {fleet.TRACELESS: fleet.CRON_LINES}


def test_tail_shows_late_ones_and_counts_all(tmp_path, files):
    """The real command, on a copy, until Ctrl-C."""
    copy = tmp_path / "chat-1.jsonl"
    lines = Path(files[1]).read_bytes().splitlines(keepends=True)
    # The last line is one to be shown: when it is, all before it have been counted.
    last = next(line for line in lines if fleet.VICTIM.encode() in line and b'"late":true' in line)
    copy.write_bytes(b"".join([*lines, last]))
    process = subprocess.Popen(
        [sys.executable, "-m", "tracelog", "tail", "--late-only", "--lines", "999999", copy],
        env={**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    # A hold; who held, who was hit; those who waited for the bank; those who waited for a thread.
    late = 2 + len(fleet.BANK) + len(fleet.EXECUTOR) + 1
    shown = [process.stdout.readline() for _ in range(1 + late)]
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=60)[1]

    assert "loop held 1.8s in chat/export.py:88 render_pdf" in shown[0]
    assert f"user_id={fleet.VICTIM}" in shown[2]
    assert sum("make_thumbnail" in line for line in shown) == len(fleet.EXECUTOR)
    assert f"{len(lines) + 1:,} lines" in said
    assert f"{late} of them late, 1 hold, 1 no JSON." in said


def test_the_page_holds_the_same(tmp_path, files, truths, capsys):
    """What a browser gets to draw: the late ones, the hold, what is to blame, whole traces."""
    page = tmp_path / "report.html"

    assert main(["report", *files, "-o", str(page)]) == 0

    data = json.loads(DATA.search(page.read_text("utf-8"))[1])
    utterances, users = data["utterances"], data["users"]
    late = [users[n] for n, is_late in zip(utterances["user"], utterances["late"]) if is_late]
    assert Counter(late) == truths.late_by_user
    assert (data["log"]["utterances"], data["log"]["late"]) == (truths.utterances, truths.late)
    assert (data["log"]["users"], data["log"]["waiting"]) == (len(truths.by_user), len(PLANTED))
    assert data["holds"]["where"] == [fleet.HELD_IN]
    assert data["holds"]["delayed_ms"] == [fleet.DELAYED_MS]
    costs = {(how, place): ms for how, place, _, _, ms, *_ in data["places"]}
    assert costs["blocked_by", fleet.HELD_IN] == fleet.DELAYED_MS
    assert costs["awaits", fleet.CONVOY_IN] == sum(fleet.CONVOY.values())
    assert data["lines"][truths.traces[fleet.FAILED]]["count"] == 11
    assert any("3 of" in said and "no JSON" in said for said in data["log"]["left_out"])


def test_the_command_itself_answers(files):
    """Once in a process of its own, for eyes: the slowest is told whole."""
    done = subprocess.run(
        [sys.executable, "-m", "tracelog", "late", "--top", "1", *files],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(tracelog.__file__).parents[1]),
            "COLUMNS": "140",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert "user-card-4" in done.stdout
    assert "61 of them late" in done.stdout
    assert done.stdout.count("\n") < 15
