"""What a rule says: a finding, and the words that findings are written in.

A configuration is untrusted text, and aliases can make a small one endless: nothing here calls
`repr` or `str` on a whole value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice
from reprlib import Repr
from typing import Final, TypeAlias

from tracelog.escapes import printable


__all__ = [
    "Finding",
    "KeyPath",
    "clip",
    "closest",
    "did_you_mean",
    "dotted",
    "index",
    "kind",
    "listing",
    "show",
    "step",
]

# The keys from the top down to a value; `step` and `index` make the parts.
KeyPath: TypeAlias = tuple[str, ...]

_LONGEST_TEXT: Final = 80
_LONGEST_WORD: Final = 100
_MOST_CANDIDATES: Final = 1000
_MOST_LISTED: Final = 8

_KINDS: Final = {
    "NoneType": "nothing",
    "bool": "true or false",
    "dict": "a mapping",
    "float": "a number",
    "int": "a number",
    "list": "a list",
    "str": "a text",
    "tuple": "a list",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a rule found.

    Attributes:
        path: Where.
        text: What is wrong, as the rest of a sentence that begins with the path.
        hint: The way out.
        fatal: Whether the configuration fails, or loses something that was written in it.
    """

    path: KeyPath
    text: str
    hint: str
    fatal: bool = True


def clip(text: str, *, at: int = _LONGEST_TEXT) -> str:
    """Shorten *text* so that it fits into a sentence."""
    return text if len(text) <= at else f"{text[:at]}…"


def step(key: object) -> str:
    """Name a *key* in a path."""
    return printable(clip(key)) if isinstance(key, str) else show(key)


def index(position: int) -> str:
    """Name the item at *position* of a list in a path."""
    return f"[{position}]"


def dotted(path: KeyPath) -> str:
    """Write a *path* as people do.

    >>> dotted(("root", "handlers", index(0)))
    'root.handlers[0]'
    """
    return "".join(part if part.startswith("[") else f".{part}" for part in path).removeprefix(".")


def show(value: object) -> str:
    """Quote a *value*, however large, odd or recursive it is."""
    try:
        return printable(_brief.repr(value))
    except Exception:  # noqa: BLE001 -- anybody's __repr__ may raise anything
        return f"<{type(value).__name__}>"


def kind(value: object) -> str:
    """Say what a *value* is, in the words of YAML."""
    name = type(value).__name__
    return _KINDS.get(name, name)


def closest(word: object, known: Iterable[object], *, cutoff: float = 0.6) -> str | None:
    """Find the name among *known* that *word* was probably meant to be."""
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return None

    names = [name for name in islice(known, _MOST_CANDIDATES) if isinstance(name, str)]
    plain = {_plain(name): name for name in reversed(names)}  # of two that look alike, the first
    best = get_close_matches(_plain(word), plain, n=1, cutoff=cutoff)
    return plain[best[0]] if best else None


def did_you_mean(word: object, known: Iterable[object]) -> str:
    """Suggest the name that *word* was probably meant to be, or list what there is."""
    names = list(islice(known, _MOST_CANDIDATES))
    best = closest(word, names)
    if best is not None:
        return f"did you mean {show(best)}?"

    return f"one of {listing(names)}" if names else "remove it"


def listing(names: Iterable[object]) -> str:
    """Name the first few of *names*."""
    some = list(islice(names, _MOST_LISTED + 1))
    shown = ", ".join(map(step, some[:_MOST_LISTED]))
    return f"{shown}, …" if len(some) > _MOST_LISTED else shown


def _plain(name: str) -> str:
    """Strip a *name* of what people vary: case, underscores and dashes."""
    return name.lower().replace("_", "").replace("-", "")


def _make_brief() -> Repr:
    brief = Repr()
    brief.maxlevel, brief.maxstring, brief.maxother = 2, _LONGEST_TEXT, _LONGEST_TEXT
    brief.maxdict = brief.maxlist = brief.maxtuple = brief.maxset = 3
    return brief


_brief: Final = _make_brief()
