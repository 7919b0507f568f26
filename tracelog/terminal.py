"""Text for terminals: what data may not do there, and what colours say."""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Final

from tracelog.plain import Limits, Plain, text_of


__all__ = ["DIM", "RESET", "color_of", "duration_text", "printable", "value_text"]

RESET: Final = "\x1b[0m"
DIM: Final = "\x1b[2m"

# C0, DEL, C1 (CWE-150), the bidi controls (CVE-2021-42574), and what some take for a line's end.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_BARE = re.compile(r"[^\s\"'=\\{}\[\],]+")
# Told apart on a dark and on a light ground alike.
_HUES: Final = (32, 35, 37, 61, 67, 71, 97, 99, 103, 130, 133, 136, 161, 166, 167, 172)
_LIMITS: Final = Limits(text=2_000, items=200, depth=8)


def printable(text: str) -> str:
    r"""Show control characters as escapes, so that data can't drive the terminal or begin a line.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return _CONTROLS.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def value_text(value: Any) -> str:
    """Write a field's value for eyes: text as it is, quoted only when that is needed."""
    if type(value) is str:
        return value if _BARE.fullmatch(value) and value.isprintable() else _quoted(value)

    if type(value) is int:
        return str(value) if value.bit_length() < 64 else text_of(value)  # noqa: PLR2004

    if type(value) is float:
        return f"{value:.6g}"

    plain = Plain(_LIMITS).of(value)
    return value_text(plain) if type(plain) is str else printable(json.dumps(plain, ensure_ascii=False))


def _quoted(text: str) -> str:
    excess = len(text) - _LIMITS.text
    shown = text_of(text if excess <= 0 else f"{text[: _LIMITS.text]}… (+{excess} characters)")
    # json escapes C0; what it leaves, such as C1 and bidi controls, is escaped here.
    return printable(json.dumps(shown, ensure_ascii=False))


def duration_text(milliseconds: float) -> str:
    """Write a duration for eyes.

    >>> [duration_text(ms) for ms in (0.214, 12.3, 304.2, 61500)]
    ['0.21ms', '12.3ms', '304ms', '61.5s']
    """
    if milliseconds >= 1000:  # noqa: PLR2004
        return f"{milliseconds / 1000:.4g}s"

    return f"{milliseconds:.3g}ms" if milliseconds >= 1 else f"{milliseconds:.2f}ms"


def color_of(text: str) -> str:
    """Choose a colour by *text*, the same in every process, so that the eye can follow it."""
    return f"\x1b[38;5;{_HUES[zlib.crc32(text.encode('utf-8', 'replace')) % len(_HUES)]}m"
