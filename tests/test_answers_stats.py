"""How much there is, over time and by logger."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.stats import Figures, Volume, stats
from tracelog.answers.times import Moment


def line(second, event="x", logger="app", level="info", **fields):
    moment = f"2026-11-22T10:{second // 60:02}:{second % 60:02}.000000Z"
    head = {"timestamp": moment, "level": level, "logger": logger, "event": event}
    return json.dumps({**head, "trace_id": "t", **fields}) + "\n"


@pytest.fixture
def ask(tmp_path):
    with Spool() as spool:

        def ask(*lines, **filters):
            (tmp_path / "app.log").write_text("".join(lines))
            sources = open_sources([str(tmp_path / "app.log")], spool, io.BytesIO())
            return stats(Embedded(Log(sources, spool)), Filters(**filters))

        yield ask


def test_everything_is_counted(ask):
    """Lines, errors, requests and utterances, and how many of each went wrong."""
    lines = (
        line(0, "utterance", total_ms=10),
        line(1, "utterance", total_ms=300, late=True, failed=True),
        line(1, "span", total_ms=9_999, late=True, failed=True),
        line(2, "request", status=200),
        line(2, "request", status=503, level="error"),
        line(2, "x", level="critical"),
    )

    total = ask(*lines, "oops\n").total

    assert total == Figures(
        start=None,
        lines=6,
        size=sum(len(each) - 1 for each in lines),
        errors=2,
        requests=2,
        failed_requests=1,
        utterances=2,
        late=1,
        failed=1,
        p50_ms=155.0,
        p95_ms=285.5,
        p99_ms=297.1,
        max_ms=300.0,
    )


def test_intervals_follow_each_other(ask):
    """Those in which nothing happened, too; they are as long as gives a chart enough."""
    found = ask(line(0), line(1), line(600))

    assert found.seconds == 15
    assert len(found.intervals) == 41
    assert [each.lines for each in found.intervals if each.lines] == [2, 1]
    assert found.intervals[0].start == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert found.intervals[1] == Figures(start=datetime(2026, 11, 22, 10, 0, 15, tzinfo=UTC))


def test_intervals_are_of_what_is_asked_for(ask):
    """A minute of a day is told second by second."""
    found = ask(
        *(line(second) for second in range(0, 3600, 5)),
        since=Moment.parse("10:30"),
        until=Moment.parse("10:31"),
    )

    assert (found.seconds, found.total.lines, len(found.intervals)) == (2, 13, 31)


def test_one_line_whose_clock_was_wrong_makes_no_thousand_intervals(ask):
    """Then only those are told in which something was."""
    found = ask(line(0), '{"timestamp":"1999-01-01T00:00:00Z"}\n', line(1))

    assert [each.lines for each in found.intervals] == [1, 1, 1]


@pytest.mark.parametrize("lines", [(), ("oops\n",), ("{}\n",)], ids=["empty", "broken", "no time"])
def test_a_log_without_times_has_no_intervals(ask, lines):
    """What there is to count is counted."""
    found = ask(*lines)

    assert found.intervals == ()
    assert found.total.lines == len([each for each in lines if each == "{}\n"])


def test_loggers_that_write_most_come_first(ask):
    """With what they write outside of any trace."""
    found = ask(
        line(0, logger="small"),
        line(0, "x" * 500, logger="large", trace_id=None),
        line(0, logger="small", level="error", trace_id=None),
        '{"timestamp":"2026-11-22T10:00:00Z"}\n',
    )

    assert [(each.logger, each.lines, each.traceless, each.errors) for each in found.volumes] == [
        ("large", 1, 1, 0),
        ("small", 2, 1, 1),
        (None, 1, 1, 0),
    ]
    assert isinstance(found.volumes[0], Volume)
    assert sum(each.size for each in found.volumes) == found.total.size


def test_a_log_of_decades_is_told_in_days(ask):
    """There is no longer interval."""
    found = ask('{"timestamp":"2001-01-01T00:00:00Z"}\n', line(0))

    assert found.seconds == 86400
