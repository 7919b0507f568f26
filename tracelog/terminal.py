"""Values, durations and colours, as a terminal shows them."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any, Final

from tracelog.escapes import printable
from tracelog.plain import Limits, Plain, text_of


__all__ = [
    "DIM",
    "RESET",
    "color_of",
    "duration_text",
    "event_text",
    "value_text",
    "wanted_colors",
]

RESET: Final = "\x1b[0m"
# A grey of its own: what terminals make of "faint" can't be read on a light ground.
DIM: Final = "\x1b[38;5;244m"

_BARE = re.compile(r"[^\s\"'=\\{}\[\],]+")
# Told from each other, and read, on a dark and on a light ground alike: 3.5:1 at least on both.
_HUES: Final = (28, 30, 32, 63, 64, 66, 100, 130, 133, 163, 166, 167)
_COLORS: Final = [f"\x1b[38;5;{hue}m" for hue in _HUES]
_SHORT: Final = range(-(2**63), 2**64)
_LIMITS: Final = Limits(text=2_000, items=200, depth=8)


def value_text(value: Any) -> str:
    """Write a field's value for eyes: text as it is, quoted only when that is needed."""
    if type(value) is str and _is_bare(value):
        return value

    if type(value) is int and value in _SHORT:
        return str(value)

    if type(value) is float:
        return f"{value:.6g}" if abs(value) < 1e6 else str(value)  # noqa: PLR2004

    plain = Plain(_LIMITS).of(value)
    if type(plain) is str and _is_bare(plain):
        return plain

    # json escapes C0; what it leaves, such as C1 and bidi controls, is escaped here.
    return printable(json.dumps(plain, ensure_ascii=False))


def _is_bare(text: str) -> bool:
    return len(text) <= _LIMITS.text and text.isprintable() and _BARE.fullmatch(text) is not None


def event_text(value: Any) -> str:
    """Write an event, which is never quoted."""
    if type(value) is str and value.isprintable() and len(value) <= _LIMITS.text:
        return value

    # uvicorn ends some of its messages with a newline.
    return printable(Plain(_LIMITS).of(text_of(value).rstrip("\n")))


def duration_text(milliseconds: float) -> str:
    """Write a duration for eyes.

    >>> [duration_text(ms) for ms in (0.214, 12.3, 304.2, 61500)]
    ['0.21ms', '12.3ms', '304ms', '61.5s']
    """
    if milliseconds < 1:
        return f"{milliseconds:.2f}ms"

    # `g` would write what is rounded up to four digits as 1e+03.
    if milliseconds < 999.5:  # noqa: PLR2004
        return f"{milliseconds:.3g}ms"

    seconds = milliseconds / 1000
    return f"{seconds:.3g}s" if seconds < 999.5 else f"{seconds:.0f}s"  # noqa: PLR2004


def color_of(text: str) -> str:
    """Choose a colour by *text*, the same in every process, so that the eye can follow it."""
    return _COLORS[zlib.crc32(text.encode("utf-8", "replace")) % len(_COLORS)]


def wanted_colors(variables: Mapping[str, str]) -> bool | None:
    """Tell what NO_COLOR and FORCE_COLOR ask for, if they aren't empty (https://no-color.org).

    Returns:
        None if neither does: a terminal has colours then.
    """
    if variables.get("NO_COLOR"):
        return False

    return True if variables.get("FORCE_COLOR") else None
