"""Room in a pipe, for a long line as a whole."""

from __future__ import annotations

import fcntl
import os
from select import PIPE_BUF

import pytest

from tracelog import pipe_room
from tracelog.pipe_room import Room


@pytest.fixture
def pipe():
    ends = os.pipe()
    os.set_blocking(ends[1], False)
    yield ends
    for end in ends:
        os.close(end)


def test_a_short_line_needs_none(pipe):
    """A pipe takes it whole, or not at all; nothing is asked, and the pipe stays as it is."""
    _, writer = pipe
    size = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)

    Room(writer).require(PIPE_BUF)

    assert fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) == size


def test_a_pipe_grows_with_its_first_long_line(pipe):
    """Of 64 KiB the longest line would leave nothing to others."""
    _, writer = pipe

    Room(writer).require(60_000)

    assert fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) > 2 * 60_000


@pytest.mark.parametrize("size", [PIPE_BUF + 1, 20_000, 65_536])
def test_what_is_allowed_is_taken_whole(pipe, size):
    """However full the pipe is; and others may put a few short lines before it."""
    reader, writer = pipe
    room = Room(writer)
    taken = []

    while True:
        try:
            room.require(size)
        except BlockingIOError:
            break
        for _ in range(3):
            os.write(writer, b"short\n")
        taken.append(os.write(writer, b"x" * size))

    assert taken
    assert set(taken) == {size}
    os.read(reader, 1 << 20)
    room.require(size)


def test_a_pipe_that_may_not_grow_is_had_alone(pipe, monkeypatch):
    """The longest line has to wait until nothing else is in it."""
    reader, writer = pipe
    monkeypatch.setattr(pipe_room, "_WANTED", (1 << 31) + 1)  # more than anyone may have
    room = Room(writer)
    os.write(writer, b"short\n")

    with pytest.raises(BlockingIOError):
        room.require(65_536)
    room.wait()
    os.read(reader, 100)
    room.require(65_536)

    assert os.write(writer, b"x" * 65_536) == 65_536


def test_waiting_ends_at_once_where_nothing_was_lacking(pipe):
    """poll has waited."""
    room = Room(pipe[1])
    room.require(5_000)

    room.wait()

    assert not room._lacking


def test_of_what_is_no_pipe_there_is_enough():
    """A terminal takes what it takes."""
    with open("/dev/null", "wb") as null:
        Room(null.fileno()).require(1 << 20)
