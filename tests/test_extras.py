"""What isn't installed is told by its extra."""

from __future__ import annotations

import sys
from importlib import import_module

import pytest

from tracelog.extras import extra


def test_what_is_missing_is_told_with_the_way_out():
    """The error names the package, the extra that has it, and what to type."""
    with pytest.raises(ImportError) as error, extra("queue"):
        import no_such_package.inside  # noqa: F401

    assert error.value.name == "no_such_package"
    assert str(error.value) == (
        "'no_such_package' is needed here and isn't installed.\n"
        "  Try: pip install 'tracelog[queue]'"
    )


def test_what_is_there_is_imported():
    """Nothing stands between the block and what it imports."""
    with extra("queue"):
        from json import dumps

    assert dumps({}) == "{}"


def test_other_errors_pass():
    """A package that is there, but broken, speaks for itself."""
    with pytest.raises(ZeroDivisionError), extra("queue"):
        1 / 0


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("arq", "arq"),
        ("celery", "celery"),
        ("ddtrace", "ddtrace.trace"),
        ("dramatiq", "dramatiq"),
        ("otel", "opentelemetry"),
        ("taskiq", "taskiq"),
    ],
)
def test_an_integration_names_its_extra(name, package, monkeypatch):
    """Whoever imports one without its library is told what to install."""
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"tracelog.{name}", raising=False)

    with pytest.raises(ImportError) as error:
        import_module(f"tracelog.{name}")

    assert str(error.value).endswith(f"pip install 'tracelog[{name}]'")
