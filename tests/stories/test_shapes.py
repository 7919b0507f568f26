"""A log that went through somebody else's hands answers as the plain one."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from tracelog import cli


def python_json_logger(event):
    time, level, logger, said = (
        event.pop(key) for key in ("timestamp", "level", "logger", "event")
    )
    asctime = time.replace("T", " ").replace(".", ",").rstrip("Z")
    return {
        "asctime": asctime,
        "levelname": level.upper(),
        "name": logger,
        "message": said,
        **event,
    }


def structlog(event):
    return {**event, "timestamp": datetime.fromisoformat(event["timestamp"]).timestamp()}


def ecs(event):
    time, level, logger, said = (
        event.pop(key) for key in ("timestamp", "level", "logger", "event")
    )
    head = {"@timestamp": time, "log.level": level, "message": said, "ecs.version": "1.6.0"}
    trace, user = event.pop("trace_id"), event.pop("user_id")
    about = {"log": {"logger": logger}, "trace": {"id": trace}, "labels": {"user_id": user}}
    return {**head, **about, **event}


def google(event):
    time, level, said = (event.pop(key) for key in ("timestamp", "level", "event"))
    trace = f"projects/p/traces/{event.pop('trace_id')}"
    head = {"severity": level.upper(), "message": said, "time": time}
    return {**head, "logging.googleapis.com/trace": trace, **event}


def datadog(event):
    level, logger, said = (event.pop(key) for key in ("level", "logger", "event"))
    head = {"status": level.replace("warning", "warn"), "message": said, "ddsource": "python"}
    return {**head, "logger": {"name": logger}, "dd.trace_id": event.pop("trace_id"), **event}


def docker(line):
    return json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "2026-11-22T10:10:10.1Z"})


def cri(line):
    return f"2026-11-22T10:10:10.123456789Z stdout F {line}"


def journal(line):
    return json.dumps({"__REALTIME_TIMESTAMP": "1795342210123456", "_PID": "7", "MESSAGE": line})


def renaming(rename):
    """Make a line of another shape; what is no JSON is the same in all."""

    def shaped(line):
        return json.dumps(rename(json.loads(line))) if line.endswith("}") else line

    return shaped


SHAPES = {
    "docker": [docker],
    "cri": [cri],
    "journal": [journal],
    "python-json-logger": [renaming(python_json_logger)],
    "structlog": [renaming(structlog)],
    "ecs": [renaming(ecs)],
    "google": [renaming(google)],
    "datadog": [renaming(datadog)],
    "ecs in docker": [renaming(ecs), docker],
}
QUESTIONS = (
    ["late", "--since", "2m", "--user", "Zoë", "--where", "room=a b"],
    *(["blame", "--json"], ["stats", "--json"]),
)


def line(minute, event, **fields):
    head = {
        **{"timestamp": f"2026-11-22T10:{minute:02}:00.250000Z", "level": "warning"},
        **{"logger": "app.chat", "event": event, "trace_id": f"{minute:032x}"},
    }
    return json.dumps({**head, "user_id": "Zoë", "room": "a b", **fields}, ensure_ascii=False)


def verdict(minute, total, **fields):
    arrived = f"2026-11-22T10:{minute:02}:00.000000Z"
    numbers = {"utterance": minute, "total_ms": total, "loop_ms": total - 1.5, "code_ms": 1.5}
    blamed = [{"ms": total - 1.5, "where": "app.py:41 handle", "kind": "blocking call"}]
    more = {"arrived_at": arrived, "late": True, "cause": "held up", "blocked_by": blamed}
    return line(minute, "utterance", kind="websocket", **numbers, **more, **fields)


LINES = [
    *(line(1, "hello"), verdict(2, 300.5), "oops", "", verdict(3, 250.25, failed=True), '{"cut":'),
    line(4, "loop held", held_ms=212.5, where="app.py:41 handle", delayed=2, delayed_ms=500.0),
    line(5, "bye", level="error"),
]


@pytest.fixture
def ask(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")

    def ask(lines, command, *arguments):
        content = "".join(f"{each}\n" for each in lines)
        (tmp_path / "app.log").write_text(content, encoding="utf-8")
        if command == "tail":
            with (tmp_path / "app.log").open() as file:
                monkeypatch.setattr("sys.stdin", file)
                assert cli.main(["tail", "-"]) == 0
        else:
            assert cli.main([command, "app.log", *arguments]) == 0
        out, err = capsys.readouterr()
        said = [each for each in err.splitlines() if " is read as " not in each]
        return out.partition("The first one, whole:")[0], said

    return ask


@pytest.fixture
def ask_plainly(ask, known):
    """Ask the plain log, each question once."""

    def ask_plainly(*question):
        if question not in known:
            known[question] = ask(LINES, *question)
        return known[question]

    return ask_plainly


@pytest.fixture(scope="module")
def known():
    return {}


def without_sizes(answer):
    """Leave out how long lines are: what they are called in makes the difference."""
    records = [json.loads(text) for text in answer[0].splitlines()]
    return [{key: value for key, value in each.items() if key != "size"} for each in records]


@pytest.mark.parametrize("steps", SHAPES.values(), ids=SHAPES)
def test_the_answers_are_those_of_the_plain_log(ask, ask_plainly, steps):
    """To each question; broken lines are counted and located, and none is fatal."""
    shaped = LINES
    for step in steps:
        shaped = [step(each) for each in shaped]

    for question in QUESTIONS:
        plain, other = ask_plainly(*question), ask(shaped, *question)
        if question[0] == "stats":
            plain, other = without_sizes(plain), without_sizes(other)
        assert other == plain, question


@pytest.mark.parametrize("steps", SHAPES.values(), ids=SHAPES)
def test_what_is_followed_is_drawn_as_the_plain_log(ask, steps):
    """With what is late in front; the keys that have other names are there besides."""
    shaped = LINES
    for step in steps:
        shaped = [step(each) for each in shaped]

    (plain, said), (other, also_said) = ask(LINES, "tail"), ask(shaped, "tail")

    assert also_said == said == ["7 lines, 2 utterances, 2 of them late, 1 hold, 2 no JSON."]
    if len(steps) == 1 and steps[0] in (docker, cri, journal):
        assert other == plain
    else:
        assert [each[:48] for each in other.splitlines()] == [
            each[:48] for each in plain.splitlines()
        ]
