"""The keys of a line."""

from __future__ import annotations

import inspect
import re

import pytest

from tracelog import fields


NAMES = [name for name in vars(fields) if name.isupper()]
# These are events, not keys, or a tuple of keys.
KEYS = [name for name in NAMES if name != "LEADING" and not name.startswith("EVENT_")]
SOURCE = inspect.getsource(fields)


def test_all_names_everything():
    """`__all__` is sorted and complete."""
    assert fields.__all__ == sorted([*NAMES, "name_beside"])


@pytest.mark.parametrize("name", NAMES)
def test_every_constant_is_documented(name):
    """A comment behind each key tells its reader what its values are."""
    assert re.search(rf"^{name}: Final = .+  # \S.{{5,}}$", SOURCE, re.MULTILINE)


@pytest.mark.parametrize("name", KEYS)
def test_a_constant_is_called_as_its_key(name):
    """Who knows the key knows the constant."""
    assert getattr(fields, name) == name.lower()


def test_no_key_is_named_twice():
    """Each key has one home."""
    assert len({getattr(fields, name) for name in KEYS}) == len(KEYS)


def test_every_line_leads_with_the_same_five():
    """The file format promises these, in this order."""
    assert fields.LEADING == ("timestamp", "level", "logger", "event", "trace_id")
