"""The logs in a directory."""

from __future__ import annotations

import os

import pytest

from tracelog.answers.directories import growing_in, logs_in
from tracelog.errors import InputError


NAMES = (
    *("b/app.log", "a.jsonl", "c.json", "d.ndjson", "app.log.1", "app.log.2.gz"),
    *("app.log.2026-11-22", "app.log-20261122.zst", "app.log.2026-11-22_10-00", "e.json.gz"),
)
OTHERS = (".hidden.log", ".git/x.log", "app.py", "log", "app.log.bak", "notes.txt", "x.gz")


@pytest.fixture
def folder(tmp_path):
    for name in (*NAMES, *OTHERS):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}\n")
    os.mkfifo(tmp_path / "pipe.log")
    return tmp_path


def test_all_that_is_called_a_log_is_one(folder):
    """At any depth, in order, with what was rotated and packed; nothing hidden, no pipes."""
    assert logs_in(str(folder)) == sorted(str(folder / name) for name in NAMES)


def test_what_was_rotated_away_does_not_grow(folder):
    """Only what is still written to can be followed."""
    growing = ("a.jsonl", "b/app.log", "c.json", "d.ndjson")

    assert growing_in(str(folder)) == [str(folder / name) for name in growing]


def test_a_directory_without_logs_is_said(tmp_path):
    """With the way to look into it."""
    (tmp_path / "a b").mkdir()

    with pytest.raises(InputError, match=r"has no \*.log, .* in it\n  Try: ls -R '.*a b'"):
        logs_in(str(tmp_path / "a b"))
