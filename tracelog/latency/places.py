"""Places in code, as a person names them, "app/render.py:42 resize"; and which are the user's."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import Iterable
from contextvars import Context as Variables
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from types import (
    AsyncGeneratorType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
)
from typing import Any, Final, NamedTuple

from tracelog.loops import coroutine_of
from tracelog.packages import is_users, library_of


__all__ = [
    "Place",
    "code_of_function",
    "frames_of_awaits",
    "function_of",
    "name_of_function",
    "places_of",
    "places_of_awaits",
    "places_of_frames",
    "users_place",
]

_DEPTH: Final = 40
_FARTHEST: Final = 1_000
_FEW: Final = 16
_FUNCTIONS: Final = frozenset({FunctionType, GeneratorType, MethodType, partial})
_CONTEXTLIB: Final = "contextlib"
# Folders, with a separator: one beside them may begin with the same name.
_ASYNCIO: Final = str(Path(asyncio.__file__).parent) + os.sep
_OURS: Final = str(Path(__file__).parents[1]) + os.sep
_DEMO: Final = f"{_OURS}demo{os.sep}"  # a user's, by way of example
_FRAMES: Final = ("cr_frame", "gi_frame", "ag_frame")
_AWAITS: Final = ("cr_await", "gi_yieldfrom", "ag_await")
# What stands between a coroutine and what it awaits, in `async for` and so on; it shows no frame.
_BETWEEN: Final = frozenset(
    {"anext_awaitable", "async_generator_asend", "async_generator_athrow", "coroutine_wrapper"}
)
_WAIT_FOR: Final = asyncio.wait_for.__code__
_STEP_RUNNERS: Final = frozenset({"_run", "_run_once", "_run_step"})


class Place(NamedTuple):
    """A line in a function."""

    file: str
    line: int
    function: str

    @classmethod
    def of(cls, code: CodeType, line: int | None) -> Place:
        """Name where in *code* that is."""
        return cls(code.co_filename, line or 0, code.co_qualname.replace("<locals>.", ""))

    def __str__(self) -> str:
        return f"{_shown(self.file)}:{self.line} {self.function}"

    @property
    def is_asyncios(self) -> bool:
        """Whether it is in asyncio itself."""
        return self.file.startswith(_ASYNCIO)

    @property
    def library(self) -> str | None:
        """The installed package that it is in, if it is in one that isn't the user's own."""
        return None if self.file.startswith(_DEMO) else library_of(self.file)

    @property
    def is_ours(self) -> bool:
        """Whether it is in this package."""
        return _is_ours(self.file)

    @property
    def is_users(self) -> bool:
        """Whether it is in the user's own code."""
        return _is_users(self.file)


@lru_cache(4096)
def _shown(file: str) -> str:
    """Shorten a path to what is below the folder it was imported from."""
    folders = [folder for folder in sys.path if folder and file.startswith(f"{folder}/")]
    return file[len(max(folders, key=len)) + 1 :] if folders else Path(file).name


@lru_cache(4096)
def _is_users(file: str) -> bool:
    return file.startswith(_DEMO) or (not file.startswith(_OURS) and is_users(file))


def _is_ours(file: str) -> bool:
    return file.startswith(_OURS) and not file.startswith(_DEMO)


def function_of(func: Any, given: Iterable[Any] = ()) -> Any:
    """Unwrap a function, which is *given* so much; of a library's, the user's that it is to call.

    `asyncio.to_thread`, FastAPI and Django pass it to one of theirs, in a partial; Starlette passes
    a generator to one that goes on with it.
    """
    given = [*given]
    while isinstance(func, partial):
        given = [*func.args, *func.keywords.values(), *given]
        func = func.func
    owner = getattr(func, "__self__", None)
    if isinstance(owner, Variables) and given:
        return function_of(given[0], given[1:])

    if type(owner).__module__ == _CONTEXTLIB:  # made of a generator, it enters and leaves that
        generator = getattr(owner, "gen", None)
        return generator if isinstance(generator, GeneratorType) else func

    if _is_users_function(func):
        return func

    # By their types: to ask a proxy for anything may be to have it do something.
    passed = (function_of(each) for each in given[:_FEW] if type(each) in _FUNCTIONS)
    return next(filter(_is_users_function, passed), func)


def _is_users_function(func: Any) -> bool:
    code = code_of_function(func)
    return code is not None and _is_users(code.co_filename)


def code_of_function(func: Any) -> CodeType | None:
    """Give the code of a function, or of a generator that a library goes on with."""
    code = _first(func, ("__code__", "gi_code"))
    return code if isinstance(code, CodeType) else None  # a stand-in of a test's has everything


def name_of_function(func: Any, given: Iterable[Any] = ()) -> str:
    """Name a function, whatever it is wrapped in."""
    func = function_of(func, given)
    return str(getattr(func, "__qualname__", type(func).__qualname__)).replace("<locals>.", "")


def users_place(places: Iterable[Place]) -> Place | None:
    """Find the innermost place in the user's own code, or else the innermost outside of asyncio."""
    places = list(places)
    for wanted in (lambda place: place.is_users, lambda place: not place.is_asyncios):
        found = next(filter(wanted, places), None)
        if found is not None:
            return found

    return places[0] if places else None


def places_of_frames(frame: FrameType | None) -> list[Place]:
    """List where a thread is, innermost first, up to the event loop that called it."""
    places: list[Place] = []
    found = False  # of the user's own, which imports and whatever recurses may pile frames upon
    for _ in range(_FARTHEST):
        if frame is None or (found and len(places) >= _DEPTH):
            break

        place = Place.of(frame.f_code, frame.f_lineno)
        if place.function.rpartition(".")[2] in _STEP_RUNNERS and not place.is_users:
            break
        found = found or place.is_users
        if not place.is_ours and (place.is_users or len(places) < _DEPTH):
            places.append(place)
        frame = frame.f_back
    return places


def places_of_awaits(awaitable: Any) -> list[Place]:
    """List where a suspended coroutine waits, innermost first."""
    return places_of(frames_of_awaits(awaitable))


def places_of(frames: Iterable[FrameType]) -> list[Place]:
    """List where *frames* are, without ours, as far as anybody would look."""
    places = (Place.of(frame.f_code, frame.f_lineno) for frame in frames)
    return [*islice((place for place in places if not place.is_ours), _DEPTH)]


def frames_of_awaits(awaitable: Any) -> list[FrameType]:
    """List the frames of a suspended coroutine and what it awaits, innermost first."""
    frames: dict[FrameType, None] = {}
    frame = _first(awaitable, _FRAMES)
    while frame is not None and frame not in frames:  # two tasks may wait for each other
        frames[frame] = None
        awaitable = _awaited(awaitable, frame)
        frame = _first(awaitable, _FRAMES)
    return [*reversed(frames)]


def _awaited(awaitable: Any, frame: FrameType) -> Any:
    """Tell what a suspended coroutine, whose *frame* that is, awaits."""
    if frame.f_code is _WAIT_FOR:
        # Before Python 3.12 what it waits for is a task of its own, which it doesn't await.
        coroutine = coroutine_of(frame.f_locals.get("fut"))
        if coroutine is not None:
            return coroutine

    awaited = _first(awaitable, _AWAITS)
    while _is_between(awaited):
        awaited = next(filter(_is_awaited, gc.get_referents(awaited)), None)
    return awaited


def _is_between(thing: Any) -> bool:
    return type(thing).__name__ in _BETWEEN


def _is_awaited(thing: Any) -> bool:
    return isinstance(thing, (AsyncGeneratorType, CoroutineType)) or _is_between(thing)


def _first(thing: Any, names: Iterable[str]) -> Any:
    return next((found for name in names if (found := getattr(thing, name, None))), None)
