"""How a WebSocket ended: the code, who ended it, and why (RFC 6455, section 7.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias


__all__ = ["Closing", "closing_of_disconnect", "closing_of_error", "closing_of_frames"]

Side: TypeAlias = Literal["client", "server", "network"]

_NO_STATUS: Final = 1005
_ABNORMAL: Final = 1006
_MEANINGS: Final = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "unsupported data",
    _NO_STATUS: "no code given",
    _ABNORMAL: "connection lost without a close frame",
    1007: "invalid data",
    1008: "policy violation",
    1009: "message too big",
    1010: "extension missing",
    1011: "internal error",
    1012: "service restart",
    1013: "try again later",
}
# What a server tells its application when it is itself the one that ends it.
_SERVERS: Final = frozenset({1002, 1007, 1009, 1012})


@dataclass(frozen=True, slots=True)
class Closing:
    """How a WebSocket ended.

    Attributes:
        code: The close code; 1006 if there was no close frame.
        by: Who ended it: "client", "server", or "network" if neither said so.
        reason: What was given as the reason, or else what the code means.
    """

    code: int
    by: Side
    reason: str

    @classmethod
    def make(cls, code: Any, by: Side, reason: Any = "") -> Closing:
        """Make one of what a library tells: codes of its own types, reasons that are None."""
        number = int(code) if isinstance(code, int) else _NO_STATUS
        return cls(number, by, str(reason or _MEANINGS.get(number, "")))


def closing_of_frames(protocol: Any) -> Closing | None:
    """Read the close frames off a connection of the websockets library; None if it has none."""
    received, sent = (_frame(protocol, name) for name in ("close_rcvd", "close_sent"))
    if received is not None and (sent is None or protocol.close_rcvd_then_sent):
        return Closing.make(received.code, "client", received.reason)

    return None if sent is None else Closing.make(sent.code, "server", sent.reason)


def _frame(protocol: Any, name: str) -> Any:
    frame = getattr(protocol, name, None)
    return frame if hasattr(frame, "code") else None  # uvicorn has a flag of that name


def closing_of_disconnect(message: Any) -> Closing:
    """Read ASGI's `websocket.disconnect`."""
    code, reason = message.get("code", _NO_STATUS), message.get("reason")
    # uvicorn says 1005 of a connection that was lost, but gives no reason, not even an empty one.
    if code == _ABNORMAL or (code == _NO_STATUS and reason is None):
        return Closing.make(_ABNORMAL, "network")

    return Closing.make(code, "server" if code in _SERVERS else "client", reason)


def closing_of_error(error: BaseException | None) -> Closing:
    """Tell how it ended if nobody closed it: its handler has returned, or raised *error*."""
    if isinstance(error, OSError):  # what ASGI asks `send` to raise once the client has left
        return Closing.make(_ABNORMAL, "network")

    reason = "handler returned" if error is None else f"handler raised {type(error).__name__}"
    return Closing.make(_ABNORMAL, "server", reason)
