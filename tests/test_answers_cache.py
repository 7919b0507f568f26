"""What a question found, kept for the next one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tracelog.answers.cache import Cache
from tracelog.answers.sources import Source
from tracelog.answers.views import LINES, UTTERANCES


NOW = 1_000_000.0


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache", worth=10, limit=100, now=lambda: NOW)


@pytest.fixture
def make_source(tmp_path):
    def make(name="a.log", size=10, age=60, **more):
        path = tmp_path / name
        path.write_bytes(b"x" * size)
        os.utime(path, (NOW - age, NOW - age))
        return Source(name, str(path), **more)

    return make


def keep(cache, path, content="kept"):
    cache.keep(path, lambda partial: partial.write_text(content))


def test_what_is_kept_is_found(cache, make_source):
    """Whole, in a folder that only the user can read, with nothing beside it."""
    (path,) = cache.paths([make_source()], UTTERANCES)
    assert not cache.found([path])

    keep(cache, path)

    assert cache.found([path])
    assert [*cache.folder.iterdir()] == [path]
    assert os.name == "nt" or cache.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("change", [{"size": 11}, {"age": 59}, {"name": "b.log"}])
def test_a_file_that_has_changed_is_another_one(cache, make_source, change):
    """By its path, its size, and the time at which it was written to."""
    before = cache.paths([make_source()], UTTERANCES)

    assert cache.paths([make_source(**change)], UTTERANCES) != before
    assert cache.paths([make_source()], LINES) != before
    assert cache.paths([make_source()], UTTERANCES) == before


def test_a_file_that_took_its_place_is_another_one(cache, make_source, tmp_path):
    """Rotation leaves the path, and may leave the size."""
    before = cache.paths([make_source()], UTTERANCES)
    make_source("other.log")
    (tmp_path / "other.log").replace(tmp_path / "a.log")

    assert cache.paths([Source("a.log", str(tmp_path / "a.log"))], UTTERANCES) != before


@pytest.mark.parametrize(
    ("source", "is_worth"),
    [
        ({}, True),
        ({"size": 9}, False),
        ({"size": 1, "packing": ".gz"}, True),
        ({"age": 1}, False),
        ({"is_copy": True}, False),
    ],
    ids=["large", "small", "packed", "written to", "a pipe"],
)
def test_only_what_is_large_and_at_rest_is_worth_it(cache, make_source, source, is_worth):
    """What is small is read in no time; what is being written changes again."""
    assert bool(cache.paths([make_source(**source)], UTTERANCES)) == is_worth


def test_several_small_files_are_large_together(cache, make_source):
    """All of them, or none."""
    sources = [make_source(name, size=5) for name in ("a.log", "b.log")]

    paths = cache.paths(sources, UTTERANCES)

    assert len(set(paths)) == 2
    keep(cache, paths[0])
    assert not cache.found(paths)
    assert not cache.found([])
    assert cache.paths([*sources, Source("gone", "gone")], UTTERANCES) == []
    assert cache.paths([], UTTERANCES) == []


def test_what_wasnt_used_for_longest_goes(cache):
    """Where there is too much; using it counts."""
    paths = [cache.folder / f"{name}.parquet" for name in "abc"]
    for number, path in enumerate(paths[:2]):
        keep(cache, path, "x" * 40)
        os.utime(path, (number, number))

    assert cache.found(paths[:1])
    keep(cache, paths[2], "x" * 40)

    assert {path.name for path in cache.folder.iterdir()} == {"a.parquet", "c.parquet"}


def test_what_was_left_half_done_goes(cache):
    """By a process that was killed; not what another one is about to finish."""
    cache.folder.mkdir()
    for name, age in (("old.1.partial", 9_999), ("new.2.partial", 1)):
        (cache.folder / name).touch()
        os.utime(cache.folder / name, (NOW - age, NOW - age))

    keep(cache, cache.folder / "a.parquet")

    assert {path.name for path in cache.folder.iterdir()} == {"a.parquet", "new.2.partial"}


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_fails_leaves_nothing(cache, error):
    """A full disk is no reason to fail."""

    def fail(partial):
        partial.touch()
        raise error

    try:
        cache.keep(cache.folder / "a.parquet", fail)
    except KeyboardInterrupt:
        assert error is KeyboardInterrupt

    assert [*cache.folder.iterdir()] == []


def test_where_nothing_can_be_kept_nothing_happens(tmp_path):
    """The folder's place is taken by a file."""
    (tmp_path / "cache").touch()
    cache = Cache(tmp_path / "cache")

    keep(cache, cache.folder / "a.parquet")
    cache.forget([cache.folder / "a.parquet"])

    assert not cache.found([cache.folder / "a.parquet"])


def test_it_lies_beside_the_users_other_caches(monkeypatch, tmp_path):
    """Where the desktop's standard says; if there is a home at all."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Cache.of_user().folder == tmp_path / "tracelog"

    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert Cache.of_user().folder == tmp_path / ".cache" / "tracelog"

    def homeless():
        raise RuntimeError

    monkeypatch.setattr(Path, "home", homeless)
    assert Cache.of_user() is None
