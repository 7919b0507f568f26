"""What a log is exported as."""

from __future__ import annotations

import io
import json
from pathlib import Path

import duckdb
import pytest

from tracelog.answers.export import CHROME, OTLP, PARQUET, export, format_of
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import UTTERANCES, VIEWS
from tracelog.errors import InputError


LINES = "".join(
    json.dumps(
        {
            "timestamp": f"2026-11-22T10:10:1{n}Z",
            "event": "utterance",
            "user_id": user,
            "total_ms": 5,
            "room": "\x1b\u202e",
        }
    )
    + "\n"
    for n, user in enumerate(("kim", "ada"))
)


@pytest.fixture
def log(tmp_path):
    (tmp_path / "app.log").write_text(LINES)
    with Spool() as spool:
        yield Log(open_sources(["app.log"], spool, io.BytesIO()), spool)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.parquet", PARQUET), ("A.JSON", CHROME), ("a.otlp.json", OTLP), ("a.otlp.jsonl", OTLP)],
)
def test_the_suffix_tells_the_format(name, kind):
    """In any case."""
    assert format_of(Path(name)) == kind


def test_another_suffix_is_refused():
    """With those that there are."""
    with pytest.raises(InputError, match=r"Try: -o x\.csv\.parquet, \.json \(for Perfetto\)"):
        format_of(Path("x.csv"))


def test_parquet_has_a_view_column_by_column(log, tmp_path):
    """Those rows that the filters leave; the name of the file is nothing that SQL reads."""
    path = tmp_path / "it's $user.parquet"

    export(log, Filters(user="ada"), PARQUET, path)

    found = duckdb.read_parquet(str(path))
    assert found.columns == [column.name for column in UTTERANCES.columns]
    assert found.project("user_id, file").fetchall() == [("ada", "app.log")]


def test_any_view_can_be_parquet(log, tmp_path):
    """By its name."""
    export(log, Filters(), PARQUET, tmp_path / "x", VIEWS["lines"])

    assert len(duckdb.read_parquet(str(tmp_path / "x")).fetchall()) == 2


@pytest.mark.parametrize("kind", [CHROME, OTLP])
def test_json_is_written_for_others(log, tmp_path, kind):
    """In ASCII, which drives no terminal."""
    export(log, Filters(user="ada"), kind, tmp_path / "x")

    text = (tmp_path / "x").read_text("ascii")
    assert json.loads(text)
    assert "ada" in text
    assert "kim" not in text
