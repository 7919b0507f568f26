"""Traces on the wire: reading and writing the headers that carry them.

Nothing here raises on what a peer sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from tracelog.context import current_trace
from tracelog.errors import TraceparentError
from tracelog.ids import TraceContext


__all__ = ["Headers", "extract", "extract_request_id", "inject"]

Headers: TypeAlias = Mapping[Any, Any] | Iterable[tuple[Any, Any]]

_MAX_STATE: Final = 512  # characters that W3C Trace Context asks to pass on at least
_STATE = re.compile(r"[\x20-\x7e\t]*")
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+=/@~-]{0,127}")
_REQUEST_ID_HEADERS: Final = ("x-request-id", "x-correlation-id")


def inject(headers: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Write the current trace into *headers*, a fresh dict by default, and return them.

    Without a trace nothing is written.
    """
    headers = {} if headers is None else headers
    trace = current_trace()
    if trace is None:
        return headers

    headers["traceparent"] = str(trace)
    if trace.state:
        headers["tracestate"] = trace.state
    return headers


def extract(headers: Headers) -> TraceContext | None:
    """Read the caller's trace from any mapping or ASGI header list; None if there is none.

    Never raises: an invalid header counts as none, as W3C Trace Context asks.
    """
    found = _values(headers, ("traceparent", "tracestate"))
    if len(found["traceparent"]) != 1:
        return None

    try:
        trace = TraceContext.parse(found["traceparent"][0])
    except TraceparentError:
        return None

    state = ",".join(found["tracestate"])
    if not state or len(state) > _MAX_STATE or not _STATE.fullmatch(state):
        return trace

    return replace(trace, state=state)


def extract_request_id(headers: Headers) -> str | None:
    """Read `X-Request-ID` or `X-Correlation-ID`; None unless it is a sound id.

    Sound is: 1 to 128 letters, digits and `._:+=/@~-`, beginning with a letter or digit.
    """
    found = _values(headers, _REQUEST_ID_HEADERS)
    for name in _REQUEST_ID_HEADERS:
        for value in found[name]:
            if _REQUEST_ID.fullmatch(value):
                return value

    return None


def _values(headers: Headers, names: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in names}
    try:
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        for name, value in pairs:
            values = found.get(_text(name).lower())
            if values is not None:
                values.append(_text(value))
    except Exception:  # noqa: BLE001 -- whatever a caller passes, a request must go on
        return {name: [] for name in names}

    return found


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)
