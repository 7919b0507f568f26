"""Texts without a secret: which ones are told at a glance, and what was looked into is remembered.

Nearly every text of a line is prose, or a path, or an id; or it was there before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from tracelog.secret_texts import may_hold_a_card


__all__ = ["make_text_test", "remember"]

_SHORTEST: Final = 14  # of a secret that can be told without its name: a card's number
_LONGEST_REMEMBERED: Final = 200
_LONGEST: Final = 65_536  # past that, whoever cuts the text is going to mask it
_MOST: Final = 1_000  # are remembered, of each kind
# What gives a secret away has one of these, or digits: a card's, or those behind a scheme.
_TELLING: Final = b"=:\"'ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DIGITS: Final = b"0123456789"
_GLANCE: Final = bytes(
    byte if byte in _TELLING else ord("1" if byte in _DIGITS else "0") for byte in range(256)
)
_NINE: Final = ord("9")
_ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
_Text = TypeVar("_Text", str, bytes)


def make_text_test(mask: Callable[[str], str], clean: set[str]) -> Callable[[str], bool]:
    """Build what tells whether *mask* would find nothing in a text.

    Args:
        mask: Masks the secrets in a text.
        clean: Where texts are remembered; whoever asks may look there first.
    """
    look = _make_look(mask, clean)

    def is_clean(text: str) -> bool:
        length = len(text)
        if length < _SHORTEST and "=" not in text and ":" not in text:
            return True

        if length > _LONGEST:
            return False

        try:
            plain = text.encode()
        except UnicodeEncodeError:  # halves of characters
            plain = text.encode("utf-8", "surrogatepass")

        seen = plain.translate(_GLANCE)
        # A sentence's capital tells nothing.
        if seen.isdigit() or (seen[0] > _NINE and seen[1:].isdigit()):
            digits = seen.count(b"1")
            if digits == 0:  # prose, which recurs
                remember(text, clean)
                return True

            if digits < _SHORTEST and (
                " " not in text or ("earer " not in text and "asic " not in text)
            ):
                return True

        return look(text, plain)

    return is_clean


def _make_look(mask: Callable[[str], str], clean: set[str]) -> Callable[[str, bytes], bool]:
    # Most texts that are new differ from an old one in their digits only: a time, an id, a port.
    # To no rule but that of cards one digit is another.
    shapes: set[bytes] = set()

    def look(text: str, plain: bytes) -> bool:
        shape = plain.translate(_ZEROS)
        if shape in shapes:
            return True

        try:
            if mask(text) != text:
                return False
        except Exception:  # noqa: BLE001 -- out of memory, or of stack
            return False

        if shape == plain:
            remember(text, clean)
        elif not may_hold_a_card(text):
            remember(shape, shapes)
        return True

    return look


def remember(item: _Text, where: set[_Text]) -> None:
    """Remember *item*, if it isn't long; forget all others first if they are too many."""
    if len(item) > _LONGEST_REMEMBERED:
        return

    if len(where) >= _MOST:
        where.clear()  # what recurs is back soon
    where.add(item)
