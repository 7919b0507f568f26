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
from typing import Any, Final


__all__ = ["make_socket_wait", "transport_of"]

_LAST_DATA_RECV: Final = 52  # its offset in struct tcp_info (linux/tcp.h), in milliseconds
_SIZE: Final = _LAST_DATA_RECV + 4
# The kernel counts in ticks of up to 10 ms: what is below may be nothing at all.
_LEAST_MS: Final = 10


def transport_of(receive: Any) -> Any:
    """Find the transport behind an ASGI `receive`; None if the server doesn't show it.

    uvicorn's protocols pass a bound method of the object that has the transport.
    """
    return getattr(getattr(receive, "__self__", None), "transport", None)


def make_socket_wait(transport: Any) -> Callable[[], float]:
    """Build what tells, in seconds, how long ago data last came in on *transport*.

    It tells 0 where that can't be known: not Linux, not TCP, no transport.
    """
    sock = transport.get_extra_info("socket") if transport is not None else None
    tcp_info = getattr(socket, "TCP_INFO", None)
    if sock is None or tcp_info is None:
        return _unknown

    def wait() -> float:
        try:
            milliseconds = _last_data_ms(sock.fileno(), tcp_info)
        # Not TCP; closed meanwhile, which is a ValueError; a kernel that tells less.
        except (OSError, ValueError, struct.error):
            return 0.0

        return milliseconds / 1000 if milliseconds >= _LEAST_MS else 0.0

    return wait


def _last_data_ms(descriptor: int, tcp_info: int) -> int:
    # Through the descriptor: uvloop's sockets can't be asked. Ours is detached, never closed.
    ours = socket.socket(fileno=descriptor)
    try:
        info = ours.getsockopt(socket.IPPROTO_TCP, tcp_info, _SIZE)
    finally:
        ours.detach()
    return int(struct.unpack_from("=I", info, _LAST_DATA_RECV)[0])


def _unknown() -> float:
    return 0.0
