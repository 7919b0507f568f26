"""Sinks: an order in which everything gets out, whatever becomes of single lines."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
import threading

import pytest

from tracelog import delivery, sinks, spill
from tracelog.sinks import Sink
from tracelog.text_sink import TextSink


PATIENCE_S = 30  # of tests that wait for what is certain to come
FULL = OSError(errno.ENOSPC, "No space left on device")
GONE = BrokenPipeError(errno.EPIPE, "Broken pipe")
BUSY = BlockingIOError(errno.EAGAIN, "")


@pytest.fixture(autouse=True)
def said(monkeypatch, capfd):
    # Each test says its first loss, whatever the one before it said.
    monkeypatch.setattr(delivery, "_said", {})
    return lambda: capfd.readouterr().err


class Scripted(Sink):
    """Takes as many bytes as its script says, or raises what it says; at its end, everything."""

    def __init__(self, *script):
        super().__init__()
        self.script = list(script)
        self.taken = b""
        self.tell = lambda count: b"lost %d\n" % count

    def _put(self, data):
        step = self.script.pop(0) if self.script else len(data)
        if not isinstance(step, int):
            raise step

        self.taken += data[:step]
        return step

    def _await(self, timeout):
        pass


def write_all(sink, *lines):
    for line in lines:
        sink.write(line)
    return sink.flush(PATIENCE_S)


# What can't be written at once


def test_a_line_that_is_refused_waits(gained):
    """The next comes after it."""
    sink = Scripted(BUSY, BUSY)

    assert write_all(sink, b"one\n", b"two\n")

    assert sink.taken == b"one\ntwo\n"
    assert gained()[0] == 2


def test_the_rest_of_a_line_comes_before_the_next(gained):
    """Whatever part of it was taken, and however often it is refused."""
    sink = Scripted(2, BUSY, 1, BUSY)

    assert write_all(sink, b"one\n", b"two\n")

    assert sink.taken == b"one\ntwo\n"
    assert gained()[0::2] == (2, 0)


def test_a_line_in_parts_waited_once(gained):
    """It counts as written when its last byte is."""
    sink = Scripted(1, 1, 1)

    assert write_all(sink, b"one\n")

    assert gained() == (1, 1, 0)


@pytest.mark.parametrize("script", [(BUSY, 2, BUSY), (2, BUSY, BUSY)], ids=["late", "at once"])
def test_a_line_that_is_alone_needs_no_other(gained, script):
    """To get out: the sink's thread sees to its rest."""
    sink = Scripted(*script)

    assert write_all(sink, b"one\n")

    assert sink.taken == b"one\n"
    assert gained() == (1, 1, 0)


def test_no_line_is_torn_when_space_is_back(gained, said):
    """A full disk took a part of a line: others wait behind its rest, and the disk is named."""
    sink = Scripted(2, *[FULL] * 5)
    sink.write(b"one\n")
    stuck = not sink.flush(PATIENCE_S)
    sink.write(b"two\n")
    why = said()
    sink.script.clear()

    assert sink.flush(PATIENCE_S)

    assert stuck
    assert sink.taken == b"one\ntwo\n"
    assert gained() == (2, 2, 0)
    assert why == (
        "tracelog: a write of lines, which wait now, failed (OSError: No space left on device)\n"
    )


def test_a_full_disk_is_tried_again_now_and_then(monkeypatch):
    """Though nobody asks, and no line comes."""
    monkeypatch.setattr(sinks, "_RETRY_S", 0.001)
    sink = Scripted(*[FULL] * 3)

    sink.write(b"one\n")
    while sink._drainer is not None:
        sink._drainer.join(PATIENCE_S)

    assert sink.taken == b"one\n"


def test_what_was_lost_waits_for_room_to_be_said():
    """As lines do."""
    sink = Scripted(FULL, FULL)
    sink.lose(ValueError())

    stuck = not sink.flush(PATIENCE_S) or sink._lost
    sink.script.clear()

    assert sink.flush(PATIENCE_S)
    assert stuck
    assert sink.taken == b"lost 1\n"


def test_a_reader_that_is_gone_takes_the_rest_of_a_line_with_it(gained):
    """Whoever reads next would have a line without its beginning."""
    sink = Scripted(2, GONE)
    sink.write(b"one\n")
    sink.flush(PATIENCE_S)

    assert write_all(sink, b"two\n")

    assert sink.taken == b"onlost 1\ntwo\n"
    assert gained() == (1, 1, 1)


def test_what_waits_is_bounded(gained, said, monkeypatch):
    """What doesn't fit is lost; errors fit longer."""
    monkeypatch.setattr(spill, "MAX_BYTES", 1_000)
    sink = Scripted()
    with sink._turn:
        for _ in range(20):
            sink.write(b"x" * 35 + b"\n", 20)
        lost = gained()[2]
        sink.write(b"error\n", 40)

    assert sink.flush(PATIENCE_S)
    assert lost == 13
    assert sink.taken.splitlines()[7:] == [b"error", b"lost 13"]
    assert "its reader is too slow" in said()


# What is lost is said


def test_what_was_lost_is_said_before_the_next_line(gained):
    """In the log itself, once; it counts as no line of anybody's."""
    sink = Scripted(GONE, GONE)

    assert write_all(sink, b"one\n", b"two\n", b"three\n", b"four\n")

    assert sink.taken.startswith(b"lost ")
    assert sink.taken.endswith(b"three\nfour\n")
    assert gained()[0::2] == (2, 2)


def test_what_was_lost_is_said_by_a_flush():
    """There may be no next line."""
    sink = Scripted()
    sink.lose(ValueError(), 2)

    assert sink.flush(PATIENCE_S)

    assert sink.taken == b"lost 2\n"


def test_what_says_it_may_be_taken_in_parts(gained):
    """As any line; nor does that count."""
    sink = Scripted(3)
    sink.lose(ValueError())

    assert write_all(sink, b"one\n")

    assert sink.taken == b"lost 1\none\n"
    assert gained()[0::2] == (1, 1)


def test_what_says_it_may_have_to_wait():
    """And is then as true as before."""
    sink = Scripted(BUSY, BUSY)
    sink.lose(ValueError())

    assert write_all(sink, b"one\n")

    assert sink.taken == b"one\nlost 1\n"


@pytest.mark.parametrize(
    "tell", [lambda _count: 1 / 0, lambda _count: b""], ids=["raises", "says nothing"]
)
def test_what_cannot_be_said_holds_nothing_up(tell):
    """A formatter may fail at this line, too, or a processor drop it."""
    sink = Scripted()
    sink.tell = tell
    sink.lose(ValueError())

    assert write_all(sink, b"one\n")

    assert sink.taken == b"one\n"


def test_what_says_it_may_be_made_later():
    """A formatter may leave it to the sink's thread."""
    sink = Scripted()
    sink.tell = lambda count: lambda: b"later %d\n" % count
    sink.lose(ValueError())

    assert write_all(sink, b"one\n")

    assert sink.taken == b"later 1\none\n"


def test_nobody_told_means_nothing_said():
    """A sink without a handler has nobody to make a line."""
    sink = TextSink(io.StringIO())
    sink.lose(ValueError())

    assert write_all(sink, b"one\n")

    assert sink._stream.getvalue() == "one\n"


# Who writes


def test_who_does_not_get_the_turn_waits():
    """Another thread is writing, and may have to write in parts."""
    sink = Scripted()
    with sink._turn:
        sink.write(b"one\n")
        early = sink.taken

    assert sink.flush(PATIENCE_S)
    assert (early, sink.taken) == (b"", b"one\n")


def test_no_caller_waits_for_another_who_takes_lines_in(monkeypatch):
    """Whoever has the lock does it; only where too much has come is it waited for, a moment."""
    monkeypatch.setattr(sinks, "_MAX_INCOMING", 2)
    sink, taken, done = Scripted(), threading.Event(), threading.Event()

    def take_the_lock():
        with sink._lock:
            taken.set()
            done.wait(PATIENCE_S)

    thread = threading.Thread(target=take_the_lock)
    thread.start()
    taken.wait(PATIENCE_S)
    with sink._turn:
        for line in (b"one\n", b"two\n", b"three\n"):
            sink.write(line)
    waiting = len(sink._incoming)
    done.set()
    thread.join(PATIENCE_S)

    assert sink.flush(PATIENCE_S)
    assert waiting == 3
    assert sink.taken == b"one\ntwo\nthree\n"


def test_a_signal_handler_that_flushes_gets_an_answer(monkeypatch):
    """It may have interrupted whoever has the turn, which will not end before it does."""
    monkeypatch.setattr(sinks, "_TURN_S", 0.01)
    sink = Scripted()

    with sink._turn:
        sink.write(b"one\n")
        done = sink.flush(None)

    assert not done
    assert sink.flush(PATIENCE_S)


# Ends


def test_one_that_could_not_be_opened_goes_without_a_word(monkeypatch):
    """Its file's folder may not be there; nor, at the end of the process, the names of its module."""
    sink = TextSink.__new__(TextSink)
    for name in [name for name in vars(sinks) if not name.startswith("__")]:
        monkeypatch.setattr(sinks, name, None)

    assert sink.__del__() is None


def test_what_is_given_up_is_counted(gained):
    """The rest of a torn line counts for the line."""
    sink = Scripted(2, *[FULL] * 10)
    sink.write(b"torn\n")
    with sink._turn:
        sink.write(b"one\n")

        left = sink.give_up()

    assert (left, gained()[2]) == (2, 2)
    sink.script.clear()
    sink.flush(PATIENCE_S)


def test_what_is_the_parents_is_forgotten():
    """What waits is the parent's; so is whoever had a lock."""
    sink = Scripted(2, *[FULL] * 10)
    sink.write(b"torn\n")
    sink.flush(PATIENCE_S)
    sink._turn.acquire()
    sink._lock.acquire()

    sink.forget()
    sink.script.clear()

    assert write_all(sink, b"of the child\n")
    assert sink.taken == b"toof the child\n"


# Lines that are yet to be made


def test_lines_may_be_made_by_the_sinks_thread(gained):
    """What takes long to write is written elsewhere; lines after it wait their turn."""
    stream = io.StringIO()
    sink = TextSink(stream)
    go = threading.Event()
    makers = []

    def make():
        go.wait(PATIENCE_S)
        makers.append(threading.current_thread())
        return b"slow\n"

    sink.write(make)
    sink.write(b"fast\n")
    go.set()

    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == "slow\nfast\n"
    assert makers != [threading.current_thread()]
    assert gained() == (2, 2, 0)


def test_a_maker_that_raises_costs_its_line_only(gained):
    """The next line is written."""
    stream = io.StringIO()
    sink = TextSink(stream)

    sink.write(lambda: 1 / 0)
    sink.write(b"next\n")

    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == "next\n"
    assert gained()[2] == 1


def test_lines_that_are_yet_to_be_made_are_bounded_too(gained):
    """Each of them keeps an exception alive, frames and all."""
    sink = TextSink(io.StringIO())
    go = threading.Event()
    sink.write(lambda: go.wait(PATIENCE_S) and b"")

    for _ in range(1_000):
        sink.write(lambda: b"")
    lost = gained()[2]
    go.set()

    assert sink.flush(PATIENCE_S)
    assert lost == 1_001 - spill.MAX_BYTES * 3 // 4 // (16_384 + 64)


# Flushing


def test_flushing_nothing_is_done():
    """True at once."""
    assert TextSink(io.StringIO()).flush(0.0)


def test_flush_ends_though_lines_go_on_coming(monkeypatch):
    """It waits for what was accepted before it was asked, whatever comes after."""
    asked, more = threading.Event(), threading.Event()
    sink = TextSink(io.StringIO())
    wait_for = sink._moved.wait_for
    monkeypatch.setattr(sink._moved, "wait_for", lambda *args: asked.set() or wait_for(*args))

    def before():
        asked.wait(PATIENCE_S)
        sink.write(lambda: more.wait(PATIENCE_S) and b"after\n")
        return b"before\n"

    sink.write(before)
    done = sink.flush(None)
    waits = bool(sink._spill)
    more.set()

    assert (done, waits) == (True, True)
    assert sink.flush(PATIENCE_S)


def test_flushing_from_the_sinks_own_thread_does_not_wait_for_itself():
    """A line's maker may log or flush."""
    sink = TextSink(io.StringIO())
    results = []

    sink.write(lambda: results.append(sink.flush(PATIENCE_S)) or b"")

    assert sink.flush(PATIENCE_S)
    assert results == [False]


class NoThread(threading.Thread):
    """Can't be started, as when the interpreter is ending."""

    def start(self):
        raise RuntimeError("can't create new thread at interpreter shutdown")


class Watched(TextSink):
    """Notes whether another thread could come between as its own thread is asked for."""

    def __init__(self, stream):
        super().__init__(stream)
        self.open_to_others = []

    def _start_drainer(self):
        thread = threading.Thread(target=self._try)
        thread.start()
        thread.join()
        super()._start_drainer()

    def _try(self):
        taken = self._lock.acquire(blocking=False)
        self.open_to_others.append(taken)
        if taken:
            self._lock.release()


def test_flush_and_the_sinks_thread_never_write_the_same():
    """Between its look for that thread and its own writing, nobody else can start one."""
    sink = Watched(io.StringIO())

    assert sink.flush(PATIENCE_S)
    assert sink.open_to_others == [False]


def test_the_farewell_does_not_wait_for_room(monkeypatch):
    """Nobody is going to make some."""
    monkeypatch.setattr(sinks.threading, "Thread", NoThread)
    sink = Scripted(FULL, FULL)
    sink.write(b"one\n")

    done = sink.flush(PATIENCE_S)

    assert not done
    assert sink.script == []
    assert sink.flush(PATIENCE_S)


def test_what_cannot_be_waited_for_is_tried_again_after_a_moment(monkeypatch):
    """A sink that knows nothing better."""
    monkeypatch.setattr(sinks, "_PAUSE_S", 0.001)
    monkeypatch.delattr(Scripted, "_await")
    sink = Scripted(BUSY, BUSY)

    assert write_all(sink, b"one\n")

    assert sink.taken == b"one\n"


def test_what_cannot_be_waited_for_by_its_own_means_is_tried_again(monkeypatch):
    """No memory for a poll, say: the sink's thread goes on."""
    monkeypatch.setattr(sinks, "_PAUSE_S", 0.001)
    sink = Scripted(BUSY, BUSY)

    def refuse(_timeout):
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    sink._await = refuse

    assert write_all(sink, b"one\n")

    assert sink.taken == b"one\n"


# Races


def test_without_a_thread_the_farewell_writes(monkeypatch):
    """At the end of the interpreter no thread can be started: flush writes what waits."""
    monkeypatch.setattr(sinks.threading, "Thread", NoThread)
    sink = Scripted(*[BUSY] * 10_000)
    sink.write(b"one\n")

    refused = sink.flush(0.001)
    sink.script.clear()
    done = sink.flush(PATIENCE_S)

    assert (refused, done) == (False, True)
    assert sink.taken == b"one\n"


# Races


def test_a_signal_handler_may_log():
    """It may come while this very thread has the lock, and must not wait for itself."""
    stream = io.StringIO()
    sink = TextSink(stream)
    go = threading.Event()
    sink.write(lambda: go.wait(PATIENCE_S) and b"")

    def interrupted():
        with sink._lock:
            sink.write(b"from the handler\n")

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    ended = not thread.is_alive()
    go.set()

    assert ended
    assert sink.flush(PATIENCE_S)
    assert stream.getvalue() == "from the handler\n"


class Contended:
    """A lock that somebody else has whenever it is asked for without waiting."""

    def __init__(self):
        self.inner = threading.RLock()
        self.release = self.inner.release

    def acquire(self, blocking=True):
        return bool(blocking or self.inner._is_owned()) and self.inner.acquire()

    __enter__ = acquire

    def __exit__(self, *_):
        self.release()


def test_flushing_waits_for_what_nobody_had_the_time_to_take_in():
    """A line whose caller didn't get the lock has been accepted all the same."""
    sink = Scripted(BUSY)
    sink._lock = Contended()
    sink._moved = threading.Condition(sink._lock.inner)
    sink.write(b"one\n")

    assert sink.flush(PATIENCE_S)

    assert sink.taken == b"one\n"
