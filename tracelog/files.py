"""Files that lines go to: opened so that nobody is led astray, and no line is glued to another."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from contextlib import suppress
from typing import Final


__all__ = ["above_standard", "end_torn_line", "open_anew", "open_log", "replace_descriptor"]

# Non-blocking: it may be a pipe, such as /dev/stdout.
_APPEND: Final = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK
_ALWAYS: Final = os.O_CLOEXEC | os.O_NOCTTY
_MODE: Final = 0o640  # its owner writes, its group reads
_STANDARD: Final = 2  # the last descriptor that programs take for granted


def open_log(path: str) -> int:
    """Open the file at *path* to append lines to; made if it isn't there.

    Raises:
        OSError: If it can't be opened, or is a symbolic link in a directory that anyone may write
            to: whoever put it there would choose the file.
    """
    flags = _APPEND | _ALWAYS
    if _is_anyones(os.path.dirname(path)):  # noqa: PTH120 -- Path costs more than the check
        flags |= os.O_NOFOLLOW
    try:
        descriptor = above_standard(os.open(path, flags, _MODE))
    except OSError as error:
        if error.errno != errno.ELOOP or not flags & os.O_NOFOLLOW:
            raise

        problem = "is a symbolic link in a directory that anyone may write to"
        raise OSError(errno.ELOOP, problem, path) from None

    end_torn_line(descriptor)
    return descriptor


def open_anew(descriptor: int, flags: int) -> int:
    """Open what *descriptor* is open on once more, with *flags* of our own.

    Raises:
        OSError: If it can't be: there is no /proc, or our rights have changed since.
    """
    return above_standard(os.open(f"/proc/self/fd/{descriptor}", flags | _ALWAYS))


def replace_descriptor(descriptor: int, new: int) -> None:
    """Let *descriptor* be what *new* is, for whoever is about to write to it; *new* is closed."""
    os.dup2(new, descriptor, inheritable=False)
    os.close(new)


def above_standard(descriptor: int) -> int:
    """Move *descriptor* off the numbers of stdin, stdout and stderr, which may have been closed.

    Else the next `print` would write between our lines.
    """
    if descriptor > _STANDARD:
        return descriptor

    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _STANDARD + 1)
    os.close(descriptor)
    return moved


def end_torn_line(descriptor: int) -> None:
    """End the last line of a file, if whoever wrote it was killed before its end."""
    with suppress(OSError):
        found = os.fstat(descriptor)
        appends = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
        if not stat.S_ISREG(found.st_mode) or not found.st_size or not appends:
            return

        reader = open_anew(descriptor, os.O_RDONLY)
        try:
            # Another process may be about to do the same.
            fcntl.flock(reader, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.pread(reader, 1, os.fstat(reader).st_size - 1) != b"\n":
                os.write(descriptor, b"\n")
        finally:
            os.close(reader)


def _is_anyones(directory: str) -> bool:
    try:
        return bool(os.stat(directory or ".").st_mode & stat.S_IWOTH)  # noqa: PTH116
    except OSError:
        return False  # to open the file says what is wrong
