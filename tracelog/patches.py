"""Methods of other people's classes: wrapped while that is wanted, and given back.

A class whose module isn't loaded yet is wrapped when it is. One that isn't what was expected, as
another version's may not be, is left alone, and that is said once.
"""

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Final, TypeAlias


__all__ = ["Patches", "Target", "Wrap"]

# Makes of a method what takes its place.
Wrap: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]

_ABSENT: Final = object()
_log = logging.getLogger("tracelog.internal")


@dataclass(frozen=True, slots=True)
class Target:
    """A class, and what becomes of its methods.

    Attributes:
        module: Where the class is.
        name: Its name there.
        required: The methods without which it isn't the class we know, and how many arguments
            each is called with.
        wraps: What to wrap, if it is there, and how.
    """

    module: str
    name: str
    required: Mapping[str, int]
    wraps: Mapping[str, Wrap]


class Patches:
    """The wrapped methods of *targets*, applied and undone together."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets = {target.module: target for target in targets}
        self._finder = _Finder(self._targets, self._patch)
        self._originals: list[tuple[type, str, Any, Any]] = []
        self._complained: set[str] = set()

    @property
    def applied(self) -> bool:
        """Whether they are in place, or will be once their modules are loaded."""
        return self._finder in sys.meta_path

    def apply(self) -> None:
        """Wrap what is loaded, and whatever is going to be; once."""
        if self.applied:
            return

        sys.meta_path.insert(0, self._finder)
        for name in self._targets:
            if name in sys.modules:
                self._patch(sys.modules[name])

    def undo(self) -> None:
        """Give every class its own methods back."""
        if self.applied:
            sys.meta_path.remove(self._finder)
        for cls, name, original, wrapped in self._originals:
            if vars(cls).get(name) is not wrapped:
                continue  # somebody has wrapped it since: it is theirs to give back
            if original is _ABSENT:
                delattr(cls, name)
            else:
                setattr(cls, name, original)
        self._originals.clear()

    def _patch(self, module: ModuleType) -> None:
        target = self._targets[module.__name__]
        cls: Any = getattr(module, target.name, None)
        strange = _strangeness(cls, target.required)
        if strange:
            self._complain(target, strange)
            return

        try:
            self._wrap(cls, target)
        except TypeError:  # a compiled class: we are within somebody's import
            self._complain(target, "can't be changed")

    def _wrap(self, cls: type, target: Target) -> None:
        for name, wrap in target.wraps.items():
            if callable(getattr(cls, name, None)):
                wrapped, original = wrap(getattr(cls, name)), vars(cls).get(name, _ABSENT)
                setattr(cls, name, wrapped)
                self._originals.append((cls, name, original, wrapped))

    def _complain(self, target: Target, strange: str) -> None:
        if target.module in self._complained:
            return

        self._complained.add(target.module)
        package = target.module.partition(".")[0]
        _log.warning(
            "%s %s: %s.%s %s; it is left alone, and its lines outside of tasks know no connection",
            *(package, _version(package), target.module, target.name, strange),
        )


def _strangeness(cls: Any, required: Mapping[str, int]) -> str:
    """Tell how *cls* differs from what was expected; empty if it doesn't."""
    if not isinstance(cls, type):
        return "isn't there"

    for name, count in required.items():
        method = getattr(cls, name, None)
        if not callable(method):
            return f"has no method {name}"
        try:
            inspect.signature(method).bind(*range(count + 1))  # and self
        except TypeError:
            return f"has a method {name} that takes other arguments"
        except ValueError:  # a compiled one, which doesn't tell
            continue

    return ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # asyncio
        return sys.version.partition(" ")[0]


class _Finder(MetaPathFinder):
    """Finds nothing of its own: it lets others find a module, and is told when it is loaded."""

    def __init__(self, names: Mapping[str, Any], loaded: Callable[[ModuleType], None]) -> None:
        self._names = names
        self._loaded = loaded
        self._looking: set[str] = set()

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        """Find the module as if we weren't there."""
        if fullname not in self._names or fullname in self._looking:
            return None

        self._looking.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._looking.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._loaded)
        return spec


class _Loader(Loader):
    """Another loader's steps, and one more at the end; the module keeps nothing of it."""

    def __init__(self, loader: Loader, loaded: Callable[[ModuleType], None]) -> None:
        self._loader = loader
        self._loaded = loaded

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)  # for who looks at a spec without loading it

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load the module."""
        spec: Any = module.__spec__
        module.__loader__ = spec.loader = self._loader
        self._loader.exec_module(module)
        self._loaded(module)
