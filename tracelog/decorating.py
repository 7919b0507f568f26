"""A `with` block around each call of a function, whatever kind of function it is.

A generator shares the context of whoever iterates it: what is to be seen by itself only is left at
each `yield`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial, wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar


__all__ = ["Block", "Whole", "decorate"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Makes a block: each call has its own.
Block: TypeAlias = Callable[[], AbstractContextManager[Any]]
# Makes one that gives what makes others.
Whole: TypeAlias = Callable[[], AbstractContextManager[Block]]


def decorate(func: Callable[_P, _R], block: Block, whole: Whole) -> Callable[_P, _R]:
    """Put blocks around each call of *func*.

    Args:
        func: A function or a generator function, sync or async, or a class's or static method.
        block: Around a call.
        whole: Around all of what a generator does, in its stead; gives what is around each step.

    Raises:
        TypeError: If *func* is something else, such as a class.
    """
    if isinstance(func, (classmethod, staticmethod)):
        return type(func)(decorate(func.__func__, block, whole))

    if isinstance(func, type) or not callable(func):
        raise TypeError(
            f"a function can be decorated, and {func!r} is none\n"
            "  Try: directly above a def, below @property"
        )

    kinds = (func, type(func).__call__)  # an object is called as its class says
    wrapped: Callable[_P, _R]
    if any(map(inspect.iscoroutinefunction, kinds)):
        wrapped = _wrap_coroutine(func, block)
    elif any(map(inspect.isasyncgenfunction, kinds)):
        wrapped = _wrap_async_generator(func, whole)
    elif any(map(inspect.isgeneratorfunction, kinds)):
        wrapped = _wrap_generator(func, whole)
    else:
        wrapped = _wrap_function(func, block)
    return wrapped


def _wrap_function(func: Callable[_P, _R], block: Block) -> Callable[_P, _R]:
    @wraps(func)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with block():
            return func(*args, **kwargs)

    return call


def _wrap_coroutine(func: Any, block: Block) -> Any:
    @wraps(func)
    async def call(*args: Any, **kwargs: Any) -> Any:
        with block():
            return await func(*args, **kwargs)

    return call


def _wrap_generator(func: Any, whole: Whole) -> Any:
    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        steps = func(*args, **kwargs)
        advance = partial(steps.send, None)
        with whole() as step:
            try:
                while True:
                    with step():
                        try:
                            item = advance()
                        except StopIteration as end:
                            return end.value
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 -- whatever was thrown is passed on
                        advance = partial(steps.throw, error)
                    else:
                        advance = partial(steps.send, sent)
            finally:
                with step():
                    steps.close()

    return call


def _wrap_async_generator(func: Any, whole: Whole) -> Any:
    @wraps(func)
    async def call(*args: Any, **kwargs: Any) -> Any:
        # The same once more: Python can't share the two.
        steps = func(*args, **kwargs)
        advance = partial(steps.asend, None)
        with whole() as step:
            try:
                while True:
                    with step():
                        try:
                            item = await advance()
                        except StopAsyncIteration:
                            return
                    try:
                        sent = yield item
                    except GeneratorExit:
                        raise
                    except BaseException as error:  # noqa: BLE001 -- whatever was thrown is passed on
                        advance = partial(steps.athrow, error)
                    else:
                        advance = partial(steps.asend, sent)
            finally:
                with step():
                    await steps.aclose()

    return call
