"""What a report's page shows, gathered from a log."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from tracelog.answers.gathered import Gathered, Limits
from tracelog.answers.gathering import gather
from tracelog.answers.log import Log
from tracelog.answers.sources import Spool, open_sources


START = datetime(2026, 11, 22, 10, tzinfo=UTC)
US = int(START.timestamp()) * 1_000_000


def stamp(seconds):
    moment = START + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def line(seconds, event, **fields):
    moment = {"timestamp": stamp(seconds), "level": "info", "logger": "app", "event": event}
    return json.dumps({**moment, "trace_id": None, **fields}) + "\n"


def verdict(seconds, total, **fields):
    moment = {"arrived_at": stamp(seconds), "total_ms": total}
    return line(seconds + 1, "utterance", **{**moment, "late": total >= 200, **fields})


def hold(seconds, held, **fields):
    return line(seconds + 1, "loop held", held_at=stamp(seconds), held_ms=held, **fields)


@pytest.fixture
def ask(tmp_path):
    """Write a log, and gather."""
    with Spool() as spool:

        def gathered(*lines, on_step=str, **limits):
            (tmp_path / "app.log").write_text("".join(lines))
            log = Log(open_sources([str(tmp_path / "app.log")], spool, io.BytesIO()), spool)
            return gather(log, on_step, Limits(**limits))

        yield gathered


def test_an_empty_log_has_nothing(ask):
    """No file with a line in it: nothing was found, and nothing went wrong."""
    assert ask() == Gathered()


def test_a_log_without_verdicts_has_lines(ask):
    """There is nothing to draw, but something to say."""
    found = ask(line(0, "started"), "broken\n")

    assert (found.lines, found.broken, found.utterances, found.quantiles) == (2, 1, 0, [])
    assert (found.users, found.waiting, found.holds) == (0, 0, 0)


def test_late_ones_come_before_slow_ones(ask):
    """An utterance with a budget of its own may be late sooner than others are slow."""
    found = ask(
        verdict(0, 250, user_id="slow", late=False),
        verdict(1, 60, user_id="late", late=True),
        verdict(2, 5, user_id="fast"),
        utterances=2,
    )

    assert [(row[0], row[1], row[2], row[4]) for row in found.utterance_rows] == [
        (US + 1_000_000, 60.0, True, "late"),
        (US, 250.0, False, "slow"),
    ]
    assert (found.utterances, found.late, found.quantiles[0]) == (3, 1, 60.0)


def test_of_equals_no_more_come_than_are_wanted(ask):
    """A log in whole milliseconds has many; which of them come is the same every time."""
    equals = [verdict(number, 7, user_id=str(number)) for number in range(50)]

    first, again = (ask(*equals, utterances=5).utterance_rows for _ in range(2))

    assert len(first) == 5
    assert first == again


def test_an_utterance_brings_its_boxes_and_whose_it_is(ask):
    """A box that isn't known is none, whatever stands there."""
    (row,) = ask(
        verdict(
            *(0, 300),
            **{"socket_ms": 1, "queue_ms": "2.5", "loop_ms": None, "code_ms": [], "await_ms": 3},
            **{"connection_id": "c-1", "trace_id": "t", "utterance": 7, "kind": "http"},
        )
    ).utterance_rows

    assert row[3] == [1.0, 2.5, None, None, 3.0, None]
    assert row[4:9] == (None, "c-1", "t", 7, "http")


def test_only_the_worst_say_why(ask):
    """Causes are long, and nobody reads a hundred thousand."""
    first, second = ask(
        verdict(0, 400, cause="a", path="/x"), verdict(1, 300, cause="b"), detailed=1
    ).utterance_rows

    assert (first[9][0], first[9][-2], second[9]) == ('"a"', '"/x"', None)


def test_values_are_cut(ask):
    """A megabyte in a field is a few hundred characters here, and a list of that size is none."""
    found = ask(
        verdict(0, 300, user_id="u" * 999_999, trace_id="t", cause="c" * 999_999),
        line(0.5, "e" * 999_999, trace_id="t"),
    )

    ((_, count, lines, _),) = found.trace_rows
    assert (len(found.utterance_rows[0][4]), found.utterance_rows[0][9][0]) == (200, None)
    assert (count, len(lines[0][3]), len(lines[0][4])) == (2, 300, 1500)


@pytest.mark.parametrize(
    ("total", "expected"),
    [("1e14", [1e11]), ("1e300", []), ("-5", [0.0]), ('"NaN"', []), ('"x"', []), ("[]", [])],
    ids=str,
)
def test_an_odd_total_is_bounded_or_none(ask, total, expected):
    """A calendar has to have room for it; what is no time is no utterance."""
    odd = verdict(0, 1).replace('"total_ms": 1', f'"total_ms": {total}')

    assert [row[1] for row in ask(odd).utterance_rows] == expected


@pytest.mark.parametrize("moment", ["never", "1969-01-01T00:00:00Z", "290000-01-01", None], ids=str)
def test_a_time_that_no_calendar_has_is_none(ask, moment):
    """A page shows such an utterance in its table only."""
    (row,) = ask(verdict(0, 300, arrived_at=moment, timestamp=moment)).utterance_rows

    assert row[0] is None


def test_users_are_by_what_they_waited(ask):
    """Those on time wait, too, but nobody has to know."""
    found = ask(
        verdict(0, 300, user_id="a"),
        verdict(1, 250, user_id="b"),
        verdict(2, 240, user_id="b"),
        verdict(3, 100, user_id="c"),
        users=2,
    )

    assert found.user_rows == [("b", 2, 2, 250.0, 490.0), ("a", 1, 1, 300.0, 300.0)]
    assert (found.users, found.waiting) == (3, 2)


def test_places_are_by_what_they_cost(ask):
    """Each entry of a late verdict's lists is one; what is none is passed over."""
    held = {"where": "a.py:1 f", "kind": "CPU-bound"}
    found = ask(
        verdict(0, 300, user_id="a", trace_id="x", blocked_by=[{**held, "ms": 200}]),
        verdict(1, 290, user_id="b", trace_id="y", blocked_by=[{**held, "ms": 210}, 5, None]),
        verdict(2, 280, awaits=[{"what": "lock", "where": "b.py:2 g", "ms": 30}], held="no"),
        verdict(3, 100, held=[{**held, "ms": 99}]),  # it wasn't late
    )

    assert found.place_rows == [
        ("blocked_by", "a.py:1 f", "CPU-bound", 2, 410.0, 210.0, 2, "y"),
        ("awaits", "b.py:2 g", "lock", 1, 30.0, 30.0, 0, None),
    ]


def test_holds_are_the_longest(ask):
    """More are counted than are drawn."""
    about = {"where": "a.py:1 f", "kind": "CPU-bound", "holder": "task", "user_id": "u"}
    found = ask(
        hold(0, 90),
        hold(1, 100, **about, trace_id="t", delayed=3, delayed_ms=7.5),
        line(2, "the loop held on"),
        hold(3, "long"),
        holds=1,
    )

    moment = US + 1_000_000
    assert found.hold_rows == [
        (moment, 100.0, "a.py:1 f", "CPU-bound", "task", "u", "t", 3, 7.5),
    ]
    assert found.holds == 2


def test_a_trace_comes_with_its_first_and_last_lines(ask):
    """A loop in a handler may have logged a million: those between them are counted."""
    found = ask(
        verdict(0, 300, trace_id="t"),
        verdict(0, 200, trace_id="other"),
        *(line(number, str(number), trace_id="t") for number in range(2, 9)),
        line(5, "nobody's"),
        traced=1,
        lines=2,
    )

    ((trace, count, first, last),) = found.trace_rows
    assert (trace, count) == ("t", 8)
    assert [texts[3] for texts in first] == ["utterance", "2", "3", "4"]
    assert [texts[:4] for texts in last] == [
        [str(US + 8_000_000), "info", "app", "8"],
        [str(US + 7_000_000), "info", "app", "7"],
    ]
    assert json.loads(last[0][4])["event"] == "8"


def test_a_line_of_a_trace_at_a_time_that_no_calendar_has_is_left_out(ask):
    """A page puts lines in order; DuckDB's calendar has more years than JavaScript's."""
    odd = verdict(0, 300, trace_id="t", timestamp="0001-01-01T00:00:00Z")

    ((_, count, first, _),) = ask(odd, line(2, "2", trace_id="t"), traced=1).trace_rows

    assert (count, [texts[3] for texts in first]) == (1, ["2"])


def test_each_step_is_told(ask):
    """A gigabyte takes a while: a person sees what it is at."""
    steps = []

    ask(verdict(0, 300), on_step=steps.append)

    assert steps == [
        "counting",
        "utterances",
        "users",
        "what is to blame",
        "holds",
        "their lines",
    ]


def test_of_a_list_its_beginning_is_taken(ask):
    """Ten entries, and of a text what can be shown: an entry may be a megabyte."""
    entry = {"ms": 5, "where": "app.py:1 " + "f" * 1_000, "kind": "lock" + "k" * 1_000_000}
    short = {"ms": 1, "where": "app.py:2 f", "what": "lock"}

    found = ask(verdict(0, 300, awaits=[entry] * 3 + [short] * 20, held={"ms": 1}))

    assert [
        (row[0], row[1][:10], len(row[1]), len(row[2]), *row[3:5]) for row in found.place_rows
    ] == [
        ("awaits", "app.py:1 f", 200, 100, 3, 15.0),
        ("awaits", "app.py:2 f", 10, 4, 7, 7.0),
    ]
