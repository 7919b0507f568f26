"""What became of lines: counted, and said."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tracelog import delivery
from tracelog.delivery import Counts, delivery_stats, report_failure, report_loss, report_losses


@pytest.fixture(autouse=True)
def said(monkeypatch, capfd):
    # Each test says its first loss, whatever the one before it said.
    monkeypatch.setattr(delivery, "_said", {})
    return lambda: capfd.readouterr().err


def test_what_a_sink_counted_stays_counted():
    """Even if the sink is no more."""
    before = delivery_stats()
    counts = Counts()
    counts.written, counts.spilled, counts.dropped = 5, 3, 2
    during = delivery_stats()

    counts.retire()

    gained = (during.written - before.written, during.spilled - before.spilled)
    assert (*gained, during.dropped - before.dropped) == (5, 3, 2)
    assert delivery_stats() == during


class Interrupted(Counts):
    """While it is read, the collector comes to a sink that is no more."""

    __slots__ = ("other",)

    def all(self):
        other, self.other = self.other, None
        if other is not None:
            other.retire()
        return super().all()


def test_what_the_collector_finds_meanwhile_counts_once():
    """It may come at any moment, in this very thread."""
    before = delivery_stats().written
    reading, found = Interrupted.__new__(Interrupted), Counts()
    reading.other, found.written = found, 5
    reading.__init__()

    written = delivery_stats().written
    reading.retire()

    assert written - before == 5
    assert delivery_stats().written - before == 5


def test_a_loss_may_be_a_sinks(said):
    """It is counted where it happened, and in the whole."""
    counts, before = Counts(), delivery_stats().dropped

    report_loss(OSError(28, "No space left on device"), counts)

    assert (counts.dropped, delivery_stats().dropped - before) == (1, 1)
    assert said().endswith("(OSError: No space left on device)\n")


def test_a_loss_that_is_no_system_error_is_named(said):
    """Say what kind of error it was, and nothing of its text, which may hold anything."""
    report_loss(ValueError("secret"))

    assert said() == f"tracelog: lines lost so far: {delivery_stats().dropped} (ValueError)\n"


def test_losses_are_said_again_after_a_second(said, monkeypatch):
    """Once a second at most, with the count so far."""
    now = iter([100.0, 100.9, 101.0])
    monkeypatch.setattr(delivery.time, "monotonic", lambda: next(now))

    for _ in range(3):
        report_loss(ValueError())

    lost = delivery_stats().dropped
    assert said() == (
        f"tracelog: lines lost so far: {lost - 2} (ValueError)\n"
        f"tracelog: lines lost so far: {lost} (ValueError)\n"
    )


def test_what_fails_without_losing_lines_is_said_but_not_counted(said):
    """Once a second, whatever losses are said meanwhile."""
    before = delivery_stats()

    report_failure("the record factory", ValueError("secret"))
    report_failure("the record factory", ValueError("secret"))

    assert said() == "tracelog: the record factory failed (ValueError)\n"
    assert delivery_stats() == before


STDERR_IS_FULL = """
import os
from tracelog.delivery import report_loss, report_losses
os.set_blocking(2, False)
for size in (4096, 1):
    try:
        while True:
            os.write(2, b"x" * size)
    except BlockingIOError:
        pass
os.set_blocking(2, True)
report_loss(OSError())
print("on")
"""
STDERR_IS_CLOSED = """
import os
from tracelog.delivery import report_loss, report_losses
os.close(2)
report_loss(OSError())
print("on")
"""


@pytest.mark.parametrize("code", [STDERR_IS_FULL, STDERR_IS_CLOSED], ids=["full", "closed"])
def test_saying_a_loss_blocks_nobody(code):
    """Without room on descriptor 2, or without a descriptor 2, the report is lost, no more."""
    reader, writer = os.pipe()
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=writer, timeout=30
        )
    finally:
        os.close(reader)
        os.close(writer)

    assert done.stdout == b"on\n"


def test_the_child_of_a_fork_begins_at_nothing():
    """What its parent counted is its parent's."""
    code = """
import os, sys
from tracelog.delivery import delivery_stats, report_loss, report_losses
report_loss(ValueError())
child = os.fork()
if child == 0:
    sys.exit(delivery_stats().dropped)
print(os.waitpid(child, 0)[1], delivery_stats().dropped)
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30)

    assert done.stdout == b"0 1\n"


def test_counting_begins_anew(monkeypatch):
    """What the child of a fork does first: sinks' counts, and those of sinks that are no more."""
    monkeypatch.setattr(Counts, "gone", [1, 2, 3])
    counts = Counts()
    counts.written = 4

    delivery._reset_all()

    assert (counts.written, Counts.gone) == (0, [0, 0, 0])


def test_without_room_nothing_is_said(monkeypatch):
    """Descriptor 2 would have to be waited for."""

    class Full:
        def register(self, *_):
            """Whatever it is."""

        def poll(self, _timeout):
            return []

    written = []
    monkeypatch.setattr(delivery.select, "poll", Full)
    monkeypatch.setattr(delivery.os, "write", lambda *args: written.append(args))

    report_loss(ValueError())

    assert written == []


@pytest.mark.parametrize(
    ("waiting", "why"), [(2, "2 were waiting when the process ended"), (0, "in all")]
)
def test_the_last_word_is_how_many_are_lost(said, waiting, why):
    """Once, and not if that was said already."""
    counts = Counts()
    report_loss(OSError(5, "first"), counts)
    first = said()
    report_losses(0)
    again = said()
    report_loss(OSError(5, "within the same second"), counts)

    report_losses(waiting)

    assert first != ""
    assert again == ""
    assert said() == f"tracelog: lines lost so far: {delivery_stats().dropped} ({why})\n"


def test_without_a_clock_losses_are_counted_and_not_said(said, monkeypatch, gained):
    """What is said once a second can't be said, then; and nothing raises."""

    def fail():
        raise OSError("no clock")

    monkeypatch.setattr(delivery.time, "monotonic", fail)

    report_loss(OSError("full"))
    monkeypatch.undo()

    assert gained()[2] == 1
    assert said() == ""
