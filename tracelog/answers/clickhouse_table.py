"""The table that lines are shipped to: `CREATE TABLE`, column by column from the views' data.

A shipper inserts the line, and where it is from; all other columns are made of the line by the
server, by the expressions that questions use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracelog import fields
from tracelog.answers.clickhouse_columns import ARRIVED, IS_JSON, STORED, Stored
from tracelog.answers.views import FLAG, INTEGER, NUMBER, TEXT, TIME


__all__ = ["create"]

_TYPES: Final = {
    TEXT: "Nullable(String)",
    NUMBER: "Nullable(Float64)",
    INTEGER: "Nullable(Int64)",
    FLAG: "Nullable(Bool)",
    TIME: "Nullable(DateTime64(6, 'UTC'))",
}
_CODECS: Final = {
    TEXT: "ZSTD(1)",
    NUMBER: "ZSTD(1)",
    INTEGER: "T64, ZSTD(1)",
    FLAG: "ZSTD(1)",
    TIME: "DoubleDelta, ZSTD(1)",
}
_FEW: Final = (  # of a few thousand values at most
    fields.LEVEL,
    fields.LOGGER,
    fields.EVENT,
    fields.KIND,
    "route",
    "method",
    "why",
    "place",
)
_SHIPPED: Final = (
    ("line", "String", "", "ZSTD(3)", "the whole line, for whatever has no column"),
    ("file", "LowCardinality(String)", "DEFAULT ''", "ZSTD(1)", "where the line is from"),
    ("received", "DateTime('UTC')", "DEFAULT now()", "DoubleDelta, ZSTD(1)", "when it came here"),
)
_CHECK: Final = "if(trimBoth(line) = '', NULL, isValidJSON(line))"
_INDEXES: Final = f"""
    -- What questions look for: a time, a user, a trace.
    INDEX by_arrival {ARRIVED} TYPE minmax,
    INDEX by_time {fields.TIMESTAMP} TYPE minmax,
    INDEX by_user {fields.USER_ID} TYPE bloom_filter,
    INDEX by_trace {fields.TRACE_ID} TYPE bloom_filter\
"""
_END: Final = f"""\
PARTITION BY toDate(received)
ORDER BY ({fields.EVENT}, {fields.TIMESTAMP})
TTL received + toIntervalDay({{days}})
SETTINGS allow_nullable_key = 1, ttl_only_drop_parts = 1;
"""
_REPLICATED: Final = (
    "ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}')"
)
_DISTRIBUTED: Final = """
CREATE TABLE IF NOT EXISTS {table} ON CLUSTER {cluster} AS {table}_local
ENGINE = Distributed({cluster}, '{database}', '{name}_local', xxHash64(line));
"""


def create(database: str, table: str, *, days: int, cluster: str | None = None) -> str:
    """Write the table, or with *cluster* the pair of each shard's and the one for all.

    Names are put in as they are: whoever calls has looked at them.
    """
    name = f"{database}.{table}"
    if not cluster:
        return f"{_table(name, '')}ENGINE = MergeTree\n{_END.format(days=days)}"

    local = _table(f"{name}_local", f" ON CLUSTER {cluster}")
    pair = _DISTRIBUTED.format(table=name, cluster=cluster, database=database, name=table)
    return f"{local}ENGINE = {_REPLICATED}\n{_END.format(days=days)}{pair}"


def _table(name: str, where: str) -> str:
    """Write the head, and the columns."""
    columns = ",\n".join((*_shipped(), _column(_IS_JSON), *map(_column, STORED.values())))
    return f"CREATE TABLE IF NOT EXISTS {name}{where}\n(\n{columns},\n{_INDEXES}\n)\n"


def _shipped() -> Iterator[str]:
    """Write the columns that a shipper fills, or may."""
    for name, kind, default, codec, about in _SHIPPED:
        words = " ".join(filter(None, (name, kind, default, f"COMMENT '{about}'")))
        yield f"    {words} CODEC({codec})"


_IS_JSON: Final = Stored(IS_JSON, FLAG, _CHECK, "whether the line is JSON; NULL of a blank one")


def _column(stored: Stored) -> str:
    """Write a column that is made of the line."""
    kind = _TYPES[stored.type]
    if stored.name in _FEW:
        kind = f"LowCardinality({kind})"
    about = stored.about.replace("'", "''")
    return (
        f"    {stored.name} {kind} MATERIALIZED\n        {stored.sql}\n"
        f"        COMMENT '{about}' CODEC({_CODECS[stored.type]})"
    )
