"""Lines of any shape turned into lines of ours, by DuckDB; Python does the same."""

from __future__ import annotations

import io
import json

import pytest

from tracelog.answers.log import LINES, Log
from tracelog.answers.shapes import recognise
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.unwrapping import Unwrapper, renamed


VERDICT = {"utterance": 1, "total_ms": 523.4, "late": True, "user_id": 'Zoë "q" \\ \'', "a/b": None}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NAMED = {
    "ours": {"timestamp": "2026-11-22T10:10:10Z", "level": "info", "logger": "a", "event": "e"},
    "python-json-logger": {
        **{"asctime": "2026-11-22 10:10:10,123", "levelname": "WARNING"},
        **{"name": "a", "message": "utterance"},
    },
    "structlog": {"timestamp": 1795342210.5, "level": "warn", "event": "utterance"},
    "ECS": {
        **{"@timestamp": "2026-11-22T10:10:10Z", "log.level": "FATAL", "message": "m", "log": {}},
        **{"trace": {"id": TRACE}, "labels": {"room": "lobby", "x": {"y": [1, "}"]}}},
    },
    "ECS, nested": {
        **{"@timestamp": "2026-11-22T10:10:10Z", "message": "m", "trace.id": TRACE, "labels": {}},
        **{"log": {"level": "err", "logger": "a.b"}, "event": {"dataset": "d"}},
    },
    "GCP": {
        **{
            "severity": "NOTICE",
            "message": "m",
            "timestamp": {"seconds": 1795342210, "nanos": 5000},
        },
        **{"logging.googleapis.com/trace": f"projects/p/traces/{TRACE}"},
        **{"logging.googleapis.com/labels": {"room": "lobby"}},
    },
    "Datadog": {
        "status": "warn",
        "message": "m",
        "dd": {"trace_id": "7"},
        "timestamp": 1795342210500,
    },
}
ODD = (
    *("oops", '{"cut":', "[1]", "7", "{}", '{"message":null,"event":[1]}', ' { "level" : 30 } '),
    *('{"labels":7,"timestamp":"nan"}', '{"timestamp":true}', '{"asctime":-5,"level":null}'),
    *('{"labels":{"a":null},"@timestamp":"1e300"}', '{"log":"no","message":{"a":"b"}}', "null"),
)
WRAPPED = {
    "plain": lambda text: text,
    "docker": lambda text: json.dumps({"log": f"{text}\n", "stream": "stdout", "time": "t"}),
    "cri": lambda text: f"2026-11-22T10:10:10.123456789+01:00 stderr F {text}",
    "journal": lambda text: json.dumps({"MESSAGE": text, "__REALTIME_TIMESTAMP": "1", "_PID": "2"}),
}
MAPPED = (("room", "a/b"), ("user_id", "usr.id"), ("event", "it's"), ("total_ms", "ms~"))


@pytest.fixture
def open_log(tmp_path):
    with Spool() as spool:

        def open_log(*contents, mapped=()):
            names = []
            for number, content in enumerate(contents):
                path = tmp_path / f"{number}.log"
                path.write_bytes(content)
                names.append(str(path))
            return Log(open_sources(names, spool, io.BytesIO()), spool, mapped)

        yield open_log


def read(log):
    """Read all lines, as Python reads them: of equal keys, the first counts."""
    texts = [row[0] for row in log.rows(f"SELECT json FROM {LINES}")]
    return [text and json.loads(text, object_pairs_hook=first) for text in texts]


def first(pairs):
    return dict(reversed(pairs)) if len({*dict(pairs)}) < len(pairs) else dict(pairs)


def in_python(content, mapped=()):
    lines = content.split(b"\n")[:-1]
    shape = recognise(lines, mapped)
    unwrap = Unwrapper(shape.wrapper).feed
    for line in filter(None, map(unwrap, lines)):
        try:
            found = json.loads(line)
        except ValueError:
            yield None
        else:
            yield renamed(found, shape) if isinstance(found, dict) else found


@pytest.mark.parametrize(
    ("wrap", "mapped"),
    [*((wrap, ()) for wrap in WRAPPED.values()), (WRAPPED["plain"], MAPPED)],
    ids=[*WRAPPED, "mapped"],
)
@pytest.mark.parametrize("event", NAMED.values(), ids=NAMED)
def test_both_languages_read_the_same(open_log, event, wrap, mapped):
    """Whatever is around a line, whatever its keys are called, and whatever else is there."""
    more = {"usr": {"id": 5}, "it's": "x", "ms~": 12.5} if mapped else {}
    lines = [json.dumps({**event, **VERDICT, **more}, ensure_ascii=False), *ODD, ""]
    content = "".join(f"{wrap(line)}\n" for line in lines).encode()

    log = open_log(content, mapped=mapped)

    assert read(log) == [*in_python(content, mapped)]


def test_files_of_several_shapes_are_one_log(open_log):
    """Each is read as what it is, and is of the length that it has itself."""
    texts = [json.dumps(event) for event in NAMED.values()]
    log = open_log(*(f"{text}\n".encode() for text in texts))

    counted = log.rows(
        f"SELECT count(*), count(json->>'event'), sum(strlen(json) - added) FROM {LINES}"
    )

    assert counted == [(len(texts), len(texts), sum(map(len, texts)))]
    assert log.rows_of(log.sources[2], f"SELECT json->>'level' FROM {LINES}") == [("warning",)]


@pytest.mark.parametrize(
    "lines",
    [
        [
            '{"log":"{\\"a\\":","stream":"stdout","time":"t"}',
            '{"log":"1}\\n","stream":"stdout","time":"t"}',
        ],
        ['2026-11-22T10:10:10.1Z stdout P {"a":', "2026-11-22T10:10:10.1Z stdout F 1}"],
        [json.dumps({"MESSAGE": list(b'{"a":1}'), "__REALTIME_TIMESTAMP": "1"})],
    ],
    ids=["docker", "cri", "journal"],
)
def test_lines_in_pieces_are_put_together(open_log, lines):
    """SQL can't: the file is rewritten, once, and read again."""
    log = open_log(b"{}\n", "".join(f"{line}\n" for line in lines).encode())

    assert read(log) == [{}, {"a": 1}]
    assert log.rows_of(log.sources[1], f"SELECT json FROM {LINES}") == [('{"a":1}',)]


def test_bytes_that_are_no_text_spoil_their_line_only(open_log):
    """In the one format that isn't JSON, they are an error for DuckDB."""
    prefix = b"2026-11-22T10:10:10.1Z stdout F "
    log = open_log(prefix + b'{"a":1}\n' + prefix + b'{"b":"\xff"}\n' + prefix + b'{"c":1}\n')

    assert read(log) == [{"a": 1}, None, {"c": 1}]
