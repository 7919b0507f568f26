"""When a message reached this machine, as the kernel knows it.

While something holds the event loop, nobody reads sockets: a message that waited 300 ms there looks
brand-new to whoever reads it at last. Linux remembers when data last came in on a TCP connection
(`tcpi_last_data_recv` of TCP_INFO, tcp(7)), so the wait can still be told afterwards. It never
tells too much; of several messages that waited together, the earlier ones are told too little.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from functools import partial
from typing import Any, Final


__all__ = ["COARSE_S", "last_data_s", "make_socket_wait", "transport_of"]

_LAST_DATA_RECV: Final = 52  # its offset in struct tcp_info (linux/tcp.h), in milliseconds
_SIZE: Final = _LAST_DATA_RECV + 4
COARSE_S: Final = 0.01  # the kernel counts in ticks of up to 10 ms: less may be nothing at all


def transport_of(receive: Any) -> Any:
    """Find the transport behind an ASGI `receive`; None if the server doesn't show it.

    uvicorn's protocols pass a bound method of the object that has the transport.
    """
    return getattr(getattr(receive, "__self__", None), "transport", None)


def make_socket_wait(transport: Any) -> Callable[[], float | None]:
    """Build what tells, in seconds, how long ago data last came in on *transport*.

    It tells None where that can't be known: not Linux, not TCP, no transport.
    """
    sock = transport.get_extra_info("socket") if transport is not None else None
    # No closure: thousands of connections are idle.
    return _unknown if sock is None else partial(_wait_on, sock)


def _wait_on(sock: Any) -> float | None:
    return last_data_s(sock.fileno())


def last_data_s(descriptor: int) -> float | None:
    """Tell how many seconds ago data last came in on a TCP socket; None if that can't be known."""
    try:
        # Through the descriptor: uvloop's sockets can't be asked. Ours is detached, never closed.
        ours = socket.socket(fileno=descriptor)
    except (OSError, ValueError):  # closed meanwhile; -1, if Python knows that
        return None

    try:
        info = ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SIZE)
        [milliseconds] = struct.unpack_from("=I", info, _LAST_DATA_RECV)
    # Not Linux; not TCP; a kernel that tells less.
    except (AttributeError, OSError, struct.error):
        return None
    finally:
        ours.detach()

    return int(milliseconds) / 1000


def _unknown() -> None:
    return None
