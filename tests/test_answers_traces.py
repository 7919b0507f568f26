"""Traces, found by their ids."""

from __future__ import annotations

import gzip
import json

import pytest

from tracelog.answers import traces
from tracelog.answers.finding import Hit
from tracelog.answers.sources import Source
from tracelog.answers.traces import arrival_of, find_trace, last_late, meanwhile
from tracelog.errors import InputError


AT = "2026-11-22T12:00:0{}.000000Z"


def line(trace_id, second=0, event="hello", **fields):
    return {"timestamp": AT.format(second), "event": event, "trace_id": trace_id, **fields}


def late(trace_id, second=0, **fields):
    return line(trace_id, second, "utterance", late=True, **fields)


def make_source(folder, *lines, name="app.log", separators=(",", ":")):
    text = "".join(json.dumps(each, separators=separators) + "\n" for each in lines)
    content, packing = text.encode(), ""
    if name.endswith(".gz"):
        content, packing = gzip.compress(content), ".gz"
    (folder / name).write_bytes(content)
    return Source(name, str(folder / name), packing)


@pytest.mark.parametrize("wanted", ["4bf92f", "4b"])
def test_a_trace_is_found_by_the_beginning_of_its_id(tmp_path, wanted):
    """In every file that has lines of it; other values that begin so are no ids."""
    sources = [
        make_source(tmp_path, line("4bf92f"), line("5c", about="4bf92f"), line("4bf92f")),
        make_source(tmp_path, line("5c"), name="b.log"),
        make_source(tmp_path, late("4bf92f"), name="c.log", separators=(", ", ": ")),
    ]

    trace = find_trace(sources, wanted, 9)

    assert trace.trace_id == "4bf92f"
    assert [(flow.source, flow.count) for flow in trace.flows] == [("app.log", 2), ("c.log", 1)]
    assert [hit.entry.source for hit in trace.verdicts] == ["c.log"]


def test_the_whole_id_comes_before_longer_ones(tmp_path):
    """A caller's own ids may be the beginnings of others, however many."""
    lines = [line(f"req-1{number}") for number in range(9)]
    source = make_source(tmp_path, *lines, line("req-1"))

    assert find_trace([source], "req-1", 9).trace_id == "req-1"


@pytest.mark.parametrize(("count", "more"), [(2, ""), (9, ", …")])
def test_an_ambiguous_beginning_names_some(tmp_path, count, more):
    """One of them is what was meant, and can be pasted."""
    source = make_source(tmp_path, *[line(f"4b{number}") for number in range(count)])
    named = ", ".join(f"4b{number}" for number in range(min(count, 5)))

    with pytest.raises(InputError) as error:
        find_trace([source], "4b", 9)

    assert str(error.value) == (
        f"'4b' is the beginning of several traces: {named}{more}\n  Try: tracelog show 4b0"
    )


def test_what_is_not_there_has_a_way_out(tmp_path):
    """It says where it was looked for."""
    with pytest.raises(
        InputError, match=r"no line of app\.log has a trace_id (.|\n)*tracelog late --json app"
    ):
        find_trace([make_source(tmp_path, line("5c"), line(4711))], "4", 9)


def test_the_last_late_one_is_the_one_that_arrived_last(tmp_path):
    """Of all files; one without a trace can't be shown, one that was on time isn't meant."""
    sources = [
        make_source(tmp_path, late("a", 1), late("b", 9, arrived_at=AT.format(5)), late("c", 3)),
        make_source(tmp_path, late("d", 4), name="b.log.gz"),
        make_source(tmp_path, late(None, 8), line("e", 9, "utterance", late=False), name="c.log"),
        make_source(tmp_path, name="d.log"),
    ]

    found = last_late(sources)

    assert found.event["trace_id"] == "b"
    assert last_late(sources[2:]) is None


def test_without_any_time_it_is_still_found(tmp_path):
    """A log may come from anywhere."""
    source = make_source(tmp_path, {"event": "utterance", "late": True, "trace_id": "a"})

    found = last_late([source])

    assert arrival_of(found) is None


def test_those_who_were_there_meanwhile_are_near(tmp_path, monkeypatch):
    """Lines of the same process are looked for around the verdict: not in all of a huge file."""
    far, near = late("a", 1), late("a", 2)
    source = make_source(tmp_path, far, line("x"), near, late("b"))
    monkeypatch.setattr(traces, "_NEAR", 90)
    offset = len(json.dumps(far, separators=(",", ":"))) + len(
        json.dumps(line("x"), separators=(",", ":"))
    )

    found = meanwhile([source], Hit(offset + 80, find_trace([source], "b", 0).told[0].entry), ["a"])

    assert [[hit.entry.event for hit in trace.told] for trace in found] == [[near]]


def test_a_rotated_file_is_looked_into_as_well(tmp_path):
    """If there is nothing of it where it should be; an archive is read from its beginning."""
    own = make_source(tmp_path, late("b"), late("a"), name="own.log.gz")
    other = make_source(tmp_path, line("h"), line("a"), line("h", about="a"), name="other.log")
    hit = find_trace([own], "b", 0).told[0]

    found = meanwhile([own, other], hit, ["a", "h", "missing"])

    assert [(trace.trace_id, trace.flows[0].source) for trace in found] == [
        ("a", "own.log.gz"),
        ("h", "other.log"),
    ]
    assert meanwhile([own, other], hit, []) == []
