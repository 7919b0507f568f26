"""`Focus`: debugging of single users, switched on and off while the service runs."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from weakref import WeakSet, finalize, ref

from tracelog.errors import ConfigError
from tracelog.gate import Rule, let, read_rules
from tracelog.yamlfile import load


__all__ = ["Focus"]

_EVERY_S: Final = 1.0

_log = logging.getLogger("tracelog.internal")


class Focus(logging.Filter):
    """Lowers the level for some flows, on all loggers: for a user, a room, a connection.

    In YAML `"()": tracelog.Focus`. It refuses nothing: put it on a handler, and its rules apply to
    the whole process for as long as that handler is in use. Without a rule it costs nothing.

    Args:
        rules: Each a mapping of what the context has to show, and of a `level`, by default DEBUG.
            Texts may hold `*` and `?`.
        file: A YAML file with a list of more. It is looked at once a second, by a thread; if it
            isn't there, it has none. If it is broken, that is said once, and its last rules stay.

    Raises:
        ConfigError: If *rules* make no sense, or *file* is no path.

    >>> focus = Focus(rules=[{"user_id": "user-456", "level": "DEBUG"}])
    """

    idle = True  # `SinkHandler` needn't ask it

    def __init__(
        self,
        *,
        rules: Iterable[Mapping[str, Any]] = (),
        file: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__()
        self.check(file=file)
        self._rules = read_rules(rules, where="rules")
        self._of_file: tuple[Rule, ...] = ()
        self._file = None if file is None else Path(file)
        self._seen: object = None
        self._key = id(self)
        finalize(self, let, self._key)
        let(self._key, self._rules)
        if self._file is not None:
            # Its thread says what is wrong: the handlers that would aren't in use yet.
            self._look(report=False)
            _watched.add(self)
            _watch(self)

    @staticmethod
    def check(**options: Any) -> None:
        """Check the options, and do no more; the file may come later.

        Raises:
            ConfigError: If the rules make no sense, or the file is no path.
        """
        read_rules(options.get("rules", ()), where="rules")
        file = options.get("file")
        if file is not None and not isinstance(file, (str, os.PathLike)):
            text = f"expected the path of a file, got {file!r}"
            raise ConfigError("file", text, hint="file: focus.yaml")

    def filter(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 -- logging's signature
        """Refuse nothing: whoever made *record* has asked before."""
        return True

    def close(self) -> None:
        """Let its rules apply no more: its handler is out of use, but may be collected later."""
        self._file = None
        let(self._key)

    def look(self) -> None:
        """Read the file, if it has changed."""
        self._look(report=True)

    def _look(self, *, report: bool) -> None:
        seen = self._file and _state(self._file)
        if self._file is None or seen == self._seen:
            return

        before, self._seen = self._seen, seen
        try:
            drafts = None if seen is None else load(self._file).data
            self._of_file = read_rules(drafts, where=f"{self._file}")
        except ConfigError as error:
            if report:
                _log.warning("the rules of before stay: %s", str(error))
            else:
                self._seen = before
            return

        let(self._key, (*self._rules, *self._of_file))


def _state(file: Path) -> object:
    """Tell what is another when the file has changed; None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None

    return found.st_mtime_ns, found.st_size, found.st_ino


_watched: WeakSet[Focus] = WeakSet()


def _watch(focus: Focus) -> None:
    threading.Thread(target=_look, args=(ref(focus),), name="tracelog-focus", daemon=True).start()


def _look(focus: ref[Focus]) -> None:
    time.sleep(_EVERY_S)  # it has looked itself
    while _is_looked_at(focus):
        time.sleep(_EVERY_S)


def _is_looked_at(focus: ref[Focus]) -> bool:
    found = focus()
    if found is not None:
        found.look()
    return found is not None


def _watch_all() -> None:
    for focus in _watched:
        _watch(focus)


os.register_at_fork(after_in_child=_watch_all)  # threads stay behind
