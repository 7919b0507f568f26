"""Lets the n-th call of a function of the system's fail, for n = 1, 2, 3 … until none has failed.

python nth_call.py <folder> write open …

In an interpreter of its own: what is replaced is so before tracelog is loaded, which may keep it
by a name of its own. Prints what went wrong, as JSON.
"""

from __future__ import annotations

import errno
import fcntl
import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path


# What may fail, and how: an error's number, or "short" for a write of but a half.
CALLS = {
    "write": ((os, "write"), (errno.EIO, errno.ENOSPC, errno.EAGAIN, errno.EPIPE, "short")),
    "open": ((os, "open"), (errno.EMFILE, errno.EACCES)),
    "replace": ((os, "replace"), (errno.EACCES, errno.EXDEV)),
    "stat": ((os, "stat"), (errno.EACCES, errno.ENOENT, errno.EIO)),
    "fstat": ((os, "fstat"), (errno.EIO,)),
    "dup2": ((os, "dup2"), (errno.EBADF, errno.EBUSY)),
    "close": ((os, "close"), (errno.EIO,)),
    "pread": ((os, "pread"), (errno.EIO,)),
    "fcntl": ((fcntl, "fcntl"), (errno.EINVAL,)),
    "flock": ((fcntl, "flock"), (errno.EAGAIN, errno.ENOLCK, errno.EIO)),
    "monotonic": ((time, "monotonic"), (errno.EINVAL,)),
    "time": ((time, "time"), (errno.EINVAL,)),
}
LINES = 9


class Call:
    """A function of the system's, of which one call fails, or every one from there on."""

    def __init__(self, function):
        self._function = function
        self.disarm()

    def arm(self, number, how, *, for_ever):
        self._left, self._how, self._for_ever = number, how, for_ever

    def disarm(self):
        self._left, self.has_failed = None, False

    def __call__(self, *args, **kwargs):
        if self._left is None:
            return self._function(*args, **kwargs)

        if self._how == errno.EAGAIN and self._waits(args):
            return self._function(*args, **kwargs)

        self._left -= 1
        if self._left > 0 or (self._left < 0 and not self._for_ever):
            return self._function(*args, **kwargs)

        self.has_failed = True
        if self._how == "short":
            return self._function(args[0], args[1][: len(args[1]) // 2])

        raise OSError(self._how, os.strerror(self._how))

    def _waits(self, args):
        """Tell whether this is a call for a lock that waits, or for its end: it can't have to."""
        return self._function.__name__ == "flock" and not args[1] & fcntl.LOCK_NB


def run(call, folder, number, how, *, for_ever):
    """Log and rotate while a call fails, then once more; give what is wrong, and whether it failed."""
    import tracelog

    folder.mkdir()
    tracelog.configure_logging(
        {
            "version": 1,
            "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
            "handlers": {
                "out": {
                    "class": "tracelog.RotatingFileHandler",
                    "filename": str(folder / "app.log"),
                    "maxBytes": 1500,
                    "backupCount": 6,
                    "formatter": "json",
                }
            },
            "root": {"level": "DEBUG", "handlers": ["out"]},
        },
        env_file=None,
    )
    gc.collect()  # or what they count would change meanwhile
    log, before, raised = tracelog.get_logger("app"), tracelog.delivery_stats().dropped, []
    call.arm(number, how, for_ever=for_ever)
    for i in range(LINES):
        try:
            # Some of them are too long for one write to a pipe, and for one file.
            log.info(f"line {i}", pad="x" * (5000 if i % 4 == 3 else 300))
        except Exception as error:
            raised.append(repr(error))
    failed = call.has_failed
    call.disarm()
    log.info("afterwards")
    whole = tracelog.flush(5)
    dropped = tracelog.delivery_stats().dropped - before
    return [*raised, *wrong(folder, dropped, whole=whole)], failed


def wrong(folder, dropped, *, whole):
    if not whole:
        yield "flush never ended"
    events = []
    for path in folder.glob("app.log*"):
        for line in path.read_bytes().splitlines():
            try:
                events.append(json.loads(line)["event"])
            except (ValueError, KeyError):
                yield f"torn: {line[:60]}"
    lines = [event for event in events if event.startswith("line ")]
    if len(lines) != len(set(lines)):
        yield "a line is there twice"
    if len(set(lines)) + dropped != LINES:
        yield f"{len(set(lines))} of {LINES} lines, {dropped} counted"
    if "afterwards" not in events:
        yield "nothing is written afterwards"


def try_all(call, hows, folder):
    """Let each call fail in each way; give what went wrong."""
    folder.mkdir()
    for how in hows:
        for for_ever in (False, True):
            number, failed = 0, True
            while failed:
                number += 1
                place = folder / f"{how}-{for_ever}-{number}"
                found, failed = run(call, place, number, how, for_ever=for_ever)
                if found:
                    since = "since" if for_ever else "at"
                    yield f"{errno.errorcode.get(how, how)} {since} call {number}: {'; '.join(found)}"


def main():
    folder, *names = sys.argv[1:]
    calls = {}
    for name in names:
        (module, attribute), _ = CALLS[name]
        calls[name] = Call(getattr(module, attribute))
        setattr(module, attribute, calls[name])
    importlib.import_module("tracelog.config")
    gc.freeze()  # what will be collected is the sinks of earlier runs
    found = {name: [*try_all(calls[name], CALLS[name][1], Path(folder, name))] for name in names}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
