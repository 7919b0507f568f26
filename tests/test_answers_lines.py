"""Lines as bytes."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest
import zstandard

from tracelog.answers import lines
from tracelog.answers.lines import head, is_cut_off, line_numbers, rewrite, tail
from tracelog.answers.shapes import DOCKER as DOCKER_FILE
from tracelog.answers.shapes import Shape
from tracelog.answers.sources import Source, Spool
from tracelog.errors import InputError


TEXT = b"one\n\n  \t\ntwo\nthree"
TWO_FRAMES = zstandard.compress(b"one\n\n  \t\n") + zstandard.compress(b"two\nthree")


def make_source(folder, packing="", content=TEXT):
    path = folder / f"app.log{packing}"
    path.write_bytes(content)
    return Source("app.log", str(path), packing)


@pytest.fixture
def spool():
    with Spool() as spool:
        yield spool


@pytest.fixture
def _no_zstd_in_python(monkeypatch):
    monkeypatch.setitem(sys.modules, "compression.zstd", None)


@pytest.mark.usefixtures("_no_zstd_in_python")
@pytest.mark.parametrize(
    ("packing", "content"),
    [("", TEXT), (".gz", gzip.compress(TEXT[:4]) + gzip.compress(TEXT[4:])), (".zst", TWO_FRAMES)],
    ids=["plain", "gz", "zst"],
)
def test_lines_are_numbered_as_an_editor_does(tmp_path, packing, content):
    """DuckDB skips blank lines and an editor doesn't; files that were appended to are read on."""
    source = make_source(tmp_path, packing, content)

    assert line_numbers(source, [1, 3]) == (1, 5)
    assert line_numbers(source, [2, 99]) == (4,)


@pytest.mark.parametrize("end", [b"\n", b""], ids=["ended", "cut off"])
def test_a_line_that_is_too_long_is_replaced(tmp_path, monkeypatch, end):
    """The others stay, byte for byte, and keep their numbers."""
    monkeypatch.setattr(lines, "LONGEST", 10)
    source = make_source(tmp_path, content=b"short\n123456789\n" + b"x" * 35 + end)

    with Spool() as spool:
        copy = rewrite(source, spool)

        assert copy.name == "app.log"
        text = Path(copy.path).read_bytes()
    assert text == b"short\n123456789\n(a line too long to read)\n"


def test_a_file_without_such_a_line_is_not_copied(tmp_path):
    """Shortening costs a copy only where it is needed."""
    source = make_source(tmp_path)

    with Spool() as spool:
        assert rewrite(source, spool) is source


def test_the_end_of_a_file_costs_no_reading_of_the_rest(tmp_path, monkeypatch):
    """The first line that is found may be half a line, so it is left out."""
    assert tail(make_source(tmp_path)) == [b"one", b"two", b"three"]

    monkeypatch.setattr(lines, "_TAIL", 8)

    assert tail(make_source(tmp_path)) == [b"three"]
    assert tail(make_source(tmp_path, content=b"x" * 99)) == []
    assert tail(make_source(tmp_path, ".gz")) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b'{"a": 1}\n{"b": ', True), (b'{"a": 1}\n', False), (b"{}\nx", False), (b"", False)],
    ids=["cut off", "ended", "something else", "empty"],
)
def test_a_line_that_is_being_written_is_known(tmp_path, content, expected):
    """Half an object at the end of a file is nobody's fault."""
    assert is_cut_off(make_source(tmp_path, content=content)) == expected


@pytest.mark.parametrize(
    ("packing", "content", "expected"),
    [
        ("", TEXT, [b"one", b"two", b"three"]),
        (".gz", gzip.compress(b"one\ntwo"), [b"one", b"two"]),
        (".gz", gzip.compress(b"one\ntwo")[:-9], [b"one", b"two"]),
        ("", b"x\n" * 99, [b"x"] * 20),
    ],
    ids=["plain", "gz", "damaged", "long"],
)
def test_a_few_lines_at_the_beginning(tmp_path, packing, content, expected):
    """As many as cost nothing; what there is of a file that is damaged."""
    assert head(make_source(tmp_path, packing, content)) == expected


@pytest.mark.usefixtures("_no_zstd_in_python")
def test_a_file_that_cannot_be_unpacked_has_no_beginning(tmp_path, monkeypatch):
    """The engine can read it all the same."""
    monkeypatch.setitem(sys.modules, "zstandard", None)

    assert head(make_source(tmp_path, ".zst", TWO_FRAMES)) == []


DOCKER = [
    b'{"log":"one\\n","stream":"stdout","time":"t"}',
    b'{"log":"\\n","stream":"stdout","time":"t"}',
    b'{"log":"tw","stream":"stdout","time":"t"}',
    b'{"log":"err\\n","stream":"stderr","time":"t"}',
    b'{"log":"o\\n","stream":"stdout","time":"t"}',
    b'{"log":"open","stream":"stdout","time":"t"}',
]


def test_what_is_wrapped_is_looked_at_unwrapped(tmp_path):
    """Beginnings, ends, and the numbers of lines are those of the lines within."""
    path = tmp_path / "docker.log"
    path.write_bytes(b"\n".join(DOCKER) + b"\n")
    source = Source("docker.log", str(path), shape=Shape(DOCKER_FILE))

    assert head(source) == [b"one", b"err", b"two"]
    assert tail(source) == [b"one", b"err", b"two"]
    assert line_numbers(source, [1, 2, 3]) == (1, 4, 5)


def test_lines_in_pieces_are_put_together_in_a_copy(tmp_path, spool):
    """Where the last piece was, so that numbers stay right; what has no end comes last."""
    path = tmp_path / "docker.log"
    path.write_bytes(b"\n".join(DOCKER) + b"\n")

    copy = rewrite(Source("docker.log", str(path), shape=Shape(DOCKER_FILE)), spool)

    assert (copy.name, copy.shape) == ("docker.log", Shape())
    assert Path(copy.path).read_bytes() == b"one\n\n\nerr\ntwo\n\nopen\n"


def test_pieces_that_are_too_long_together_are_a_line_too_long(tmp_path, spool, monkeypatch):
    """It is counted, as one that is too long by itself."""
    monkeypatch.setattr(lines, "LONGEST", 200)
    piece = b'{"log":"' + b"x" * 120 + b'","stream":"stdout","time":"t"}\n'
    path = tmp_path / "docker.log"
    path.write_bytes(piece * 3)

    copy = rewrite(Source("docker.log", str(path), shape=Shape(DOCKER_FILE)), spool)

    assert Path(copy.path).read_bytes() == b"\n\n\n(a line too long to read)\n"


def test_what_is_far_away_is_not_read_here():
    """DuckDB reads it; line by line, nobody does."""
    source = Source("s3://logs/app.log", "s3://logs/app.log")

    assert (tail(source), head(source), source.is_empty) == ([], [], False)
    with pytest.raises(InputError, match="a copy of it on this machine"):
        rewrite(source, None)
