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
    for key, value in wanted.items():  # noqa: SIM110 -- asked for lines that are off, too
        if not _is(fields.get(key), value):
            return False
    return True


def _is(value: Any, wanted: Any) -> bool:
    try:
        return _reads_as(value, wanted)
    except Exception:  # noqa: BLE001 -- a bound value's own code may raise anything
        return False


def _reads_as(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str):
        text = value if isinstance(value, str) else text_of(value)
        return text == wanted or (value is not None and fnmatchcase(text, wanted))

    # YAML reads an id of digits as a number; it may be bound as a text.
    return bool(value == wanted) or (isinstance(value, str) and value == str(wanted))
