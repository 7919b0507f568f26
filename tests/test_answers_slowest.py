"""The question `late` asks, and what it finds."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest
import zstandard
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.slowest import slowest
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.times import Moment
from tracelog.errors import InputError


def ask(*contents, names=("app.log", "b.log"), **question):
    """Write files, ask, and return the answer."""
    moments = {k: Moment.parse(v) for k, v in question.items() if k in ("since", "until")}
    with TemporaryDirectory() as folder, Spool() as spool:
        paths = [f"{folder}/{name}" for name in names[: len(contents)]]
        for path, content in zip(paths, contents, strict=True):
            Path(path).write_bytes(content if isinstance(content, bytes) else content.encode())
        engine = Embedded(Log(open_sources(paths, spool, io.BytesIO()), spool))
        asked = {k: question.pop(k) for k in ("top", "by") if k in question}
        answer = slowest(engine, Filters(**{**question, **moments}), **asked)
        tally = answer.tally
        places = engine.broken(tally.broken)
    return SimpleNamespace(
        rows=answer.rows,
        late=answer.late,
        lines=tally.lines,
        broken=tally.broken,
        utterances=tally.rows,
        matched=tally.matched,
        broken_at=tuple(place.replace(f"{folder}/", "") for place in places),
    )


def verdict(total, minute=0, **fields):
    """Write a verdict line."""
    moment = f"2026-11-22T10:{minute:02}:00.000000Z"
    line = {"timestamp": moment, "level": "info", "event": "utterance", "arrived_at": moment}
    return json.dumps({**line, "total_ms": total, **fields}) + "\n"


def users(answer):
    return [row.user_id for row in answer.rows]


LOG = (
    '{"timestamp":"2026-11-22T09:59:00Z","level":"info","event":"started"}\n'
    + verdict(20, 0, user_id="ann")
    + verdict(300, 1, user_id="bob", late=True)
    + verdict(40, 2, user_id="cid")
    + verdict(500, 3, user_id="bob", late=True)
    + '{"timestamp":"2026-11-22T10:13:00Z","level":"info","event":"stopped"}\n'
)


def test_the_slowest_come_first():
    """One pass counts everything and keeps what is shown."""
    answer = ask(LOG)

    assert [(row.user_id, row.total_ms, row.late) for row in answer.rows] == [
        ("bob", 500.0, True),
        ("bob", 300.0, True),
        ("cid", 40.0, False),
        ("ann", 20.0, False),
    ]
    assert (answer.lines, answer.broken, answer.utterances) == (6, 0, 4)
    assert (answer.matched, answer.late, answer.broken_at) == (4, 2, ())


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"top": 1}, ["bob"]),
        ({"over": 40.0}, ["bob", "bob"]),
        ({"over": 39.9, "top": 3}, ["bob", "bob", "cid"]),
        ({"user": "ann"}, ["ann"]),
        ({"user": "' OR true --"}, []),
        ({"where": (("late", "true"), ("user_id", "bob"))}, ["bob", "bob"]),
        ({"where": (("late", "' OR true --"),)}, []),
        ({"where": (("' OR true --", "x"),)}, []),
        ({"since": "10:02"}, ["bob", "cid"]),
        ({"until": "2026-11-22T12:01:00+02:00"}, ["bob", "ann"]),
        ({"since": "11m", "until": "10:02"}, ["cid"]),
        ({"since": "2026-11-22 10:01", "until": "2026-11-22 10:01"}, ["bob"]),
        ({"since": "13:00"}, ["bob", "bob", "cid", "ann"]),
    ],
    ids=str,
)
def test_a_question_leaves_out_what_it_does_not_ask_for(question, expected):
    """Times count back from the log's last line, whatever that line is."""
    answer = ask(LOG, **question)

    assert users(answer) == expected
    assert answer.utterances == 4


BOXES = (
    verdict(90, 1, user_id="zoe", socket_ms=10, queue_ms=30, loop_ms=50)
    + verdict(60, 3, user_id="ann", socket_ms=60, loop_ms="0.5")
    + verdict(70, 2, user_id="kim", await_ms=70)
    + verdict(5, 4, user_id="bob", code_ms=2, send_ms=3)
)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        ("total", ["zoe", "kim"]),
        ("time", ["zoe", "kim"]),
        ("user", ["kim", "zoe"]),
        ("waited", ["ann", "zoe"]),
        ("loop", ["zoe", "ann"]),
        ("socket", ["ann", "zoe"]),
        ("queue", ["zoe"]),
        ("await", ["kim"]),
        ("code", ["bob"]),
        ("send", ["bob"]),
    ],
)
def test_what_is_sorted_by_chooses_what_is_shown(by, expected):
    """A box does so; time and user only order the slowest."""
    assert users(ask(BOXES, by=by, top=2)) == expected


def test_several_files_are_one_log():
    """Each file's slowest are merged, and so are the counts."""
    answer = ask(LOG, verdict(400, user_id="dan") + "broken\n", top=3)

    assert users(answer) == ["bob", "dan", "bob"]
    assert (answer.lines, answer.utterances, answer.late) == (8, 5, 2)
    assert answer.broken_at == ("b.log:2",)


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "utterance", "total_ms": 7}',
        '{"total_ms" :7 ,"event"\t:\t"utterance" }',
        '  {"event":"utterance","total_ms":"7"}\r',
        '{"event":"utterance","total_ms":7.0,"user_id":5,"late":"yes","arrived_at":{}}',
        '{"event":"utterance","total_ms":7,"text":"\\u0000 \\ud83d\\ude00 \\"event\\":"}',
    ],
)
def test_other_encoders_verdicts_count(line):
    """Spaces, order and odd types don't matter: the line is read as JSON, not as text."""
    answer = ask(line + "\n")

    assert (answer.utterances, answer.matched, answer.broken) == (1, 1, 0)
    assert answer.rows[0].total_ms == 7


@pytest.mark.parametrize(
    "line",
    [
        '{"event":"message","text":"utterance"}',
        '{"event":"message","text":"\\"event\\":\\"utterance\\""}',
        '{"event":{"event":"utterance"},"total_ms":7}',
        '{"nested":{"event":"utterance"},"total_ms":7}',
        '{"event":["utterance"]}',
        '{"event":"utterances"}',
        '["event","utterance"]',
        '"utterance"',
        "null",
    ],
)
def test_the_word_in_another_place_is_no_verdict(line):
    """Only a line whose event is `utterance` is an utterance's."""
    answer = ask(line + "\n")

    assert (answer.lines, answer.utterances, answer.broken) == (1, 0, 0)


@pytest.mark.parametrize(
    "total", ['"abc"', "null", "[]", "1e999", "NaN", "true", '"-inf"', "-1e300"]
)
def test_an_utterance_without_a_total_is_counted_but_not_shown(total):
    """Nothing can be ranked by what is no time."""
    answer = ask(f'{{"event":"utterance","total_ms":{total}}}\n' + verdict(1))

    assert (answer.lines, answer.broken, answer.utterances) == (2, 0, 2)
    assert [row.total_ms for row in answer.rows if row.time] == [1.0]


def test_equals_are_shown_in_the_order_of_time():
    """The same log gives the same table."""
    answer = ask(verdict(5, 2, user_id="b") + verdict(5, 1, user_id="a"))

    assert users(answer) == ["a", "b"]


def test_the_first_lines_that_are_no_json_are_named():
    """At most three, with the numbers an editor shows: blank lines count there."""
    answer = ask("\n\nTraceback\n{}\n  File\n\n" + "x\n" * 5)

    assert (answer.lines, answer.broken) == (8, 7)
    assert answer.broken_at == ("app.log:3", "app.log:5", "app.log:7")


def test_a_line_that_is_being_written_is_named_as_the_last():
    """It is the usual broken line, and is found without reading the file again."""
    assert ask(LOG + '{"timest').broken_at == ("the last of app.log",)
    assert ask("oops\n" + LOG + '{"timest').broken_at == ("app.log:1", "the last of app.log")


@pytest.mark.parametrize("name", ["app.log", "app.zst"])
@pytest.mark.parametrize("end", ["", "broken\n", "[]\n", '{"timestamp":"1970-01-01T00:00:00Z"}\n'])
def test_the_last_time_is_that_of_the_last_line_that_has_one(name, end):
    """A file's end tells it; a packed one has to be read for it."""
    content = LOG + verdict(1, 40, user_id="eve") + end

    answer = ask(
        zstandard.compress(content.encode()) if name == "app.zst" else content,
        since="1m",
        names=[name],
    )

    assert users(answer) == ["eve"]


def test_a_packed_file_that_cannot_be_numbered_is_named_as_a_whole(monkeypatch):
    """Without a package that unpacks it line by line, the rest of the answer is the same."""
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression.zstd", None)

    answer = ask(zstandard.compress(f"{LOG}broken\n".encode()), names=("app.zst",))

    assert (answer.utterances, answer.broken, answer.broken_at) == (4, 1, ("app.zst",))


@pytest.mark.parametrize("content", ["", "\n", "{}\n", '{"timestamp":"infinity"}\n'], ids=repr)
def test_a_time_ago_needs_a_last_time(content):
    """A log without times is no clock."""
    with pytest.raises(InputError, match="no line has a time that '10m' could be counted from"):
        ask(content, since="10m")


def test_an_empty_log_is_an_empty_answer():
    """No bytes, no lines, no error."""
    answer = ask("")

    assert (answer.rows, answer.lines, answer.utterances, answer.late) == ((), 0, 0, 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([b"{}", verdict(1).encode()])))
def test_no_bytes_are_fatal_and_every_line_is_counted(parts):
    """Lines are those that hold anything but white space; the ones that are JSON are no others."""
    content = b"\n".join(parts)
    assume(len(content) > 1)  # DuckDB takes a single byte for nothing
    assume(not content.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")))

    answer = ask(content)

    assert answer.lines == sum(bool(line.strip()) for line in content.split(b"\n"))
    assert answer.utterances <= answer.lines - answer.broken
    assert len(answer.broken_at) == min(3, answer.broken)


LINE = st.dictionaries(
    st.sampled_from(["event", "total_ms", "user_id", "late", "arrived_at", "queue_ms", "x"]),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
    | st.sampled_from(["utterance", "2026-11-22T10:00:00Z"])
    | st.lists(st.integers(), max_size=2),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(LINE, max_size=20), st.booleans(), st.integers(0, 3))
def test_whatever_a_line_holds_it_is_read_as_json_is(lines, spaced, broken):
    """Counting in SQL agrees with counting in Python."""
    separators = (", ", ": ") if spaced else (",", ":")
    texts = [json.dumps(line, separators=separators) for line in lines] + ["{oops"] * broken

    answer = ask("\n".join(texts))

    assert (answer.lines, answer.broken) == (len(lines) + broken, broken)
    assert answer.utterances == sum(line.get("event") == "utterance" for line in lines)
    assert len(answer.rows) == min(20, answer.matched)
