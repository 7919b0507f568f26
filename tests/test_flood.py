"""What one line of code may log in a second."""

from __future__ import annotations

import io
import json
import logging
import threading

import pytest

import tracelog
from tracelog import flood
from tracelog.errors import ConfigError
from tracelog.flood import FloodFilter


@pytest.fixture(autouse=True)
def _ended():
    """What a filter has to say at last, it says here, not while another test runs."""
    yield
    for each in [*flood._filters]:
        each.close()


def record(at=0.0, *, line=1, level=logging.INFO, name="app", **more):
    """A record that *line* of app.py made at a moment."""
    made = logging.LogRecord(name, level, "app.py", line, "hello", (), None)
    made.created = 1_000 + at
    vars(made).update(more)
    return made


def passing(filter, records):
    """Which records pass, by number, and what they show as left out."""
    return {
        number: getattr(each, "left_out_lines", 0)
        for number, each in enumerate(records, 1)
        if filter.filter(each)
    }


def test_the_first_of_a_second_pass_then_one_in_so_many():
    """A line that passes shows how many were left out before it."""
    filter = FloodFilter(first=2, then=3)

    assert passing(filter, [record() for _ in range(9)]) == {1: 0, 2: 0, 5: 2, 8: 2}


def test_each_second_begins_anew():
    """And shows what was left out at the end of the one before."""
    filter = FloodFilter(first=1, then=100)
    moments = [0.0, 0.1, 0.9, 1.0, 1.5, 2.5]

    assert passing(filter, map(record, moments)) == {1: 0, 4: 2, 6: 1}


def test_a_clock_that_is_set_back_begins_a_second():
    """Nobody waits for the time that was before."""
    filter = FloodFilter(first=1, then=100)

    assert passing(filter, map(record, [0.0, -3600.0, -3599.5])) == {1: 0, 2: 0}


@pytest.mark.parametrize("other", [{"line": 2}, {"level": logging.ERROR}], ids=["line", "level"])
def test_lines_of_code_and_levels_have_a_limit_each(other):
    """A flood of one costs the others nothing."""
    filter = FloodFilter(first=1, then=100)

    assert passing(filter, [record(), record(), record(**other)]) == {1: 0, 3: 0}


@pytest.mark.parametrize("other", [{"name": "tracelog.utterance"}, {"replayed": True}])
def test_verdicts_and_replayed_lines_pass(other):
    """The answers count the former; the latter are bounded already."""
    filter = FloodFilter(first=1, then=100)

    assert passing(filter, [record(**other) for _ in range(3)]) == {1: 0, 2: 0, 3: 0}


def test_memory_is_bounded(monkeypatch):
    """Code that is made up as it goes shares a limit, once there is too much of it."""
    monkeypatch.setattr(flood, "_MOST_SITES", 2)
    filter = FloodFilter(first=1, then=100)

    assert passing(filter, [record(line=line) for line in range(1, 9)]) == {1: 0, 2: 0, 3: 0}
    assert len(filter._sites) == 3


def test_several_handlers_may_share_it():
    """It decides about a record once, and all of them show the same."""
    filter = FloodFilter(first=1, then=2)
    streams = [io.StringIO(), io.StringIO()]
    for stream in streams:
        handler = tracelog.StreamHandler(stream)
        handler.setFormatter(tracelog.JsonFormatter())
        handler.addFilter(filter)
        logging.getLogger("app").addHandler(handler)

    for _ in range(3):
        tracelog.get_logger("app").error("hello")

    said = [[*map(json.loads, stream.getvalue().splitlines())] for stream in streams]
    assert said[0] == said[1]
    assert [line.get("left_out_lines") for line in said[0]] == [None, 1]


def write_native(number):
    tracelog.get_logger("app").error(f"native {number}")


def write_native_with_arguments(number):
    tracelog.get_logger("app").error("native %s", number)


def write_foreign(number):
    logging.getLogger("app").error(f"foreign {number}")


@pytest.mark.parametrize("write", [write_native, write_native_with_arguments, write_foreign])
@pytest.mark.parametrize("formatter", ["tracelog.JsonFormatter", "logging.Formatter"])
@pytest.mark.parametrize("where", ["handlers", "loggers"])
def test_it_is_named_in_a_configuration(write, formatter, where):
    """On a handler or a logger; texts that differ come from one line of code."""
    stream = io.StringIO()
    on = {"filters": ["flood"]}
    tracelog.configure_logging(
        {
            "version": 1,
            "filters": {"flood": {"()": "tracelog.FloodFilter", "first": 2, "then": 1000}},
            "formatters": {"any": {"()": formatter}},
            "handlers": {
                "out": {
                    "class": "tracelog.StreamHandler",
                    "stream": stream,
                    "formatter": "any",
                    **(on if where == "handlers" else {}),
                }
            },
            "loggers": {"app": {"handlers": ["out"], **(on if where == "loggers" else {})}},
        }
    )

    for number in range(5):
        write(number)

    assert len(stream.getvalue().splitlines()) == 2


def test_what_is_left_out_at_last_is_said(caplog):
    """When the filter ends, with its configuration or with the process; once."""
    filter = FloodFilter(first=1, then=100)
    passing(filter, [record(), record(), record(line=2), record(line=2), record(line=2)])

    filter.close()
    filter.close()

    [said] = caplog.records
    assert (said.name, said.levelname, said.left_out_lines) == ("tracelog.internal", "WARNING", 3)
    assert said.where == "app.py:2, app.py:1"


def test_nothing_left_out_is_nothing_said(caplog):
    """Most filters end so."""
    filter = FloodFilter()
    passing(filter, [record()])

    filter.close()

    assert caplog.records == []


def test_a_replaced_configuration_says_it():
    """Not much later, when somebody collects its filter."""
    before, after = io.StringIO(), io.StringIO()
    tracelog.configure_logging(sink=before, format="json")
    logging.root.handlers[0].addFilter(FloodFilter(first=1, then=100))
    for _ in range(3):
        logging.getLogger("app").warning("hello")

    tracelog.configure_logging(sink=after, format="json")

    said = json.loads((before.getvalue() + after.getvalue()).splitlines()[-1])
    assert (said["event"], said["left_out_lines"]) == ("a flood has ended", 2)


@pytest.mark.parametrize("options", [{"first": 0}, {"then": -1}, {"first": 1.5}, {"then": True}])
def test_limits_that_make_no_sense_are_refused(options):
    """While the configuration is read."""
    with pytest.raises(ConfigError) as error:
        FloodFilter.check(**options)

    assert error.value.where == next(iter(options))


def test_threads_lose_no_count():
    """What passes, what it shows and what is said at last is what was logged."""
    filter = FloodFilter(first=10, then=7)
    shown = []

    def log():
        for _ in range(500):
            each = record()
            if filter.filter(each):
                shown.append(1 + getattr(each, "left_out_lines", 0))

    threads = [threading.Thread(target=log) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    [site] = filter._sites.values()
    assert sum(shown) + site.left_out == 2000


def test_the_child_of_a_fork_is_not_kept_waiting():
    """Another thread of its parent may have been counting."""
    filter = FloodFilter()
    filter._lock.acquire()

    flood._unlock_all()

    done = []
    thread = threading.Thread(target=lambda: done.append(filter.filter(record())))
    thread.start()
    thread.join(30)
    assert done == [True]
