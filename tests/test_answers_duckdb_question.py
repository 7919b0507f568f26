"""A question in DuckDB's SQL, and the answer in its rows."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from tracelog.answers.duckdb_question import DuckDialect, found, select
from tracelog.answers.duckdb_views import KEPT, kept
from tracelog.answers.log import Log
from tracelog.answers.question import Lines, Question, Tally
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import DELAYS, UTTERANCES


WORDS = DuckDialect()


def verdict(total, user, minute=0, **fields):
    moment = f"2026-11-22T10:{minute:02}:00.000000Z"
    line = {"timestamp": moment, "event": "utterance", "total_ms": total, "user_id": user}
    return json.dumps({**line, **fields}) + "\n"


LOG = (
    '{"timestamp":"2026-11-22T09:59:00Z","event":"started"}\n'
    + verdict(20, "ann", 0)
    + verdict(300, "bob", 1, late=True)
    + "oops\n"
    + verdict(40, "ann", 3)
)


class Engine:
    """Asks a log, and nothing else."""

    def __init__(self, log):
        self._log = log

    def ask(self, question):
        return found(question, self._log.rows(select(question), **question.parameters))


@pytest.fixture
def make_engine(tmp_path):
    with Spool() as spool:

        def make(content):
            (tmp_path / "app.log").write_text(content)
            return Engine(Log(open_sources(["app.log"], spool, io.BytesIO()), spool))

        yield make


def test_all_together_are_one_row(make_engine):
    """Without groups, the figures are of what matches, and the tally is of everything."""
    question = Question(
        view=UTTERANCES,
        figures=("count(*)", "sum(total_ms)"),
        conditions=(f"total_ms > {WORDS.number('over')}",),
        parameters={"over": 30.0},
    )

    found = make_engine(LOG).ask(question)

    assert found.groups == (((2, 340.0),),)
    assert found.tally == Tally(lines=5, broken=1, rows=3, matched=2)


def test_what_does_not_match_is_in_no_group(make_engine):
    """Not even in that of the users who have no name."""
    question = Question(
        view=UTTERANCES,
        figures=("count(*)", WORDS.quantiles("total_ms", 0.5, 1.0)),
        groups=(("user_id",),),
        conditions=("total_ms IS NOT NULL",),
    )

    found = make_engine(LOG + verdict("x", "eve") + verdict(7, None)).ask(question)

    assert sorted(found.groups[0], key=str) == [
        ("ann", 2, [30.0, 40.0]),
        ("bob", 1, [300.0, 300.0]),
        (None, 1, [7.0, 7.0]),
    ]
    assert found.tally == Tally(lines=7, broken=1, rows=5, matched=4)


def test_several_sets_of_groups_are_one_pass(make_engine):
    """Each set has its own rows, with its own expressions in their order."""
    minute = WORDS.bucket("time", 60)
    question = Question(
        view=UTTERANCES,
        figures=("count(*)",),
        groups=((), ("user_id",), (minute, "user_id"), (minute,)),
    )

    found = make_engine(LOG).ask(question)

    at = int(datetime(2026, 11, 22, 10, tzinfo=UTC).timestamp())
    assert found.groups[0] == ((3,),)
    assert sorted(found.groups[1]) == [("ann", 2), ("bob", 1)]
    assert sorted(found.groups[2]) == [(at, "ann", 1), (at + 60, "bob", 1), (at + 180, "ann", 1)]
    assert sorted(found.groups[3]) == [(at, 1), (at + 60, 1), (at + 180, 1)]
    assert found.tally == Tally(lines=5, broken=1, rows=3, matched=3)


@pytest.mark.parametrize("figure", ["max(total_ms)", "count(DISTINCT user_id)"])
def test_what_is_kept_answers_as_the_lines_do(tmp_path, make_engine, figure):
    """What can be summed up is looked at once for all sets; of a part, nothing else is counted."""
    question = Question(
        view=UTTERANCES, figures=("count(*)", figure), groups=((), ("user_id",), ("late",))
    )
    of_lines = make_engine(LOG).ask(question)

    with Spool() as spool:
        log = Log(open_sources([str(tmp_path / "app.log")], spool, io.BytesIO()), spool)
        log.keep(log.sources[0], kept(UTTERANCES), 2_048, tmp_path / "kept")
        of_kept, part = (
            found(question, log.rows_kept([tmp_path / "kept"], select(question, KEPT, **options)))
            for options in ({}, {"is_counted": False})
        )

    assert [*map(set, of_kept.groups)] == [*map(set, of_lines.groups)]
    assert [*map(set, part.groups)] == [*map(set, of_lines.groups)]
    assert (of_kept.tally, part.tally) == (of_lines.tally, Tally())


def test_lines_are_shown_by_their_keys(make_engine):
    """As JSON texts, the largest first."""
    lines = Lines(2, "total_ms", ("user_id", "x", "late"))

    found = make_engine(LOG).ask(Question(view=UTTERANCES, figures=(), lines=lines))

    assert found.groups == ((([['"bob"', None, "true"], ['"ann"', None, None]],),),)


def test_a_moment_is_a_parameter(make_engine):
    """With whatever offset it was typed."""
    question = Question(
        view=UTTERANCES,
        figures=("count(*)",),
        conditions=(f"time >= {WORDS.moment('since')}",),
        parameters={"since": "2026-11-22T12:01:00+02:00"},
    )

    assert make_engine(LOG).ask(question).tally.matched == 2


def test_the_largest_values_are_listed(make_engine):
    """At most so many, largest first."""
    figure = WORDS.largest(2, "user_id", "total_ms")

    assert make_engine(LOG).ask(Question(view=UTTERANCES, figures=(figure,))).groups == (
        ((["bob", "ann"],),),
    )


def test_a_line_of_many_rows_is_counted_once(make_engine):
    """Rows are the entries of its lists; lines are lines."""
    line = verdict(1, "ann", held=[{"ms": 1}, {"ms": 2}], spans=[{"name": "x", "own_ms": 4}])

    found = make_engine(LOG + line).ask(Question(view=DELAYS, figures=("sum(ms)", "count(*)")))

    assert found.groups == (((7.0, 3),),)
    assert found.tally == Tally(lines=6, broken=1, rows=3, matched=3)


def test_no_lines_are_no_groups(make_engine):
    """An empty log has nothing to count; one of no matches has a row of nothing, and no group."""
    question = Question(view=UTTERANCES, figures=("count(*)",))

    assert make_engine("").ask(question).groups == ((),)
    assert make_engine("").ask(question).tally == Tally()
    assert make_engine("{}\n").ask(question).groups == ((),)


def test_a_value_of_the_line_is_read_by_any_key(make_engine):
    """A slash, a dot, a quote: a key may be called anything."""
    for key in ("room", "a/b", "a.b", 'a"b', "a~1b", "$", "", "0", "Zoë"):
        question = Question(
            view=UTTERANCES,
            figures=("count(*)",),
            conditions=(f"{WORDS.value('key')} = {WORDS.parameter('value')}",),
            parameters={"key": WORDS.key(key), "value": "x"},
        )

        assert make_engine(verdict(1, "ann", **{key: "x"})).ask(question).tally.matched == 1, key
        assert make_engine(verdict(1, "ann", **{key: "y"})).ask(question).tally.matched == 0, key
