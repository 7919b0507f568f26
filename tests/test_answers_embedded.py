"""The embedded engine: a question in one pass."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
from datetime import UTC, datetime

import pytest
import zstandard

from tracelog.answers.cache import Cache
from tracelog.answers.duckdb_question import DuckDialect
from tracelog.answers.embedded import Embedded
from tracelog.answers.log import Log
from tracelog.answers.question import Lines, Question
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.views import DELAYS, LINES, UTTERANCES, VIEWS


WORDS = DuckDialect()


def verdict(total, user, minute=0, **fields):
    moment = f"2026-11-22T10:{minute:02}:00.000000Z"
    line = {"timestamp": moment, "event": "utterance", "total_ms": total, "user_id": user}
    return json.dumps({**line, **fields}) + "\n"


LOG = (
    '{"timestamp":"2026-11-22T09:59:00Z","event":"started"}\n'
    + verdict(20, "ann", 0)
    + verdict(300, "bob", 1, late=True)
    + "oops\n"
    + verdict(40, "ann", 3)
)


@pytest.fixture
def make_engine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Spool() as spool:

        def make(*contents, suffix=""):
            names = [f"{number}.log{suffix}" for number, _ in enumerate(contents)]
            for name, content in zip(names, contents, strict=True):
                data = content if isinstance(content, bytes) else content.encode()
                (tmp_path / name).write_bytes(data)
            return Embedded(Log(open_sources(names, spool, io.BytesIO()), spool))

        yield make


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gz"])
def test_the_times_of_the_first_and_the_last_line(make_engine, pack):
    """Of several files: the earliest beginning, the latest end."""
    later = '{"timestamp":"2026-11-23T00:00:00Z"}\n'
    engine = make_engine(pack(LOG.encode()), pack(later.encode()), b"")

    assert engine.start() == datetime(2026, 11, 22, 9, 59, tzinfo=UTC)
    assert engine.end() == datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    ["", "{}\n", "5\n", "broken\n", '{"timestamp":"infinity"}\n', '{"timestamp":"1969-01-01"}\n'],
    ids=repr,
)
def test_a_log_without_times_has_neither_beginning_nor_end(make_engine, content):
    """Then the whole of it was looked at."""
    engine = make_engine(content)

    assert engine.start() is None
    assert engine.end() is None


def test_broken_lines_are_found_in_the_order_of_the_files(make_engine):
    """At most three, and the half line at the end of a file that is being written by its name."""
    engine = make_engine('a\n{}\n{"x', "{}\n", "b\nc\nd\n")

    assert engine.broken(5) == ("0.log:1", "the last of 0.log", "2.log:1")


def test_a_line_that_is_being_written_needs_no_search(make_engine, monkeypatch):
    """It is the usual broken line, and the file is not read again for it."""
    engine = make_engine('{}\n{"x', "{}\n")
    monkeypatch.setattr(engine._log, "rows_of", None)

    assert engine.broken(1) == ("the last of 0.log",)


def test_the_half_line_of_one_file_is_not_taken_for_the_broken_one_of_another(make_engine):
    """Each is named once."""
    engine = make_engine('{}\n{"x', "b\n")

    assert engine.broken(2) == ("the last of 0.log", "1.log:1")


def test_a_packed_file_that_cannot_be_numbered_is_named_as_a_whole(make_engine, monkeypatch):
    """Without a package that unpacks it line by line."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)

    engine = make_engine(zstandard.compress(b"{}\nx\n"), suffix=".zst")

    assert engine.broken(1) == ("0.log.zst",)


def test_lines_have_a_length(make_engine):
    """In bytes."""
    question = Question(view=LINES, figures=("sum(bytes)",), conditions=("event = 'Zoë'",))

    assert make_engine('{"event":"Zoë"}\n').ask(question).groups == (((16,),),)


COUNTS = {
    view: Question(
        view=view, figures=("count(*)", "count(DISTINCT user_id)"), groups=((), ("late",))
    )
    for view in (UTTERANCES, DELAYS, LINES)
}
# Of each of its groups and sets, quantiles are of fewer rows than the rest.
SPREAD = Question(
    view=LINES,
    figures=("count(*)", WORDS.quantiles("total_ms", 0.5, 0.9), "sum(bytes)", "max(total_ms)"),
    groups=((), ("user_id",), ("late", "event")),
    conditions=("user_id IS NULL OR user_id <> $user",),
    parameters={"user": "bob"},
)


def found(engine, question):
    """Ask: groups come in any order."""
    answer = engine.ask(question)
    return [sorted(rows, key=repr) for rows in answer.groups], answer.tally


@pytest.fixture
def make_cached(tmp_path):
    cache = Cache(tmp_path / "cache", worth=1, now=lambda: 9e9)
    with Spool() as spool:

        def make(*contents):
            names = [f"{number}.log" for number, _ in enumerate(contents)]
            for name, content in zip(names, contents, strict=True):
                if not (tmp_path / name).exists():
                    (tmp_path / name).write_text(content)
            return Embedded(Log(open_sources(names, spool, io.BytesIO()), spool), cache)

        yield make


def keep(engine):
    engine.keep(VIEWS[name] for name in engine.worth_keeping)


@pytest.mark.parametrize(
    "question", [*COUNTS.values(), SPREAD], ids=["utterances", "delays", "lines", "quantiles"]
)
def test_a_second_question_has_the_same_answer(make_cached, tmp_path, question):
    """From what was kept: the lines aren't read again, and they are counted all the same."""
    more = verdict(500, "eve", late=True, held=[{"ms": 9, "where": "a.py:1 f"}])
    first = make_cached(LOG, more + "{", "")
    answer = found(first, question)
    keep(first)
    for name in ("0.log", "1.log"):
        path = tmp_path / name
        times = path.stat()
        path.write_bytes(b"?" * times.st_size)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    second = make_cached(LOG, more + "{", "")

    assert found(second, question) == answer
    keep(second)
    assert len([*(tmp_path / "cache").iterdir()]) == 2


def test_lines_come_from_what_was_kept(make_cached):
    """Those of utterances are kept whole, for whatever is asked of them."""
    question = Question(
        view=UTTERANCES,
        figures=(),
        conditions=(f"{WORDS.value('key')} = {WORDS.parameter('user')}",),
        parameters={"key": WORDS.key("user_id"), "user": "bob"},
        lines=Lines(1, "total_ms", ("user_id",)),
    )
    first = make_cached(LOG)
    answer = found(first, question)
    keep(first)

    assert found(make_cached(LOG), question) == answer
    assert answer[0] == [[([['"bob"']],)]]


def test_what_is_damaged_is_not_kept(make_cached, tmp_path):
    """An answer from the cache wouldn't say so."""
    (tmp_path / "0.log").write_bytes(gzip.compress(LOG.encode())[:-9])
    engine = make_cached("")

    engine.ask(COUNTS[LINES])

    assert engine.worth_keeping == ()


def test_what_isnt_kept_is_asked_of_the_log(make_cached, tmp_path):
    """Of all lines, the text isn't: it would be the log once more."""
    question = Question(
        view=LINES,
        figures=("count(*)",),
        conditions=(f"{WORDS.value('key')} = 'bob'",),
        parameters={"key": WORDS.key("user_id")},
    )
    engine = make_cached(LOG)
    found(engine, COUNTS[LINES])
    keep(engine)

    assert engine.ask(question).groups == (((1,),),)


def test_what_is_damaged_is_thrown_away(make_cached, tmp_path):
    """And kept anew."""
    first = make_cached(LOG)
    answer = found(first, COUNTS[UTTERANCES])
    keep(first)
    (path,) = (tmp_path / "cache").iterdir()
    good = path.stat().st_size
    path.write_bytes(b"PAR1")

    second = make_cached(LOG)
    assert found(second, COUNTS[UTTERANCES]) == answer
    assert not path.exists()
    keep(second)
    assert path.stat().st_size == good


def test_what_cant_be_read_isnt_kept(make_cached, tmp_path, monkeypatch):
    """Memory may be short for it, or the log be gone."""
    engine = make_cached(LOG)
    found(engine, COUNTS[UTTERANCES])
    with monkeypatch.context() as patched:
        patched.setattr(engine._log, "keep", lambda *_: engine._log.rows("SELECT nonsense"))
        keep(engine)
    assert [*(tmp_path / "cache").iterdir()] == []

    (tmp_path / "0.log").unlink()
    keep(engine)
    assert [*(tmp_path / "cache").iterdir()] == []


def test_only_what_is_missing_is_kept(make_cached, tmp_path):
    """Of several files, those that are kept already stay as they are."""
    first = make_cached(LOG, LOG + LOG)
    answer = found(first, COUNTS[UTTERANCES])
    keep(first)
    gone, left = sorted((tmp_path / "cache").iterdir())
    gone.unlink()
    left.chmod(0o400)

    second = make_cached(LOG, LOG + LOG)
    assert found(second, COUNTS[UTTERANCES]) == answer
    keep(second)

    assert gone.exists()
    assert left.stat().st_mode & 0o777 == 0o400
