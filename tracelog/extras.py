"""What isn't installed, told by the name of the extra that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


__all__ = ["extra"]


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Import what the extra *name* has, in a `with` block.

    Raises:
        ImportError: If something isn't there; it says what to install.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{error.name!r} is needed here and isn't installed.\n"
            f"  Try: pip install 'tracelog[{name}]'",
            name=error.name,
        ) from error
