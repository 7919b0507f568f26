"""A sink over a text stream."""

from __future__ import annotations

import io
import threading

import pytest

from tracelog import sinks
from tracelog.text_sink import TextSink


PATIENCE_S = 30  # of tests that wait for what is certain to come


class Bare:
    """Has `write`, and nothing else that a stream has."""

    def __init__(self):
        self.written = []

    def write(self, text):
        self.written.append(text)


class Refusing:
    """Raises what it is told to, then takes what comes."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.text = ""

    def write(self, text):
        if self.errors:
            raise self.errors.pop()
        self.text += text


def test_a_stream_without_a_descriptor_is_written(gained):
    """A StringIO, or whatever else has `write`."""
    stream, bare = io.StringIO(), Bare()

    TextSink(stream).write(b"hello\n")
    TextSink(bare).write("Grüße\n".encode())

    assert (stream.getvalue(), bare.written) == ("hello\n", ["Grüße\n"])
    assert gained() == (2, 0, 0)


def test_a_stream_is_flushed():
    """A line is out when `write` returns, whatever the stream holds back."""
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, "utf-8")

    TextSink(stream).write(b"hello\n")

    assert raw.getvalue() == b"hello\n"


def test_bytes_that_are_no_text_are_escaped():
    """A stream takes text; what isn't text is shown escaped."""
    stream = io.StringIO()

    TextSink(stream).write(b"\xff\n")

    assert stream.getvalue() == "\\xff\n"


@pytest.mark.parametrize("stream", [None, object()], ids=["none", "no write"])
def test_no_stream_at_all_costs_lines_only(gained, stream):
    """Under pythonw there is no stdout."""
    TextSink(stream).write(b"hello\n")

    assert gained() == (0, 0, 1)


def test_a_closed_stream_costs_lines_only(gained):
    """Whoever closed it doesn't want our lines."""
    stream = io.StringIO()
    stream.close()

    TextSink(stream).write(b"hello\n")

    assert gained() == (0, 0, 1)


def test_a_stream_that_would_block_is_tried_again(gained, monkeypatch):
    """It can't be waited for, so it is asked again after a moment."""
    monkeypatch.setattr(sinks, "_PAUSE_S", 0)
    stream = Refusing(BlockingIOError(), BlockingIOError())
    sink = TextSink(stream)

    sink.write(b"hello\n")

    assert sink.flush(PATIENCE_S)
    assert stream.text == "hello\n"
    assert gained() == (1, 1, 0)


class Chatty(io.StringIO):
    """Logs about everything that it writes."""

    def write(self, text):
        self.sink.write(b"about it\n")
        return super().write(text)


class NoThread(threading.Thread):
    """Can't be started, as when the interpreter is ending."""

    def start(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")


@pytest.mark.parametrize("thread", [threading.Thread, NoThread], ids=["a thread", "the farewell"])
def test_a_stream_that_logs_what_it_writes_comes_to_an_end(thread, monkeypatch):
    """Whoever drains it: its lines about lines are lost, and that isn't written to it."""
    monkeypatch.setattr(sinks.threading, "Thread", thread)
    stream = Chatty()
    stream.sink = sink = TextSink(stream)
    sink.tell = lambda count: b"lost %d\n" % count

    sink.write(lambda: b"one\n")

    assert sink.flush(PATIENCE_S)
    assert stream.getvalue().count("\n") < 500
    assert "one\n" in stream.getvalue()


def test_a_stream_that_does_so_meanwhile_does_it_once(gained):
    """Its own line waits where another thread, or it itself, is writing; and that ends, too."""
    logged = []

    class Chatty(io.StringIO):
        def write(self, text):
            if text == "one\n":
                sink.write(b"about it\n")
                logged.append(text)
            return super().write(text)

    sink = TextSink(Chatty())

    sink.write(b"one\n")

    assert sink.flush(PATIENCE_S)
    assert logged == ["one\n"]
    assert gained()[0::2] == (2, 0)
