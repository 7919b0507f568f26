"""Values that fight back when they are shown."""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import decimal
import enum
import gc
import ipaddress
import pathlib
import sys
import uuid
import weakref
from unittest import mock

from laboratory import Broken, Fault


MAX_LINE = 64 * 1024


class _Value(Fault):
    """One hostile value; its line comes out, once."""

    events = ("bad",)

    def act(self, child):
        child.log.info("bad", value=self.make())

    def judge(self, seen):
        if len(seen.lines) != 1:
            raise Broken("wrong", f"{len(seen.lines)} lines for one record")


class ReprRaises(_Value):
    """A value whose `repr` and `str` raise costs no more than that value."""

    def make(self):
        class Evil:
            def __repr__(self):
                raise ValueError("no repr for you")

            __str__ = __repr__

        return Evil()


class ReprNoText(_Value):
    """A value whose `repr` gives no text costs no more than that value."""

    def make(self):
        class Evil:
            def __repr__(self):
                return 42

            __str__ = __repr__

        return Evil()


class AttributesRaise(_Value):
    """A value of which every attribute raises costs no more than that value."""

    def make(self):
        class Evil:
            def __getattribute__(self, name):
                raise RuntimeError(name)

        return Evil()


class ClassLies(_Value):
    """A value that says it is a dict, and isn't, costs no more than that value."""

    def make(self):
        class Liar:
            __class__ = dict

            def __repr__(self):
                return "a liar"

        return Liar()


class MappingRaises(_Value):
    """A mapping that raises when it is read costs no more than that value."""

    def make(self):
        class Evil(dict):
            def items(self):
                raise KeyError("items")

            __iter__ = keys = values = items

        return Evil(a=1)


class EndlessMapping(_Value):
    """A mapping and a list without an end are cut."""

    promise = 3

    def make(self):
        class Endless(collections.abc.Mapping):
            def __iter__(self):
                number = 0
                while True:
                    yield f"key {number}"
                    number += 1

            def __getitem__(self, key):
                return 1

            def __len__(self):
                return sys.maxsize

        return Endless()


class DeadProxy(_Value):
    """A weak proxy of what is gone costs no more than that value."""

    def make(self):
        return weakref.proxy(Fault())


class TextSubclassRaises(_Value):
    """A text whose class raises on everything that texts can do comes out."""

    def make(self):
        class Evil(str):
            def __str__(self):
                raise ValueError("str")

            encode = isascii = __repr__ = __format__ = __len__ = __str__

        return Evil("text")


class HoldsItself(_Value):
    """What holds itself, a dict or a list, is cut and not followed."""

    def make(self):
        value = {"list": []}
        value["self"] = value
        value["list"].append(value["list"])
        return value


class DeepNesting(_Value):
    """A hundred thousand nested lists neither recurse nor crash."""

    def make(self):
        value = []
        for _ in range(100_000):
            value = [value]
        return value


class NoNumbers(_Value):
    """NaN and the infinities give strict JSON, at any depth and as a key."""

    promise = 4

    def make(self):
        nan, infinity = float("nan"), float("inf")
        return {"nan": nan, nan: 1, "deep": [{"infinity": infinity}, -infinity]}


class HugeNumber(_Value):
    """A number of 20,000 digits, which Python refuses to write, costs no more than that value."""

    def make(self):
        return 10**20_000


class LoneSurrogates(Fault):
    """A lone surrogate loses nothing: in a message, a value, a key."""

    promise = 4
    events = ("in a value", "in a key")

    def act(self, child):
        child.log.info("in a \ud800 message")
        child.log.info("in a value", value="\udcff\ud83d")
        child.log.info("in a key", **{"a\ud800": 1})

    def judge(self, seen):
        seen.lost(3 - len(seen.lines), "the message is gone")


class TwinKeys(_Value):
    """Nested keys that become the same text stay apart: no JSON object has twins."""

    promise = 4

    def make(self):
        return {1: "number", "1": "text", None: 0, "null": 1, True: 2, "true": 3}


class LongText(_Value):
    """A text of ten million characters is cut, and its line says so."""

    promise = 3

    def make(self):
        return "x" * 10_000_000

    def judge(self, seen):
        longest = len(seen.lines[0].raw)
        if longest > MAX_LINE:
            raise Broken("grows", f"a line of {longest:,} bytes")
        if b'"truncated":true' not in seen.lines[0].raw:
            raise Broken("wrong", "it was cut in silence")


class LongList(_Value):
    """A list of a million numbers is cut, and its line says so."""

    promise = 3

    def make(self):
        return [*range(1_000_000)]

    judge = LongText.judge


class Escapes(_Value):
    """A text that grows sixfold in JSON is bounded as it is written, not as it was given."""

    promise = 3

    def make(self):
        return "\x00" * 60_000

    judge = LongText.judge


class EverydayTypes(Fault):
    """Everyday types come out readable: dates, UUIDs, paths, bytes, dataclasses, enums, sets."""

    def values(self):
        @dataclasses.dataclass
        class Point:
            x: int = 4711

        class Colour(enum.Enum):
            RED = "red 4712"

        pair = collections.namedtuple("pair", "left")
        binary = b"\xff\xfe4713"
        return {
            "datetime": (datetime.datetime(2031, 1, 2, tzinfo=datetime.UTC), "2031"),
            "date": (datetime.date(2032, 1, 2), "2032"),
            "timedelta": (datetime.timedelta(seconds=4714), ("1:18:34", "4714")),
            "decimal": (decimal.Decimal("4715.10"), "4715.10"),
            "uuid": (uuid.UUID(int=4716), "0000126c"),
            "dataclass": (Point(), "4711"),
            "enum": (Colour.RED, ("red 4712", "RED")),
            "set": ({4717}, "4717"),
            "exception": (ValueError("oh 4718"), "oh 4718"),
            "path": (pathlib.PurePosixPath("/var/4719"), "/var/4719"),
            "bytes": (binary, (base64.urlsafe_b64encode(binary).decode(), "4713")),
            "range": (range(4720), "4720"),
            "generator": ((i for i in ()), "generator"),
            "namedtuple": (pair(4721), "4721"),
            "deque": (collections.deque([4722]), "4722"),
            "address": (ipaddress.ip_address("10.0.47.23"), "10.0.47.23"),
            "complex": (complex(4724, 1), "4724"),
            "type": (dict, "dict"),
            "mock": (mock.MagicMock(name="m4725"), "m4725"),
        }

    def act(self, child):
        for name, (value, _) in self.values().items():
            child.attempt(child.log.info, f"type {name}", value=value)

    def judge(self, seen):
        shown = {line.event: line.raw.decode() for line in seen.lines}
        for name, (_, wanted) in self.values().items():
            line = shown.get(f"type {name}")
            seen.lost(line is None, f"{name} is gone")
            if not any(text in line for text in ([wanted] if isinstance(wanted, str) else wanted)):
                raise Broken("wrong", f"{name} isn't to be seen: {line}")


class NoMessages(Fault):
    """A message that is no text is logged: None, bytes, a dict, a number, an exception, an object."""

    messages = (None, b"raw", {"a": 1}, 7, [1, 2], ValueError("boo"), "", object())

    def act(self, child):
        for message in self.messages:
            child.attempt(child.log.info, message)

    def judge(self, seen):
        missing = len(self.messages) - len(seen.lines)
        seen.lost(missing, f"{missing} of {len(self.messages)}")


class Snapshot(Fault):
    """A line shows its values as they were at the call, not as they are when it is written."""

    promise = 7
    events = tuple(f"snapshot {i}" for i in range(200))

    def act(self, child):
        for event in self.events:
            state = {"word": "then", "list": [1]}
            child.log.info(event, state=state)
            state["word"] = "LATER"
            state["list"].append("LATER")

    def judge(self, seen):
        if late := sum(b"LATER" in line.raw for line in seen.lines):
            raise Broken("wrong", f"{late} lines show what came later")


class ValueUntouched(Fault):
    """A value that was logged is neither changed nor kept alive, and a generator isn't consumed."""

    promise = 7
    events = ("failed", "next")

    def act(self, child):
        def work():
            value = Fault()
            payload = {"list": [1, 2], "value": value}
            numbers = (i for i in range(3))
            try:
                raise ValueError("with locals")
            except ValueError:
                child.log.exception("failed", payload=payload, numbers=numbers)
            untouched = [*payload] == ["list", "value"] and payload["list"] == [1, 2]
            child.note("untouched", untouched and [*numbers] == [0, 1, 2])
            return weakref.ref(value)

        reference = work()
        child.flush()
        child.log.info("next")
        child.flush()
        gc.collect()
        child.note("alive", reference() is not None)

    def judge(self, seen):
        if seen.note("alive"):
            raise Broken("grows", "the value is still alive")
        if not seen.note("untouched"):
            raise Broken("wrong", "the value isn't what it was")
