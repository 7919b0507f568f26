"""The loop that follows sources."""

from __future__ import annotations

import io
import itertools

import pytest

from tracelog.answers.drawing import Drawing
from tracelog.answers.frames import Frame
from tracelog.answers.live import Live
from tracelog.answers.screen import Screen
from tracelog.layout import Layout


class Batches:
    """A source that has some lines each time it is asked, and then ends."""

    is_there = True

    def __init__(self, name, *batches):
        self.name = name
        self._batches = [*batches]

    @property
    def ended(self):
        return not self._batches

    def read(self):
        return self._batches.pop(0) if self._batches else []


class Time:
    """It passes with each look at the clock, and when somebody sleeps or draws slowly."""

    def __init__(self, *, step=0.0):
        self.seconds = 1795348800.0
        self.slept = []
        self._step = step

    def clock(self):
        self.seconds += self._step
        return self.seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.seconds += seconds


class SlowOut(io.StringIO):
    """A terminal that takes two seconds for a frame."""

    def __init__(self, time):
        super().__init__()
        self._time = time

    def write(self, text):
        self._time.seconds += 2
        return super().write(text)


def make_live(*sources, time=None, most=99, terminal=False, out=None, wanted=lambda _entry: True):
    time = time or Time()
    drawing = Drawing(Layout(colors=False), [source.name for source in sources])
    return Live(
        sources=sources,
        frame=Frame(most),
        screen=Screen(out or io.StringIO(), drawing, terminal=terminal),
        wanted=wanted,
        clock=time.clock,
        now=lambda: time.seconds,
        sleep=time.sleep,
    )


def run(live, is_over=lambda: False):
    live.run(is_over)
    return live.screen._out.getvalue()


def test_everything_is_counted_and_what_is_wanted_is_shown():
    """Until there is no more."""
    live = make_live(Batches("a", [b"one", b"two"], [b"three"]), wanted=lambda e: b"t" in e.raw)

    assert run(live) == "two\nthree\n"
    assert live.counts.lines == 3


def test_sources_take_turns():
    """None waits for the end of another."""
    a, b = Batches("a", [b"1"], [b"3"]), Batches("b", [b"2"], [], [b"4"])

    assert run(make_live(a, b)) == "a 1\nb 2\na 3\nb 4\n"


def test_who_is_idle_sleeps():
    """And not after the end."""
    time = Time()

    run(make_live(Batches("a", [], [b"one"], [], []), time=time))

    assert time.slept == [0.05, 0.05]


def test_of_a_burst_the_last_lines_are_drawn_and_all_are_counted():
    """What comes within one frame is shown at once."""
    live = make_live(Batches("a", *[[b"%d" % number] for number in range(1_000)]), most=2)

    assert run(live) == "... 998 lines not drawn\n998\n999\n"
    assert (live.counts.lines, live.left_out) == (1_000, 998)


def test_a_frame_ends_though_lines_go_on():
    """A person sees something, however much comes."""
    live = make_live(Batches("a", *[[b"%d" % number] for number in range(8)]), most=1)
    live.clock = Time(step=0.02).clock

    shown = run(live)

    assert shown.count("not drawn") == 4


def test_a_slow_terminal_gets_fewer_frames():
    """The time it takes is the sources' as well: what is shown is never far behind."""
    time = Time(step=0.02)
    source = Batches("a", *[[b"%d" % number] for number in range(100)])

    shown = run(make_live(source, time=time, most=1, out=SlowOut(time)))

    assert shown.split("\n")[:3] == ["... 1 line not drawn", "1", "... 97 lines not drawn"]


def test_a_terminal_has_a_status():
    """What wasn't drawn is part of it."""
    live = make_live(Batches("a", [b"one", b"two"]), terminal=True, most=1)

    assert run(live).split("\n")[2] == ("2 lines, 0 late in the last minute, 1 not drawn\r\x1b[K")


@pytest.mark.parametrize("after", range(6))
def test_whoever_ends_it_has_seen_what_was_there(after):
    """What was written before a Ctrl-C is counted and shown, wherever it comes."""
    calls = itertools.count()
    live = make_live(Batches("a", *[[b"%d" % number] for number in range(9)]))

    shown = run(live, is_over=lambda: next(calls) >= after)

    assert shown.split() == [str(number) for number in range(live.counts.lines)]
    assert 1 <= live.counts.lines < 9
