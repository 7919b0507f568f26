"""What is fuzzed: each target takes any bytes, and raises if a promise is broken."""

from __future__ import annotations

import json
import logging
import math
import re
import struct

from tracelog import TraceContext, extract, extract_request_id
from tracelog.console import ConsoleFormatter
from tracelog.encode import MAX_LINE
from tracelog.errors import TraceparentError
from tracelog.json_formatter import JsonFormatter
from tracelog.redact import REDACTOR


LEADING = ["timestamp", "level", "logger", "event", "trace_id"]
# C0, DEL, C1, the controls of direction, and what some take for the end of a line.
RAW = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069\ufeff]")


class Source:
    """Reads values out of bytes, and shorter ones when they come to their end."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def number(self, below):
        return int.from_bytes(self.take(1), "big") % below

    def text(self):
        raw = self.take(self.number(64))
        if self.number(2):
            return raw.decode("utf-8", "replace")
        return raw.decode("utf-16-le", "surrogatepass" if len(raw) % 2 == 0 else "replace")

    def value(self, depth=0):
        kind = self.number(12 if depth < 40 else 8)
        if kind == 0:
            return self.text()
        if kind == 1:
            return int.from_bytes(self.take(self.number(20)), "big", signed=True)
        if kind == 2:
            return struct.unpack("d", self.take(8).ljust(8, b"\0"))[0]
        if kind == 3:
            return [None, True, False, math.nan, math.inf, 10**400, 1j, NotImplemented][
                self.number(8)
            ]
        if kind == 4:
            return self.take(self.number(64))
        if kind == 5:
            return Hostile(self.number(4))
        if kind == 6:
            return self.text() * (1 + self.number(256) * self.number(16))
        if kind == 7:
            return ValueError(self.text())
        if kind == 8:
            return [self.value(depth + 1) for _ in range(self.number(5))]
        if kind == 9:
            return {self.key(): self.value(depth + 1) for _ in range(self.number(5))}
        if kind == 10:
            return tuple(self.value(depth + 1) for _ in range(self.number(3)))
        ring = [self.value(depth + 1)]
        ring.append(ring)
        return ring

    def key(self):
        return [self.text(), self.number(9), None, True, *LEADING][self.number(9)]


class Hostile:
    """Its own code raises, or says what it shouldn't."""

    def __init__(self, how):
        self.how = how

    def __repr__(self):
        if self.how == 0:
            raise ValueError(self)
        if self.how == 1:
            return '\x1b[2J\n{"event": "forged"}'
        if self.how == 2:
            return 7
        return "\ud800" * 3

    __str__ = __repr__


def make_record(source):
    """Make a record of anything."""
    fields = {str(source.key()): source.value() for _ in range(source.number(6))}
    record = logging.LogRecord(source.text(), source.number(60), "a.py", 1, source.text(), (), None)
    if source.number(2):
        record.args = (source.value(),)
    if source.number(4) == 0:
        record.msg = source.value()
    if source.number(8) == 0:
        record.exc_info = (ValueError, ValueError(source.value()), None)
    for key, value in fields.items():
        if key not in record.__dict__:
            record.__dict__[key] = value
    return record


def no_constant(name):
    raise ValueError(f"{name} is not JSON")


def no_twins(pairs):
    told = dict(pairs)
    assert len(told) == len(pairs), "a key is there twice"
    return told


_json, _console = JsonFormatter(), ConsoleFormatter(colors=False)


def encode(data):
    """Any record is one line of strict JSON, bounded, our five keys first, nothing raw in it."""
    line = _json.encode(make_record(Source(data)))

    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert len(line) <= MAX_LINE
    text = line.decode()[:-1]
    assert RAW.search(text) is None
    told = json.loads(text, parse_constant=no_constant, object_pairs_hook=no_twins)
    assert list(told)[:5] == LEADING
    assert json.loads(json.dumps(told)) == told


def console(data):
    """Any record drives no terminal, and no data begins a line that looks like ours."""
    lines = _console.encode(make_record(Source(data)))
    text = (lines if isinstance(lines, bytes) else lines()).decode()

    assert text.endswith("\n")
    first, *rest = text[:-1].split("\n")
    assert not any(line and not line.startswith("    ") and line[:1].isdecimal() for line in rest)
    for line in (first, *rest):
        assert RAW.search(line) is None


def headers(data):
    """Whatever a client sends: nothing is raised, and no id taken over but a sound one."""
    source = Source(data)
    names = [b"traceparent", b"tracestate", b"x-request-id", b"X-Correlation-ID", b"baggage"]
    pairs = [(names[source.number(5)], source.take(source.number(128))) for _ in range(4)]

    for given in (pairs, {name.decode(): raw.decode("latin-1") for name, raw in pairs}):
        trace, request_id = extract(given), extract_request_id(given)
        if trace is not None:
            assert re.fullmatch("[0-9a-f]{32}", trace.trace_id)
            assert re.fullmatch("[0-9a-f]{16}", trace.span_id)
            assert TraceContext.parse(str(trace)).trace_id == trace.trace_id
        if request_id is not None:
            assert request_id.isascii()
            assert request_id.isprintable()
            assert len(request_id) <= 128
    try:
        TraceContext.parse(data.decode("latin-1"))
    except TraceparentError:
        pass


SECRETS = [
    ("Authorization: Bearer {}", "tok-0123456789abcdef"),
    ("postgresql://app:{}@db:5432/x", "p4ssw0rd"),
    ("GET /cb?access_token={}&x=1 HTTP/1.1", "tok-123456789"),
    ("key {}", "AKIAIOSFODNN7EXAMPLE"),
    ("paid with {}", "4111 1111 1111 1111"),
    ("{}", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"),
    ("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----", "MIIEvQIBADANBgkqhkiG"),
]


def redact(data):
    """A secret is gone wherever it stands, masking twice changes nothing, and nothing raises."""
    source = Source(data)
    pattern, secret = SECRETS[source.number(len(SECRETS))]
    before, after = source.text(), source.text()
    text = f"{before}\n{pattern.format(secret)}\n{after}"

    masked = REDACTOR.text(text)

    assert secret not in masked.replace(before, "").replace(after, "")
    assert REDACTOR.text(masked) == masked
    record = make_record(source)
    record.msg, record.args = text, ()
    record.__dict__["kept"] = {"headers": [["x", text]], "password": secret}
    line = _json.encode(record)
    if secret not in before + after:
        assert secret.encode() not in line.replace(before.encode("utf-8", "replace"), b"")


TARGETS = {"redact": redact, "encode": encode, "console": console, "headers": headers}
