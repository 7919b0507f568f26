"""What data may not do to a terminal, or to whoever reads a line."""

from __future__ import annotations

import re
from typing import Final


__all__ = ["CONTROLS", "UNSAFE", "printable"]

# What JSON has no need to escape, for a pattern's brackets: DEL and C1 (CWE-150), controls of
# direction, which show a text as another than it is (CVE-2021-42574), what some take for a line's
# end (CWE-117).
UNSAFE: Final = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
# These, C0, and lone surrogates, which no encoder writes.
CONTROLS: Final = re.compile(f"[\x00-\x1f{UNSAFE}\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Show control characters as escapes, so that data can't drive the terminal or begin a line.

    >>> printable("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return text if text.isprintable() else CONTROLS.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()
