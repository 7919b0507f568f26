"""`FloodFilter`: what one line of code may log in a second, so that a peer can't fill a disk."""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass
from typing import Any, Final, TypeAlias
from weakref import WeakSet, finalize, ref

from tracelog.errors import ConfigError
from tracelog.fields import LEFT_OUT_LINES, REPLAYED, WHERE
from tracelog.records import mark, site_of


__all__ = ["FloodFilter"]

_MOST_SITES: Final = 4096  # lines of code that log; those beyond share one limit
_MOST_SHOWN: Final = 10
_SECOND: Final = 1.0
_VERDICTS: Final = "tracelog.utterance"  # the answers count them; `keep` leaves out, and says so

# A file, a line in it, a level.
_Key: TypeAlias = tuple[str, int, int]

_log = logging.getLogger("tracelog.internal")


@dataclass(slots=True)
class _Site:
    """A line of code that logs at some level.

    Attributes:
        since: When the second began that is counted now.
        seen: How many records it has made in it.
        left_out: How many were left out since the last one that wasn't.
    """

    since: float
    seen: int = 0
    left_out: int = 0


class _Latest(threading.local):
    """What a thread asked last: the same filter may be on several handlers."""

    record: ref[logging.LogRecord] | None = None
    passes: bool = True


class FloodFilter(logging.Filter):
    """Limits how many lines one line of code may log in a second; the rest is counted.

    In YAML `"()": tracelog.FloodFilter`. Put it on handlers, for everybody's lines, or on a logger.
    A line that passes shows how many of its kind were left out before it, as `left_out_lines`; what
    is left out at last, a line says when the filter ends. Levels have a limit each.
    Verdicts, and what a flight recorder replays, pass.

    Args:
        first: How many lines a second pass at once.
        then: Of those after them, in the same second, each *then*-th passes.

    Raises:
        ConfigError: If one of these makes no sense.
    """

    halves = True  # of native events, `SinkHandler` asks it without completing them

    def __init__(self, *, first: int = 100, then: int = 100) -> None:
        super().__init__()
        for name, limit in (("first", first), ("then", then)):
            if type(limit) is not int or limit < 1:
                text = f"expected a whole number above 0, got {limit!r}"
                raise ConfigError(name, text, hint=f"leave it out, or {name}: 100")

        self._first = first
        self._then = then
        self._sites: dict[_Key, _Site] = {}
        self._latest = _Latest()
        self.unlock()
        self.close = finalize(self, _say, self._sites)
        _filters.add(self)

    @classmethod
    def check(cls, **options: Any) -> None:
        """Check the options, and do no more.

        Raises:
            ConfigError: If one of them makes no sense.
        """
        cls(**options)

    def unlock(self) -> None:
        """Forget who is counting: in the child of a fork, other threads are gone."""
        self._lock = threading.RLock()  # a signal handler may log, too

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether *record* is written."""
        if record.name == _VERDICTS or REPLAYED in record.__dict__:
            return True

        latest = self._latest
        if latest.record is None or latest.record() is not record:
            latest.passes = self._passes(record)
            latest.record = ref(record)
        return latest.passes

    def _passes(self, record: logging.LogRecord) -> bool:
        key = (*site_of(record), record.levelno)
        with self._lock:
            site = self._sites.get(key) or self._begin(key, record.created)
            if not 0 <= record.created - site.since < _SECOND:  # clocks are set back, too
                site.since, site.seen = record.created, 0
            site.seen += 1
            over = site.seen - self._first
            if over > 0 and over % self._then:
                site.left_out += 1
                return False

            left_out, site.left_out = site.left_out, 0
        if left_out:
            mark(record, {LEFT_OUT_LINES: left_out})
        return True

    def _begin(self, key: _Key, now: float) -> _Site:
        known = len(self._sites) < _MOST_SITES
        return self._sites.setdefault(key if known else ("(any other)", 0, 0), _Site(now))


def _say(sites: dict[_Key, _Site]) -> None:
    """Say what was left out and that no line has shown."""
    unsaid = {key: site.left_out for key, site in sites.items() if site.left_out}
    sites.clear()
    if unsaid:
        most = sorted(unsaid, key=unsaid.__getitem__, reverse=True)[:_MOST_SHOWN]
        where = ", ".join(f"{path}:{line}" for path, line, _ in most)
        fields = {LEFT_OUT_LINES: sum(unsaid.values()), WHERE: where}
        _log.warning("a flood has ended", extra=fields)


_filters: WeakSet[FloodFilter] = WeakSet()


def _unlock_all() -> None:
    for each in _filters:
        each.unlock()


os.register_at_fork(after_in_child=_unlock_all)
