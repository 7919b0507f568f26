"""An event, as one line of strict JSON (RFC 8259): never raises, bounded, without secrets.

Events of scalars, which nearly all are, go to orjson as they are. Everything else, whatever orjson
refuses, and what has a secret in it, is walked under a budget first: a container can hold any
number of things, and its values can be anything.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import orjson

from tracelog.escapes import UNSAFE
from tracelog.fields import LEADING, TRUNCATED
from tracelog.plain import Default, Limits, Plain, text_of
from tracelog.redact import REDACTOR, Redactor


__all__ = ["DEL", "MAX_LINE", "NEWLINE", "encode"]

MAX_LINE: Final = 65_536  # bytes, with the newline

# From nearly everything to nearly nothing: the first that fits the line is taken.
_LADDER: Final = (
    Limits(text=MAX_LINE, items=10_000),
    Limits(text=8_192, items=1_000),
    Limits(text=512, items=200),
    Limits(text=64, items=100, depth=4),
)
_UNSAFE: Final = re.compile(f"[{UNSAFE}]")
DEL: Final = 0x7F

_dumps = orjson.dumps
_nested = json.JSONEncoder(ensure_ascii=False).encode
_CONTAINERS: Final = (dict, list)
NEWLINE: Final = orjson.OPT_APPEND_NEWLINE


def encode(
    event: dict[str, Any], default: Default | None = None, redactor: Redactor = REDACTOR
) -> bytes:
    """Write any event.

    Args:
        event: What the line shows.
        default: Makes something plainer of a value that JSON doesn't know; ours if None.
        redactor: Masks secrets.
    """
    if redactor.passes(event, ""):
        try:
            line = _dumps(event, None, NEWLINE)
        except TypeError:  # a lone surrogate, an integer past 64 bits
            line = b""
        if 0 < len(line) <= MAX_LINE:
            return line if line.isascii() and DEL not in line else _escaped(line)

    return _encode_walked(event, default, redactor)


def _encode_walked(event: dict[str, Any], default: Default | None, redactor: Redactor) -> bytes:
    for limits in _LADDER:
        plain = Plain(limits, default, redactor)
        tree = plain.mapping(event)
        if plain.cut:
            tree[TRUNCATED] = True
        line = _line(tree)
        if len(line) <= MAX_LINE:
            return line

    leading = {key: tree.get(key) and text_of(tree[key])[: 2 * limits.text] for key in LEADING}
    return _line({**leading, TRUNCATED: True})


def _line(tree: dict[str, Any]) -> bytes:
    # A line's own keys as orjson writes them, so that one pattern finds them on every line.
    pairs = (b"%b:%b" % (_dumps(key), _value(value)) for key, value in tree.items())
    return _escaped(b"{%b}\n" % b",".join(pairs))


def _value(value: Any) -> bytes:
    return _nested(value).encode() if type(value) in _CONTAINERS else _dumps(value)


def _escaped(line: bytes) -> bytes:
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", line.decode()).encode()
