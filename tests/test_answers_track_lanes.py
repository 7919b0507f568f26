"""Where a slice goes in a trace file."""

from __future__ import annotations

from tracelog.answers.track_lanes import LOOP, Lanes


def test_what_is_new_is_named_once():
    """A process, a thread, and where that stands."""
    lanes = Lanes()

    first = lanes.place("a.log", "c-1", 0, 5)
    again = lanes.place("a.log", "c-1", 5, 6)
    other = lanes.place("b.log", LOOP, 5, 6)

    assert [event["name"] for event in first.named] == [
        *("process_name", "thread_name", "thread_sort_index"),
    ]
    assert (again.pid, again.tid, again.named) == (first.pid, first.tid, ())
    assert (other.pid, other.tid) == (2, 2)
    assert other.named[-1]["args"] == {"sort_index": -1}


def test_what_overlaps_has_a_lane_of_its_own():
    """A thread's slices lie within each other; the first lane that is free again is taken."""
    lanes = Lanes()

    tids = [lanes.place("a", "c", *times).tid for times in ((0, 5), (1, 9), (5, 6), (7, 8))]

    assert tids == [1, 2, 1, 1]
    assert lanes.place("a", "c", 7.5, 8).named[0]["args"] == {"name": "c (3)"}


def test_there_are_only_so_many():
    """More than that, nobody looks at."""
    lanes = Lanes()

    tids = {lanes.place("a", "c", n, 1000).tid for n in range(100)}

    assert len(tids) == 64
