"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from tracelog.answers.replacing import replacing
from tracelog.errors import InputError


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_what_was_there_stays_until_the_new_one_is_whole(tmp_path):
    """And nothing else is left beside it."""
    path = tmp_path / "a"
    path.write_text("old")

    with replacing(path, example="a") as partial:
        partial.write_text("new")
        assert path.read_text() == "old"

    assert contents(tmp_path) == {"a": "new"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_what_is_interrupted_leaves_nothing(tmp_path, error):
    """Whatever it was that came between."""
    path = tmp_path / "a"
    path.write_text("old")

    with pytest.raises(error), replacing(path, example="a") as partial:
        partial.write_text("ne")
        raise error

    assert contents(tmp_path) == {"a": "old"}


def test_a_link_stays_a_link(tmp_path):
    """What it points to is replaced."""
    (tmp_path / "link").symlink_to("real")

    with replacing(tmp_path / "link", example="a") as partial:
        partial.write_text("new")

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes")
def test_a_pipe_is_written_to(tmp_path):
    """It isn't replaced by a file."""
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()

    with replacing(tmp_path / "pipe", example="a") as partial:
        partial.write_text("new")

    reader.join()
    assert read == ["new"]


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        (".", r"'\.' is a directory\n  Try: -o a\.html"),
        ("no/b", r"'no/b' can't be written: No such file or directory\n  Try: -o /tmp/a\.html"),
    ],
)
def test_where_nothing_can_be_written_it_is_said(path, problem):
    """Before there is any work to lose."""
    with pytest.raises(InputError, match=problem), replacing(Path(path), example="a.html"):
        pytest.fail("there is work")
