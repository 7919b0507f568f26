"""The lines that an HTTP request ends with."""

from __future__ import annotations

import json
from io import StringIO

import pytest

from tracelog.config import configure_logging
from tracelog.latency.clock import Clock
from tracelog.latency.policy import Policy
from tracelog.latency.request import conclude_request
from tracelog.latency.utterance import Arrival, Utterance


ABOUT = {"method": "GET", "path": "/rooms"}


@pytest.fixture
def write():
    """Write the lines of a request that came at 10.0, and was begun at 10.5; give them."""

    def write(level="INFO", *, late_ms=2000, **options):
        stream = StringIO()
        configure_logging(format="json", sink=stream, level=level, env_file=None)
        moments = iter([10.5, 11.0, 11.0])
        utterance = Utterance(
            *(1, "http", "GET /rooms", Arrival(1000.0, 10.0)),
            policy=Policy(late_ms=late_ms),
            clock=Clock(lambda: 1000.0, lambda: next(moments)),
            about=dict(ABOUT),
        )
        conclude_request(utterance, 200, **options)
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    return write


def test_the_access_line_comes_first(write):
    """It tells the duration of the handling, the verdict the whole."""
    access, verdict = write(client="10.0.0.7:4711")

    assert (access["event"], access["duration_ms"], access["client"]) == (
        "request",
        500.0,
        "10.0.0.7:4711",
    )
    assert (verdict["event"], verdict["total_ms"], verdict["late"]) == ("utterance", 1000.0, False)
    for line in (access, verdict):
        assert {**ABOUT, "status": 200}.items() <= line.items()


@pytest.mark.parametrize("failed", [True, False])
def test_the_verdict_says_that_the_handler_raised(write, failed):
    """The access line has the status for that."""
    access, verdict = write(client="", failed=failed)

    assert ("failed" in access, "failed" in verdict) == (False, failed)


def test_an_access_line_is_written_if_it_is_wanted(write):
    """Without a client, or with its level off, there is the verdict only."""
    assert [line["event"] for line in write(client=None)] == ["utterance"]
    assert [line["event"] for line in write("WARNING", client="", late_ms=1)] == ["utterance"]
