"""The flight recorder: what an utterance said under its breath, written only if it went wrong.

A handler's filter keeps the records that are below its level, unformatted, on the ledger of the
utterance that they belong to. If that ends late or failed, they go through the handler after all;
if not, nothing is left of them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar
from weakref import ref

from tracelog.context import Context
from tracelog.delivery import report_loss
from tracelog.emit import nearest
from tracelog.errors import ConfigError
from tracelog.fields import LEFT_OUT_LINES, REPLAYED
from tracelog.gate import is_open
from tracelog.latency.clock import SYSTEM_CLOCK
from tracelog.latency.held import hold
from tracelog.latency.ledger import Ledger
from tracelog.latency.policy import Policy
from tracelog.records import context_of, mark
from tracelog.settings import level_number


__all__ = ["FlightRecorder", "land"]


class FlightRecorder(logging.Filter):
    """Keeps a handler's lower lines in memory; those of late and failed utterances are written.

    Put it on handlers, in YAML as `"()": tracelog.FlightRecorder`, and let loggers make what it is
    to keep, by `level: DEBUG`. What is written is marked as `replayed`, in order, with the times at
    which it was logged, before the verdict. Outside of utterances, lower lines are refused.

    Args:
        level: From which level on lines are written at once.
        records: How many lines of one utterance are kept, the latest.
        bytes: How large they are together, roughly: the memory that their values take.
        seconds: How old they are when it ends.
        keep: In which share of the traces lines are written at once; in all others, those below
            WARNING are kept, too. The share of `TraceMiddleware`'s `keep` takes the same traces.

    Raises:
        ConfigError: If one of these makes no sense.
    """

    # By whichever it was kept: a configuration may be replaced while an utterance is handled.
    _replaying: ClassVar[set[logging.LogRecord]] = set()

    halves = True  # of native events, `SinkHandler` asks it without completing them

    def __init__(
        self,
        *,
        level: int | str = logging.INFO,
        records: int = 200,
        bytes: int = 65_536,  # noqa: A002 -- the option's name
        seconds: float = 60.0,
        keep: float = 1.0,
    ) -> None:
        super().__init__()
        for name, limit in (("records", records), ("bytes", bytes), ("seconds", seconds)):
            if type(limit) not in (int, float) or limit <= 0:
                text = f"expected a number above 0, got {limit!r}"
                raise ConfigError(name, text, hint=f"leave it out, or {name}: 100")

        self.level = level_number(level, where="level")
        self.records = records
        self.bytes = bytes
        self.seconds = seconds
        self._policy = Policy.of({"keep": keep})
        self._at_once = max(self.level, logging.WARNING) if keep < 1 else self.level

    @classmethod
    def check(cls, **options: Any) -> None:
        """Check the options, and do no more.

        Raises:
            ConfigError: If one of them makes no sense.
        """
        cls(**options)

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether *record* is written now; if not, it may be kept."""
        level = record.levelno
        if level >= self._at_once or (self._replaying and record in self._replaying):
            return True

        context = context_of(record)
        if is_open(context, level):  # whoever debugs this flow wants to see it now
            return True

        ledger = context.ledger and context.ledger.root
        if ledger is None or not ledger.is_open:
            return level >= self.level

        flight = (ledger.flights or {}).get(self) or self._begin(ledger, context)
        if level >= self.level and flight.at_once:
            return True

        try:
            flight.add(record)
        except Exception as error:  # noqa: BLE001 -- values may be anything, and change meanwhile
            report_loss(error)
        return False

    def _begin(self, ledger: Ledger, context: Context) -> _Flight:
        if ledger.flights is None:
            ledger.flights = {}
        at_once = self._policy.keeps(context.trace)
        flight: _Flight = ledger.flights.setdefault(self, _Flight(self, at_once=at_once))
        return flight

    def replay(self, record: logging.LogRecord) -> None:
        """Let *record* go through the handlers that have this filter, as if it were new."""
        self._replaying.add(record)
        try:
            for handler in self._handlers(record.name):
                if record.levelno >= handler.level:
                    handler.handle(record)
        except Exception as error:  # noqa: BLE001 -- another filter or a formatter may raise anything
            report_loss(error)
        finally:
            self._replaying.discard(record)

    def _handlers(self, name: str) -> list[logging.Handler]:
        """Find the handlers that have this filter; if none has it any more, those with another."""
        recorded = [*_recorded_handlers(name)]
        return [each for each in recorded if self in each.filters] or recorded


def _recorded_handlers(name: str) -> Iterator[logging.Handler]:
    logger: logging.Logger | None = nearest(name)
    while logger is not None:
        for handler in logger.handlers:
            if any(isinstance(each, FlightRecorder) for each in handler.filters):
                yield handler
        logger = logger.parent if logger.propagate else None


class _Flight:
    """What one recorder keeps of one utterance.

    Attributes:
        at_once: Lines from the recorder's level on are written at once: its trace is one of that
            share.
    """

    __slots__ = ("_bytes", "_gone", "_latest", "_recorder", "_records", "at_once")

    def __init__(self, recorder: FlightRecorder, *, at_once: bool) -> None:
        self.at_once = at_once
        self._recorder = recorder
        self._records: deque[tuple[logging.LogRecord, int]] = deque()
        self._latest: ref[logging.LogRecord] | None = None
        self._bytes = 0
        self._gone = 0

    def add(self, record: logging.LogRecord) -> None:
        """Keep *record*, once: the same filter may be on several handlers."""
        if self._latest is not None and self._latest() is record:
            return

        self._latest = ref(record)
        held, size = hold(record)
        self._records.append((held, size))
        self._bytes += size
        self._forget(record.created)

    def land(self, *, write: bool) -> int:
        """Write what was kept, or don't; tell how many lines that leaves out."""
        if not write:
            level = self._recorder.level
            return sum(record.levelno >= level for record, _ in list(self._records))

        with suppress(IndexError):  # a thread that is still at work for it forgets some, too
            self._forget(SYSTEM_CLOCK.wall())
        for record, _ in list(self._records):
            gone, self._gone = self._gone, 0
            mark(record, {REPLAYED: True, **({LEFT_OUT_LINES: gone} if gone else {})})
            self._recorder.replay(record)
        return 0

    def _forget(self, now: float) -> None:
        limits, records = self._recorder, self._records
        while records and (
            len(records) > limits.records
            or self._bytes > limits.bytes
            or records[0][0].created < now - limits.seconds
        ):
            self._bytes -= records.popleft()[1]
            self._gone += 1


def land(ledger: Ledger, *, write: bool) -> int:
    """Write what was kept of an utterance that has ended, or forget it.

    Returns:
        How many lines that leaves out which would have been written in another trace.
    """
    # Others may hold the ledger: tasks that go on.
    flights, ledger.flights = ledger.flights or {}, None
    return sum(flight.land(write=write) for flight in flights.values())
