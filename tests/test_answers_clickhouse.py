"""The engine for logs that have outgrown a machine."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tracelog.answers.address import Address
from tracelog.answers.clickhouse import ClickHouse, ClickHouseDialect
from tracelog.answers.question import Lines, Question, Tally
from tracelog.answers.server import connect
from tracelog.answers.views import DELAYS, LINES, UTTERANCES


WORDS = ClickHouseDialect()


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


@pytest.fixture
def make_engine(make_table):
    servers = []

    def make(content):
        address = Address.parse(make_table(content))
        servers.append(connect(address, ""))
        return ClickHouse(servers[-1], address)

    yield make
    for server in servers:
        server.close()


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


def test_lines_are_shown_by_their_keys(make_engine):
    """As JSON texts, the largest first; of each group, if there are groups."""
    engine = make_engine(LOG)
    lines = Lines(2, "total_ms", ("user_id", "x", "late"))

    whole = engine.ask(Question(view=UTTERANCES, figures=(), lines=lines))
    groups = (("user_id",),)
    each = engine.ask(Question(view=UTTERANCES, figures=("count(*)",), groups=groups, lines=lines))

    assert whole.groups == ((([['"bob"', None, "true"], ['"ann"', None, None]],),),)
    assert sorted(each.groups[0]) == [
        ("ann", 2, [['"ann"', None, None]] * 2),
        ("bob", 1, [['"bob"', None, "true"]]),
    ]


def test_figures_are_those_of_every_engine(make_engine):
    """Quantiles lie between numbers; of no numbers there are none; the largest come first."""
    question = Question(
        view=UTTERANCES,
        figures=(
            WORDS.quantiles("total_ms", 0.5, 1.0),
            WORDS.quantiles("send_ms", 0.5),
            WORDS.largest(2, "user_id", "total_ms"),
        ),
    )

    assert make_engine(LOG).ask(question).groups == ((([40.0, 300.0], [], ["bob", "ann"]),),)


def test_a_moment_is_a_parameter(make_engine):
    """With whatever offset it was typed."""
    question = Question(
        view=UTTERANCES,
        figures=("count(*)",),
        conditions=(f"time >= {WORDS.moment('since')}",),
        parameters={"since": "2026-11-22T12:01:00+02:00"},
    )

    assert make_engine(LOG).ask(question).tally.matched == 2


def test_a_line_of_many_rows_is_counted_once(make_engine):
    """Rows are the entries of its lists; lines are lines."""
    line = verdict(1, "ann", held=[{"ms": 1}, {"ms": 2}], spans=[{"name": "x", "own_ms": 4}])

    found = make_engine(LOG + line).ask(Question(view=DELAYS, figures=("sum(ms)", "count(*)")))

    assert found.groups == (((7.0, 3),),)
    assert found.tally == Tally(lines=6, broken=1, rows=3, matched=3)


def test_no_lines_are_no_groups(make_engine):
    """A table of nothing has neither rows nor times, and a blank line is nothing."""
    engine = make_engine(" \n")
    question = Question(view=UTTERANCES, figures=("count(*)",))

    found = engine.ask(question)

    assert (found.groups, found.tally) == (((),), Tally())
    assert (engine.start(), engine.end()) == (None, None)


def test_a_value_of_the_line_is_read_by_any_key(make_engine):
    """A slash, a dot, a quote: a key may be called anything."""
    keys = ("room", "a/b", "a.b", 'a"b', "a~1b", "$", "", "0", "Zoë", "a'b\\n")
    engine = make_engine("".join(verdict(1, "ann", **{key: "x"}) for key in keys))

    for key in keys:
        question = Question(
            view=UTTERANCES,
            figures=("count(*)",),
            conditions=(f"{WORDS.value('key')} = {WORDS.parameter('value')}",),
            parameters={"key": WORDS.key(key), "value": "x"},
        )
        assert engine.ask(question).tally.matched == 1, key


def test_the_times_of_the_first_and_the_last_line(make_engine):
    """A clock that was not set yet is none."""
    engine = make_engine(LOG + '{"timestamp":"1969-01-01"}\n')

    assert engine.start() == datetime(2026, 11, 22, 9, 59, tzinfo=UTC)
    assert engine.end() == datetime(2026, 11, 22, 10, 3, tzinfo=UTC)


def test_broken_lines_are_named_by_where_they_are_from(make_table, run_sql):
    """As far as whoever shipped them has said; else by the table."""
    text = make_table("oops\n")
    name = text.rpartition("/")[2]
    for host in ("chat-3", "chat-1", "chat-2"):
        row = json.dumps({"line": "half", "file": host}).encode()
        run_sql(f"INSERT INTO {name} (line, file) FORMAT JSONEachRow", row)
    address = Address.parse(text)
    server = connect(address, "")

    engine = ClickHouse(server, address)

    assert engine.broken(9) == (f"in {name}", "in chat-1", "in chat-2")
    assert engine.broken(1) == (f"in {name}",)
    server.close()


def test_lines_have_a_length(make_engine):
    """In bytes."""
    question = Question(view=LINES, figures=("sum(bytes)",), conditions=("event = 'Zoë'",))

    assert make_engine('{"event":"Zoë"}\n').ask(question).groups == (((16,),),)
