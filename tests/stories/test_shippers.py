"""The configurations of docs/clickhouse.md are ones that their programs can read.

None of the programs can be installed here. What can be held against something is: the syntax, that each
part names parts which are there, and that what is sent has the names of the table.
"""

from __future__ import annotations

import re
import tomllib
import urllib.parse
from pathlib import Path

import pytest
import yaml

from tracelog.answers import clickhouse_table


PAGE = (Path(__file__).parents[2] / "docs" / "clickhouse.md").read_text("utf-8")
SHIPPED = {"line", "file"}


@pytest.fixture(scope="module")
def table():
    """The table's name; it makes every other column of these two."""
    sql = clickhouse_table.create("logs", "lines", days=30)
    assert all(re.search(rf"^ +{name} (?!.*MATERIALIZED)", sql, re.MULTILINE) for name in SHIPPED)
    return "logs.lines"


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_vectors_parts_are_connected(table):
    """From the files through the program to the table, with the table's names."""
    (text,) = blocks("toml")
    config = tomllib.loads(text)
    (source,), (transform,), (sink,) = (
        config[kind].items() for kind in ("sources", "transforms", "sinks")
    )

    assert transform[1]["inputs"] == [source[0]]
    assert sink[1]["inputs"] == [transform[0]]
    assert set(re.findall(r'"(\w+)": ', transform[1]["source"])) == SHIPPED
    assert f"{sink[1]['database']}.{sink[1]['table']}" == table


def test_fluent_bits_record_is_a_row(table):
    """The keys that the input makes are the columns that the output's query names."""
    pipeline = yaml.safe_load(blocks("yaml")[0])["pipeline"]
    (tail,), (http,) = pipeline["inputs"], pipeline["outputs"]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(http["uri"]).query)

    assert {tail["key"], tail["path_key"]} == SHIPPED
    assert query["query"] == [f"INSERT INTO {table} (line,file) FORMAT JSONEachRow"]
    assert query["input_format_skip_unknown_fields"] == ["1"]  # its `date` has no column


def test_the_collectors_parts_are_connected(table):
    """The pipeline names what is declared, and the view reads the exporter's table."""
    config = yaml.safe_load(blocks("yaml")[1])
    pipeline = config["service"]["pipelines"]["logs"]
    (view,) = (each for each in blocks("sql") if "otel" in each)

    assert pipeline["receivers"] == [*config["receivers"]]
    assert pipeline["exporters"] == [*config["exporters"]]
    assert config["receivers"]["filelog"]["include_file_path"]  # else there is no log.file.path
    assert f"FROM {config['exporters']['clickhouse']['database']}.otel_logs" in view
    assert f"TO {table} AS" in view
    assert set(re.findall(r" AS (\w+)[, ]", view.replace("AS\n", ""))) == SHIPPED
