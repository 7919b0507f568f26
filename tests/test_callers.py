"""The line of code that is logging."""

from __future__ import annotations

import linecache

from tracelog.callers import find_caller, stack_text


def test_the_line_that_asks_is_found():
    """Its file, its number, its function."""
    path, line, function = find_caller(1)

    assert (path, function) == (__file__, "test_the_line_that_asks_is_found")
    assert linecache.getline(path, line) == "    path, line, function = find_caller(1)\n"


def test_a_stacklevel_is_counted_from_there():
    """A function that logs for others names who called it."""

    def logs_for_others():
        return find_caller(2)

    assert logs_for_others()[2] == "test_a_stacklevel_is_counted_from_there"


def test_a_stacklevel_past_the_outermost_call_is_no_error():
    """There is no caller to name then, which is said."""
    assert find_caller(10_000) == ("(unknown file)", 0, "(unknown function)")


def test_a_stack_ends_at_the_line_that_asked():
    """The text is what `logging` writes: outermost call first, the asking line last."""
    text = stack_text(1)

    assert text.startswith("Stack (most recent call last):\n")
    assert text.endswith("text = stack_text(1)")
