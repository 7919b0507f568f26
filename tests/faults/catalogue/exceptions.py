"""Exceptions that are hard to show."""

from __future__ import annotations

import sys
from contextlib import suppress

from laboratory import Broken, Fault


class _Exception(Fault):
    events = ("bad",)

    def act(self, child):
        try:
            self.fail()
        except Exception:
            child.log.exception("bad")


class ExceptionTextRaises(_Exception):
    """An exception whose `str` raises is logged."""

    def fail(self):
        class Evil(Exception):
            def __str__(self):
                raise RuntimeError("no text for you")

            __repr__ = __str__

        raise Evil


class CircularCauses(_Exception):
    """Causes that go in a circle come to an end."""

    def fail(self):
        first, second = ValueError("first"), ValueError("second")
        first.__cause__, second.__cause__ = second, first
        raise first


class ManyCauses(_Exception):
    """A chain of five thousand causes neither recurses nor fills more than a line."""

    promise = 3

    def fail(self):
        error = None
        for i in range(5000):
            following = ValueError(f"cause {i}")
            following.__cause__, error = error, following
        raise error

    def judge(self, seen):
        if len(seen.lines[0].raw) > 64 * 1024:
            raise Broken("grows", f"a line of {len(seen.lines[0].raw):,} bytes")


class DeepTraceback(_Exception):
    """The traceback of an endless recursion is cut to a line's bounds."""

    promise = 3

    def fail(self):
        self.fail()

    judge = ManyCauses.judge


class LongExceptionText(_Exception):
    """An exception with a text of ten million characters is cut to a line's bounds."""

    promise = 3

    def fail(self):
        raise ValueError("x" * 10_000_000)

    judge = ManyCauses.judge


class GroupMembers(_Exception):
    """Nested groups are shown with all their members."""

    def fail(self):
        inner = ExceptionGroup("inner", [TypeError("member two")])
        raise ExceptionGroup("outer", [ValueError("member one"), inner])

    def judge(self, seen):
        if gone := [text for text in ("member one", "member two") if text not in seen.text]:
            raise Broken("lost", f"not in the line: {gone}")


class HostileNotes(_Exception):
    """An exception whose notes are no texts, and not even a list, is logged."""

    def fail(self):
        error = ValueError("with notes")
        error.__notes__ = [1, object(), None]
        other = ValueError("with others")
        other.__notes__ = 7
        raise other from error


class SyntaxErrorOfNothing(_Exception):
    """A SyntaxError whose place makes no sense is logged."""

    def fail(self):
        raise SyntaxError("nowhere", (None, "x", object(), b"\xff", -1, None))


class OddExcInfo(Fault):
    """`exc_info` of any kind raises nothing: True outside of `except`, a class, a text, three Nones."""

    values = (True, ValueError, "yes", (None, None, None), ValueError("x"), 0, 1, [], object())
    events = tuple(f"exc_info {i}" for i in range(len(values)))

    def act(self, child):
        for number, value in enumerate(self.values):
            child.attempt(child.log.info, f"exc_info {number}", exc_info=value)
        child.attempt(child.log.exception, "nothing was raised")


class AtTheStacksEnd(Fault):
    """A call at the very end of the interpreter's stack raises nothing else, and logging goes on."""

    def act(self, child):
        def descend():
            try:
                descend()
            except RecursionError:
                with suppress(RecursionError):  # there may be no room for as much as the call
                    child.log.info("at the end")
                raise

        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(300)
        try:
            descend()
        except RecursionError:
            pass
        finally:
            sys.setrecursionlimit(limit)
        child.log.info("afterwards")

    def judge(self, seen):
        seen.lost("afterwards" not in seen.events, "nothing is logged any more", may_tell=False)
