"""The one line that an utterance ends with."""

from __future__ import annotations

import logging

import pytest

from tracelog.context import bind_context
from tracelog.latency.utterance import Arrival, Utterance
from tracelog.latency.verdict import write_verdict


def write(seconds=0.1, **about):
    utterance = Utterance(1, "http", Arrival(1763812800.0, 50.0), 50.0)
    write_verdict(utterance, 50.0 + seconds, late_ms=200, about=about)


@pytest.mark.parametrize(
    ("seconds", "level"), [(0.1, logging.INFO), (0.3, logging.WARNING)], ids=["in time", "late"]
)
def test_a_late_verdict_is_a_warning(caplog, seconds, level):
    """An alert can go by the level alone."""
    caplog.set_level(logging.INFO)

    write(seconds)

    [record] = caplog.records
    assert (record.name, record.levelno) == ("tracelog.utterance", level)
    assert record.getMessage() == "utterance"


def test_it_says_what_it_is_about(caplog):
    """Fields of the caller's come after the ledger, on the same line, with the context."""
    caplog.set_level(logging.INFO)
    bind_context(user_id="kim")

    write(path="/rooms", status=200)

    [record] = caplog.records
    assert list(record.fields)[-4:] == ["kind", "arrived_at", "path", "status"]
    assert (record.total_ms, record.path, record.status) == (pytest.approx(100), "/rooms", 200)
    assert record.user_id == "kim"


def test_its_loggers_level_is_asked(caplog):
    """With WARNING, only what is late is written."""
    caplog.set_level(logging.WARNING)

    write(0.1)
    write(0.3)

    assert [record.late for record in caplog.records] == [True]
