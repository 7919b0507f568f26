"""What there is to choose from, where filters left nothing: mostly, a name was mistyped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from tracelog.answers.filters import Filters
from tracelog.answers.question import Engine, Question
from tracelog.answers.views import View
from tracelog.escapes import printable


__all__ = ["choices"]

_SHOWN: Final = 5
_MANY: Final = 10_000  # names, of which the most frequent are looked at
_NEAR: Final = 0.4
_LONGEST: Final = 40  # characters of one
_CLOCK: Final = "%Y-%m-%d %H:%M:%S"


def choices(engine: Engine, view: View, filters: Filters) -> Iterator[str]:
    """Say what *view* has instead of what *filters* ask for.

    Raises:
        InputError: If the log can't be read.
    """
    words = engine.dialect
    if filters.user is not None:
        yield from _near(engine, view, "user_id", {}, ("user_id", filters.user))
    for key, value in filters.where:
        parameters = {"key": words.key(key)}
        yield from _near(engine, view, words.value("key"), parameters, (key, value))
    if filters.since or filters.until:
        start, end = engine.start(), engine.end()
        if start and end:
            yield f"The log is from {start:{_CLOCK}} to {end:{_CLOCK}} UTC."


def _near(
    engine: Engine, view: View, sql: str, parameters: Mapping[str, object], pair: tuple[str, str]
) -> Iterator[str]:
    """Name the values that are spelled almost so, or else the most frequent ones."""
    key, meant = pair
    question = Question(view=view, figures=("count(*)",), groups=((sql,),), parameters=parameters)
    rows = sorted(engine.ask(question).groups[0], key=lambda row: (-row[1], str(row[0])))
    names = [str(name) for name, _ in rows if name is not None]
    if meant in names:
        return

    near = get_close_matches(meant, names[:_MANY], n=_SHOWN, cutoff=_NEAR) or names[:_SHOWN]
    shown = ", ".join(name[:_LONGEST] for name in near)
    there_are = f"there are {len(names):,}, such as {shown}" if near else "there is none at all"
    yield printable(f"No {key} is {meant!r}; {there_are}.")
