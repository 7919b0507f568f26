"""Files that lines go to."""

from __future__ import annotations

import errno
import fcntl
import os

import pytest

from tracelog.files import above_standard, end_torn_line, open_anew, open_log, replace_descriptor


@pytest.fixture
def opened():
    """Open, and close at the end."""
    descriptors = []

    def opened(path):
        descriptors.append(open_log(str(path)))
        return descriptors[-1]

    yield opened
    for descriptor in descriptors:
        os.close(descriptor)


def test_a_file_is_made_for_its_owner_and_group(opened, tmp_path):
    """0640, appended to, and closed in whatever program is started."""
    descriptor = opened(tmp_path / "app.log")

    assert os.stat(tmp_path / "app.log").st_mode & 0o777 == 0o640
    assert fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
    assert not os.get_inheritable(descriptor)


def test_a_file_that_cannot_be_opened_is_refused(opened, tmp_path):
    """As the system says it."""
    with pytest.raises(IsADirectoryError):
        opened(tmp_path)


def test_a_link_that_anyone_may_have_made_is_refused(opened, tmp_path):
    """In /tmp, say, it would lead our lines wherever its maker wants (CWE-59)."""
    tmp_path.chmod(0o777)
    (tmp_path / "app.log").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic link in a directory that anyone may write to") as e:
        opened(tmp_path / "app.log")

    assert e.value.errno == errno.ELOOP
    assert not (tmp_path / "elsewhere").exists()


def test_a_link_of_our_own_is_followed(opened, tmp_path):
    """/dev/stdout is one."""
    (tmp_path / "app.log").symlink_to(tmp_path / "elsewhere")

    opened(tmp_path / "app.log")

    assert (tmp_path / "elsewhere").exists()


def test_links_in_a_circle_are_refused(opened, tmp_path):
    """By the system; as there is nothing behind them, they are nobody's trap."""
    tmp_path.chmod(0o777)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").symlink_to("y")
    (tmp_path / "a" / "y").symlink_to("x")

    with pytest.raises(OSError, match="Too many levels"):
        opened(tmp_path / "a" / "x")


def test_a_file_in_no_directory_is_refused(opened, tmp_path):
    """As the system says it."""
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "none" / "app.log")


def test_a_closed_stdin_lends_its_number_to_nobody(tmp_path):
    """Nor do stdout and stderr: the next print would write between our lines."""
    kept = os.dup(0)
    file = os.open(tmp_path / "app.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(file, 0)

    moved = above_standard(0)
    os.dup2(kept, 0)

    assert moved > 2
    assert os.path.sameopenfile(moved, file)
    for descriptor in (kept, file, moved):
        os.close(descriptor)


def test_other_numbers_stay(tmp_path):
    """A descriptor that is nobody else's isn't moved."""
    descriptor = os.open(tmp_path, os.O_RDONLY)

    moved = above_standard(descriptor)
    os.close(moved)

    assert moved == descriptor


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("whole\n", "whole\n"), ("torn", "torn\n"), ("one\nto", "one\nto\n")],
    ids=["empty", "whole", "torn", "the last one is torn"],
)
def test_a_torn_line_is_ended(opened, tmp_path, before, after):
    """Whoever wrote it was killed; the next line begins a line."""
    path = tmp_path / "app.log"
    path.write_text(before)

    opened(path)

    assert path.read_text() == after


def test_a_torn_line_is_ended_once(opened, tmp_path):
    """Another process that is about to do so does it."""
    path = tmp_path / "app.log"
    path.write_text("torn")
    with path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        opened(path)

    assert path.read_text() == "torn"


def test_what_is_not_appended_to_has_no_torn_line(tmp_path):
    """Its next line isn't going to be at its end."""
    path = tmp_path / "app.log"
    path.write_text("torn")
    with path.open("r+b") as stream:
        end_torn_line(stream.fileno())

    assert path.read_text() == "torn"


def test_a_descriptor_may_be_opened_anew(tmp_path):
    """What it is open on, with flags of our own."""
    path = tmp_path / "app.log"
    path.write_text("hello")
    with path.open("ab") as stream:
        anew = open_anew(stream.fileno(), os.O_RDONLY)

    assert os.read(anew, 10) == b"hello"
    os.close(anew)


def test_a_descriptor_may_become_another(tmp_path):
    """Whoever is about to write to its number writes to the new file."""
    old, new = (os.open(tmp_path / name, os.O_WRONLY | os.O_CREAT) for name in ("old", "new"))

    replace_descriptor(old, new)
    os.write(old, b"hello")

    assert (tmp_path / "new").read_text() == "hello"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(new)
    os.close(old)
