"""The log of a fleet, an hour of it, with known truths: what the answers are held against.

    python tests/stories/fleet.py FOLDER [--lines N | --megabytes N] [--seed N]

A user's message comes to `gateway-1` over a WebSocket, goes on to `chat-1` or `chat-2`, and of one
in four a charge goes on to `billing-1`: one trace. Invoices are asked of `billing-1` directly. Each
host has a file. What is planted is at the same place whatever the size and the seed; the rest is on
time. The library's own formatter writes the lines, and its own words say the causes.
"""

from __future__ import annotations

import argparse
import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from typing import Any

from tracelog.context import Connection, Context
from tracelog.events import timestamp_of
from tracelog.formatters import JsonFormatter
from tracelog.ids import TraceContext
from tracelog.latency.cause import cause_of
from tracelog.latency.holds import BLOCKING, Hold, about_context
from tracelog.latency.ledger import Ledger
from tracelog.records import Event, is_bare


START = datetime(2026, 11, 22, 14, tzinfo=UTC).timestamp()
HOUR = 3600.0
LATE_MS = 200.0
GATEWAY, CHAT_1, CHAT_2, BILLING = HOSTS = ("gateway-1", "chat-1", "chat-2", "billing-1")
SKEW_S = {CHAT_2: -2.5}  # the clock of one host is slow
SENDING = {  # where each service waits for the next one
    "gateway": "gateway/forward.py:64 forward",
    "chat": "chat/payments.py:17 pay",
}
NOISY, TRACELESS = "chat.audit", "billing.cron"
CRON_LINES = 60
BROKEN = (
    b"Traceback (most recent call last):\n",
    b'{"timestamp":"2026-11-22T14:50:00.000000Z","level":"info","logg\n',
    b"\x1b[31mkilled\x1b[0m \xff\xfe\n",
)


def at(clock: str) -> float:
    """Read "14:12:07.25" as seconds since the epoch."""
    hours, minutes, seconds = clock.split(":")
    return START + (int(hours) - 14) * HOUR + int(minutes) * 60 + float(seconds)


# One user's blocking call, and the other user whom it hits.
HOLDER, VICTIM = "user-nils", "user-ada"
HELD_AT, HELD_MS, DELAYED_MS = at("14:12:07.25"), 1800.0, 1650.0
HELD_IN = "chat/export.py:88 render_pdf"
# Everybody wants the same lock, and each keeps it a while.
CONVOY_AT, CONVOY_IN = at("14:25:20"), "chat/rooms.py:52 join"
CONVOY = {f"user-join-{n:02}": 220.0 + 60 * n for n in range(12)}
# The bank is slow: billing waits for it, chat for billing, the gateway for chat.
BANK_AT, BANK_IN = at("14:33:10"), "billing/bank.py:31 authorise"
BANK = {f"user-card-{n}": 2400.0 + 100 * n for n in range(5)}
FAILED = "user-card-4"
# A deploy after which the code of one route takes longer, but not so long that anybody is late.
DEPLOY, DEPLOY_ROUTE, DEPLOY_MS = "14:30", "/invoice", 120.0
# Few threads, and all of them busy.
EXECUTOR_AT, EXECUTOR_IN = at("14:41:00"), "chat/images.py:23 thumbnail"
EXECUTOR_WHAT = "free thread for make_thumbnail"
EXECUTOR = {f"user-image-{n}": 300.0 + 50 * n for n in range(9)}

BOXES = ("socket_ms", "queue_ms", "loop_ms", "code_ms", "await_ms", "send_ms")
_REASONS = ("blocked_by", "held", "awaits")
_LINES_A_JOURNEY = 7.0
_LINES_A_MEGABYTE = 1_500
_LATEST_S = 10.0  # no journey takes longer: what is older can be written


@dataclass(frozen=True)
class Hop:
    """What one service does for a journey, in milliseconds, and why that took as long."""

    host: str
    method: str
    path: str
    code: float = 4.0
    loop: float = 1.0
    awaited: float = 0.0
    reasons: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    failed: bool = False


@dataclass
class Truths:
    """What is in the log, counted as it was written."""

    lines: Counter[str] = field(default_factory=Counter)  # by logger; broken ones are not in here
    size: Counter[str] = field(default_factory=Counter)
    traceless: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    by_user: Counter[str] = field(default_factory=Counter)  # all utterances
    late_by_user: Counter[str] = field(default_factory=Counter)
    late_by_route: Counter[str] = field(default_factory=Counter)
    late_by_minute: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    failed: int = 0
    traces: dict[str, str] = field(default_factory=dict)  # of the planted ones, by user

    @property
    def utterances(self) -> int:
        return sum(self.by_user.values())

    @property
    def late(self) -> int:
        return sum(self.late_by_user.values())


def write_fleet(folder: Path, *, lines: int = 20_000, seed: int = 20261122) -> Truths:
    """Write `HOSTS`' files, about that many lines in all, and tell what is in them."""
    return _Fleet(folder, Random(seed)).write(round(lines / _LINES_A_JOURNEY))


class _Fleet:
    def __init__(self, folder: Path, chance: Random) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.truths = Truths()
        self._folder = folder
        self._chance = chance
        self._formatter = JsonFormatter()
        self._waiting: list[tuple[float, int, str, bytes]] = []
        self._written: Counter[str] = Counter()
        self._made = 0
        self._pool = {host: Connection(f"c-{self._bits(32):08x}") for host in HOSTS}
        self._sockets: dict[str, Connection] = {}
        self._messages: Counter[str] = Counter()

    def write(self, journeys: int) -> Truths:
        self._plant()
        files = {host: (self._folder / f"{host}.jsonl").open("wb") for host in HOSTS}
        for number in range(journeys):
            began = START + HOUR * (number + self._chance.random()) / journeys
            self._flush(files, began - _LATEST_S)
            self._everyday(began)
        self._flush(files, START + 2 * HOUR)
        for file in files.values():
            file.close()
        return self.truths

    # What goes on all the time.

    def _everyday(self, began: float) -> None:
        chance = self._chance
        user = f"user-{chance.randrange(300):03}"
        if chance.random() < 0.2:
            slower = DEPLOY_MS if began >= at(f"{DEPLOY}:00") else 0.0
            code = 15 + 10 * chance.random() + slower
            self._journey(began, user, Hop(BILLING, "GET", DEPLOY_ROUTE, code))
            return

        held = HELD_AT - 1 < began < HELD_AT + 3  # who came then would have been hit, too
        host = CHAT_2 if held or chance.random() < 0.5 else CHAT_1
        path = chance.choices(("/messages", "/rooms/join", "/thumbnails"), (3, 1, 1))[0]
        hops = [self._hop(GATEWAY, "", "/ws"), self._hop(host, "POST", path)]
        if path == "/messages" and chance.random() < 0.4:
            hops.append(self._hop(BILLING, "POST", "/charge"))
        self._journey(began, user, *hops)

    def _hop(self, host: str, method: str, path: str) -> Hop:
        code, loop, awaited = (min(self._chance.expovariate(1 / 4), 15.0) for _ in range(3))
        return Hop(host, method, path, code, loop, awaited)

    # What is known.

    def _plant(self) -> None:
        self._plant_hold()
        before: Context | None = None
        for number, (user, ms) in enumerate(CONVOY.items()):
            wait = {"ms": ms, "what": "lock", "where": CONVOY_IN}
            wait |= {"until": about_context(before)} if before else {}
            join = Hop(CHAT_2, "POST", "/rooms/join", awaited=ms, reasons={"awaits": [wait]})
            before = self._planted(CONVOY_AT + number / 100, user, join)
        for user, ms in BANK.items():
            wait = {"ms": ms, "what": "network read", "where": BANK_IN}
            charge = Hop(BILLING, "POST", "/charge", awaited=ms, reasons={"awaits": [wait]})
            charge = replace(charge, failed=user == FAILED)
            self._planted(BANK_AT, user, Hop(CHAT_1, "POST", "/messages"), charge)
        for number, (user, ms) in enumerate(EXECUTOR.items()):
            wait = {"ms": ms, "what": EXECUTOR_WHAT, "where": EXECUTOR_IN}
            image = Hop(CHAT_1, "POST", "/thumbnails", awaited=ms, reasons={"awaits": [wait]})
            self._planted(EXECUTOR_AT + number / 100, user, image)
        nobody = Context.make(_bound(BILLING), None, None)
        for number in range(CRON_LINES):
            moment = START + number * HOUR / CRON_LINES
            self._line(BILLING, moment, TRACELESS, logging.INFO, "sweep done", {}, nobody)
        for number, line in enumerate(BROKEN):
            self._put(HOSTS[number], at("14:50:00") + number, line)

    def _plant_hold(self) -> None:
        own = [{"ms": HELD_MS, "where": HELD_IN, "kind": BLOCKING}]
        export = Hop(CHAT_1, "POST", "/export", HELD_MS + 4, reasons={"held": own})
        holder = self._planted(HELD_AT - 0.006, HOLDER, export)
        step = "task Task-88 export"
        hold = Hold(0.0, HELD_MS / 1000, HELD_AT, holder, step, HELD_IN, BLOCKING)
        blocked = [{"ms": DELAYED_MS, **hold.about()}]
        self._planted(
            HELD_AT + (HELD_MS - DELAYED_MS) / 1000,
            VICTIM,
            Hop(CHAT_1, "POST", "/messages", loop=DELAYED_MS, reasons={"blocked_by": blocked}),
        )
        ended = HELD_AT + HELD_MS / 1000
        fields = hold_fields(hold, delayed=1, delayed_ms=DELAYED_MS)
        self._line(CHAT_1, ended, "tracelog.hold", logging.WARNING, "loop held", fields, holder)

    def _planted(self, began: float, user: str, *hops: Hop) -> Context:
        """Send a journey through the gateway; what it was about behind that."""
        contexts = self._journey(began, user, Hop(GATEWAY, "", "/ws"), *hops)
        self.truths.traces[user] = str(contexts[0].fields["trace_id"])
        return contexts[1]

    # How it is written.

    def _journey(self, began: float, user: str, *hops: Hop) -> list[Context]:
        """Write what each hop says, the outermost first."""
        trace_id = f"{self._bits(128):032x}"
        contexts = [self._context(hop, user, trace_id) for hop in hops]
        inner = 0.0
        for depth in reversed(range(len(hops))):
            came = began + depth * 0.002
            if inner:
                self._call(came, hops[depth], contexts[depth], hops[depth + 1], inner)
            inner = self._handle(came, hops[depth], contexts[depth], inner)
        return contexts

    def _context(self, hop: Hop, user: str, trace_id: str) -> Context:
        connection = self._pool[hop.host]
        if not hop.method:
            connection = self._sockets.setdefault(user, Connection(f"c-{self._bits(32):08x}"))
        name = f"{hop.method} {hop.path}" if hop.method else "message"
        trace = TraceContext(trace_id, f"{self._bits(64):016x}")
        bound = {**_bound(hop.host), "user_id": user}
        return Context.make(bound, trace, connection, Ledger(0.0, name))

    def _call(self, came: float, hop: Hop, context: Context, next_hop: Hop, inner: float) -> None:
        """Write what `tracelog.httpx` says of a request to the next hop; a test compares."""
        trace = TraceContext(str(context.fields["trace_id"]), f"{self._bits(64):016x}")
        status = 500 if next_hop.failed else 200
        fields = call_fields(next_hop.method, next_hop.host, next_hop.path, status, inner + 1)
        context = Context.make(context.bound, trace, context.connection)
        ended = came + (inner + 2.5) / 1000
        self._line(hop.host, ended, "tracelog.httpx", logging.DEBUG, "call", fields, context)

    def _handle(self, came: float, hop: Hop, context: Context, inner: float) -> float:
        """Write what one hop says; tell how many milliseconds it took."""
        said, sent, service = f"{_bound(hop.host)['service']}.app", dict(hop.reasons), hop.host[:-2]
        waits = hop.awaited
        if inner:
            waits += inner + 1
            there = {"ms": round(inner + 1, 3), "what": "network read in httpx"}
            sent["awaits"] = [*sent.get("awaits", ()), {**there, "where": SENDING[service]}]
        boxes = dict(zip(BOXES, (0.2, 0.05, hop.loop, hop.code, waits, 0.15), strict=True))
        boxes = {box: round(ms, 3) for box, ms in boxes.items()}
        total = round(sum(boxes.values()), 3)
        ended = came + total / 1000
        status = 500 if hop.failed else 200
        about = {"path": hop.path}
        if hop.failed:
            self._line(hop.host, ended - 0.001, said, logging.ERROR, "charge failed", {}, context)
        else:
            size = {"size": round(total)}
            self._line(hop.host, ended - 0.001, said, logging.INFO, "handled", size, context)
        if service == "chat":
            entry = {"entry": "x" * 2_000}
            self._line(hop.host, ended - 0.001, NOISY, logging.INFO, "audited", entry, context)
        if hop.method:
            about = {"method": hop.method, **about, "status": status}
            access = {**about, "duration_ms": round(total - 0.25, 3), "client": "10.0.0.7:51784"}
            self.truths.requests += 1
            self._line(hop.host, ended, "tracelog.access", logging.INFO, "request", access, context)
        user = context.bound["user_id"]
        self._messages[user] += not hop.method
        number = 1 if hop.method else self._messages[user]
        came += SKEW_S.get(hop.host, 0.0)
        fields = verdict_fields(number, boxes, came, sent, about, failed=hop.failed)
        level = logging.WARNING if fields["late"] else logging.INFO
        self._line(hop.host, ended, "tracelog.utterance", level, "utterance", fields, context)
        self._count(user, hop, fields)
        return total

    def _count(self, user: str, hop: Hop, fields: dict[str, Any]) -> None:
        self.truths.by_user[user] += 1
        self.truths.failed += hop.failed
        if fields["late"]:
            self.truths.late_by_user[user] += 1
            self.truths.late_by_route[hop.path] += 1
            self.truths.late_by_minute[f"{fields['arrived_at'][:16]}Z"] += 1

    def _line(
        self,
        host: str,
        moment: float,
        logger: str,
        level: int,
        event: str,
        fields: dict[str, Any],
        context: Context,
    ) -> None:
        bare = (moment + SKEW_S.get(host, 0.0), logger, level, event, fields, context)
        formatter = self._formatter
        short = is_bare(event, fields, context)
        line = formatter.line_of(bare) if short else formatter.encode(Event.of(bare))
        self.truths.lines[logger] += 1
        self.truths.size[logger] += len(line) - 1
        self.truths.traceless[logger] += context.trace is None
        self._put(host, moment, line)

    def _put(self, host: str, moment: float, line: bytes) -> None:
        self._made += 1
        heappush(self._waiting, (moment, self._made, host, line))

    def _flush(self, files: dict[str, Any], until: float) -> None:
        while self._waiting and self._waiting[0][0] < until:
            _, _, host, line = heappop(self._waiting)
            files[host].write(line)
            self._written[host] += 1
            if line in BROKEN:
                self.truths.broken.append(f"{host}.jsonl:{self._written[host]}")

    def _bits(self, count: int) -> int:
        return self._chance.getrandbits(count) or 1


def verdict_fields(
    number: int,
    boxes: dict[str, float],
    came: float,
    reasons: dict[str, list[dict[str, Any]]],
    about: dict[str, Any],
    *,
    failed: bool,
) -> dict[str, Any]:
    """Write what `tracelog.latency.verdict` does; a test compares."""
    total = round(sum(boxes.values()), 3)
    fields: dict[str, Any] = {"utterance": number, "total_ms": total, **boxes}
    fields["late"] = total >= LATE_MS
    fields["kind"] = "http" if "method" in about else "websocket"
    fields["arrived_at"] = timestamp_of(came)
    fields |= {key: reasons[key] for key in _REASONS if key in reasons}
    cause = cause_of(fields) if fields["late"] else ""
    fields |= {"cause": cause} if cause else {}
    return {**fields, **about, **({"failed": True} if failed else {})}


def hold_fields(hold: Hold, *, delayed: int, delayed_ms: float) -> dict[str, Any]:
    """Write what `tracelog.latency.holds` does; a test compares."""
    return {
        "held_ms": round(hold.seconds * 1000, 3),
        "held_at": timestamp_of(hold.at),
        "where": hold.where,
        "kind": hold.kind,
        "holder": hold.step,
        "delayed": delayed,
        "delayed_ms": delayed_ms,
    }


def call_fields(method: str, host: str, path: str, status: int, ms: float) -> dict[str, Any]:
    """Write what `tracelog.calls` does; a test compares."""
    url = f"http://{host}:8000{path}"
    return {"method": method, "url": url, "status": status, "duration_ms": round(ms, 3)}


def _bound(host: str) -> dict[str, str]:
    return {"service": host.rpartition("-")[0], "host": host}


def main() -> None:
    """Write it where it was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--megabytes", type=int, help="in place of --lines")
    parser.add_argument("--seed", type=int, default=20261122)
    options = parser.parse_args()
    lines = options.lines
    if options.megabytes:
        lines = options.megabytes * _LINES_A_MEGABYTE
    truths = write_fleet(options.folder, lines=lines, seed=options.seed)
    size = sum(path.stat().st_size for path in options.folder.glob("*.jsonl"))
    written = sum(truths.lines.values()) + len(truths.broken)
    print(f"{written:,} lines, {size / 1e6:,.1f} MB, {truths.late} of {truths.utterances:,} late")


if __name__ == "__main__":
    main()
