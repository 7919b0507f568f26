"""Trace, span and connection identifiers, as W3C Trace Context writes them.

A leaf of the import graph: no I/O, no clock, no logging.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from random import Random
from typing import Final, Self

from tracelog.errors import TraceparentError


__all__ = ["TraceContext", "make_connection_id", "make_span_id", "make_trace_id", "read_parent"]

_SAMPLED: Final = 0x01
_RANDOM: Final = 0x02  # of Level 2
# Longer headers are refused unread: version 00 has 55 characters, and no later version exists.
_MAX_LENGTH: Final = 512
_TRACEPARENT = re.compile(
    r"(?P<version>(?!ff)[0-9a-f]{2})"
    r"-(?P<trace_id>(?!0{32})[0-9a-f]{32})"
    r"-(?P<span_id>(?!0{16})[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})"
    r"(?P<later>-[\x20-\x7e]*)?"
)

# Our own: applications seed the shared one, all their processes alike. A fork copies it.
_random = Random()  # noqa: S311 -- ids are names, no secrets
_getrandbits = _random.getrandbits
os.register_at_fork(after_in_child=_random.seed)


def make_trace_id() -> str:
    """Make 32 random hex digits, never all zero."""
    return (_getrandbits(128) or 1).to_bytes(16, "big").hex()


def make_span_id() -> str:
    """Make 16 random hex digits, never all zero."""
    return (_getrandbits(64) or 1).to_bytes(8, "big").hex()


def make_connection_id() -> str:
    """Make a short id for a connection, such as `c-7f3a90d2`."""
    return f"c-{_getrandbits(32):08x}"


@dataclass(frozen=True, slots=True, init=False)
class TraceContext:
    """Where we are in a trace: which trace, under which span.

    Source: https://www.w3.org/TR/trace-context/

    >>> trace = TraceContext.parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    >>> trace.trace_id
    '0af7651916cd43dd8448eb211c80319c'
    >>> str(trace)
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

    Attributes:
        trace_id: 32 lower-case hex digits.
        span_id: 16 lower-case hex digits.
        sampled: The caller may have recorded this trace.
        state: The `tracestate` that came along; empty if there was none.
        random: The caller said that it drew the trace id at random, which is passed on as it came.
    """

    trace_id: str
    span_id: str
    sampled: bool = True
    state: str = ""
    random: bool = False

    # One is made for every utterance: what a frozen dataclass has takes three times as long.
    def __init__(
        self,
        trace_id: str,
        span_id: str,
        sampled: bool = True,  # noqa: FBT001, FBT002 -- as a dataclass has it
        state: str = "",
        random: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        _set_trace_id(self, trace_id)
        _set_span_id(self, span_id)
        _set_sampled(self, sampled)
        _set_state(self, state)
        _set_random(self, random)

    @classmethod
    def new(cls) -> Self:
        """Begin a trace of its own."""
        return cls(make_trace_id(), make_span_id())

    @classmethod
    def parse(cls, header: str) -> Self:
        """Read a `traceparent` header.

        Raises:
            TraceparentError: If *header* isn't a valid `traceparent`.
        """
        match = _TRACEPARENT.fullmatch(header) if len(header) <= _MAX_LENGTH else None
        # Only versions to come may carry more than the four known parts.
        if match is None or (match["version"] == "00" and match["later"]):
            raise TraceparentError(
                f"expected '00-<32 hex>-<16 hex>-<2 hex>', got {header[:80]!r}\n"
                "  Try: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            )

        flags = int(match["flags"], 16)
        return cls(
            match["trace_id"],
            match["span_id"],
            sampled=bool(flags & _SAMPLED),
            random=bool(flags & _RANDOM),
        )

    def child(self) -> Self:
        """Make a new span in the same trace."""
        return type(self)(self.trace_id, make_span_id(), self.sampled, self.state, self.random)

    def __str__(self) -> str:
        # Whatever version it came in, and without the flags that nobody has defined yet.
        flags = (_SAMPLED if self.sampled else 0) | (_RANDOM if self.random else 0)
        return f"00-{self.trace_id}-{self.span_id}-{flags:02x}"


_set_trace_id, _set_span_id, _set_sampled, _set_state, _set_random = (
    vars(TraceContext)[name].__set__ for name in TraceContext.__match_args__
)


def read_parent(parent: object) -> TraceContext | None:
    """Take a caller's trace, or read its `traceparent` header; None if it is no valid one.

    W3C Trace Context asks that what can't be read begins a new trace: whatever a caller has sent.
    """
    if isinstance(parent, TraceContext):
        return parent

    header = parent.decode("latin-1") if isinstance(parent, bytes) else parent  # ASGI's are bytes
    try:
        return TraceContext.parse(header) if isinstance(header, str) else None
    except TraceparentError:
        return None
