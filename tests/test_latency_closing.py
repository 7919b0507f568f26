"""How a WebSocket ended."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from websockets.frames import Close, CloseCode

from tracelog.latency.closing import (
    Closing,
    closing_of_disconnect,
    closing_of_error,
    closing_of_frames,
)


LOST = Closing(1006, "network", "connection lost without a close frame")


@pytest.mark.parametrize(
    ("message", "closing"),
    [
        ({"code": 1000, "reason": ""}, Closing(1000, "client", "normal closure")),
        ({"code": 4003, "reason": "why"}, Closing(4003, "client", "why")),
        ({"code": 4003, "reason": None}, Closing(4003, "client", "")),
        ({"code": 1005, "reason": ""}, Closing(1005, "client", "no code given")),
        ({"code": 1005}, LOST),
        ({"code": 1006, "reason": ""}, LOST),
        ({}, LOST),
        ({"code": None, "reason": ""}, Closing(1005, "client", "no code given")),
        ({"code": 1012}, Closing(1012, "server", "service restart")),
        (
            {"code": CloseCode.MESSAGE_TOO_BIG, "reason": "3000 bytes"},
            Closing(1009, "server", "3000 bytes"),
        ),
    ],
    ids=str,
)
def test_a_servers_disconnect_is_read(message, closing):
    """The codes that uvicorn's three implementations give, integers all."""
    found = closing_of_disconnect(message)

    assert found == closing
    assert type(found.code) is int


@pytest.mark.parametrize(
    ("frames", "closing"),
    [
        ((None, None, None), None),
        ((Close(1000, ""), None, None), Closing(1000, "client", "normal closure")),
        ((Close(1001, "bye"), Close(1001, ""), True), Closing(1001, "client", "bye")),
        ((Close(1000, ""), Close(4001, "enough"), False), Closing(4001, "server", "enough")),
        ((None, Close(1011, "keepalive ping timeout"), None), Closing(1011, "server", "keepalive ping timeout")),
    ],
    ids=str,
)  # fmt: skip
def test_close_frames_tell_most(frames, closing):
    """Who sent the first one has ended it."""
    received, sent, received_first = frames
    protocol = SimpleNamespace(
        close_rcvd=received, close_sent=sent, close_rcvd_then_sent=received_first
    )

    assert closing_of_frames(protocol) == closing


def test_a_protocol_without_frames_tells_nothing():
    """Another library's, or none at all."""
    assert closing_of_frames(None) is None
    assert closing_of_frames(SimpleNamespace(close_sent=True, close_rcvd=None)) is None


@pytest.mark.parametrize(
    ("error", "closing"),
    [
        (None, Closing(1006, "server", "handler returned")),
        (ValueError("x"), Closing(1006, "server", "handler raised ValueError")),
        (ConnectionResetError(), LOST),
    ],
    ids=repr,
)
def test_a_handlers_end_is_the_connections(error, closing):
    """If nobody closed it, the server drops it."""
    assert closing_of_error(error) == closing
