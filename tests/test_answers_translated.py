"""Sources as lines of ours in files here, for what reads bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.translated import translated


OURS = '{"timestamp":"2026-11-22T10:00:00Z","level":"info","logger":"a","event":"e"}'
THEIRS = '{"asctime":"2026-11-22 10:00:00,5","levelname":"WARNING","name":"a","message":"e"}'


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Write a log, and give the source that it becomes, and its lines."""
    with Spool() as spool:

        def read(content, *mapped, url=False):
            path = tmp_path / "app.log"
            path.write_text(content)
            name = f"file://{path}" if url else "app.log"
            (source,) = translated(open_sources([name], spool, None), spool, mapped)
            return source, Path(source.path).read_text().split("\n")

        yield read


def docker(text):
    return json.dumps({"log": text, "stream": "stdout", "time": "t"}) + "\n"


def test_what_is_ours_is_read_where_it_is(read):
    """No copy is made."""
    source, lines = read(OURS)

    assert not source.is_copy
    assert lines == [OURS]


def test_each_line_becomes_one_of_ours(read):
    """Under the same number, whatever is between them."""
    source, lines = read(f"{THEIRS}\n\nTraceback:\n{THEIRS}\n")

    assert (source.name, source.shape.about) == ("app.log", "python-json-logger's JSON")
    assert lines[1:3] == ["", "Traceback:"]
    assert lines[0] == lines[3]
    assert json.loads(lines[0])["event"] == "e"
    assert json.loads(lines[0])["level"] == "warning"


def test_keys_are_called_what_one_is_told(read):
    """By `--map`."""
    _, lines = read(OURS[:-1] + ',"uid":"kim"}', ("user_id", "uid"))

    assert json.loads(lines[0])["user_id"] == "kim"


def test_a_line_in_pieces_stands_where_its_end_is(read):
    """Or at the end of the file, if it has none."""
    _, lines = read(docker(OURS[:9]) + docker(OURS[9:] + "\n") + docker("rest"))

    assert lines == ["", OURS, "", "rest", ""]


def test_what_is_far_away_is_copied(read, monkeypatch):
    """DuckDB fetches it; a line that is no JSON stays one."""
    monkeypatch.setattr("tracelog.answers.sources._URLS", ("file://",))
    monkeypatch.setattr(Log, "_load_httpfs", lambda log: None)

    source, lines = read(f"{THEIRS}\nTraceback:\n", url=True)

    assert source.is_copy
    assert source.name.startswith("file://")
    assert json.loads(lines[0])["event"] == "e"
    assert lines[1:] == ["(no JSON)", ""]
