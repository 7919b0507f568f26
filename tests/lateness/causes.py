"""What can make somebody late, and how a verdict has to tell it."""

from __future__ import annotations

import re
from typing import NamedTuple


BLOCKING = "blocking call"
C_CALL = "C call that kept the GIL"
COLLECTOR = "garbage collection"
CPU = "CPU-bound"
NO_CPU = "short of CPU"
THREADS = "another thread kept the GIL"
NEED_CPU = {C_CALL, CPU, THREADS}


class Held(NamedTuple):
    """Somebody's step held the loop: a user's, or that of a task or a function without a trace."""

    by: str
    at: str
    kind: str

    def is_told_by(self, verdict, outcome):
        return any(
            is_kind(self.kind, entry["kind"], outcome)
            and is_at(self.at, entry["where"])
            and entry.get("trace_id") in outcome.traces.get(self.by, {None})
            and self.by in entry.get("user_id", entry.get("holder"))
            for entry in verdict.get("blocked_by", ())
        )

    @property
    def clause(self):
        return rf"loop held by .*{self.by}.* in .*{self.at} \(({self.kind}|{NO_CPU})\)"


class Fed(NamedTuple):
    """What somebody's client sent held the loop while it was read, before it was an utterance."""

    by: str
    at: str
    kind: str

    def is_told_by(self, verdict, outcome):
        return any(
            is_kind(self.kind, entry["kind"], outcome)
            and is_at(self.at, entry["where"])
            and entry.get("user_id") == self.by
            and entry["connection_id"] != verdict["connection_id"]
            and "what" not in entry
            for entry in verdict.get("blocked_by", ())
        )

    @property
    def clause(self):
        return rf"loop held by {self.by} in .*{self.at} \(({self.kind}|{NO_CPU})\)"


class Own(NamedTuple):
    """Its own code held the loop."""

    at: str
    kind: str
    by = None

    def is_told_by(self, verdict, outcome):
        return any(
            is_kind(self.kind, entry["kind"], outcome) and is_at(self.at, entry["where"])
            for entry in verdict.get("held", ())
        )

    @property
    def clause(self):
        return rf"its own code in .*{self.at} \(({self.kind}|{NO_CPU})\)"


class Awaited(NamedTuple):
    """It waited for something, until somebody let it go on."""

    what: str
    at: str
    by: str | None = None

    def is_told_by(self, verdict, outcome):
        return any(
            entry["what"] == self.what
            and is_at(self.at, entry["where"])
            and (
                entry.get("until", {}).get("trace_id") in outcome.traces[self.by]
                if self.by
                else True
            )
            and ("until" in entry) == bool(self.by)
            for entry in verdict.get("awaits", ())
        )

    @property
    def clause(self):
        until = f", until {self.by}'s .* let it go on" if self.by else ""
        return rf".* in .*{self.at}{until}"


class Sending(NamedTuple):
    """It waited for another client to take what it sent."""

    to: str
    at: str

    @property
    def by(self):
        return self.to

    def is_told_by(self, verdict, _outcome):
        return any(
            entry["what"] == "send"
            and is_at(self.at, entry["where"])
            and entry["to"]["user_id"] == self.to
            and "until" not in entry
            for entry in verdict.get("awaits", ())
        )

    @property
    def clause(self):
        return rf"{self.to}'s client was slow to take what was sent in .*{self.at}"


class Busy(NamedTuple):
    """Many short steps did, all of them somebody's."""

    by: tuple[str, ...]

    def is_told_by(self, verdict, outcome):
        traces = {trace for name in self.by for trace in outcome.traces[name]}
        busiest = verdict.get("busiest", ())
        return busiest and all(entry["trace_id"] in traces for entry in busiest)

    @property
    def clause(self):
        return (
            rf"the loop was busy with many short steps, most of them of ({'|'.join(self.by)})'s .*"
        )


class Behind(NamedTuple):
    """The utterance before it, in its own connection, had to end first."""

    number: int
    by = None

    def is_told_by(self, verdict, _outcome):
        return verdict.get("behind") == self.number

    @property
    def clause(self):
        return f"waiting for message {self.number} of the same connection"


class AnotherItem(NamedTuple):
    """The worker that was to take it was at others, of these users."""

    by: tuple[str, ...]

    def is_told_by(self, verdict, outcome):
        ahead = verdict.get("ahead", ())
        return (
            "behind" not in verdict
            and verdict["behind_ms"] > 0
            and {entry["user_id"] for entry in ahead} == {*self.by}
            and all(entry["trace_id"] in outcome.traces[entry["user_id"]] for entry in ahead)
        )

    @property
    def clause(self):
        items = " and ".join([rf"({'|'.join(self.by)})'s item"] * len(self.by))
        return f"waiting for its worker, which was at {items}"


class SlowClient(NamedTuple):
    """Its own client was slow to take what it was sent."""

    by = None

    def is_told_by(self, verdict, _outcome):
        return verdict["send_ms"] > 0

    @property
    def clause(self):
        return "the client was slow to take the reply"


class Unknown(NamedTuple):
    """Something that isn't seen: the time is told, and nobody is blamed."""

    by = None

    def is_told_by(self, verdict, _outcome):
        return not {"blocked_by", "busiest"} & verdict.keys()

    @property
    def clause(self):
        return "waiting for the event loop"


def is_kind(kind, told, outcome):
    """Who needs a CPU is short of it, too, on a machine that others are busy on."""
    return told == kind or (told == NO_CPU and outcome.short_of_cpu and kind in NEED_CPU)


def is_at(function, where):
    return re.fullmatch(rf"\S+\.py:\d+ {function}", where) is not None
