"""The page of a report: one file that needs nothing else, and may do nothing else.

What comes from the log is data: it stands in a block that isn't run, with every character escaped
that could end it. The page's policy lets only the script and the style run that are in it, by their
digests, and neither a request nor markup made of text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final


__all__ = ["make_page"]

_FOLDER: Final = files("tracelog.answers") / "page"
_SCRIPTS: Final = (  # in this order
    "data.js",
    "sentences.js",
    "table.js",
    "lanes.js",
    "chart.js",
    "detail.js",
    "main.js",
)
_SLOT: Final = re.compile(r"\{\{(\w+)\}\}")
_POLICY: Final = (
    "default-src 'none'; img-src data:; script-src '{script}'; style-src '{style}'; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
# Everything that isn't ASCII is escaped by `json` itself: U+2028, controls of direction and all.
_MARKUP: Final = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}


def make_page(data: Mapping[str, Any]) -> bytes:
    """Put *data* into the page."""
    script = "\n".join(map(_read, _SCRIPTS))
    style = _read("report.css")
    parts = {
        "policy": _POLICY.format(script=_digest(script), style=_digest(style)),
        "style": style,
        "script": script,
    }
    # The data comes last: a text of the log that looks like a slot is none. It is the bulk, too,
    # and isn't copied more often than it must be.
    before, after = _read("report.html").split("{{data}}")
    return b"".join((_filled(before, parts), _harmless(data), _filled(after, parts)))


def _read(name: str) -> str:
    """Read a part of the page."""
    return (_FOLDER / name).read_text("utf-8")


def _digest(text: str) -> str:
    """Name a script or a style as a policy does."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _filled(part: str, parts: Mapping[str, str]) -> bytes:
    """Fill the slots of a part of the page."""
    return _SLOT.sub(lambda match: parts[match[1]], part).encode()


def _harmless(data: Mapping[str, Any]) -> bytes:
    """Write JSON that no reader of HTML takes for anything else."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    text = text.translate(_MARKUP)
    return text.encode("ascii")
