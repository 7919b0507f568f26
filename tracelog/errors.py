"""Every exception that tracelog raises.

TracelogError
├── ConfigError (ValueError)         a logging configuration can't be used
├── InputError (ValueError)          the answering side can't use what it was given
└── TraceparentError (ValueError)    a `traceparent` header isn't one
"""

from __future__ import annotations


__all__ = ["ConfigError", "InputError", "TracelogError", "TraceparentError"]


class TracelogError(Exception):
    """The root of the tree: catch this to catch everything of ours."""


class ConfigError(TracelogError, ValueError):
    """The logging configuration can't be used; the one that was working still works.

    Attributes:
        where: File, line and dotted path of the offending key, as far as they are known,
            e.g. `logging.yaml:12: handlers.file.level`.
        problem: What is wrong.
        hint: The way out.
    """

    def __init__(self, where: str, problem: str, *, hint: str) -> None:
        super().__init__(f"{where}: {problem}\n  Try: {hint}")
        self.where, self.problem, self.hint = where, problem, hint


class InputError(TracelogError, ValueError):
    """A file, a time or a query that a command was given can't be used."""

    def __init__(self, problem: str, *, hint: str) -> None:
        super().__init__(f"{problem}\n  Try: {hint}")


class TraceparentError(TracelogError, ValueError):
    """The header isn't a W3C `traceparent`."""
