"""Files that are opened so that nobody is led astray."""

from __future__ import annotations

import os
import stat

from laboratory import Broken, Fault


class _File(Fault):
    promise = 5
    anew = True
    sink = None


class FileIsPrivate(_File):
    """A log that is made can't be read by everybody, nor written by its group."""

    events = ("hello",)

    def act(self, child):
        before = os.umask(0)
        child.setup(str(child.path)).info("hello")
        os.umask(before)
        child.flush()
        child.note("mode", child.path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP))

    def judge(self, seen):
        if seen.note("mode"):
            raise Broken("leaks", f"mode {seen.note('mode'):o} too much")


class FileIsNoStdout(_File):
    """Where descriptor 1 is closed a log doesn't get its number: `print` writes into no log."""

    anew = False
    alone = True
    events = ("hello",)
    promise = 4

    def act(self, child):
        os.close(1)
        child.setup(str(child.path)).info("hello")
        child.flush()
        try:
            os.write(1, b"printed\n")
        except OSError:
            pass


class FileIsNoLink(_File):
    """A link that somebody has put where anyone may write isn't followed."""

    def act(self, child):
        anyones, precious = child.folder / "anyones", child.folder / "precious"
        anyones.mkdir()
        anyones.chmod(0o1777)
        precious.write_bytes(b"precious")
        (anyones / "app.log").symlink_to(precious)
        try:
            child.setup(str(anyones / "app.log")).info("into what is precious")
            child.flush()
        except Exception:
            child.note("refused")
        child.note("touched", precious.read_bytes() != b"precious")

    def judge(self, seen):
        if seen.note("touched"):
            raise Broken("forged", "the link was followed")
