"""Whose a file is: Python's, an installed package's, or the user's own.

A service may be installed, too, by `pip install .`. What came from a folder, an archive or a
repository, and not from an index, says so (PEP 610).
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final


__all__ = ["is_users", "library_of", "own_packages"]

_BUILT_FROM_FOLDERS: Final = "conda"  # as all of its packages are
_FOLDERS: Final = frozenset({"site-packages", "dist-packages"})
# With a separator: a folder beside them may begin with the same name.
_STDLIB: Final = tuple({sysconfig.get_paths()[name] + os.sep for name in ("stdlib", "platstdlib")})


def own_packages(folders: Iterable[str]) -> frozenset[str]:
    """Name the packages, and the modules beside them, that *folders* hold of the user's own."""
    found = frozenset(name for folder in folders for name in _own(Path(folder)))
    return found - {"tracelog"}  # which may be installed from a checkout


def _own(folder: Path) -> Iterator[str]:
    for origin in folder.glob("*.dist-info/direct_url.json"):
        with suppress(OSError, ValueError):  # it is being installed, or somebody else's
            installer = origin.with_name("INSTALLER").read_text("utf-8").strip()
            if installer != _BUILT_FROM_FOLDERS:
                for line in origin.with_name("RECORD").read_text("utf-8").splitlines():
                    yield line.partition(",")[0].partition("/")[0].removesuffix(".py")


_OWN: Final = own_packages(each for each in sys.path if Path(each).name in _FOLDERS)


@lru_cache(4096)
def library_of(file: str) -> str | None:
    """Name the installed package that *file* is in, if it is in one that isn't the user's own."""
    name = _package_of(file)
    return None if name in _OWN else name


def is_users(file: str) -> bool:
    """Tell whether *file* is neither Python's nor an installed package's."""
    name = _package_of(file)
    if name is not None:  # without a virtual environment, packages lie in Python's own folder
        return name in _OWN

    return not file.startswith(("<", *_STDLIB))


def _package_of(file: str) -> str | None:
    parts = Path(file).parts
    for number, part in enumerate(parts[:-1]):
        if part in _FOLDERS:
            return parts[number + 1].removesuffix(".py")

    return None
