"""Traces on the wire: reading and writing the headers, or the message's keys, that carry them.

Nothing here raises on what a peer sent, nor reads much of it: what is too long to be valid is
refused by its length.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from dataclasses import replace
from typing import Any, Final, TypeAlias, TypeVar, overload

from tracelog.baggage import read_baggage, write_baggage
from tracelog.context import current_trace, snapshot
from tracelog.envelope import SENT_AT
from tracelog.errors import TraceparentError
from tracelog.ids import TraceContext
from tracelog.tracestate import read_state


__all__ = [
    "TRACEPARENT",
    "Headers",
    "extract",
    "extract_baggage",
    "extract_request_id",
    "inject",
    "write_trace",
]

Headers: TypeAlias = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
_Headers = TypeVar("_Headers", bound=MutableMapping[str, Any])

TRACEPARENT: Final = "traceparent"
_TRACESTATE: Final = "tracestate"
_TRACE: Final = (TRACEPARENT, _TRACESTATE)
_BAGGAGE: Final = "baggage"
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+=/@~-]{0,127}")
_REQUEST_ID_HEADERS: Final = ("x-request-id", "x-correlation-id")

_MAX_NAME: Final = 32
_MAX_VALUE: Final = 16_448  # the longest `tracestate`; of the others, each reader knows its own
_MAX_SAME: Final = 64  # headers of one name
_REFUSED: Final = "\0"  # which no header may have in it


@overload
def inject(
    headers: None = None, *, keys: Collection[str] = (), sent_at: None = None
) -> dict[str, str]: ...
@overload
def inject(
    headers: _Headers, *, keys: Collection[str] = (), sent_at: float | None = None
) -> _Headers: ...
def inject(headers: Any = None, *, keys: Collection[str] = (), sent_at: float | None = None) -> Any:
    """Write the current trace into *headers*, or a message, and return them.

    Without a trace none is written. What is bound never goes out, unless *keys* names it.

    >>> inject({"text": "hello"}, sent_at=1763812800.25)
    {'text': 'hello', 'sent_at': 1763812800.25}

    Args:
        headers: Any mutable mapping, a fresh dict by default.
        keys: Bound values that are to go along, as W3C Baggage (`baggage`): `extract_baggage` reads
            them. They go to whoever answers there, in clear.
        sent_at: For a message: the time, `time.time()`, by which its receiver can tell how long it
            was on its way.
    """
    headers = {} if headers is None else headers
    trace = current_trace()
    if trace is not None:
        write_trace(headers, trace)
    if keys:
        _write_bound(headers, keys)
    if sent_at is not None:
        headers[SENT_AT] = sent_at
    return headers


def write_trace(headers: MutableMapping[str, Any], trace: TraceContext) -> None:
    """Write *trace* into *headers*; another one's doesn't stay, nor its `tracestate`."""
    # `Traceparent`, as Go writes it: with two of them, a header is none.
    for name in [name for name in headers if _is_written_otherwise(name)]:
        del headers[name]
    headers[TRACEPARENT] = str(trace)
    if trace.state:
        headers[_TRACESTATE] = trace.state
    elif _TRACESTATE in headers:
        del headers[_TRACESTATE]


def _is_written_otherwise(name: Any) -> bool:
    return isinstance(name, str) and name not in _TRACE and name.lower() in _TRACE


def _write_bound(headers: MutableMapping[str, Any], keys: Collection[str]) -> None:
    beside = headers.get(_BAGGAGE, "")
    if not isinstance(beside, str):
        return  # a message's own word

    bound = snapshot().bound
    # Also those that aren't bound: what an earlier use of the same headers wrote doesn't stay.
    text = write_baggage({key: bound.get(key) for key in keys}, beside)
    if text:
        headers[_BAGGAGE] = text
    elif beside:
        del headers[_BAGGAGE]


def extract(headers: Headers) -> TraceContext | None:
    """Read the caller's trace from any mapping or ASGI header list; None if there is none.

    A message that has `traceparent` among its keys is such a mapping. Never raises: an invalid
    header counts as none, as W3C Trace Context asks; an invalid `tracestate` is left behind.
    """
    found = _values(headers, _TRACE)
    if len(found[TRACEPARENT]) != 1:
        return None

    try:
        trace = TraceContext.parse(found[TRACEPARENT][0])
    except TraceparentError:
        return None

    state = read_state(found[_TRACESTATE])
    return replace(trace, state=state) if state else trace


def extract_baggage(headers: Headers, *, keys: Collection[str]) -> dict[str, str]:
    """Read from `baggage` the values of *keys*, as far as they are there; of no other key.

    Never raises. Whoever sent them may say anything: bind what you would believe.

    >>> extract_baggage({"baggage": "user_id=kim,role=admin"}, keys=["user_id"])
    {'user_id': 'kim'}
    """
    return read_baggage(_values(headers, (_BAGGAGE,))[_BAGGAGE], keys)


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
        # The standard library's own headers, email's, are mappings in all but name.
        pairs = headers.items() if hasattr(headers, "items") else headers
        for name, value in pairs:
            values = found.get(_text(name, _MAX_NAME).lower())
            if values is not None and len(values) <= _MAX_SAME:
                # One that is refused still counts: it is there, and it is invalid.
                values.append(_text(value, _MAX_VALUE) if len(values) < _MAX_SAME else _REFUSED)
    except Exception:  # noqa: BLE001 -- whatever a caller passes, a request must go on
        return {name: [] for name in names}

    return found


def _text(value: Any, most: int) -> str:
    if not isinstance(value, (str, bytes)) or len(value) > most:
        return _REFUSED

    text = value.decode("latin-1") if isinstance(value, bytes) else value
    return text.strip(" \t")
