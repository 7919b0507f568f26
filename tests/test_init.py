"""The front door."""

from __future__ import annotations

import ast
import inspect
import logging
import subprocess
import sys
from importlib import import_module

import pytest

import tracelog


def typed_imports():
    """The names that type checkers see, each with the module it is imported from."""
    tree = ast.parse(inspect.getsource(tracelog))
    guarded = next(node for node in tree.body if isinstance(node, ast.If))
    return {
        alias.name: node.module.removeprefix("tracelog.")
        for node in guarded.body
        for alias in node.names
    }


def run(code):
    """What a fresh interpreter prints."""
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return finished.stdout.strip()


def test_all_is_sorted():
    """The list is read by people, too."""
    assert tracelog.__all__ == sorted(tracelog.__all__)


def test_type_checkers_see_what_runs():
    """`__all__`, the imports under TYPE_CHECKING and the table of lazy names are the same."""
    assert sorted(typed_imports()) == tracelog.__all__
    assert typed_imports() == tracelog._HOME_OF


def test_the_table_is_sorted():
    """Modules and names stand in the order of the alphabet."""
    assert list(tracelog._HOMES) == sorted(tracelog._HOMES)
    assert all(names == sorted(names) for names in tracelog._HOMES.values())


@pytest.mark.parametrize("name", tracelog.__all__)
def test_every_name_is_the_one_of_its_module(name, monkeypatch):
    """A name that loads on first use is the same object as in its home, and is kept."""
    monkeypatch.delitem(vars(tracelog), name, raising=False)

    value = getattr(tracelog, name)

    assert value is getattr(import_module(f"tracelog.{tracelog._HOME_OF[name]}"), name)
    assert vars(tracelog)[name] is value


@pytest.mark.parametrize("name", tracelog.__all__)
def test_every_name_is_public_where_it_lives(name):
    """What the front door shows, its module's `__all__` lists."""
    assert name in import_module(f"tracelog.{tracelog._HOME_OF[name]}").__all__


def test_an_unknown_name_is_an_attribute_error():
    """As of any module, so that `hasattr` works."""
    with pytest.raises(AttributeError) as error:
        tracelog.bind_contxt  # noqa: B018

    assert str(error.value) == "module 'tracelog' has no attribute 'bind_contxt'"


def test_dir_names_what_is_not_loaded_yet():
    """Completion in an editor shows everything."""
    assert set(tracelog.__all__) <= set(dir(tracelog))
    assert "__version__" in dir(tracelog)
    assert dir(tracelog) == sorted(dir(tracelog))


def test_importing_it_loads_next_to_nothing():
    """A program that imports tracelog without using it pays nothing for what it is built on."""
    heavy = {
        "structlog",
        "rich",
        "yaml",
        "_duckdb",
        "asyncio",
        "orjson",
        "pythonjsonlogger",
        "dotenv",
    }

    loaded = run("import sys, tracelog; print(*{name.partition('.')[0] for name in sys.modules})")

    assert heavy.isdisjoint(loaded.split())


def test_a_json_service_loads_neither_rich_nor_duckdb():
    """Configuring for machines loads what draws for people as little as what answers questions."""
    loaded = run(
        "import logging, sys, tracelog\n"
        "tracelog.configure_logging(format='json', sink=sys.stderr)\n"
        "logging.getLogger('app').info('up')\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )

    assert {"_duckdb", "opentelemetry", "pygments", "rich"}.isdisjoint(loaded.split())


def test_trace_is_a_level_from_the_start():
    """A YAML file may say `level: TRACE` before anything of ours has run."""
    printed = run("import logging, tracelog; print(logging.getLevelNamesMapping()['TRACE'])")

    assert printed == "5"
    assert logging.getLevelName(5) == "TRACE"
