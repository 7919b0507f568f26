"""What the watchdog saw of a step that took long: where its thread was, and who had the CPU."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tracelog.latency.places import Place, places_of_frames
from tracelog.latency.usage import Usage, UsageReader, usages_of_others


__all__ = ["Sampler", "Seen"]

_MAX_SAMPLES: Final = 256
_STACK: Final = 8
_SOME: Final = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """A step that took long, as seen from outside.

    Attributes:
        places: Where it was most of the time, innermost first.
        samples: How often it was seen.
        over: Seconds that the shares are about; 0 if there are none.
        running: The share of them in which its thread ran on a CPU.
        queued: The share in which the thread could have run, but had no CPU.
        switches: How often a second the thread was given a CPU.
        rivals: What other threads had of a CPU, together, as a share of them.
        rival: The one that ran most since others were seen to run, and where that was, if one did.
    """

    places: list[Place]
    samples: int
    over: float = 0.0
    running: float = 0.0
    queued: float = 0.0
    switches: float = 0.0
    rivals: float = 0.0
    rival: str = ""

    @property
    def idle(self) -> float:
        """The share in which the thread had nothing to do with a CPU; 0 if that isn't known."""
        return 1 - self.running - self.queued if self.over else 0.0

    @property
    def stack(self) -> list[str]:
        """The innermost few places, as text."""
        return [str(place) for place in self.places[:_STACK]]


class Sampler:
    """Looks at one thread from another: `look` in the watchdog's, `seen` in the thread itself.

    Args:
        clock: In seconds.
        process_clock: What all threads have had of a CPU, in seconds.
        ident: The thread's identifier.
        native_id: The same, as the system names it.

    Attributes:
        ident: That identifier.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        process_clock: Callable[[], float] = time.process_time,
        ident: int | None = None,
        native_id: int | None = None,
    ) -> None:
        self._clock = clock
        self._process_clock = process_clock
        self.ident = threading.get_ident() if ident is None else ident
        self._usage = UsageReader(threading.get_native_id() if native_id is None else native_id)
        self._began = 0.0  # of the step that the samples are of
        self._stacks: list[tuple[Place, ...]] = []
        self._baseline = (clock(), process_clock(), self._usage.read())
        self._others: tuple[float, dict[threading.Thread, Usage]] = (0.0, {})
        self._rivals: dict[threading.Thread, Place | None] = {}

    def rest(self) -> None:
        """Note what the thread has had of the CPU so far: no step takes long."""
        self._baseline = (self._clock(), self._process_clock(), self._usage.read())

    def look(self, began: float, still: Callable[[], bool]) -> None:
        """Note where the thread is, in the step that *began* then, if that is *still* so."""
        if _has_sub_interpreters():
            return

        frames = sys._current_frames()  # noqa: SLF001 -- what it is for
        places = tuple(places_of_frames(frames.get(self.ident)))
        # Whatever calls the system lets the thread go on: only after the stack was taken.
        if not places or not still() or len(self._stacks) >= _MAX_SAMPLES:
            return

        is_first = began != self._began
        if is_first:
            self._stacks = []
            self._began = began
            self._rivals = {}
            self._others = (self._clock(), {})
        self._stacks.append(places)
        if not self._others[1] and self._has_rivals():
            self._others = (self._clock(), usages_of_others(self.ident))
        for thread in self._others[1]:
            if thread.ident in frames:
                stack = places_of_frames(frames[thread.ident])
                self._rivals[thread] = next((place for place in stack if place.is_users), None)

    def seen(self, began: float) -> Seen | None:
        """Tell what was seen of the step that *began* then, until now."""
        stacks = [*self._stacks]
        if began != self._began or not stacks:
            return None

        [(stack, _)] = Counter(stacks).most_common(1)
        now = self._clock()
        at, all_before, before = self._baseline
        after = self._usage.read()
        over = now - at
        if before is None or after is None or over <= 0:
            return Seen(list(stack), len(stacks))

        running = after.running - before.running
        return Seen(
            *(list(stack), len(stacks), over),
            running=running / over,
            queued=(after.queued - before.queued) / over,
            switches=(after.slices - before.slices) / over,
            rivals=(self._process_clock() - all_before - running) / over,
            rival=self._rival(now),
        )

    def _has_rivals(self) -> bool:
        """Tell whether other threads run, too; if not, there is no need to ask for each of them.

        Of forty idle ones, say: each gives up the GIL, and has to wait for the holder to have it
        back. The step would be over before the next look at it.
        """
        at, all_before, before = self._baseline
        after = self._usage.read()
        if before is None or after is None:
            return False

        ran = self._process_clock() - all_before - (after.running - before.running)
        return ran > _SOME * (self._clock() - at)

    def forget(self) -> None:
        """Forget the step: it is over. Threads that have ended since are not to be kept."""
        self._stacks = []
        self._rivals = {}
        self._others = (0.0, {})
        self.rest()  # the next one may be as long, and nobody has looked in between

    def _rival(self, now: float) -> str:
        """Tell which other thread has run most since the first sample, and where."""
        since, before = self._others
        after = usages_of_others(self.ident) if before and now > since else {}
        ran = {each: after[each].running - before[each].running for each in before if each in after}
        if not ran:
            return ""

        most = max(ran, key=lambda thread: ran[thread])
        place = self._rivals.get(most)
        return f"{most.name} at {place}" if place else most.name


def _has_sub_interpreters() -> bool:
    """Tell whether there are other interpreters: to look at their frames, too, ends the process.

    `sys._current_frames` can't be told to leave them out, nor do they wait for its GIL.
    """
    interpreters = sys.modules.get("_interpreters")  # since Python 3.13
    return interpreters is not None and len(interpreters.list_all()) > 1
