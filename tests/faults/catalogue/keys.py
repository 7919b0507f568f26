"""Names of fields that collide, or are none."""

from __future__ import annotations

import gc
import re
import tracemalloc

from laboratory import Broken, Fault


# What people pass: attributes of a LogRecord, keys of structlog's, of the lines themselves.
TAKEN = (
    *("message", "msg", "name", "args", "event", "level", "levelname", "levelno", "created"),
    *("time", "timestamp", "asctime", "logger", "module", "filename", "pathname", "lineno"),
    *("process", "processName", "thread", "threadName", "taskName", "exception", "exc_info"),
    *("exc_text", "stack_info", "stack", "stacklevel", "extra", "record", "text", "trace_id"),
    *("span_id", "connection_id", "self", "function", "positional_args", "_record", "_logger"),
    *("_name", "_from_structlog", "__class__", "__dict__", "method_name", "event_dict"),
)


class TakenKeys(Fault):
    """A field that is named like something else's key raises nothing, and its value is in the line."""

    def act(self, child):
        for key in TAKEN:
            child.attempt(lambda key=key: child.log.info(f"taken {key}", **{key: "MINE"}))

    def judge(self, seen):
        lines = {
            key: [line for line in seen.lines if line.event == f"taken {key}"] for key in TAKEN
        }
        gone = [key for key in TAKEN if not lines[key]]
        seen.lost(len(gone), f"no line, or another event: {' '.join(gone)}")
        gone = [key for key in TAKEN if b"MINE" not in lines[key][0].raw]
        seen.lost(len(gone), f"no value: {' '.join(gone)}")


class ShadowedKeys(Fault):
    """The line's own level and time stay what they are, whatever fields say."""

    promise = 5

    def act(self, child):
        for key in ("level", "levelname", "timestamp", "asctime", "time"):
            child.attempt(lambda key=key: child.log.info("shadowed", **{key: "FORGED"}))

    def judge(self, seen):
        for line in seen.lines:
            if line.level != "info" or not re.search(rb"20\d\d-\d\d-\d\d[T ]\d\d:", line.raw):
                raise Broken("forged", line.raw[:200])


class StrangeKeys(Fault):
    """Keys of any text come out: empty, long, with quotes, line ends and emoji in them."""

    events = ("strange",)
    promise = 4

    def act(self, child):
        keys = ("", " ", "k" * 1000, 'quo"te', "line\nend", "\U0001f600", "a.b", "{}", "%s")
        child.log.info("strange", **dict.fromkeys(keys, 1))


class LongKey(Fault):
    """A key of a million characters is cut."""

    promise = 3
    events = ("long key",)

    def act(self, child):
        child.log.info("long key", **{"k" * 1_000_000: 1})

    def judge(self, seen):
        if len(seen.lines[0].raw) > 64 * 1024:
            raise Broken("grows", f"a line of {len(seen.lines[0].raw):,} bytes")


class ManyFields(Fault):
    """A record of a hundred thousand fields is cut to a line's bounds."""

    promise = 3
    events = ("many fields",)

    def act(self, child):
        child.log.info("many fields", **{f"k{i}": i for i in range(100_000)})

    judge = LongKey.judge


class LoggerNames(Fault):
    """A logger name for each connection costs no memory once its logger is gone."""

    promise = 3
    number = 3000

    def act(self, child):
        self.use(child, "warm", 10)
        tracemalloc.start()
        self.use(child, "connection", self.number)
        child.note("each", tracemalloc.get_traced_memory()[0] / self.number)
        tracemalloc.stop()

    def use(self, child, prefix, number):
        for i in range(number):
            child.stack.get_logger(f"{prefix}.{i}").info("hello")
        child.flush()
        gc.collect()

    def judge(self, seen):
        if seen.note("each") > 100:
            raise Broken("grows", f"{seen.note('each'):.0f} bytes stay for each name")
