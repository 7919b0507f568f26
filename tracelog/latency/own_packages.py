"""Installed packages that are the user's own: a service may be installed, by `pip install .`.

What came from a folder, an archive or a repository, and not from an index, says so (PEP 610).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


__all__ = ["own_packages"]

_BUILT_FROM_FOLDERS = "conda"  # as all of its packages are


def own_packages(folders: Iterable[str]) -> frozenset[str]:
    """Name the packages, and the modules beside them, that *folders* hold of the user's own."""
    return frozenset(name for folder in folders for name in _own(Path(folder)))


def _own(folder: Path) -> Iterator[str]:
    for origin in folder.glob("*.dist-info/direct_url.json"):
        with suppress(OSError, ValueError):  # it is being installed, or somebody else's
            installer = origin.with_name("INSTALLER").read_text("utf-8").strip()
            if installer != _BUILT_FROM_FOLDERS:
                for line in origin.with_name("RECORD").read_text("utf-8").splitlines():
                    yield line.partition(",")[0].partition("/")[0].removesuffix(".py")
