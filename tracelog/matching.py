"""What rules in a configuration ask of a line: that its fields are such and such."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from tracelog.plain import text_of


__all__ = ["fits"]


def fits(fields: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Tell whether *fields* has what is *wanted*. Texts may hold `*` and `?`.

    >>> fits({"user_id": 456, "path": "/rooms/7"}, {"user_id": "456", "path": "/rooms/*"})
    True
    >>> fits({"path": "/rooms/7"}, {"user_id": "456"})
    False
    """
    return all(_is(fields.get(key), value) for key, value in wanted.items())


def _is(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        return value is not None and fnmatchcase(text_of(value), wanted)

    # YAML reads an id of digits as a number; it may be bound as a text.
    return bool(value == wanted) or (isinstance(value, str) and value == str(wanted))
