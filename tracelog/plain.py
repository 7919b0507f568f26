"""Any value, as a plain tree that JSON can hold: bounded, and nothing in it can raise."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import NoneType
from typing import Any, Final, Protocol, TypeAlias
from uuid import UUID

from pythonjsonlogger import defaults

from tracelog.secret_texts import MASK


__all__ = ["SCALARS", "Default", "Limits", "Masks", "Plain", "text_of"]

Default: TypeAlias = Callable[[Any], Any]

# What orjson writes by itself, at a cost bounded by the value's own size. No datetime: its tzinfo
# may be anybody's code, and if that raises, orjson takes the interpreter down. No time: of 10 ms,
# orjson (3.13) makes "00:00:00.10000".
SCALARS: Final = frozenset({str, int, float, bool, NoneType, date, UUID})

# How far past its end a text is looked into before it is cut: no secret is shown by half.
_OVERLAP: Final = 4_096
_LISTS: Final = (list, tuple, set, frozenset, deque)
# Whole numbers that orjson writes: both ways to a line must show the same.
_MIN_INT: Final = -(2**63)
_MAX_INT: Final = 2**64 - 1

# Types whose readable form python-json-logger has settled already.
_DEFAULTS: Final[tuple[tuple[Callable[[Any], Any], Default], ...]] = (
    (defaults.use_datetime_any, defaults.datetime_any),
    (defaults.use_exception_default, defaults.exception_default),
    (defaults.use_traceback_default, defaults.traceback_default),
    (defaults.use_enum_default, defaults.enum_default),
    (defaults.use_bytes_default, defaults.bytes_default),
    (
        lambda value: isinstance(value, bytearray),
        lambda value: defaults.bytes_default(bytes(value)),
    ),
    (defaults.use_dataclass_default, defaults.dataclass_default),
    (defaults.use_type_default, defaults.type_default),
)


def text_of(value: Any) -> str:
    """Make text of *value*; if its own code fails, text that says so. Lone surrogates escaped."""
    try:
        text = str.__str__(value) if isinstance(value, str) else str(value)
        return text.encode("utf-8", "backslashreplace").decode()
    except Exception:  # noqa: BLE001 -- a value's own code may raise anything
        return f"<unprintable {type(value).__name__} object>"


class Masks(Protocol):
    """What masks secrets: `tracelog.redact.Redactor`, which is above this module."""

    @property
    def known(self) -> set[str]:
        """Some of the names that are harmless: those that need no call."""

    @property
    def knows(self) -> Callable[[Iterable[str]], bool]:
        """Tells whether names are harmless."""

    @property
    def text(self) -> Callable[[str], str]:
        """Masks the secrets in a text."""

    def number(self, value: int, /) -> int | str:
        """Mask *value* if it is a secret."""

    def hides(self, name: Any, value: Any, /) -> bool:
        """Tell whether *value* is masked, whatever it is, for its *name*."""

    def elements(self, value: Iterable[Any], /) -> Iterable[Any]:
        """Mask elements that have names."""

    def keeps(self, name: Any, value: Any, /) -> bool:
        """Tell whether *value*, which was masked, is none of a secret, for its *name*."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of an event is written.

    Attributes:
        text: Characters of one string.
        items: Keys and elements of the whole event.
        depth: Levels of nesting.
        total: Characters of all strings together.
    """

    text: int
    items: int
    depth: int = 32
    total: int = 131_072


class Plain:
    """One walk over a value, under *limits*.

    Args:
        limits: How much is written.
        default: Makes something plainer of a value that JSON doesn't know; ours if None.
        masks: Masks secrets; None shows them.

    Attributes:
        cut: Something was left out.
    """

    def __init__(
        self, limits: Limits, default: Default | None = None, masks: Masks | None = None
    ) -> None:
        self.cut = False
        self._limits = limits
        self._items = limits.items
        self._total = limits.total
        self._default = default
        self._masks = masks
        self._path: set[int] = set()

    def of(self, value: Any, depth: int = 0) -> Any:
        """Make *value* plain."""
        if type(value) is str:
            return self._text(value)

        if value is None or value is True or value is False:
            return value

        if type(value) is float:
            return value if math.isfinite(value) else None

        if type(value) is int:
            return self._number(value)

        try:
            return self._other(value, depth)
        except Exception:  # noqa: BLE001 -- a value's own code may raise anything
            return self._text(text_of(value))

    def mapping(self, value: Mapping[Any, Any], depth: int = 0) -> dict[str, Any]:
        """Make a mapping plain; its keys become text, and stay apart."""
        plain: dict[str, Any] = {}
        masks, known = self._masks, () if self._masks is None else self._masks.known
        for key, item in list(value.items()) if type(value) is dict else value.items():
            if self._spent():
                break
            shown = key if type(key) is str else _key(key)
            harmless = masks is None or shown in known or masks.knows((shown,))
            name = self._text(shown, known=harmless)
            while name in plain:
                name += f"_{len(plain)}"
            made = self.of(item, depth + 1)
            if masks is not None and (made == MASK or not harmless):
                made = _masked(masks, shown, item, made)
            plain[name] = made
        return plain

    def _number(self, value: int) -> Any:
        if not _MIN_INT <= value <= _MAX_INT:
            return self._text(_digits(value))

        return value if self._masks is None else self._masks.number(value)

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return self._guarded(self.mapping, value, depth)

        if isinstance(value, _LISTS):
            return self._guarded(self._list, value, depth)

        if isinstance(value, str):
            return self._text(value)

        for number in (int, float):  # numpy's float64 is one, too
            if isinstance(value, number):
                return self.of(number(value), depth)

        return self._guarded(self._converted, value, depth)

    def _guarded(self, walk: Callable[[Any, int], Any], value: Any, depth: int) -> Any:
        if id(value) in self._path:
            return "<circular>"

        if depth >= self._limits.depth:
            self.cut = True
            return "<too deep>"

        self._path.add(id(value))
        try:
            return walk(value, depth)
        finally:
            self._path.discard(id(value))

    def _list(self, value: Iterable[Any], depth: int) -> list[Any]:
        plain = []
        masks = self._masks
        for item in value if masks is None else masks.elements(value):
            if self._spent():
                break
            plain.append(self.of(item, depth + 1))
        return plain

    def _converted(self, value: Any, depth: int) -> Any:
        if self._default is not None:
            return self.of(self._default(value), depth + 1)

        if isinstance(value, (bytes, bytearray)) and self._masks is not None:
            text = value.decode("latin-1")  # as base64, a secret would be there for all to read
            masked = self._masks.text(text)
            if masked != text:
                return self._text(masked)

        for fits, convert in _DEFAULTS:
            if fits(value):
                return self.of(convert(value), depth + 1)

        return self._text(text_of(value))

    def _text(self, value: str, *, known: bool = False) -> str:
        text = str.__str__(value)
        allowed = min(self._limits.text, self._total)
        self._total -= min(len(text), allowed)
        left_out = len(text) - allowed
        if self._masks is not None and allowed and not known:
            text = self._masks.text(text[: allowed + _OVERLAP])
        if left_out <= 0:
            return text_of(text)

        self.cut = True
        return f"{text_of(text[:allowed])}… (+{left_out} characters)"

    def _spent(self) -> bool:
        self._items -= 1
        if self._items < 0:
            self.cut = True
        return self._items < 0


def _masked(masks: Masks, name: str, item: Any, made: Any) -> Any:
    """Decide by the *name* of *item*, of which *made* was made."""
    if masks.hides(name, item):
        return MASK

    return item if made == MASK and masks.keeps(name, item) else made


def _key(key: Any) -> str:
    """Name a key that is no string as JSON would."""
    if key is None:
        return "null"

    return str(key).lower() if isinstance(key, bool) else text_of(key)


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # sys.set_int_max_str_digits
        return hex(value)
