"""Secrets: which names have them, and which values; what was found harmless is remembered.

Nearly every line has names and texts that were there before, so the event path asks two sets, both
bounded: names that are harmless, and texts in which there is nothing. Whatever fails in here, the
value is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import Any, Final

from tracelog.clean_texts import make_text_test, remember
from tracelog.errors import ConfigError
from tracelog.plain import SCALARS
from tracelog.secret_texts import MASK, is_card, make_mask


__all__ = ["REDACTOR", "Redactor", "make_redactor"]

# Names end in these, whatever is before them: db_password, accessToken, X-Api-Key. Names of up to
# four letters have to be a word of their own: they are too often the end of another one.
_SECRET: Final = (
    *("password", "passwords", "passwd", "passphrase", "passcode", "pwd", "password hash"),
    *("secret", "secrets", "credential", "credentials", "token", "csrf", "jwt", "otp", "auth"),
    *("authorization", "cookie", "cookies", "api key", "access key", "private key", "secret key"),
    *("signing key", "encryption key", "ssh key", "account key", "card number", "cvv", "cvc"),
    *("amz signature", "apikeys"),
)
_SHORT: Final = 4
_BORDER: Final = re.compile(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST_NAME: Final = 200
_SHORTEST: Final = 6  # a text with a secret in it
_MOST: Final = 1_000  # names are remembered
_LONGEST_CARD: Final = 16  # digits
_FIRST_CARD: Final = 10**13
_PAST_CARDS: Final = 10**_LONGEST_CARD
_IDS: Final = ("id", "Id", "ID")
_DEPTH: Final = 32
_HINT: Final = "secret_keys: [iban, tax_number]"


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks secrets.

    Attributes:
        known: Some of the names that are harmless.
        is_secret: Tells whether a value of this name is one.
        text: Masks those within a text; a text without any comes back as it is.
        knows: Tells whether all names are harmless, and remembers it.
        passes: Tells whether fields are scalars, all of them, with nothing to mask, and beside them
            a text as harmless.
        is_clean: Tells whether there is nothing in a text, and remembers it.
        clean: Some of the texts in which there is nothing.
    """

    known: set[str]
    is_secret: Callable[[str], bool]
    text: Callable[[str], str]
    knows: Callable[[Iterable[str]], bool]
    passes: Callable[[Mapping[str, Any], Any], bool]
    is_clean: Callable[[str], bool]
    clean: set[str]

    def hides(self, name: Any, value: Any) -> bool:
        """Tell whether *value* is masked for its *name*; that there is none may be seen."""
        if value is None or value is True or value is False:
            return False

        if isinstance(name, bytes):  # a header's, in ASGI
            name = name[-_LONGEST_NAME:].decode("latin-1")
        return isinstance(name, str) and self.is_secret(str.__str__(name)[-_LONGEST_NAME:])

    def elements(self, value: Iterable[Any]) -> Iterator[Any]:
        """Mask elements that have names: those of named tuples, and of pairs, as headers are."""
        for name, each in zip_longest(getattr(type(value), "_fields", ()), value):
            if name is not None and self.hides(name, each):
                yield MASK
            else:
                yield (each[0], MASK) if self._is_pair(each) else each

    def _is_pair(self, value: Any) -> bool:
        return isinstance(value, (list, tuple)) and len(value) == 2 and self.hides(*value)  # noqa: PLR2004

    def keeps(self, name: Any, value: Any) -> bool:
        """Tell whether *value* is an id, of which one in ten looks like a card's number."""
        if not isinstance(name, str) or not name.endswith(_IDS):
            return False

        if type(value) is str:
            return len(value) <= _LONGEST_CARD and value.isdecimal()

        return type(value) is int and _FIRST_CARD <= value < _PAST_CARDS

    def number(self, value: int) -> int | str:
        """Mask *value* if it is a card's number."""
        return _number(value)

    def tree(self, value: Any, depth: int = 0) -> Any:
        """Mask what dicts, lists, tuples and dataclasses hold, for encoders of others.

        What has nothing to mask comes back as it is, and so does what can't be looked into.
        """
        if isinstance(value, str):
            return self.text(value)

        if type(value) is int:
            return self.number(value)

        if isinstance(value, dict):
            return self._mapping(value, value, depth)

        if isinstance(value, (list, tuple)):
            return self._list(value, depth)

        if is_dataclass(value) and not isinstance(value, type):
            own = {each.name: getattr(value, each.name, None) for each in fields(value)}
            return self._mapping(value, own, depth)

        return value

    def _mapping(self, value: Any, members: dict[Any, Any], depth: int) -> Any:
        if depth == _DEPTH:
            return MASK

        masked = {
            self.text(name) if isinstance(name, str) else name: self._member(name, member, depth)
            for name, member in members.items()
        }
        same = all(map(_is, masked, members)) and all(map(_is, masked.values(), members.values()))
        return value if same and len(masked) == len(members) else masked

    def _list(self, value: list[Any] | tuple[Any, ...], depth: int) -> Any:
        if depth == _DEPTH:
            return MASK

        masked = [self.tree(each, depth + 1) for each in self.elements(value)]
        return value if all(map(_is, masked, value)) else masked

    def _member(self, name: Any, value: Any, depth: int) -> Any:
        if self.hides(name, value):
            return MASK

        return value if self.keeps(name, value) else self.tree(value, depth + 1)


def _number(value: int) -> int | str:
    return MASK if _FIRST_CARD <= value < _PAST_CARDS and is_card(str(value)) else value


def _is(one: Any, other: Any) -> bool:
    return one is other


def make_redactor(keys: Iterable[str] = (), *, special: frozenset[str] = frozenset()) -> Redactor:
    """Build what masks secrets: those of the names that everybody uses, and of *keys*.

    Args:
        keys: More names, in any spelling: `tax_number` means `Tax-Number` and `userTaxNumber`, too.
        special: Names that don't pass, though they are harmless: whoever asks has a use for them.

    Raises:
        ConfigError: If *keys* are no names.
    """
    is_secret, endings = _make_name_test([*_SECRET, *_checked(keys)])
    mask = make_mask(is_secret, endings)
    clean: set[str] = set()
    is_clean = make_text_test(mask, clean)
    text = _make_text(mask, is_clean, clean)
    known: set[str] = set()
    knows = _make_knows(known, lambda name: name in special or is_secret(name), is_clean)
    passes = _make_passes(known, knows, is_clean, clean)
    return Redactor(known, is_secret, text, knows, passes, is_clean, clean)


def _checked(keys: Any) -> list[str]:
    if isinstance(keys, str) or not isinstance(keys, Iterable):
        raise ConfigError("secret_keys", f"expected a list of names, got {keys!r}", hint=_HINT)

    names = list(keys)
    for name in names:
        if not isinstance(name, str) or not _BORDER.sub("", name):
            raise ConfigError("secret_keys", f"{name!r} is no name", hint=_HINT)

    return names


def _make_name_test(keys: Iterable[str]) -> tuple[Callable[[str], bool], list[str]]:
    endings = sorted({"".join(_words(key)) for key in keys})
    long = tuple(ending for ending in endings if len(ending) > _SHORT)
    short = frozenset(endings).difference(long)

    @lru_cache(maxsize=_MOST)
    def is_secret(name: str) -> bool:
        words = _words(name)
        return "".join(words).endswith(long) or (bool(words) and words[-1] in short)

    return is_secret, endings


def _words(name: str) -> list[str]:
    return [word.lower() for word in _BORDER.split(name) if word]


def _make_text(
    mask: Callable[[str], str], is_clean: Callable[[str], bool], clean: set[str]
) -> Callable[[str], str]:
    def text(value: str) -> str:
        if value in clean or len(value) < _SHORTEST or is_clean(value):
            return value

        try:
            return mask(value)
        except Exception:  # noqa: BLE001 -- out of memory, or of stack
            return MASK

    return text


def _make_knows(
    known: set[str], is_secret: Callable[[str], bool], is_clean: Callable[[str], bool]
) -> Callable[[Iterable[str]], bool]:
    def knows(names: Iterable[str]) -> bool:
        for name in names:
            if name not in known:
                if type(name) is not str or len(name) > _LONGEST_NAME:
                    return False

                if is_secret(name) or not is_clean(name):
                    return False

                remember(name, known)
        return True

    return knows


def _make_passes(  # noqa: C901 -- every line's way: a call of its own for each kind costs more
    known: set[str],
    knows: Callable[[Iterable[str]], bool],
    is_clean: Callable[[str], bool],
    clean: set[str],
) -> Callable[[Mapping[str, Any], Any], bool]:
    knows_all, scalars, shortest, first_card = known.issuperset, SCALARS, _SHORTEST, _FIRST_CARD

    def passes(values: Mapping[str, Any], beside: Any) -> bool:  # noqa: C901 -- the same
        if type(beside) is not str or (beside not in clean and not is_clean(beside)):
            return False

        if not knows_all(values) and not knows(values):
            return False

        for value in values.values():
            kind = type(value)
            if kind is str:
                if len(value) >= shortest and value not in clean and not is_clean(value):
                    return False
            elif kind is int:
                if value >= first_card and _number(value) is not value:
                    return False
            elif kind is not float and kind not in scalars:
                return False
        return True

    return passes


REDACTOR: Final = make_redactor()
