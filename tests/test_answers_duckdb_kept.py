"""A question asked of what is kept."""

from __future__ import annotations

import io
import json
from functools import partial

import pytest

from tracelog.answers.duckdb_kept import rows_of_kept
from tracelog.answers.duckdb_question import DuckDialect, found, select
from tracelog.answers.duckdb_views import kept
from tracelog.answers.log import Log
from tracelog.answers.question import Lines, Question
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import UTTERANCES


WORDS = DuckDialect()
VERDICTS = (
    *({"total_ms": 20, "user_id": "ann"}, {"total_ms": 300, "user_id": "bob", "late": True}),
    *({"total_ms": 40, "user_id": "ann"}, {"total_ms": "x", "user_id": "eve"}),
    {"total_ms": 7, "late": True},
)
LOG = "".join(json.dumps({"event": "utterance", **each}) + "\n" for each in VERDICTS)


@pytest.fixture
def log(tmp_path):
    (tmp_path / "app.log").write_text(f'{{"event":"started"}}\noops\n{LOG}')
    with Spool() as spool:
        log = Log(open_sources([str(tmp_path / "app.log")], spool, io.BytesIO()), spool)
        log.keep(log.sources[0], kept(UTTERANCES), 2_048, tmp_path / "kept")
        yield log


def both(log, tmp_path, question):
    """Ask the lines, and what is kept of them."""
    of_kept = rows_of_kept(question, partial(log.rows_kept, [tmp_path / "kept"]))
    of_lines = log.rows(select(question), **question.parameters)
    return found(question, of_lines), found(question, of_kept)


@pytest.mark.parametrize("figure", ["max(total_ms)", "count(DISTINCT user_id)"])
@pytest.mark.parametrize("groups", [((),), (("late",),), ((), ("user_id",), ("late",))])
def test_figures_are_those_of_the_lines(log, tmp_path, groups, figure):
    """What can be summed up is counted once for all sets, quantiles of the rows that have any."""
    question = Question(
        view=UTTERANCES,
        figures=("count(*)", WORDS.quantiles("total_ms", 0.5, 1.0), figure),
        groups=groups,
        conditions=("user_id IS NULL OR user_id <> $user",),
        parameters={"user": "bob"},
    )

    of_lines, of_kept = both(log, tmp_path, question)

    assert of_kept.tally == of_lines.tally
    for one, other in zip(of_kept.groups, of_lines.groups, strict=True):
        assert sorted(one, key=str) == sorted(other, key=str)
        assert one


@pytest.mark.parametrize("user", ["ann", "nobody"])
@pytest.mark.parametrize("groups", [((),), (("late",),), ((), ("late",))])
def test_lines_are_those_of_the_log(log, tmp_path, groups, user):
    """As many as are asked for, if there are any."""
    question = Question(
        view=UTTERANCES,
        figures=("count(*)",),
        groups=groups,
        conditions=("user_id = $user",),
        parameters={"user": user},
        lines=Lines(1, "total_ms", ("total_ms",)),
    )

    of_lines, of_kept = both(log, tmp_path, question)

    assert of_kept == of_lines
    assert any(of_kept.groups) == (user == "ann")
