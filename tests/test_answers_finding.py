"""Lines that hold some bytes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog.answers import finding
from tracelog.answers.finding import find, find_last, line_at, needles_of
from tracelog.answers.sources import Source
from tracelog.errors import InputError


LINES = [b'{"a":"one"}', b"", b'{"a":"two"}', b'{"a":"one two"}', b"no JSON, but two", b'{"b":2}']
TEXT = b"\n".join(LINES)


def make_source(folder, content=TEXT, packing=""):
    path = folder / f"app.log{packing}"
    path.write_bytes(content)
    return Source("app.log", str(path), packing)


def raws(hits):
    return [hit.entry.raw for hit in hits]


@pytest.mark.parametrize(
    ("packing", "content"),
    [
        ("", TEXT),
        (".gz", gzip.compress(TEXT[:20]) + gzip.compress(TEXT[20:])),
        (".zst", zstandard.compress(TEXT)),
    ],
    ids=["plain", "gz", "zst"],
)
def test_lines_are_found_whole_and_once(tmp_path, packing, content):
    """However a file is packed, and however often a line holds what is looked for."""
    found = [*find(make_source(tmp_path, content, packing), [b"two", b"one"])]

    assert raws(found) == [LINES[0], LINES[2], LINES[3], LINES[4]]
    assert [TEXT[hit.offset :].startswith(hit.entry.raw) for hit in found] == [True] * 4
    assert found[0].entry.event == {"a": "one"}


@pytest.mark.parametrize("chunk", [1, 3, 7, 1 << 20])
def test_it_does_not_matter_where_the_file_is_cut(tmp_path, monkeypatch, chunk):
    """A line may be in several pieces, and so may what is looked for."""
    monkeypatch.setattr(finding, "_CHUNK", chunk)

    found = raws(find(make_source(tmp_path), [b"two"]))

    assert found == [LINES[2], LINES[3], LINES[4]]


@settings(max_examples=30)
@given(st.integers(0, len(TEXT) + 5), st.integers(0, len(TEXT) + 5), st.sampled_from([4, 1 << 20]))
def test_a_part_of_a_file_has_the_lines_that_begin_in_it(tmp_path_factory, start, stop, chunk):
    """Parts that touch have each line once."""
    folder = tmp_path_factory.mktemp("part")
    expected = [
        line
        for line in dict.fromkeys(LINES)
        if b"two" in line and start <= TEXT.index(b"\n" + line) + 1 < stop
    ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "_CHUNK", chunk)
        found = raws(find(make_source(folder), [b"two"], start, stop))

    assert found == expected


def test_the_end_of_a_file_comes_first(tmp_path, monkeypatch):
    """What happened last is found without reading all that was before."""
    monkeypatch.setattr(finding, "_WINDOW", 32)

    pieces = [raws(hits) for hits in find_last(make_source(tmp_path), [b"two"])]

    assert pieces == [[LINES[4]], [LINES[2], LINES[3]], []]


def test_an_archive_has_no_end_to_begin_with(tmp_path):
    """It is read from its beginning, once."""
    source = make_source(tmp_path, gzip.compress(TEXT), ".gz")

    pieces = [raws(hits) for hits in find_last(source, [b"two"])]

    assert pieces == [[LINES[2], LINES[3], LINES[4]]]


def test_a_line_without_an_end_takes_no_memory(tmp_path, monkeypatch):
    """What is longer than a line may be is nobody's line; the next one is found all the same."""
    monkeypatch.setattr(finding, "_CHUNK", 8)
    monkeypatch.setattr(finding, "LONGEST", 16)
    source = make_source(tmp_path, b'{"two":"' + b"x" * 100 + b'"}\n{"a":"two"}\n')

    found = [hit.entry.raw for hit in find(source, [b"two"]) if hit.entry.event]

    assert found == [b'{"a":"two"}']


@pytest.mark.parametrize(
    ("number", "raw"), [(1, LINES[0] + b"\n"), (2, b"\n"), (6, LINES[5]), (7, None)]
)
def test_a_line_is_found_by_its_number(tmp_path, number, raw):
    """As an editor counts, blank ones too."""
    entry = line_at(make_source(tmp_path), number)

    assert (entry and entry.raw) == raw


@pytest.mark.parametrize("look", [lambda s: [*find(s, [b"x"])], lambda s: line_at(s, 999)])
def test_a_file_that_is_gone_has_a_way_out(tmp_path, look):
    """The sentence says why it can't be read."""
    source = make_source(tmp_path)
    Path(source.path).unlink()

    with pytest.raises(
        InputError, match=r"'app\.log' can't be read to its end: No such(.|\n)*ls -l"
    ):
        look(source)


def test_a_damaged_archive_is_searched_as_far_as_it_goes(tmp_path, capsys):
    """A log that is still being packed has no end."""
    source = make_source(tmp_path, gzip.compress(TEXT + b"\n")[:-9], ".gz")

    assert raws(find(source, [b'"b"'])) == [LINES[5]]
    assert line_at(source, 99) is None
    assert capsys.readouterr().err.startswith("app.log is damaged, and read up to its byte ")


@settings(max_examples=30)
@given(st.text(min_size=1), st.booleans())
def test_every_value_is_found_as_json_writes_it(text, is_ascii):
    """A caller's own trace id may be any text."""
    written = json.dumps({"trace_id": text + "!"}, ensure_ascii=is_ascii).encode(
        "utf-8", "surrogatepass" if is_ascii else "replace"
    )

    assert any(needle in written for needle in needles_of(text))
