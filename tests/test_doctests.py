"""The examples in the docstrings."""

from __future__ import annotations

import doctest
import pkgutil
from importlib import import_module

import pytest

import tracelog


MODULES = [
    "tracelog",
    *(
        module.name
        for module in pkgutil.walk_packages(tracelog.__path__, "tracelog.")
        if not module.name.endswith("__main__")
    ),
]


@pytest.mark.parametrize("name", MODULES)
def test_every_example_is_true(name):
    """What a docstring shows is what happens."""
    results = doctest.testmod(import_module(name))

    assert results.failed == 0


def test_there_are_examples():
    """The test above looks at something."""
    finder = doctest.DocTestFinder(exclude_empty=True)

    examples = [
        test for name in MODULES for test in finder.find(import_module(name)) if test.examples
    ]

    assert len(examples) >= 5
