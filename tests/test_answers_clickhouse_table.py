"""The table that lines are shipped to."""

from __future__ import annotations

import json

from tracelog.answers.clickhouse_columns import STORED
from tracelog.answers.clickhouse_table import create


def test_a_line_is_all_that_is_shipped(make_table, run_sql):
    """The server makes the rest of it: by whatever format it comes."""
    line = {
        "timestamp": "2026-11-22T10:10:10.5Z",
        "event": "utterance",
        "total_ms": 5,
        "late": True,
    }
    line["arrived_at"] = "2026-11-22T10:10:10.25Z"
    line["awaits"] = [{"ms": 4, "where": "b.py:2 g"}]
    name = make_table(json.dumps(line) + "\noops\n \n").rpartition("/")[2]

    row = json.dumps({"line": json.dumps(line), "file": "chat-3"}).encode()
    run_sql(f"INSERT INTO {name} (line, file) FORMAT JSONEachRow", row)
    found = run_sql(
        f"SELECT file, is_json, event, total_ms, late, arrived, place, bytes, received > 0 FROM {name} "
        "ORDER BY bytes, file"
    )

    made = "1\tutterance\t5\ttrue\t2026-11-22 10:10:10.250000\tb.py:2 g"
    size = len(json.dumps(line))
    nothing = "\t".join(["\\N"] * 5)
    assert found.replace("true\tutterance", "1\tutterance").splitlines() == [
        f"\t\\N\t{nothing}\t1\t1",
        f"\tfalse\t{nothing}\t4\t1",
        f"\t{made}\t{size}\t1",
        f"chat-3\t{made}\t{size}\t1",
    ]


def test_questions_are_answered_by_the_indexes(make_table, run_sql):
    """Of many lines, those of other events, other times and other users are not read."""
    lines = (
        json.dumps(
            {
                "timestamp": f"2026-11-22T1{number % 10}:10:10Z",
                "event": "utterance" if number % 4 else "started",
                "user_id": f"user-{number // 10_000}",
            }
        )
        for number in range(40_000)
    )
    name = make_table("\n".join(lines)).rpartition("/")[2]

    for condition, least in {
        "event = 'started'": 2,
        "event = 'utterance' AND arrived >= '2026-11-22 19:00:00'": 2,
        "event = 'utterance' AND user_id = 'nobody'": 0,
    }.items():
        plan = run_sql(f"EXPLAIN indexes = 1 SELECT count() FROM {name} WHERE {condition}")
        granules = [
            int(row.split()[-1].partition("/")[0])
            for row in plan.splitlines()
            if "Granules:" in row and "/" in row
        ]
        assert granules[-1] <= least, plan


def test_the_table_is_described_column_by_column():
    """By the views' data: what each is, how it is made, and how it is packed."""
    sql = create("logs", "lines", days=90)

    assert sql.startswith("CREATE TABLE IF NOT EXISTS logs.lines\n(\n    line String COMMENT ")
    assert "    total_ms Nullable(Float64) MATERIALIZED\n" in sql
    assert "    event LowCardinality(Nullable(String)) MATERIALIZED\n" in sql
    assert "COMMENT 'why it was late, in a sentence' CODEC(ZSTD(1))" in sql
    assert sql.count("MATERIALIZED") == len(STORED) + 1
    assert "ORDER BY (event, timestamp)\nTTL received + toIntervalDay(90)\n" in sql
    assert "\nENGINE = MergeTree\n" in sql
    assert sql.endswith("SETTINGS allow_nullable_key = 1, ttl_only_drop_parts = 1;\n")


def test_a_cluster_has_a_pair():
    """A table on each shard, and one for all; a line that is sent twice goes to the same shard."""
    sql = create("logs", "lines", days=30, cluster="main")

    local, _, distributed = sql.rpartition("\n\n")
    assert local.startswith("CREATE TABLE IF NOT EXISTS logs.lines_local ON CLUSTER main\n")
    assert "ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}'," in local
    assert distributed == (
        "CREATE TABLE IF NOT EXISTS logs.lines ON CLUSTER main AS logs.lines_local\n"
        "ENGINE = Distributed(main, 'logs', 'lines_local', xxHash64(line));\n"
    )
