"""YAML files, read safely: plain values only, and the line of every key.

Stricter than `yaml.safe_load`: a key that is there twice is an error, not a surprise, and so is
whatever would cost more than a configuration is worth.
"""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

from tracelog.errors import ConfigError
from tracelog.escapes import printable
from tracelog.rules.draft import TOO_LARGE, is_too_large
from tracelog.rules.findings import KeyPath, clip, closest, dotted, index, show, step


__all__ = ["Document", "load", "parse", "read"]

_LARGEST_FILE: Final = 128 << 10  # bytes; PyYAML takes a second for that
_LONGEST_SCALAR: Final = 100  # of those that aren't texts: numbers can be slow to read
_MOST_LINES: Final = 20_000

_YAML: Final = "tag:yaml.org,2002:"
_MERGE: Final = f"{_YAML}merge"
_TEXTS: Final = frozenset({f"{_YAML}{tag}" for tag in ("str", "merge", "value")})
_SCALARS: Final = frozenset(
    {f"{_YAML}{tag}" for tag in ("binary", "bool", "float", "int", "null", "timestamp")}
)
_COLLECTIONS: Final = {"mapping": f"{_YAML}map", "sequence": f"{_YAML}seq"}

# What PyYAML says, and what a person does about it.
_WAYS_OUT: Final = (
    (r"'\\t'", "indent with spaces: a tab can't stand there"),
    (r"character '[%@`]'", 'quote it, such as format: "%(message)s"'),
    (
        r"undefined alias",
        "define it with & above its first use, or quote a text that begins with *",
    ),
    (r"single document", "one document a file: remove the line ---"),
    (r"expected ',' or", "close the bracket, or add the comma"),
    (r"mapping values", "indent keys of one mapping alike; quote a text that holds a colon"),
    (r"expected ':'", "write key: value, with a space after the colon"),
    (r"quoted scalar", "close the quotes"),
)

_INI: Final = re.compile(r"\s*(?:[#;].*\s+)*\[\w+\]\s*\n\s*\w+ *=")

# A mapping's keys, with the nodes of key and value.
_Pairs: TypeAlias = dict[Any, tuple[Any, Any]]
_OPEN: Final = object()


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML file says.

    Attributes:
        source: What the file is called in messages.
        data: Its content: mappings, lists and scalars. Aliases are the same object.
        lines: The line of every key and item, by dotted path.
    """

    source: str
    data: object
    lines: Mapping[str, int]


def load(path: str | os.PathLike[str]) -> Document:
    """Read the YAML file at *path*.

    Raises:
        ConfigError: If it can't be read, or isn't YAML that holds plain values.
    """
    return parse(read(path), source=os.fspath(path))


def read(path: str | os.PathLike[str]) -> str:
    """Read the text of the file at *path*.

    Raises:
        ConfigError: If it can't be read, isn't UTF-8, or is far too large.
    """
    source = printable(os.fspath(path))
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            source, f"can't be read: {printable(str(reason))}", hint=_way_in(path, error)
        ) from error

    if len(content) > _LARGEST_FILE:
        text = f"is larger than {_LARGEST_FILE >> 10} KiB, which no configuration is"
        raise ConfigError(source, text, hint="start from the file that `tracelog init` writes")

    return _decode(content, source)


def _way_in(path: str | os.PathLike[str], error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        neighbour = _neighbour(Path(path))
        return f"did you mean {neighbour}?" if neighbour else "`tracelog init` writes one"

    if isinstance(error, IsADirectoryError):
        return printable(str(Path(path) / "logging.yaml"))

    return "a file that this user may read"


def _neighbour(path: Path) -> str | None:
    """Find the file that was probably meant: logging.yml beside logging.yaml."""
    try:
        best = closest(path.name, [each.name for each in path.parent.iterdir()], cutoff=0.8)
    except OSError:
        return None

    return printable(str(path.with_name(best))) if best else None


def _decode(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = f"isn't UTF-8: byte 0x{content[error.start]:02x} in line {line}"
        raise ConfigError(f"{source}:{line}", text, hint="save the file as UTF-8") from error


def parse(text: str, *, source: str = "config") -> Document:
    """Read YAML *text*.

    Args:
        text: The YAML.
        source: What to call it in messages.

    Raises:
        ConfigError: If it isn't YAML that holds plain values.

    >>> document = parse("version: 1")
    >>> document.data, document.lines["version"]
    ({'version': 1}, 1)
    """
    import yaml  # noqa: PLC0415 -- 15 ms that only those pay who have a file

    source = printable(source)
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        tree = _Tree(source, loader.construct_object)
        data = None if node is None else tree.value(node)
    except RecursionError:
        hint = "a configuration is five levels deep"
        raise ConfigError(source, "is nested far too deeply", hint=hint) from None
    except yaml.YAMLError as error:
        _refuse(error, text, source)

    if is_too_large(data):  # a small text may be endless for whoever looks at it all
        problem, hint = TOO_LARGE
        raise ConfigError(source, problem, hint=hint)

    return Document(source, data, {} if node is None else tree.lines(node))


def _refuse(error: Any, text: str, source: str) -> NoReturn:
    """Raise what a YAML *error* says, in one sentence with the line in it."""
    mark = getattr(error, "problem_mark", None)
    before = text[: mark.index if mark else error.position]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    reason = getattr(error, "problem", None) or getattr(error, "reason", "")
    while_doing = getattr(error, "context", None)
    said = printable(f"{reason} ({while_doing})" if while_doing else f"{reason}")
    ini = _INI.match(text) and "this is an INI file; `tracelog init` writes the same as YAML"
    way_out = ini or next((hint for pattern, hint in _WAYS_OUT if re.search(pattern, said)), None)
    raise ConfigError(
        f"{source}:{line}",
        f"invalid YAML in line {line}, column {column}: {said}",
        hint=way_out or "compare this line and its indentation with those above it",
    ) from error


class _Tree:
    """Builds values of nodes, each once however many aliases lead to it."""

    def __init__(self, source: str, construct: Callable[[Any], object]) -> None:
        self._source = source
        self._construct = construct
        self._values: dict[int, Any] = {}
        self._pairs: dict[int, Any] = {}

    def value(self, node: Any) -> object:
        """Build the value of a *node*."""
        if node.id == "scalar":
            return self._scalar(node)

        if node.tag != _COLLECTIONS[node.id]:
            self._refuse_tag(node)

        build = self._mapping if node.id == "mapping" else self._sequence
        return self._once(self._values, node, build)

    def lines(self, root: Any) -> dict[str, int]:
        """Note the lines of what is under *root*: the upper levels first, should there be many."""
        found = {"": _line(root)}
        waiting: deque[tuple[KeyPath, Any]] = deque([((), root)])
        while waiting and len(found) < _MOST_LINES:
            path, node = waiting.popleft()
            for part, mark, child in self._children(node):
                found.setdefault(dotted((*path, part)), _line(mark))
                waiting.append(((*path, part), child))
        return found

    def _children(self, node: Any) -> Iterator[tuple[str, Any, Any]]:
        if node.id == "mapping":
            for key, (mark, child) in self._keys(node).items():
                yield step(key), mark, child
        elif node.id == "sequence":
            yield from ((index(at), child, child) for at, child in enumerate(node.value))

    def _once(self, memo: dict[int, Any], node: Any, build: Callable[[Any], Any]) -> Any:
        known = memo.get(id(node))
        if known is _OPEN:
            self._refuse(node, "an alias leads back to what it is in", "write the values out")
        if known is None:
            memo[id(node)] = _OPEN
            known = memo[id(node)] = build(node)
        return known

    def _mapping(self, node: Any) -> dict[Any, object]:
        return {key: self.value(child) for key, (_, child) in self._keys(node).items()}

    def _sequence(self, node: Any) -> list[object]:
        return [self.value(child) for child in node.value]

    def _keys(self, node: Any) -> _Pairs:
        pairs: _Pairs = self._once(self._pairs, node, self._read_keys)
        return pairs

    def _read_keys(self, node: Any) -> _Pairs:
        own: _Pairs = {}
        merged: _Pairs = {}
        for mark, child in node.value:
            if mark.tag == _MERGE:
                merged = {**self._merged(child), **merged}
                continue

            key = self._key(mark)
            if key in own:
                self._refuse_twice(key, own[key][0], mark)
            own[key] = (mark, child)
        return {**merged, **own}

    def _merged(self, node: Any) -> _Pairs:
        """Read what `<<` merges: a mapping, or a list of them whose first ones win."""
        if node.id == "mapping":
            return self._keys(node)

        found: _Pairs = {}
        for each in reversed(node.value) if node.id == "sequence" else [node]:
            if each.id != "mapping":
                self._refuse(each, "<< merges mappings only", "<<: *name_of_a_mapping")
            found.update(self._keys(each))
        return found

    def _key(self, node: Any) -> object:
        if node.id == "scalar":
            return self._scalar(node)

        return self._refuse(node, "a key is a text, not a list or a mapping", "key: value")

    def _scalar(self, node: Any) -> object:
        if node.tag in _TEXTS:
            return node.value

        if node.tag not in _SCALARS:
            self._refuse_tag(node)
        if len(node.value) > _LONGEST_SCALAR:
            self._refuse(node, f"a number of {len(node.value)} characters", "quote a text")
        try:
            return self._construct(node)
        except Exception:  # noqa: BLE001 -- PyYAML raises five kinds of errors here
            return self._refuse(node, f"can't read {show(node.value)} as a value", "quote it")

    def _refuse_tag(self, node: Any) -> NoReturn:
        tag = clip(printable(node.tag.replace(_YAML, "!!", 1)))
        text = f"the tag {tag} isn't allowed: a configuration holds plain values only"
        self._refuse(node, text, 'no tag; what builds an object is named under "()"')

    def _refuse_twice(self, key: object, first: Any, second: Any) -> NoReturn:
        text = f"the key {show(key)} is there twice, in lines {_line(first)} and {_line(second)}"
        self._refuse(second, text, "keep one of them")

    def _refuse(self, node: Any, problem: str, hint: str) -> NoReturn:
        raise ConfigError(f"{self._source}:{_line(node)}", problem, hint=hint)


def _line(node: Any) -> int:
    line: int = node.start_mark.line
    return line + 1
