"""`tracestate`, as W3C Trace Context asks to read it before it is passed on.

Source: https://www.w3.org/TR/trace-context/#tracestate-header. Nothing here knows what a vendor's
entry means.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final


__all__ = ["read_state"]

_MAX_MEMBERS: Final = 32
_MAX_KEPT: Final = 512  # characters that everybody is asked to pass on at least
_LARGE: Final = 128  # entries longer than this are the first to go
# No list that is valid has more: 256 characters a key, as many a value, and what separates them.
_MAX_READ: Final = _MAX_MEMBERS * (256 + 256 + 2)
_MEMBER = re.compile(
    r"(?P<key>[a-z0-9][a-z0-9_*/@-]{0,255})"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


def read_state(headers: Sequence[str]) -> str:
    """Make one list of all `tracestate` headers of a request; empty if any of it is invalid.

    Of entries with the same key the first stays, which is the latest. A list of more than 512
    characters is shortened by whole entries.

    >>> read_state(["rojo=1, congo=2", "", "rojo=0"])
    'rojo=1,congo=2'
    """
    if sum(map(len, headers)) > _MAX_READ:
        return ""

    members: dict[str, str] = {}
    stripped = (member.strip(" \t") for header in headers for member in header.split(","))
    for count, member in enumerate(filter(None, stripped), 1):
        match = _MEMBER.fullmatch(member)
        if match is None or count > _MAX_MEMBERS:
            return ""

        members.setdefault(match["key"], member)
    return ",".join(_fitting([*members.values()]))


def _fitting(members: list[str]) -> list[str]:
    """Leave out entries until the rest is short enough: large ones first, then from the end."""
    size = sum(map(len, members)) + len(members) - 1
    from_the_end = members[::-1]
    for member in sorted(from_the_end, key=_is_small):
        if size <= _MAX_KEPT:
            break
        members.remove(member)
        size -= len(member) + 1
    return members


def _is_small(member: str) -> bool:
    return len(member) <= _LARGE
