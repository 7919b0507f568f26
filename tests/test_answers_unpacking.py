"""Sources as bytes, unpacked to their end, or as far as they go."""

from __future__ import annotations

import gzip
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard

from tracelog.answers.sources import Source, Spool
from tracelog.answers.unpacking import open_bytes, salvaged
from tracelog.errors import InputError


LINES = [random.Random(number).randbytes(2_000).hex().encode() + b"\n" for number in range(100)]
TEXT = b"".join(LINES)
GZ, ZST = gzip.compress(TEXT), zstandard.compress(TEXT)
HOLE = bytes(40)


@pytest.fixture
def make_source(tmp_path):
    def make(content, packing):
        path = tmp_path / f"app\n.log{packing}"
        path.write_bytes(content)
        return Source("app\n.log", str(path), packing)

    return make


@pytest.fixture
def spool():
    with Spool() as spool:
        yield spool


@pytest.mark.parametrize(
    ("packing", "content"),
    [
        (".gz", GZ[: len(GZ) // 2]),
        (".gz", GZ[: len(GZ) // 2] + HOLE + GZ[len(GZ) // 2 :]),
        (".gz", gzip.compress(TEXT[:200_000]) + GZ[:5]),
        (".zst", ZST[: len(ZST) // 2] + b"\xff" * len(ZST)),
    ],
    ids=["cut off", "a hole", "cut off in the second part", "zst"],
)
def test_a_damaged_file_is_read_as_far_as_it_goes(make_source, spool, capsys, packing, content):
    """What there is, to within a few lines, is a copy; where that ends is said, and said once."""
    source = make_source(content, packing)

    copy = salvaged(source, spool)

    with open_bytes(copy) as stream:
        found = stream.read()
    assert found[: len(TEXT) // 4] == TEXT[: len(TEXT) // 4]
    assert (copy.packing, copy.is_copy, copy.is_damaged) == ("", True, True)
    said = capsys.readouterr().err
    assert said.startswith(rf"app\n.log is damaged, and read up to its byte {len(found):,}, ")
    assert said.count("\n") == 1


def test_zeros_after_the_end_are_left_out(make_source, spool, capsys):
    """A host that died leaves them; DuckDB takes them for the beginning of another part."""
    copy = salvaged(make_source(GZ + HOLE, ".gz"), spool)

    with open_bytes(copy) as stream:
        assert stream.read() == TEXT
    assert (copy.is_copy, copy.is_damaged) == (True, False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("packing", "content"), [(".gz", GZ), (".zst", ZST), (".gz", b"\x1f"), ("", TEXT)]
)
def test_what_is_sound_stays_where_it_is(make_source, spool, packing, content):
    """And so does what only DuckDB can read."""
    source = (
        make_source(content, packing) if len(content) > 1 else Source("a", "s3://a/b.gz", packing)
    )

    assert salvaged(source, spool) is source


def test_what_cannot_be_opened_is_left_to_duckdb(make_source, spool):
    """It has an error of its own."""
    source = make_source(GZ, ".gz")
    Path(source.path).unlink()

    assert salvaged(source, spool) is source


def test_zstd_of_the_standard_library_comes_first(make_source, monkeypatch):
    """Since Python 3.14 no package is needed."""
    fake = SimpleNamespace(open=lambda path, mode: gzip.open(path, mode))
    monkeypatch.setitem(sys.modules, "compression.zstd", fake)

    with open_bytes(make_source(GZ, ".zst")) as stream:
        assert stream.read() == TEXT


def test_without_any_zstd_there_is_still_a_way_out(make_source, monkeypatch):
    """The sentence names the package and a pipe that needs none."""
    for module in ("compression.zstd", "zstandard"):
        monkeypatch.setitem(sys.modules, module, None)

    with pytest.raises(
        InputError, match=r"'zstandard'\n  Try: zstdcat 'app\n.log' \| tracelog late -"
    ):
        open_bytes(make_source(ZST, ".zst"))
