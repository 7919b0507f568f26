"""W3C Baggage: a few named values, as one header carries them.

Source: https://www.w3.org/TR/baggage/. What isn't named neither goes out nor comes in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from tracelog.plain import text_of


__all__ = ["read_baggage", "write_baggage"]

_MAX: Final = 8192  # characters that everybody is asked to pass on at least
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# What may stand in a value as it is, beside letters and digits.
_SAFE: Final = "!#$&'()*+-./:<=>?@[]^_`{|}~"


def write_baggage(values: Mapping[str, Any], beside: str = "") -> str:
    """Write *values* as a `baggage` header, after what *beside*, such a header, has besides them.

    What can't be written is left out: None, a key that is no HTTP token, what is too long in all.

    >>> write_baggage({"user_id": "kim", "room": "the lobby"}, "region=eu,user_id=lee")
    'region=eu,user_id=kim,room=the%20lobby'
    """
    members = [member for member in beside.split(",") if member and _key_of(member) not in values]
    size = sum(len(member) + 1 for member in members)
    for key, value in values.items():
        if value is None or not _TOKEN.fullmatch(key):
            continue
        member = f"{key}={quote(text_of(value), safe=_SAFE)}"
        size += len(member) + 1
        if size > _MAX:
            break
        members.append(member)
    return ",".join(members)


def read_baggage(headers: Iterable[str], keys: Collection[str]) -> dict[str, str]:
    """Read the values of *keys* from `baggage` headers; the first of each counts.

    A value with control characters in it isn't read.

    >>> read_baggage(["user_id=kim;secure, role=admin"], keys=["user_id"])
    {'user_id': 'kim'}
    """
    found: dict[str, str] = {}
    for header in headers:
        for member in header.split(",") if len(header) <= _MAX else ():
            key = _key_of(member)
            if key in keys and key not in found:
                value = unquote(member.partition(";")[0].partition("=")[2].strip(" \t"))
                if value.isprintable():
                    found[key] = value
    return found


def _key_of(member: str) -> str:
    return member.partition("=")[0].strip(" \t")
