"""What there is to choose from, where filters left nothing."""

from __future__ import annotations

import io
import json

import pytest

from tracelog.answers.choices import choices
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.times import Moment
from tracelog.answers.views import UTTERANCES


def verdict(user, **fields):
    line = {"timestamp": "2026-11-22T10:00:00Z", "event": "utterance", "user_id": user, **fields}
    return json.dumps(line) + "\n"


LOG = verdict("bob") + verdict("kim\n", room=1) + verdict("bob") + verdict(None) + verdict("z" * 99)


@pytest.fixture
def say(tmp_path):
    def ask(content=LOG, **filters):
        (tmp_path / "app.log").write_text(content)
        with Spool() as spool:
            log = Log(open_sources(["app.log"], spool, io.BytesIO()), spool)
            return [*choices(Embedded(log), UTTERANCES, Filters(**filters))]

    return ask


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({}, []),
        ({"over": 9.0}, []),
        ({"user": "bob"}, []),
        ({"user": "kimm"}, [r"No user_id is 'kimm'; there are 3, such as kim\n."]),
        ({"user": "4"}, [rf"No user_id is '4'; there are 3, such as bob, kim\n, {'z' * 40}."]),
        ({"where": (("room", "2"),)}, ["No room is '2'; there are 1, such as 1."]),
        ({"where": (("x", "y"),)}, ["No x is 'y'; there is none at all."]),
        (
            {"since": Moment.parse("2027-01-01")},
            ["The log is from 2026-11-22 10:00:00 to 2026-11-22 10:00:00 UTC."],
        ),
    ],
    ids=str,
)
def test_what_there_is_instead(say, filters, said):
    """What is spelled almost so, or the most frequent; and when the log is of."""
    assert say(**filters) == said


def test_a_log_without_times_is_of_no_time(say):
    """There is nothing to tell of it."""
    assert say('{"event":"utterance"}\n', until=Moment.parse("2027-01-01")) == []
