"""The contract, held against what others plug in."""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from io import StringIO

import pytest
import structlog

from tracelog import testing
from tracelog.handlers import FileHandler, StreamHandler
from tracelog.testing import PROMISES, check_processor, check_sink, hostile_values


@pytest.mark.parametrize(
    "processor",
    [
        pytest.param(lambda _logger, _method, event: event, id="does-nothing"),
        pytest.param(lambda _logger, _method, event: {**event, "more": 1}, id="gives-another"),
        pytest.param(structlog.processors.TimeStamper(), id="TimeStamper"),
        pytest.param(structlog.processors.CallsiteParameterAdder(), id="CallsiteParameterAdder"),
        pytest.param(structlog.processors.EventRenamer("msg"), id="EventRenamer"),
    ],
)
def test_a_good_processor_passes(processor):
    """structlog's own, among others, take every event."""
    check_processor(processor)


def test_a_processor_may_drop_events():
    """That is what `structlog.DropEvent` is for."""

    def drop(_logger, _method, _event):
        raise structlog.DropEvent

    check_processor(drop)


def joins(_logger, _method, event):
    return {**event, "joined": "-".join(map(str, event.values()))}


def forgets_to_return(_logger, _method, event):
    event["more"] = 1


LAST = {}


def keeps_one_mapping(_logger, _method, event):
    LAST.update(event)
    return LAST


def empties(_logger, _method, event):
    if isinstance(event.get("value"), dict):
        event["value"].clear()
    return event


@pytest.mark.parametrize(
    ("processor", "promise", "by"),
    [
        (joins, 1, "value whose repr raises, as a field: ValueError was raised: no text for you"),
        (forgets_to_return, 2, "an event without fields: it gave <class 'NoneType'>, no mapping"),
        (keeps_one_mapping, 7, "number, as a field: it gave the mapping of the event before"),
        (empties, 7, "nested list, as a field: it changed the value of 'value' in place"),
    ],
)
def test_a_bad_processor_is_told_which_promise_it_breaks(processor, promise, by):
    """The promise, and the event that shows it."""
    with pytest.raises(AssertionError) as raised:
        check_processor(processor)

    assert str(raised.value) == f"promise {promise}, {PROMISES[promise]!r}, is broken: {by}"


def test_a_processor_that_hangs_is_found_out(monkeypatch):
    """Whoever checks isn't held up by it."""
    monkeypatch.setattr(testing, "_WITHIN_S", 0.05)
    never = threading.Event()

    with pytest.raises(AssertionError, match="promise 1.*didn't come back within"):
        check_processor(lambda *_: never.wait())

    never.set()


def on(stream, kind=logging.StreamHandler):
    """Check a handler of *kind* that writes to *stream*."""
    check_sink(lambda: kind(stream), stream.getvalue)


def test_a_good_stream_passes():
    """Anything with `write`."""
    stream = StringIO()

    check_sink(lambda: stream, stream.getvalue)


@pytest.mark.parametrize("kind", [logging.StreamHandler, StreamHandler])
def test_a_good_handler_passes(kind):
    """The standard library's, and ours."""
    on(StringIO(), kind)


def test_a_file_passes(tmp_path):
    """What came out is what is found in the file."""
    path = tmp_path / "app.log"

    check_sink(lambda: FileHandler(path), path.read_text)


def test_a_pipe_passes():
    """A stream with a descriptor is written to directly, and a backlog is flushed."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    received = []

    def arrived():
        with suppress(BlockingIOError):
            while True:
                received.append(os.read(read, 1 << 20))
        return b"".join(received).decode()

    with open(write, "w", encoding="utf-8") as stream:
        check_sink(lambda: stream, arrived)

    os.close(read)


class Raises(logging.StreamHandler):
    def emit(self, record):
        str(record.__dict__["value"])
        super().emit(record)


class Keeps(logging.StreamHandler):
    def emit(self, record):
        if record.msg != "None":
            super().emit(record)


class Cuts(logging.StreamHandler):
    def format(self, record):
        return super().format(record)[:1000]


class Repeats(logging.StreamHandler):
    def emit(self, record):
        super().emit(record)
        if record.msg == "format":
            super().emit(record)


class Wraps(logging.StreamHandler):
    def format(self, record):
        return f'{{"line": {super().format(record)}}}'


class Marks(logging.StreamHandler):
    def emit(self, record):
        record.seen = True
        super().emit(record)


class OneThread(logging.StreamHandler):
    def emit(self, record):
        if "thread 1" not in record.getMessage():
            super().emit(record)


class RepeatsThreads(logging.StreamHandler):
    def emit(self, record):
        super().emit(record)
        if record.getMessage() == "thread 1, line 7":
            super().emit(record)


class NotWithin(logging.StreamHandler):
    inside = False

    def emit(self, record):
        if not self.inside:
            self.inside = True
            super().emit(record)
            self.inside = False


class AfterClosing(logging.StreamHandler):
    closed = False

    def close(self):
        super().close()
        self.closed = True

    def emit(self, record):
        if self.closed:
            raise ValueError("it is closed")
        super().emit(record)


class ClosesOnce(logging.StreamHandler):
    closed = False

    def close(self):
        if self.closed:
            raise ValueError("it is closed")
        self.closed = True
        super().close()


@pytest.mark.parametrize(
    ("kind", "promise", "by"),
    [
        (Raises, 1, "value whose repr raises: ValueError was raised: no text for you"),
        (Keeps, 2, "None: once flushed, the last line is ['number']"),
        (Cuts, 4, "this isn't one of the lines that it was given"),
        (Wraps, 4, "this isn't one of the lines that it was given"),
        (Repeats, 4, "format: 12 lines for 11 records"),
        (Marks, 7, "number: it changed ['seen'] of the record"),
        (OneThread, 2, "50 lines of 4 threads"),
        (RepeatsThreads, 4, "lines of several threads are there twice"),
        (NotWithin, 2, "of a value that logs, only"),
        (ClosesOnce, 1, "closing it: ValueError was raised: it is closed"),
        (AfterClosing, 1, "a record after it was closed: ValueError was raised: it is closed"),
    ],
)
def test_a_bad_sink_is_told_which_promise_it_breaks(kind, promise, by):
    """The promise, and the record that shows it."""
    with pytest.raises(AssertionError) as raised:
        on(StringIO(), kind)

    assert f"promise {promise}, {PROMISES[promise]!r}, is broken: {by}" in str(raised.value)


def test_hostile_values_are_made_anew():
    """Whoever spoils one spoils it for nobody else."""
    first, second = hostile_values(), hostile_values()

    assert first.keys() == second.keys()
    assert first["nested list"] is not second["nested list"]
