"""A `with` block around each call of a function, whatever kind of function it is."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from functools import cached_property, partial

import pytest

from tracelog.decorating import decorate


class Blocks:
    """What is open now, and whatever was ever opened, in order."""

    def __init__(self):
        self.open = []
        self.opened = []

    @contextmanager
    def _block(self, name):
        self.open.append(name)
        self.opened.append(name)
        try:
            yield
        finally:
            self.open.pop()

    @contextmanager
    def _whole(self):
        with self._block("whole"):
            yield partial(self._block, "step")

    def around(self, func):
        return decorate(func, partial(self._block, "call"), self._whole)


@pytest.fixture
def blocks():
    return Blocks()


def test_a_function_has_a_block_around_each_call(blocks):
    """Its name, its arguments and what it gives stay."""

    def add(a, *, b):
        """Add."""
        return a + b, [*blocks.open]

    decorated = blocks.around(add)

    assert [decorated(1, b=2), decorated(3, b=4)] == [(3, ["call"]), (7, ["call"])]
    assert (decorated.__name__, decorated.__doc__, blocks.open) == ("add", "Add.", [])


def test_a_coroutine_function_has_it_until_it_ends(blocks):
    """Not only until it first waits; and it is one still."""

    @blocks.around
    async def wait():
        await asyncio.sleep(0)
        return [*blocks.open]

    assert asyncio.run(wait()) == ["call"]
    assert asyncio.iscoroutinefunction(wait)


def test_a_generator_has_one_around_all_and_one_around_each_step(blocks):
    """What is sent, thrown and given at the end passes through."""
    seen = []

    @blocks.around
    def steps():
        try:
            seen.append((yield 1))
            yield 2
        except KeyError as error:
            seen.append((repr(error), [*blocks.open]))
        yield 3
        return "result"

    generator = steps()
    assert blocks.opened == []

    assert next(generator) == 1
    assert blocks.open == ["whole"]
    assert generator.send("sent") == 2
    assert generator.throw(KeyError("thrown")) == 3
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "result"
    assert seen == ["sent", ("KeyError('thrown')", ["whole", "step"])]
    assert blocks.open == []


def test_closing_a_generator_closes_it_in_a_step(blocks):
    """Its `finally` runs at once, and what is around it all ends."""
    seen = []

    @blocks.around
    def steps():
        try:
            yield
        finally:
            seen.append([*blocks.open])

    generator = steps()
    next(generator)

    generator.close()

    assert (seen, blocks.open) == ([["whole", "step"]], [])


def test_what_a_generator_does_not_catch_comes_out(blocks):
    """And nothing stays open."""

    @blocks.around
    def steps():
        yield

    generator = steps()
    next(generator)

    with pytest.raises(KeyError):
        generator.throw(KeyError("thrown"))
    assert blocks.open == []


def test_an_async_generator_is_one_still(blocks):
    """What is sent and thrown passes through; a step lasts while it waits."""
    seen = []

    @blocks.around
    async def steps():
        try:
            seen.append((yield 1))
            yield 2
        except KeyError as error:
            await asyncio.sleep(0)
            seen.append((repr(error), [*blocks.open]))
        yield 3

    async def main():
        generator = steps()
        assert await anext(generator) == 1
        assert blocks.open == ["whole"]
        assert await generator.asend("sent") == 2
        assert await generator.athrow(KeyError("thrown")) == 3
        with pytest.raises(StopAsyncIteration):
            await anext(generator)

    asyncio.run(main())

    assert seen == ["sent", ("KeyError('thrown')", ["whole", "step"])]
    assert blocks.open == []


def test_closing_an_async_generator_closes_it_in_a_step(blocks):
    """Its `finally` runs at once, even if it waits."""
    seen = []

    @blocks.around
    async def steps():
        try:
            yield
        finally:
            await asyncio.sleep(0)
            seen.append([*blocks.open])

    async def main():
        generator = steps()
        await anext(generator)
        await generator.aclose()

    asyncio.run(main())

    assert (seen, blocks.open) == ([["whole", "step"]], [])


@pytest.mark.parametrize("kind", [classmethod, staticmethod])
def test_the_kind_of_a_method_stays(blocks, kind):
    """Above `@classmethod` or below it: the order of the two is easily mistaken."""

    class Shop:
        @blocks.around
        @kind
        async def price(*_cls):
            await asyncio.sleep(0)
            return [*blocks.open]

    assert asyncio.run(Shop.price()) == asyncio.run(Shop().price()) == ["call"]
    assert isinstance(vars(Shop)["price"], kind)


def test_an_object_is_called_as_its_class_says(blocks):
    """Its `__call__` may be a coroutine function."""

    class Price:
        async def __call__(self):
            await asyncio.sleep(0)
            return [*blocks.open]

    assert asyncio.run(blocks.around(Price())()) == ["call"]
    assert asyncio.run(blocks.around(partial(Price().__call__))()) == ["call"]


@pytest.mark.parametrize(
    "other",
    [property(len), cached_property(len), Blocks, None],
    ids=["property", "cached property", "class", "nothing"],
)
def test_what_is_no_function_is_refused(blocks, other):
    """Where it is decorated: a property would be called like a method, a class be none any more."""
    with pytest.raises(TypeError, match=r"is none\n  Try: directly above a def, below @property"):
        blocks.around(other)
