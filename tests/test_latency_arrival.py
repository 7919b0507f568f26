"""When a message reached this machine, as the kernel knows it."""

from __future__ import annotations

import socket
import struct
import time

import pytest

from tracelog.latency.arrival import last_data_s, make_socket_wait, transport_of


TICK_S = 0.02  # two of the kernel's, at its slowest
PATIENCE_S = 10.0


class Transport:
    """Has a socket to show, as asyncio's transports do."""

    def __init__(self, sock):
        self._sock = sock

    def get_extra_info(self, name):
        return {"socket": self._sock}.get(name)


class Protocol:
    """A server's, with a `receive` that it hands to the application."""

    async def receive(self):
        """Nothing."""


@pytest.fixture
def connected():
    """The two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        served, _ = server.accept()
    with client, served:
        yield client, served


def test_a_transport_is_found_behind_a_bound_receive():
    """uvicorn's protocols keep it as their `transport`."""
    protocol = Protocol()
    protocol.transport = object()

    assert transport_of(protocol.receive) is protocol.transport


@pytest.mark.parametrize(
    "receive",
    [Protocol().receive, len, None, lambda: None],
    ids=["no transport", "builtin", "nothing", "function"],
)
def test_a_server_may_keep_its_transport_to_itself(receive):
    """Then there is none: a function, or a method of something else."""
    assert transport_of(receive) is None


def test_the_wait_grows_until_more_data_comes_in(connected):
    """It is never told too long: what the kernel says is counted from the last data."""
    client, served = connected
    wait = make_socket_wait(Transport(served))
    before = time.monotonic()
    client.sendall(b"x")

    while (told := wait()) < 3 * TICK_S:
        assert time.monotonic() < before + PATIENCE_S
        time.sleep(0.001)

    assert told <= time.monotonic() - before + TICK_S
    before = time.monotonic()
    client.sendall(b"x")
    assert served.recv(1)
    assert wait() <= time.monotonic() - before + TICK_S


def test_asking_leaves_the_socket_as_it_is(connected):
    """It stays open, and what has come in can still be read."""
    client, served = connected
    client.sendall(b"hello")

    for _ in range(3):
        make_socket_wait(Transport(served))()

    assert served.recv(5) == b"hello"


@pytest.mark.parametrize(
    ("milliseconds", "seconds"), [(0, 0.0), (4, 0.004), (300, 0.3), (2**32 - 1, 4294967.295)]
)
def test_milliseconds_are_told_in_seconds(connected, monkeypatch, milliseconds, seconds):
    """An unsigned number of 32 bits."""

    class Socket:
        def __init__(self, fileno):
            """Of a descriptor that is open already."""

        def getsockopt(self, _level, _option, size):
            return struct.pack("=52xI", milliseconds)[:size]

        def detach(self):
            """Leave it open."""

    descriptor = connected[1].fileno()
    monkeypatch.setattr(socket, "socket", Socket)

    assert last_data_s(descriptor) == seconds


@pytest.mark.parametrize("transport", [None, Transport(None)], ids=["transport", "socket"])
def test_without_a_socket_the_wait_is_not_known(transport):
    """A server may show none."""
    assert make_socket_wait(transport)() is None


def test_on_other_systems_the_wait_is_not_known(connected, monkeypatch):
    """TCP_INFO is Linux's."""
    monkeypatch.delattr(socket, "TCP_INFO")

    assert make_socket_wait(Transport(connected[1]))() is None


def test_a_kernel_that_tells_less_tells_no_wait(connected, monkeypatch):
    """An answer that is too short is none."""
    monkeypatch.setattr(socket, "TCP_INFO", socket.TCP_NODELAY)

    assert make_socket_wait(Transport(connected[1]))() is None


def test_a_socket_of_another_kind_has_no_wait():
    """A Unix socket knows nothing of TCP."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert make_socket_wait(Transport(ours))() is None


def test_a_closed_socket_has_no_wait(connected):
    """The connection may have been lost before its last message is read."""
    wait = make_socket_wait(Transport(connected[1]))
    connected[1].close()

    assert wait() is None


def test_a_descriptor_that_is_gone_has_no_wait():
    """uvloop's sockets go on showing a number that is nobody's any more."""

    class Gone:
        def fileno(self):
            return 1_000_000

    assert make_socket_wait(Transport(Gone()))() is None
    assert last_data_s(1_000_000) is None


def test_any_descriptor_may_be_asked(tmp_path):
    """A loop watches pipes and files, too; they stay open."""
    with (tmp_path / "file").open("w") as file:
        assert last_data_s(file.fileno()) is None
        file.write("still open")
