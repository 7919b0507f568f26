"""Secrets inside a text: what gives them away, and what is left of them.

A leaf: patterns, and no memory. Every one of them takes time linear in the text, whatever it holds:
it begins only where a word does, or it is bounded, or it never gives back what it took.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final, cast


__all__ = ["MASK", "is_card", "make_mask", "may_hold_a_card"]

MASK: Final = "[redacted]"

# A password with an "@" in it ends at the last one; with a "/" in it, it can't be a port.
_URL: Final = re.compile(
    r"""(://[^\s:/?\#@"'<>\[\]]{0,256}+:)
    (?:[^\s/?\#"'<>]{1,1024}@|(?!\d{1,5}(?:[/?\#\s]|\Z))[^\s@"'<>]{1,256}@
    (?:[^\s/?\#"'<>]{0,1024}@)?)""",
    re.VERBOSE,
)
# What follows is a word of prose, unless it has a digit, a "=", or a capital within.
_SCHEME: Final = re.compile(
    r"""(\b(?i:bearer|basic)\ {1,4}+)
    (?=[A-Za-z._~+/-]{0,256}(?:[0-9=]|(?<=[a-z])[A-Z]))[\w.~+/-]{8,}+=*""",
    re.VERBOSE | re.ASCII,
)
_JWT: Final = re.compile(
    r"(?:(?<![\w-])|(?<=%[0-9A-Fa-f]{2}))eyJ[\w-]{4,}+(?:\.[\w-]*+){1,4}", re.ASCII
)
_AWS: Final = re.compile(r"(?<![A-Z0-9])A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Z0-9])")
_PEM: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40}+)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_PEM_MASKED: Final = rf"-----BEGIN \1-----{MASK}-----END \1-----"

_CARD: Final = re.compile(
    r"""(?<![\w.])(?:[2-6]\d{13,15}
    |[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}
    |3\d{3}([ -])\d{6}\2\d{4,5})(?!\w|\.\d)""",
    re.VERBOSE | re.ASCII,
)
# As cheap as it gets, for texts of which nearly none has one.
may_hold_a_card: Final = re.compile("[2-6][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{2}").search
# Visa, Mastercard, American Express, Diners Club, JCB, Discover and UnionPay: nobody else's
# numbers, so that clocks, which begin with 1, and most ids are told apart before Luhn's sum.
_is_issued: Final = re.compile(
    r"""4\d{15} | 5[1-5]\d{14} | (?:22(?:2[1-9]|[3-9]\d)|2[3-6]\d\d|27(?:[01]\d|20))\d{12}
    | 3[47]\d{13} | 3(?:0[0-5]|[68]\d)\d{11} | 35(?:2[89]|[3-8]\d)\d{12}
    | (?:6011|65\d\d|64[4-9]\d|62\d\d)\d{12}""",
    re.VERBOSE | re.ASCII,
).fullmatch
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

# Headers whose value is the rest of their line.
_LINES: Final = ("authorization", "cookie")
_LINE_END: Final = re.compile(r"[^\r\n]*+")
_LINE_ENDS: Final = {quote: re.compile(rf"[^\r\n{quote}]*+") for quote in "\"'"}
_QUOTED: Final = re.compile(
    r"""[bBrRuU]?(\\?["'])(?:(?<=\\["'])(?:[^\\]|\\(?!\1|["']).)*+
    |(?<=")(?:[^"\\]|\\.)*+|(?<=')(?:[^'\\]|\\.)*+)""",
    re.VERBOSE | re.DOTALL,
)
_BARE: Final = re.compile(r"""(?:(?i:bearer|basic|digest|token)\ {1,4}+)?[^\s&;,"'<>]++""")
_BARE_IN_JSON: Final = re.compile(r"""[^\s&;,"'\])}]++""")
_NOTHING: Final = re.compile(r"(?i:none|null|true|false)(?![\w.-])")
_BRACKETS: Final = re.compile(
    r""""(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[\[({]|[\])}]""", re.DOTALL
)

_DEEPER: Final = {"[": 1, "(": 1, "{": 1, "]": -1, ")": -1, "}": -1}
_MOST_BRACKETS: Final = 2_000  # past that, all that follows is masked


def is_card(digits: str) -> bool:
    """Tell whether *digits* are a card's number: issued by somebody, and Luhn's sum is right.

    >>> is_card("4111111111111111"), is_card("4111111111111112")
    (True, False)
    """
    if not _is_issued(digits):
        return False

    numbers = [int(digit) for digit in reversed(digits)]
    return (sum(numbers[::2]) + sum(_DOUBLED[number] for number in numbers[1::2])) % 10 == 0


def make_mask(is_secret: Callable[[str], bool], endings: Iterable[str]) -> Callable[[str], str]:
    """Build what masks all secrets of a text.

    Args:
        is_secret: Tells whether a value of this name is one, as in `name=value`.
        endings: What such names end in, in lower case.
    """
    mask_pairs = _make_pairs(is_secret, endings)

    def mask(text: str) -> str:
        """Mask the secrets in *text*, and give *text* itself if there are none."""
        if "-----BEGIN " in text:
            text = _PEM.sub(_PEM_MASKED, text)
        if "KIA" in text or "SIA" in text:
            text = _AWS.sub(MASK, text)
        if "://" in text and "@" in text:
            text = _URL.sub(rf"\1{MASK}@", text)
        if "earer " in text or "asic " in text or "EARER " in text or "ASIC " in text:
            text = _SCHEME.sub(rf"\1{MASK}", text)
        if "eyJ" in text:
            text = _JWT.sub(MASK, text)
        if may_hold_a_card(text):
            text = _CARD.sub(_masked_card, text)
        return mask_pairs(text)

    return mask


def _masked_card(match: re.Match[str]) -> str:
    return MASK if is_card(re.sub("[ -]", "", match[0])) else match[0]


def _make_pairs(is_secret: Callable[[str], bool], endings: Iterable[str]) -> Callable[[str], str]:
    """Build what masks `name=value`, `Name: value`, `"name": "value"` and `('name', 'value')`."""
    behind = _behind_names(endings)
    find = _pair_pattern(behind).search
    may_hold_one = _pair_hint(behind).search

    def mask_pairs(text: str) -> str:
        rarely = "=" in text or ":" in text or "," in text
        found = find(text) if rarely and may_hold_one(text) else None
        if found is None:
            return text

        parts: list[str] = []
        done = 0
        while found is not None:
            place = found.end()
            if is_secret(found[1]) and (
                found[3] != "," or text.endswith(_TUPLE, 0, found.start(1))
            ):
                masked, end = _masked(text, found)
                parts += text[done:place], masked
                done = place = end
            found = find(text, place)
        return "".join((*parts, text[done:]))

    return mask_pairs


_QUOTES: Final = ("", "[\"']", r"""\\["']""")
_TUPLE: Final = ("('", "(b'", '("', '(b"')


def _behind_names(endings: Iterable[str]) -> list[str]:
    """Tell what stands before the end of a secret's name: its last letters, and a digit perhaps."""
    tails: dict[int, set[str]] = {}
    for ending in endings:
        tail = ending[-3:]
        tails.setdefault(len(tail), set()).add(re.escape(tail))
    return [
        f"(?:{'|'.join(sorted(group))}){digit}"
        for _, group in sorted(tails.items())
        for digit in ("", r"\d")
    ]


def _pair_pattern(behind: list[str]) -> re.Pattern[str]:
    # The last letters, looked at backwards from where a name ends: hardly any name has them.
    return re.compile(
        rf"""(?<![\w.-])([\w.-]{{2,200}}+)(?i:{"|".join(f"(?<={each})" for each in behind)})
        (\\?["'])?\s{{0,2}}+(=[=>]?|:=?|(?<=["']),)\s{{0,2}}+""",
        re.VERBOSE,
    )


def _pair_hint(behind: list[str]) -> re.Pattern[str]:
    """Build what begins at what is rare, "=" or ":", and looks back from there: 10 times as fast.

    Wherever there is a pair, it finds something.
    """
    rarely = [f"{quote}{space}" for quote in _QUOTES for space in ("", r"\s", r"\s\s")][1:]
    bare = "|".join(f"(?<={each}.)" for each in behind)
    other = "|".join(f"(?<={each}{end}.)" for end in rarely for each in behind)
    return re.compile(rf"[=:,](?<![^\"'],)(?i:(?<=\w.)(?:{bare})|(?<=[\s\"'].)(?:{other}))")


def _masked(text: str, pair: re.Match[str]) -> tuple[str, int]:
    """Mask the value of *pair*; tell what is to be shown, and where it goes on."""
    start = pair.end()
    if text.startswith(MASK, start):
        return MASK, start + len(MASK)

    if _NOTHING.match(text, start):
        return "", start

    if pair[3].startswith(":") and not pair[2] and pair[1].lower().endswith(_LINES):
        return MASK, _end_of_line(text, pair)

    quoted = _QUOTED.match(text, start)
    if quoted:
        return f"{text[start : quoted.end(1)]}{MASK}", quoted.end()

    quote = pair[2] or ""
    if text[start : start + 1] in ("[", "{", "("):
        return f"{quote}{MASK}{quote}", _end_of_brackets(text, start)

    bare = (_BARE_IN_JSON if quote else _BARE).match(text, start)
    return (f"{quote}{MASK}{quote}", bare.end()) if bare else ("", start)


def _end_of_line(text: str, pair: re.Match[str]) -> int:
    """Find where a header ends: its line's end, or the quote's that it stands in."""
    before = text[pair.start() - 1] if pair.start() else ""
    rest = cast("re.Match[str]", _LINE_ENDS.get(before, _LINE_END).match(text, pair.end()))
    return rest.end()


def _end_of_brackets(text: str, start: int) -> int:
    depth = 0
    for piece in islice(_BRACKETS.finditer(text, start), _MOST_BRACKETS):
        depth += _DEEPER.get(piece[0], 0)
        if depth == 0:
            return piece.end()
    return len(text)
