"""A record, held as it is now."""

from __future__ import annotations

import logging
import sys
from collections import deque

import pytest

import tracelog
from tracelog.context import current_context
from tracelog.latency.held import hold
from tracelog.records import Event, context_of, exception_of, fields_of, message_of


def make_event(msg="hello", args=(), exc_info=None, **fields):
    event = Event.__new__(Event)
    event.name, event.levelno, event.created = "app", logging.DEBUG, 0.0
    named = len(args) == 1 and isinstance(args[0], dict)
    event.msg, event.args, event.fields = msg, args[0] if named else args, fields
    event.context, event.exc_info, event.bare = current_context(), exc_info, exc_info is None
    return event


def make_foreign(msg="hello", args=(), exc_info=None, **fields):
    record = logging.LogRecord("app", logging.DEBUG, "app.py", 7, msg, args, exc_info)
    record.__dict__.update(fields)
    return record


both = pytest.mark.parametrize("make", [make_event, make_foreign], ids=["native", "foreign"])


def shown(record):
    return message_of(record), fields_of(record, context_of(record))


@both
def test_a_record_of_scalars_is_kept_itself(make):
    """There is nothing to copy."""
    record = make("message %s", (17,), room="lobby")

    held, _ = hold(record)

    assert held is record
    assert shown(held) == ("message 17", {"room": "lobby"})


@both
@pytest.mark.parametrize(
    "value",
    [[1, [2]], {"a": {"b": 1}}, (1, [2]), {1, 2}, frozenset({1}), deque([[1]])],
    ids=lambda value: type(value).__name__,
)
def test_containers_are_copied(make, value):
    """With what is in them, and equal to what they were."""
    held, _ = hold(make("message %s", (value,), value=value))

    _, fields = shown(held)
    assert fields["value"] == value
    assert type(fields["value"]) is type(value)
    assert fields["value"] is not value


@both
def test_what_changes_later_is_not_shown(make):
    """A line tells of the moment at which it was logged."""
    members, names = ["kim"], {"who": "kim"}
    held, _ = hold(make("%(who)s", (names,), members=members))

    members.append("lee")
    names["who"] = "lee"

    assert shown(held) == ("kim", {"members": ["kim"]})


@both
def test_a_message_may_be_a_container(make):
    """As of libraries that log dicts."""
    message = {"event": "hello", "size": 1}
    held, _ = hold(make(message))

    message["size"] = 2

    assert shown(held) == ("hello", {"size": 1})


def test_another_object_is_kept_itself():
    """Its text is made when the line is, if ever."""
    value = object()

    held, _ = hold(make_event(value=value, more=[value]))

    assert (held.fields["value"], held.fields["more"]) == (value, [value])


def test_copying_is_bounded():
    """What no line shows anyway isn't copied: too many values, or too deep."""
    many, circle = list(range(2_000)), []
    circle.append(circle)

    held, _ = hold(make_event(circle=circle, many=many))

    assert held.fields["many"] is many
    innermost = held.fields["circle"]
    while innermost is not circle:
        [innermost] = innermost


@both
def test_an_exception_is_written_down(make):
    """The record that others see still has it; the one that is kept, only what it says."""
    try:
        raise ValueError("no room")
    except ValueError:
        record = make("failed %s", (1,), exc_info=sys.exc_info())

    held, _ = hold(record)

    assert record.exc_info is not None
    assert held.exc_info is None
    assert exception_of(held)[0]["message"] == "no room"
    assert message_of(held) == "failed 1"


def test_a_foreign_record_knows_its_context():
    """Which is another by the time it is written."""
    with tracelog.bound_context(user_id="kim"):
        held, _ = hold(make_foreign())

    assert context_of(held).bound == {"user_id": "kim"}


@both
@pytest.mark.parametrize(
    ("value", "least"),
    [("x" * 10_000, 10_000), (["x" * 10_000], 10_000), (b"x" * 10_000, 10_000), (7, 0)],
    ids=["text", "in a list", "bytes", "small"],
)
def test_it_tells_how_large_it_is(make, value, least):
    """Roughly: the memory that its values take, and a record's own."""
    _, size = hold(make(value=value))

    assert least + 500 < size < least + 2_500
