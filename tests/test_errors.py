"""The exception tree."""

from __future__ import annotations

import pytest

from tracelog import errors
from tracelog.errors import ConfigError, InputError, TraceparentError, TracelogError


def drawn(kind, indent=""):
    """Draw *kind* and what derives from it, as the module's docstring does."""
    children = sorted(kind.__subclasses__(), key=lambda child: child.__name__)
    for number, child in enumerate(children):
        last = number == len(children) - 1
        builtin = next(base for base in child.__mro__ if base.__module__ == "builtins")
        yield f"{indent}{'└' if last else '├'}── {child.__name__} ({builtin.__name__})"
        yield from drawn(child, indent + ("    " if last else "│   "))


def test_the_tree_in_the_docstring_is_the_tree():
    """The drawing names each class, under its parent, with the builtin it is, too."""
    lines = errors.__doc__.splitlines()

    tree = lines[lines.index("TracelogError") + 1 :]

    assert [line.partition(")")[0] + ")" for line in tree if line] == list(drawn(TracelogError))


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_of_the_tree(name):
    """Catching `TracelogError` catches everything of ours."""
    assert issubclass(getattr(errors, name), TracelogError)


def test_all_names_everything():
    """`__all__` is sorted and complete."""
    classes = [name for name, value in vars(errors).items() if isinstance(value, type)]

    assert errors.__all__ == sorted(classes)


def test_a_config_error_says_where_what_and_the_way_out():
    """The place is in the message, and kept for programs."""
    error = ConfigError("logging.yaml:12: root.level", "'LOUD' is no level", hint="INFO")

    assert str(error) == "logging.yaml:12: root.level: 'LOUD' is no level\n  Try: INFO"
    assert error.where == "logging.yaml:12: root.level"
    assert isinstance(error, ValueError)


def test_an_input_error_says_what_and_the_way_out():
    """A command's user reads the sentence, and what to type instead."""
    error = InputError("'soon' is no time", hint="10m")

    assert str(error) == "'soon' is no time\n  Try: 10m"
    assert isinstance(error, ValueError)


def test_a_traceparent_error_is_a_value_error():
    """Code that parses text expects ValueError."""
    assert issubclass(TraceparentError, ValueError)
