"""How fast `tracelog late`, `blame` and `stats` answer, against DuckDB alone and jq, on about 1 GB.

    python benchmarks/late.py [--size MB] [--rounds N] [--keep FILE]

Each contender is a process of its own that reads the same file and shows the 20 slowest
utterances; they run in turn, so that a busy machine is busy for all of them. Ratios count, not
seconds: `late` should stay below 1.3 times DuckDB, `blame` and `stats` below 2 times the DuckDB that
reads their columns, and all be 10 times as fast as jq.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from rich.console import Console
from rich.table import Table


# The same columns with a given schema, and the same 20 rows: what a person would type.
BARE = """
import duckdb, sys
columns = dict(
    timestamp="VARCHAR", event="VARCHAR", trace_id="VARCHAR", connection_id="VARCHAR",
    user_id="VARCHAR", utterance="BIGINT", kind="VARCHAR", arrived_at="VARCHAR",
    socket_ms="DOUBLE", queue_ms="DOUBLE", total_ms="DOUBLE", late="BOOLEAN",
)
print(duckdb.execute(
    "SELECT * FROM read_json($path, format = 'newline_delimited', columns = $columns) "
    "WHERE event = 'utterance' ORDER BY total_ms DESC LIMIT 20",
    {"path": sys.argv[1], "columns": columns},
).fetchall())
"""
BARE_BLAME = """
import duckdb, sys
entry = 'STRUCT(ms DOUBLE, "where" VARCHAR, kind VARCHAR, what VARCHAR)[]'
columns = dict(
    event="VARCHAR", timestamp="VARCHAR", arrived_at="VARCHAR", trace_id="VARCHAR",
    user_id="VARCHAR", late="BOOLEAN", held_ms="DOUBLE", delayed="BIGINT", delayed_ms="DOUBLE",
    blocked_by=entry, awaits=entry,
)
print(duckdb.execute(
    "SELECT e.where, e.kind, e.what, sum(e.ms), count(DISTINCT trace_id), count(DISTINCT user_id) "
    "FROM (SELECT *, unnest(list_concat(coalesce(blocked_by, []), coalesce(awaits, []))) AS e "
    "FROM read_json($path, format = 'newline_delimited', columns = $columns) "
    "WHERE event = 'utterance' OR event = 'loop held') GROUP BY ALL",
    {"path": sys.argv[1], "columns": columns},
).fetchall())
"""
BARE_STATS = """
import duckdb, sys
columns = dict(
    timestamp="VARCHAR", level="VARCHAR", logger="VARCHAR", event="VARCHAR", trace_id="VARCHAR",
    status="BIGINT", total_ms="DOUBLE", late="BOOLEAN", failed="BOOLEAN",
)
print(duckdb.execute(
    "SELECT time_bucket(INTERVAL '5 minutes', timestamp::TIMESTAMPTZ) AS t, logger, count(*), "
    "count(*) FILTER (level = 'error'), count(trace_id), count(*) FILTER (late), "
    "quantile_cont(CASE WHEN event = 'utterance' THEN total_ms END, [0.5, 0.95, 0.99]) "
    "FROM read_json($path, format = 'newline_delimited', columns = $columns) "
    "GROUP BY GROUPING SETS ((t), (logger), ())",
    {"path": sys.argv[1], "columns": columns},
).fetchall())
"""
JQ = """jq -c 'select(.event == "utterance") | [.total_ms, .arrived_at, .user_id, .connection_id,
.utterance, .socket_ms, .queue_ms]' "$0" | sort -t '[' -k2 -rn | head -20"""

UTTERANCES_PER_MB = 600
EVENTS = [
    ("app.chat", "message handled", {"room": "lobby", "characters": 217}),
    ("app.model", "tokens streamed", {"model": "small", "tokens": 96, "ms": 12.75}),
    ("app.database", "query done", {"table": "messages", "rows": 12, "ms": 3.4}),
    ("uvicorn.error", 'WebSocket /ws [accepted] ("10.0.0.7", 51784)', {}),
    (
        "app.chat",
        "this room is busy, the message waits for its turn",
        {"room": "lobby", "waiting": 3},
    ),
]


@dataclass(frozen=True, slots=True)
class Run:
    """One process: how long it took, and its peak of memory."""

    seconds: float
    megabytes: float


def main() -> None:
    """Generate, measure in turn, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1000, metavar="MB")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--broken", type=int, default=0, metavar="N", help="lines that are no JSON")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="generate it once, and keep it")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = options.keep or Path(folder, "app.log")
        if not path.exists():
            generate(path, options.size, options.broken)
        show(path, measure(path, options.rounds))


def generate(path: Path, megabytes: int, broken: int) -> None:
    """Write a log: 600 utterances a megabyte, and what a service says besides."""
    count = megabytes * UTTERANCES_PER_MB
    every = count // broken if broken else count + 1
    with path.open("w", encoding="utf-8", buffering=1 << 20) as file:
        for number, lines in enumerate(utterances(count), start=1):
            file.writelines(lines)
            if number % every == 0:
                file.write("Traceback (most recent call last):\n")


def utterances(count: int) -> Iterator[list[str]]:
    """Yield the lines of one utterance after the other, the verdict last."""
    chance = random.Random(20261122)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    for _ in range(count):
        now += timedelta(milliseconds=chance.expovariate(1 / 100))
        ids = {
            "trace_id": f"{chance.getrandbits(128):032x}",
            "span_id": f"{chance.getrandbits(64):016x}",
            "connection_id": f"c-{chance.randrange(1 << 16):04x}",
            "user_id": f"user-{chance.randrange(5000)}",
        }
        said = chance.choices(EVENTS, k=chance.choice((4, 4, 4, 5)))
        yield [*(line(now, "info", *event, ids) for event in said), verdict(now, ids, chance)]


def line(now: datetime, level: str, logger: str, event: str, fields: dict, ids: dict) -> str:
    """Write a line as tracelog does."""
    stamp = now.isoformat(timespec="microseconds").replace("+00:00", "Z")
    head = {"timestamp": stamp, "level": level, "logger": logger, "event": event}
    return json.dumps({**head, **ids, **fields}, separators=(",", ":")) + "\n"


def verdict(now: datetime, ids: dict, chance: random.Random) -> str:
    """Write a verdict line; one in a hundred is late."""
    boxes = dict.fromkeys(
        ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms"), 0.0
    )
    boxes = {box: round(chance.expovariate(1 / 10), 3) for box in boxes}
    if is_late := chance.random() < 0.01:
        boxes[chance.choice(list(boxes))] += round(250 + chance.expovariate(1 / 300), 3)
    total = round(sum(boxes.values()), 3)
    arrived = (now - timedelta(milliseconds=total)).isoformat(timespec="microseconds")
    fields = {
        "utterance": chance.randrange(1, 100),
        "kind": "websocket",
        "route": "/ws",
        "arrived_at": arrived.replace("+00:00", "Z"),
        **boxes,
        "total_ms": total,
        "late": is_late,
        **(reasons(chance) if is_late else {}),
    }
    level = "warning" if is_late else "info"
    return line(now, level, "tracelog.utterance", "utterance", fields, ids)


def reasons(chance: random.Random) -> dict:
    """Write why an utterance was late: a hold of one of fifty lines of code, or a lock."""
    where = f"app/chat.py:{chance.randrange(50)} handle"
    entry = {"ms": round(200 + chance.expovariate(1 / 100), 3), "where": where}
    if chance.random() < 0.5:
        return {"awaits": [{**entry, "what": "lock"}], "cause": f"waiting for a lock in {where}"}

    hold = {**entry, "kind": "blocking call", "user_id": f"user-{chance.randrange(5000)}"}
    return {"blocked_by": [hold], "cause": f"loop held in {where} (blocking call)"}


def measure(path: Path, rounds: int) -> dict[str, list[Run]]:
    """Let the contenders run in turn; the first round only warms the cache, jq runs once."""
    contenders = {
        "DuckDB alone": [sys.executable, "-c", BARE, str(path)],
        "DuckDB alone, blame": [sys.executable, "-c", BARE_BLAME, str(path)],
        "DuckDB alone, stats": [sys.executable, "-c", BARE_STATS, str(path)],
        "tracelog late": [sys.executable, "-m", "tracelog", "late", "--no-cache", str(path)],
        "tracelog late --group-by user": [
            *(
                sys.executable,
                "-m",
                "tracelog",
                "late",
                "--no-cache",
                "--group-by",
                "user",
                str(path),
            )
        ],
        "tracelog blame": [sys.executable, "-m", "tracelog", "blame", "--no-cache", str(path)],
        "tracelog stats": [sys.executable, "-m", "tracelog", "stats", "--no-cache", str(path)],
    }
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        for name, command in contenders.items():
            done = run(command)
            if number:
                runs[name].append(done)
    if shutil.which("jq"):
        runs["jq"] = [run(["sh", "-c", JQ, str(path)])]
    return runs


def run(command: list[str]) -> Run:
    """Run one process, and ask the system what it took."""
    # What is installed is compiled, whatever this machine asks for.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)

    return Run(time.perf_counter() - start, usage.ru_maxrss / 1024)


def show(path: Path, runs: dict[str, list[Run]]) -> None:
    """Compare medians with those of the DuckDB that reads the same columns."""
    megabytes = path.stat().st_size / 1e6
    title = f"{megabytes:,.0f} MB, {os.cpu_count()} CPUs, DuckDB {duckdb.__version__}"
    table = Table("", "seconds", "times DuckDB's", "peak MB", title=title)
    for name, measured in runs.items():
        seconds = statistics.median(run.seconds for run in measured)
        alone = f"DuckDB alone, {name.split()[1]}" if " " in name else ""
        bare = statistics.median(r.seconds for r in runs.get(alone, runs["DuckDB alone"]))
        peak = max(run.megabytes for run in measured)
        table.add_row(name, f"{seconds:.2f}", f"{seconds / bare:.2f}", f"{peak:,.0f}")
    Console().print(table)


if __name__ == "__main__":
    main()
