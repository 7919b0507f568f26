"""From when on an utterance is late, and which of them get a line."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self, TypedDict

from tracelog.errors import ConfigError
from tracelog.ids import TraceContext
from tracelog.matching import fits


__all__ = ["Policy", "PolicyOptions", "is_number"]

_LATE_MS: Final = "late_ms"
_HINT: Final = '[{"path": "/report/*", "late_ms": 2000}, {"user_id": "user-456", "late_ms": 50}]'
_LEVELS: Final = {"info": logging.INFO, "debug": logging.DEBUG, None: None}
_RANDOM_BITS: Final = 56  # of a trace id, from its end: W3C Trace Context Level 2


class PolicyOptions(TypedDict, total=False):
    """What `TraceMiddleware`, `tracelog.websockets.serve` and the others take, too.

    Attributes:
        late_ms: From how many milliseconds on, arrival to end, an utterance is late: its verdict
            is a warning then. 200 by default.
        budgets: Others for some: each a mapping of `late_ms`, and of what the verdict or the bound
            context has to show. Texts may hold `*` and `?`. The first that fits counts.
        still_ms: After how many milliseconds an utterance that hasn't ended gets a line about what
            it is doing; None for never. 5000 by default.
        on_time: The level of verdicts on time: "info", the default, "debug", or None for no line.
        keep: Which share of the verdicts on time is written, by trace: 1.0 is all of them. Late
            and failed ones always are.
    """

    late_ms: float
    budgets: Sequence[Mapping[str, Any]]
    still_ms: float | None
    on_time: Literal["info", "debug"] | None
    keep: float


@dataclass(frozen=True, slots=True)
class Policy:
    """`PolicyOptions`, checked."""

    late_ms: float = 200.0
    budgets: Sequence[Mapping[str, Any]] = ()
    still_ms: float | None = 5000.0
    on_time: int | None = logging.INFO
    keep: float = 1.0

    @classmethod
    def of(cls, options: PolicyOptions) -> Self:
        """Check *options*.

        Raises:
            ConfigError: If one of them makes no sense.
            TypeError: If there is no such option.
        """
        unknown = sorted(options.keys() - PolicyOptions.__optional_keys__)
        if unknown:  # else it would be told of a class that nobody has called
            known = ", ".join(sorted(PolicyOptions.__optional_keys__))
            raise TypeError(f"there is no option {unknown[0]!r}\n  Try: one of {known}")

        on_time: Any = options.get("on_time", "info")
        if on_time not in _LEVELS:
            text = f"expected 'info', 'debug' or None, got {on_time!r}"
            raise ConfigError("on_time", text, hint="on_time='debug'")

        _check_budgets(options.get("budgets", ()))
        late_ms, still_ms = options.get(_LATE_MS, 0), options.get("still_ms")
        if not is_number(late_ms):
            text = f"expected a number of milliseconds, got {late_ms!r}"
            raise ConfigError(_LATE_MS, text, hint="late_ms=200")

        if still_ms is not None and not is_number(still_ms):
            text = f"expected a number of milliseconds or None, got {still_ms!r}"
            raise ConfigError("still_ms", text, hint="still_ms=5000")

        keep = options.get("keep", 1.0)
        if not (is_number(keep) and 0 <= keep <= 1):
            text = f"expected a share from 0.0 to 1.0, got {keep!r}"
            raise ConfigError("keep", text, hint="keep=0.1 for one in ten")

        return cls(**{**options, "on_time": _LEVELS[on_time]})  # type: ignore[arg-type]

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Self:
        """Take what is ours out of *options*, and check it."""
        ours = {key: options.pop(key) for key in PolicyOptions.__optional_keys__ & options.keys()}
        return cls.of(ours)  # type: ignore[arg-type]

    def late_ms_of(self, *shown: Mapping[str, Any]) -> float:
        """Tell from when on an utterance is late whose context and verdict show all that."""
        fields = {key: value for fields in shown for key, value in fields.items()}
        for budget in self.budgets:
            if fits(fields, {key: value for key, value in budget.items() if key != _LATE_MS}):
                return float(budget[_LATE_MS])

        return self.late_ms

    def keeps(self, trace: TraceContext | None) -> bool:
        """Tell whether verdicts on time of *trace* are written: whole traces are, or aren't."""
        if trace is None or self.keep >= 1:
            return True

        drawn = int(trace.trace_id[-_RANDOM_BITS // 4 :], 16)
        return drawn < self.keep * (1 << _RANDOM_BITS)


def _check_budgets(budgets: Any) -> None:
    if not isinstance(budgets, Sequence):
        text = f"expected a list, got {budgets!r}"
        raise ConfigError("budgets", text, hint=f"budgets={_HINT}")

    for number, budget in enumerate(budgets):
        if not (isinstance(budget, Mapping) and is_number(budget.get(_LATE_MS))):
            text = f"{budget!r} has no late_ms, a number of milliseconds"
            raise ConfigError(f"budgets[{number}]", text, hint=f"budgets={_HINT}")


def is_number(value: Any) -> bool:
    """Tell whether *value* is a number, which True and False aren't."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
