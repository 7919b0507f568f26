"""A record, as the event that lines are made of."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tracelog.context import bind_context, current_context, new_trace
from tracelog.events import line_by, make_event_reader, timestamp_of
from tracelog.fields import LEADING
from tracelog.processors import make_chain
from tracelog.records import Event, exception_of


PLACED = ["exception", "stack", "caller"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def make_record(msg="hello", *, exc_info=None, stack_info=None, **extra):
    record = logging.LogRecord(
        "app.chat", logging.INFO, "app.py", 7, msg, (), exc_info, "handle", stack_info
    )
    record.created = 1_700_000_000.25
    record.__dict__.update(extra)
    return record


def make_reader(*processors, caller=False):
    return make_event_reader(
        chain=make_chain(processors),
        caller=caller,
        exception=lambda r: exception_of(r, as_text=True),
    )


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


# Timestamps


@pytest.mark.parametrize(
    ("created", "text"),
    [
        pytest.param(0.0, "1970-01-01T00:00:00.000000Z", id="epoch"),
        pytest.param(1_700_000_000.0, "2023-11-14T22:13:20.000000Z", id="whole second"),
        pytest.param(1_700_000_000.000001, "2023-11-14T22:13:20.000001Z", id="microsecond"),
        pytest.param(1_700_000_000.999999, "2023-11-14T22:13:20.999999Z", id="last microsecond"),
        pytest.param(1_700_000_000.9999999, "2023-11-14T22:13:21.000000Z", id="rounded up"),
        pytest.param(951_782_400.5, "2000-02-29T00:00:00.500000Z", id="leap day"),
    ],
)
def test_timestamps_are_utc_with_microseconds(created, text):
    """RFC 3339, always the same width, so that lines sort as text."""
    assert timestamp_of(created) == text


@given(st.lists(st.integers(0, 4_000_000_000_000_000), min_size=1, max_size=5))
def test_timestamps_read_back(times):
    """Whatever was written before, a timestamp is that of its own record."""
    for microseconds in times:
        written = datetime.fromisoformat(timestamp_of(microseconds / 1e6))

        # A float of that size holds half a microsecond at best.
        assert abs(written - EPOCH - timedelta(microseconds=microseconds)) <= timedelta(
            microseconds=1
        )


@given(st.floats(0, 4e9), st.floats(0, 4e9))
def test_timestamps_sort_as_their_times_do(one, other):
    """An earlier time is a lesser text."""
    earlier, later = sorted((one, other))

    assert timestamp_of(earlier) <= timestamp_of(later)


# Order


def test_an_event_is_ordered():
    """Five leading keys, then ids, then context, then fields, then exception, stack and caller."""
    trace = new_trace()
    bind_context(user="kim")
    record = make_record(room="lobby", exc_info=caught(ValueError("bad")), stack_info="Stack: here")

    event = make_reader(caller=True)(record)

    exception = event["exception"]
    assert exception.endswith("ValueError: bad")
    assert list(event.items()) == [
        ("timestamp", "2023-11-14T22:13:20.250000Z"),
        ("level", "info"),
        ("logger", "app.chat"),
        ("event", "hello"),
        ("trace_id", trace.trace_id),
        ("span_id", trace.span_id),
        ("user", "kim"),
        ("room", "lobby"),
        ("exception", exception),
        ("stack", "Stack: here"),
        ("caller", "app.py:7 handle"),
    ]


def test_trace_id_is_there_without_a_trace():
    """A reader of lines never has to ask whether the key is there."""
    event = make_reader()(make_record())

    assert list(event) == list(LEADING)
    assert event["trace_id"] is None


def test_the_events_own_fields_win_over_context():
    """What was said at the call is nearer than what was bound before."""
    bind_context(room="attic")

    event = make_reader()(make_record(room="lobby"))

    assert event["room"] == "lobby"


@pytest.mark.parametrize("key", ["exception", "stack", "caller"])
def test_a_field_that_is_called_like_ours_is_kept_beside(key):
    """A field `exception` doesn't hide the exception, nor is it lost."""
    record = make_record(
        exc_info=caught(ValueError("bad")), stack_info="Stack: here", **{key: "mine"}
    )

    event = make_reader(caller=True)(record)

    assert event[f"{key}_"] == "mine"
    assert event[key] != "mine"
    assert [name for name in event if name in PLACED] == PLACED


def test_a_field_keeps_its_name_when_nothing_takes_it():
    """A record without an exception may have a field of that name."""
    assert make_reader()(make_record(exception="mine"))["exception"] == "mine"


# Processors


def test_processors_change_the_event():
    """A chain is given the event, and what it returns is the event."""

    def add_region(logger, method, event):
        return {**event, "region": "eu", "method": method}

    event = make_reader(add_region)(make_record(room="lobby"))

    assert (event["room"], event["region"], event["method"]) == ("lobby", "eu", "info")
    assert tuple(event)[:5] == LEADING


def test_a_dropped_event_is_none():
    """structlog.DropEvent means: no line."""

    def drop(logger, method, event):
        raise structlog.DropEvent

    assert make_reader(drop)(make_record()) is None


def test_processors_find_exception_and_stack_as_structlog_has_them():
    """`exc_info` and `stack_info` are in the event, and gone from it when nobody used them."""
    seen = {}

    def look(logger, method, event):
        seen.update(event)
        return event

    record = make_record(exc_info=caught(ValueError("bad")), stack_info="Stack: here")

    event = make_reader(look)(record)

    assert seen["exc_info"] is record.exc_info
    assert seen["stack_info"] == "Stack: here"
    assert not event.keys() & {"exc_info", "stack_info"}
    assert event["exception"].endswith("ValueError: bad")
    assert event["stack"] == "Stack: here"


def test_an_exception_that_a_processor_wrote_is_kept_beside_ours():
    """structlog.processors.format_exc_info works, and the structured one is there as well."""
    record = make_record(exc_info=caught(ValueError("bad")))

    event = make_reader(structlog.processors.format_exc_info)(record)

    assert "exc_info" not in event
    assert event["exception_"].endswith("ValueError: bad")


def test_an_exc_info_that_a_processor_replaced_is_shown():
    """What a processor wrote is data; only what we lent it is taken back."""
    record = make_record(exc_info=caught(ValueError("bad")))

    def name_it(logger, method, event):
        return {**event, "exc_info": "mine"}

    event = make_reader(name_it)(record)

    assert event["exc_info"] == "mine"
    assert event["exception"].endswith("ValueError: bad")


def test_a_format_of_its_own_sees_a_whole_record():
    """A subclass of a formatter finds what `logging` promises, of native events, too."""
    native = Event.of((0.0, "app", logging.INFO, "hello", {}, current_context()))

    for record in (native, make_record()):
        assert line_by(lambda r: f"{r.levelname} {r.msg} \ud800", record) == b"INFO hello \\ud800\n"
        assert line_by(lambda r: "", record) == b""
