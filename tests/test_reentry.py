"""One record at a time."""

from __future__ import annotations

import logging

import pytest

from tracelog import reentry
from tracelog.context import bound_context
from tracelog.reentry import one_at_a_time


def make_record(msg):
    return logging.LogRecord("app", logging.INFO, "app.py", 7, msg, (), None)


class Handler:
    """Logs more while it handles some records."""

    def __init__(self, **more):
        self.more = more
        self.handled = []
        self.lost = []

    def log(self, msg):
        return one_at_a_time(self.handle, make_record(msg), self.lost.append)

    def handle(self, record):
        for msg in self.more.get(record.msg, ()):
            assert self.log(msg) is True
        self.handled.append(record.msg)
        return record.msg != "refused"


@pytest.mark.parametrize("msg", ["taken", "refused"])
def test_a_record_alone_is_handled(msg):
    """What the handler says of it is said."""
    handler = Handler()

    assert handler.log(msg) is (msg == "taken")

    assert handler.handled == [msg]


def test_what_is_logged_meanwhile_waits():
    """Both come out, the outer one first; and the next isn't kept waiting."""
    handler = Handler(outer=["one", "two"], one=["inner"])

    handler.log("outer")
    handler.log("next")

    assert handler.handled == ["outer", "one", "two", "inner", "next"]
    assert handler.lost == []


def test_what_logs_itself_comes_to_an_end():
    """A processor that logs, say; what would never end is lost, and counted."""
    handler = Handler(again=["again"])

    handler.log("again")

    assert handler.handled == ["again"] * 4
    assert [type(error) for error in handler.lost] == [RecursionError]


def test_what_waits_is_bounded(monkeypatch):
    """A repr may log as much as it likes, but not for ever."""
    monkeypatch.setattr(reentry, "_MAX_WAITING", 2)
    handler = Handler(outer=["one", "two", "three"])

    handler.log("outer")

    assert handler.handled == ["outer", "one", "two"]
    assert len(handler.lost) == 1


def test_what_waits_is_about_what_it_was_logged_about():
    """Its context is that of the call, not of the moment it gets out."""
    seen = []

    def handle(record):
        if record.msg == "outer":
            with bound_context(user_id="kim"):
                one_at_a_time(handle, make_record("inner"), seen.append)
        seen.append((record.msg, getattr(record, "user_id", None)))
        return True

    one_at_a_time(handle, make_record("outer"), seen.append)

    assert seen == [("outer", None), ("inner", "kim")]


def test_an_interrupt_ends_it():
    """KeyboardInterrupt passes; what waited is lost, and counted, and the next record is handled."""
    handler = Handler(outer=["one", "two"])

    def interrupt(record):
        handler.handle(record)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        one_at_a_time(interrupt, make_record("outer"), handler.lost.append)
    handler.log("next")

    assert handler.handled == ["outer", "next"]
    assert [type(error) for error in handler.lost] == [InterruptedError] * 2
