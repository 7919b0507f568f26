"""Each question has one answer: of files, of a table of ClickHouse, and of two shards of one.

ClickHouse's engine is a process that is asked over HTTP, by clickhouse-connect, as a server is. The two
shards are in that one process, since it has no protocol of its own to others: each computes its part of
an answer from its half of the lines, and the parts are merged, as they are between servers.
"""

from __future__ import annotations

import json
import random
import re
import shlex
import urllib.parse
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tracelog.answers.address import Address
from tracelog.answers.blame import blame
from tracelog.answers.clickhouse import ClickHouse
from tracelog.answers.clickhouse_columns import IS_JSON, STORED
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.groups import GROUPS, compare, group
from tracelog.answers.log import Log
from tracelog.answers.server import connect
from tracelog.answers.slowest import SORTS, slowest
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.stats import stats
from tracelog.answers.times import Moment
from tracelog.cli import main


START = datetime(2026, 11, 22, 10, tzinfo=UTC)
BOXES = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
PLACES = ("chat.py:12 answer", "db.py:7 fetch", "llm.py:90 ask")
HOSTILE = ("'); DROP TABLE lines; --", "\x1b[2J", "\u202eevil", "<script>", "%s {a:String} \\")
USERS = (*(f"user-{number}" for number in range(7)), *HOSTILE, None, 7)


def stamp(seconds):
    moment = START + timedelta(seconds=seconds)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def waits(dice, *, late):
    """Write what an utterance lost its time to, in no two of the same length."""
    place, ms = dice.choice(PLACES), round(dice.uniform(1, 500), 6)
    if not late:
        return {"spans": [{"name": "llm", "count": 1, "total_ms": ms, "own_ms": ms / 3}]}

    user = dice.choice(USERS)
    return {
        "blocked_by": [{"ms": ms, "where": place, "kind": "CPU-bound", "user_id": user}],
        "awaits": [{"ms": ms / 7, "where": place, "what": dice.choice(("lock", "network"))}],
        "cause": f"{ms:.1f} ms: held by {user} in {place}; 2 ms: lock, until x let it go on",
    }


def verdict(dice, number):
    late = dice.random() < 0.3
    boxes = {box: round(dice.expovariate(0.02), 3) for box in BOXES if dice.random() < 0.9}
    return {
        "timestamp": stamp(number * 3 + 1),
        "level": "warning" if late else "info",
        "logger": "tracelog.utterance",
        "event": "utterance",
        "trace_id": f"{dice.getrandbits(128):032x}",
        "user_id": dice.choice(USERS),
        "connection_id": f"c-{number % 9}",
        "utterance": number,
        "kind": dice.choice(("websocket", "http")),
        "arrived_at": stamp(number * 3),
        "path": dice.choice(("/ws", "/api/items", "/api/ünï")),
        "room": dice.choice(("lobby", "den", "a/b", 1.0, True, None)),
        "total_ms": round(sum(boxes.values()) + number / 1e4, 4),
        "late": late,
        "failed": dice.random() < 0.1,
        **boxes,
        **waits(dice, late=late),
    }


def other(dice, number):
    """A hold, a request, or whatever an application writes."""
    line = {
        "timestamp": stamp(number * 3),
        "level": dice.choice(("info", "error")),
        "logger": dice.choice(("app.chat", "uvicorn.access", HOSTILE[0])),
        "event": dice.choice(("http request", "message handled", "loop held")),
        "trace_id": dice.choice((None, f"{number:032x}")),
    }
    if line["event"] == "loop held":
        held = round(dice.uniform(50, 900), 6)
        line |= {"held_ms": held, "held_at": stamp(number * 3 - 1), "kind": "CPU-bound"}
        line |= {"where": dice.choice(PLACES), "delayed": number % 5, "delayed_ms": held * 1.5}
    if line["event"] == "http request":
        line |= {"status": dice.choice((200, 404, 503)), "duration_ms": number / 7}
    return line


def log():
    dice = random.Random(5)
    yield json.dumps({"timestamp": stamp(0), "event": "the first, in both senses"})
    for number in range(300):
        yield json.dumps(verdict(dice, number), ensure_ascii=False)
        yield json.dumps(other(dice, number), ensure_ascii=False)
    yield from ("oops", '{"event": "utterance", "total_ms": "soon"}', "[]", '{"half": ')
    yield json.dumps({"event": "utterance", "total_ms": 77_777.25, "cause": "x" * 100_000})
    yield json.dumps({"timestamp": stamp(900), "event": "the last, in both senses"})


FILTERS = {
    "over": Filters(over=250.0),
    "user": Filters(user="user-3"),
    "hostile user": Filters(user=HOSTILE[0]),
    "escape": Filters(user=HOSTILE[1]),
    "number": Filters(user="7"),
    "nobody": Filters(user="missing"),
    "ago": Filters(since=Moment.parse("5m")),
    "window": Filters(since=Moment.parse("10:03"), until=Moment.parse("10:07:30.5")),
    "room": Filters(where=(("room", "a/b"),)),
    "float": Filters(where=(("room", "1.0"),)),
    "flag": Filters(where=(("room", "true"), ("kind", "http"))),
    "hostile key": Filters(where=((HOSTILE[0], HOSTILE[1]),)),
    "everything": Filters(
        over=20, user="user-1", since=Moment.parse("1h"), where=(("kind", "http"),)
    ),
}
QUESTIONS = {
    **{f"late by {by}": lambda e, f, by=by: slowest(e, f, by=by, top=7) for by in SORTS[:5]},
    **{f"group by {by}": lambda e, f, by=by: group(e, f, by) for by in GROUPS},
    **{
        f"compare by {by}": lambda e, f, by=by: compare(e, f, by, Moment.parse("10:07"))
        for by in GROUPS
    },
    "blame": blame,
    "stats": stats,
}
SHARDED = ("late by total", "late by waited", "group by user", "compare by cause", "blame", "stats")


@pytest.fixture
def embedded(tmp_path):
    (tmp_path / "app.log").write_text("\n".join([*log(), ""]))
    with Spool() as spool:
        yield Embedded(Log(open_sources(["app.log"], spool, None), spool))


@pytest.fixture
def ask_table():
    servers = []

    def ask(text):
        address = Address.parse(text)
        servers.append(connect(address, ""))
        return ClickHouse(servers[-1], address)

    yield ask
    for server in servers:
        server.close()


@pytest.fixture
def both(make_table, run_sql):
    """A Distributed table of two shards, each with a half of the lines."""
    lines = list(log())
    for shard in (0, 1):
        address = make_table("\n".join(lines[shard::2]), database=f"shard_{shard}")
    made = ", ".join((IS_JSON, *STORED))
    run_sql("CREATE DATABASE IF NOT EXISTS both")
    for sql in (
        "TABLE both.all AS shard_0.lines ENGINE = Merge(REGEXP('^shard_[01]$'), '^lines$')",
        f"VIEW both.mine AS SELECT *, {made} FROM both.all WHERE _database = concat('shard_', "
        "toString(shardNum() - 1))",
        "TABLE both.lines AS shard_0.lines ENGINE = Distributed('two', 'both', 'mine')",
    ):
        run_sql(f"CREATE {sql}")
    yield address.replace("shard_1", "both")
    run_sql("DROP DATABASE both")


def test_both_engines_answer_alike(embedded, ask_table, make_table):
    """Every question, and each way to leave something out."""
    table = ask_table(make_table("\n".join(log())))

    for what, ask in QUESTIONS.items():
        assert ask(table, Filters()) == ask(embedded, Filters()), what
    for which, filters in FILTERS.items():
        assert slowest(table, filters) == slowest(embedded, filters), which


def test_two_shards_answer_like_one_file(embedded, ask_table, both, run_sql):
    """Counts, percentiles and the slowest are of both halves together."""
    table = ask_table(both)

    halves = run_sql("SELECT _shard_num, count() FROM both.lines GROUP BY 1 ORDER BY 1")
    for what in SHARDED:
        ask = QUESTIONS[what]
        assert ask(table, Filters()) == ask(embedded, Filters()), what
    assert halves == "1\t304\n2\t303\n"


@pytest.mark.parametrize("command", ["late", "blame", "stats"])
def test_a_command_shows_the_same(command, make_table, tmp_path, capsys):
    """Whatever the log says is harmless in the terminal, wherever it is from."""
    (tmp_path / "app.log").write_text("\n".join([*log(), ""]))
    address = make_table("\n".join(log()))

    assert main([command, "app.log"]) == 0
    of_file = capsys.readouterr().out
    assert main([command, "--from", address]) == 0
    of_table = capsys.readouterr().out

    assert f"2 lines are no JSON: the first are in {address.rpartition('/')[2]}." in of_table
    assert of_table.splitlines()[:-1] == of_file.splitlines()[:-1]
    assert "\x1b" not in of_table
    assert "\u202e" not in of_table


def test_what_the_page_says_is_so(make_table, run_sql, capsys):
    """Its commands are answered, and lines arrive by each of its ways."""
    page = (Path(__file__).parents[2] / "docs" / "clickhouse.md").read_text("utf-8")
    address = make_table("\n".join(log()))
    database = address.rpartition("/")[2].partition(".")[0]
    row = {"date": 1.5, "line": '{"event": "utterance", "total_ms": 1}', "file": "host:app.log"}

    commands = re.findall("^tracelog .*--from.*$", page, re.MULTILINE)
    for command in commands:
        arguments = shlex.split(command.replace("clickhouse://kim@db/logs.lines", address))
        assert main(arguments[1:]) == 0, capsys.readouterr()
    (into,) = re.findall(r"uri: /\?query=(.*)&", page)
    sql = urllib.parse.unquote(into).replace("logs.", f"{database}.")
    run_sql(sql, json.dumps(row).encode())
    run_sql(
        f"CREATE TABLE {database}.otel_logs (Body String, LogAttributes Map(String, String)) "
        "ENGINE = MergeTree ORDER BY Body"
    )
    (view,) = re.findall("CREATE MATERIALIZED VIEW[^`]*", page)
    run_sql(view.replace("otel.", f"{database}.").replace("logs.", f"{database}."))
    run_sql(f"INSERT INTO {database}.otel_logs SELECT '{{}}', map('log.file.path', 'b.log')")

    found = run_sql(f"SELECT file, event FROM {database}.lines WHERE file <> '' ORDER BY file")
    assert len(commands) == 5
    assert found == "b.log\t\\N\nhost:app.log\tutterance\n"


def test_there_is_something_to_compare(ask_table, make_table):
    """No answer is empty."""
    table = ask_table(make_table("\n".join(log())))

    late, groups, culprits = (
        slowest(table, Filters()),
        group(table, Filters(), "cause")[0],
        blame(table, Filters())[0],
    )

    assert (len(late.rows), late.tally.matched, late.tally.broken) == (20, 301, 2)
    assert {each.key.partition(" ")[0] for each in groups} == {"held", "x" * 100_000}
    assert {each.sort for each in culprits} == {"hold", "lock", "downstream call"}
    assert stats(table, Filters()).total.lines == 605
