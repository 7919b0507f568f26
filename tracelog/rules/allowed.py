"""Names that a file may use: it needn't be written by whoever writes the code.

A name that is refused isn't imported either.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Final

from tracelog.escapes import printable
from tracelog.rules.draft import SECTIONS, Draft, Entry, walk
from tracelog.rules.findings import Finding, KeyPath, clip, index, show
from tracelog.rules.names import Unresolved, locate


__all__ = ["refused_names"]

_PACKAGES: Final = ("logging", "pythonjsonlogger", "rich", "structlog", "tracelog")
_WITH_FUNCTIONS: Final = ("pythonjsonlogger", "structlog")  # those that process an event
# It has functions that import and call whatever they are told to.
_EXCEPT: Final = "logging.config"
_NAMES: Final = frozenset(
    {"datetime.time", "datetime.timezone.utc", "queue.Queue", "queue.SimpleQueue"}
    | {"sys.stderr", "sys.stdout"}
)
_EXT: Final = "ext://"
_CFG: Final = "cfg://"
_MADE: Final = "()"
_NAMED: Final = ("class", "listener", "queue")  # what dictConfig imports of a handler's texts


def refused_names(draft: Draft, allow: Collection[str]) -> Iterator[Finding]:
    """Find what a configuration names outside of the packages that it may use.

    Args:
        draft: The configuration.
        allow: What the application adds to them: packages, or single names.
    """
    checks: dict[tuple[object, bool], Finding | None] = {}
    for path, name, made in _names(draft):
        if (name, made) not in checks:
            checks[name, made] = _refused(name, made=made, allow=allow)
        found = checks[name, made]
        if found is not None:
            yield Finding(path, found.text, found.hint)


def _names(draft: Draft) -> Iterator[tuple[KeyPath, str, bool]]:
    """Go through the names; those that `ext://` and `()` write first, wherever they stand."""
    for path, value in walk(draft.data):
        key = path[-1] if path else ""
        if not isinstance(value, str):
            continue
        if key == _MADE:
            yield path, value.removeprefix(_EXT), True
        elif value.startswith(_EXT):
            yield path, value.removeprefix(_EXT), False
        elif key == "class" and value.startswith(_CFG):
            yield path, value, True
    # What `cfg://` leads to may be looked at now: whatever is imported on the way is allowed.
    for section in SECTIONS:
        for path, entry in draft.entries(section):
            yield from _names_of(path, entry)


def _names_of(path: KeyPath, entry: Entry) -> Iterator[tuple[KeyPath, str, bool]]:
    for key in _NAMED:
        value = entry.get(key)
        if isinstance(value, str):
            yield (*path, key), value, key == "class"
    processors = entry.get("processors")
    if isinstance(processors, (list, tuple)):
        for number, item in enumerate(processors):
            if isinstance(item, str):
                yield (*path, "processors", index(number)), item.removeprefix(_EXT), False


def _refused(name: str, *, made: bool, allow: Collection[str]) -> Finding | None:
    """Say why a *name* may not be used; *made* if it is going to be called."""
    if name.startswith(_CFG):
        return Finding((), f"{show(name)} hides what is made here", "write the name itself")

    if name in _NAMES or name in allow:
        return None

    own = _is_within(name, allow)
    if not own and not _is_stock(name):
        text = f"{show(name)} is outside of the packages that a file may name"
        return Finding((), text, _way_out(name))

    return _elsewhere(name, allow) or (None if own else _no_part(name, made=made))


def _elsewhere(name: str, allow: Collection[str]) -> Finding | None:
    """Refuse what only lies in an allowed module because that imports it, such as `app.os`."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        found = locate(".".join(parts[:end]))
        home = found.__name__ if isinstance(found, ModuleType) else None
        if home is not None and not (_is_within(home, allow) or _is_stock(home)):
            text = f"{show(name)} leads through {show(home)}, outside of what a file may name"
            return Finding((), text, _way_out(".".join([home, *parts[end:]])))

    return None


def _no_part(name: str, *, made: bool) -> Finding | None:
    """Refuse what isn't a part of a configuration, but a tool that lies beside them."""
    found = locate(name)
    if isinstance(found, Unresolved):
        return None  # other rules say what is missing

    home = str(getattr(found, "__module__", None)) if callable(found) else name
    if any(part.startswith("_") for part in name.split(".")) or not _is_stock(home):
        text = f"{show(name)} isn't public there: a file may not name it"
        return Finding((), text, _way_out(name))

    usable = isinstance(found, type) or not callable(found)
    if not usable and (made or not _is_within(home, _WITH_FUNCTIONS)):
        text = f"{show(name)} is a function: what a file may name there are classes and values"
        return Finding((), text, _way_out(name))

    return None


def _is_stock(name: str) -> bool:
    return _is_within(name, _PACKAGES) and not _is_within(name, (_EXCEPT,))


def _is_within(name: str, packages: Collection[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def _way_out(name: str) -> str:
    wanted = name if _is_within(name, _PACKAGES) else name.partition(".")[0]
    wanted = printable(clip(wanted))
    return f"LOG_CONFIG_ALLOW={wanted}, or configure_logging(allow=[{wanted!r}]), if it is trusted"
