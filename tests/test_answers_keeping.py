"""Keeping what a question has read, in a process of its own."""

from __future__ import annotations

import json
import os

import pytest

from tracelog.answers import cache, keeping
from tracelog.answers.cache import Cache
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.slowest import slowest
from tracelog.answers.sources import Spool, open_sources


LINE = (
    '{"timestamp":"2026-11-22T12:00:00Z","event":"utterance","user_id":"kim","total_ms":9,'
    '"late":false,"padding":"' + "x" * 1000 + '"}\n'
)


@pytest.fixture
def log(tmp_path, monkeypatch):
    """A log that is worth it, of yesterday."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    path = tmp_path / "a.log"
    path.write_text(LINE * (cache._WORTH // len(LINE) + 1))
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path


def kept(tmp_path):
    folder = tmp_path / "caches" / "tracelog"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


def test_another_process_keeps_it(log, tmp_path):
    """And the next question finds it there."""
    pid = keeping.start([str(log)], [], ["utterances"])

    assert os.waitpid(pid, 0)[1] == 0
    (name,) = kept(tmp_path)
    assert name.endswith("-utterances.parquet")
    with Spool() as spool:
        engine = Embedded(Log(open_sources([str(log)], spool, None), spool), Cache.of_user())
        slowest(engine, Filters())
    assert engine.worth_keeping == ()


def test_keys_may_have_other_names(log, tmp_path):
    """What is kept is of a log as the question has read it."""
    keeping.keep(json.dumps([[str(log)], [["user_id", "usr"]], ["utterances"]]))

    assert len(kept(tmp_path)) == 1


@pytest.mark.parametrize("error", [OSError, NotImplementedError])
def test_no_process_is_no_trouble(monkeypatch, error):
    """The answer is there."""

    def refuse(*_arguments, **_options):
        raise error

    monkeypatch.setattr(os, "posix_spawn", refuse)

    assert keeping.start(["a.log"], [], ["utterances"]) is None
