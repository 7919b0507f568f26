"""Whatever a log says is shown, and never obeyed: by a terminal, by rich, or by SQL."""

from __future__ import annotations

import json

import pytest

from tracelog.cli import main
from tracelog.escapes import CONTROLS


EVIL = (
    "\x1b]0;title\x07\x1b[2J",  # a terminal's commands
    "[bold red]markup[/] :bomb: [link=file:///etc/passwd]x[/link]",
    "'; DROP TABLE lines; -- $user {0} <lines> %s",
    "\u202egnp.exe \u2028\x9b31m\x00",
    "<script>alert(1)</script>",
    "x" * 100_000,
)
ENTRY = ("where", "what", "kind", "name", "trace_id", "user_id")
KEYS = (
    *("level", "logger", "trace_id", "connection_id", "user_id", "kind", "path", "cause"),
    *("utterance", "holder", "stack", "method"),
)
COMMANDS = (
    ["late"],
    ["late", "--sort", "user"],
    *(["late", "--group-by", by] for by in ("user", "where", "cause", "route", "minute")),
    ["late", "--compare", "10:10:10", "--group-by", "cause"],
    ["blame"],
    ["stats"],
)


QUERY = "SELECT * FROM utterances WHERE user_id IS NOT NULL"


def lines():
    """Write every kind of line with evil in every text, and a number where one is needed."""
    at = "2026-11-22T10:10:10.000000Z"
    for evil in EVIL:
        texts = dict.fromkeys(KEYS, evil)
        entry = [{**dict.fromkeys(ENTRY, evil), "ms": 250, "own_ms": 250, "total_ms": 250}]
        lists = dict.fromkeys(("blocked_by", "held", "awaits", "spans"), entry)
        texts["user_id"] = evil * (10 if evil == EVIL[-1] else 1)  # a megabyte
        figures = {"total_ms": 300, "late": True, "delayed_ms": 9, "delayed": 1, evil: evil}
        for event in ("utterance", "loop held", "request", evil):
            yield json.dumps({"timestamp": at, "event": event, **texts, **lists, **figures})


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "evil.log"
    path.write_text("\n".join(lines()), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", ["80", "140"])
def test_a_terminal_is_never_steered(command, width, log, capsys, monkeypatch):
    """Control characters are escaped, markup is text, and a megabyte is a cell of the table."""
    monkeypatch.setenv("COLUMNS", width)

    assert main([*command, log]) == 0

    out, err = capsys.readouterr()
    assert CONTROLS.findall(out.replace("\n", "")) == []
    assert err == ""
    assert len(out) < 40_000


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_json_is_json_and_says_the_same(command, log, capsys):
    """A program gets the values as they are, in a line that steers no terminal, either."""
    assert main([*command, "--json", log]) == 0

    out = capsys.readouterr().out
    assert CONTROLS.findall(out.replace("\n", "")) == []
    assert all(isinstance(json.loads(line), dict) for line in out.splitlines())


@pytest.mark.parametrize("evil", EVIL[:5], ids=repr)
def test_what_a_user_types_is_compared_and_not_run(evil, log, capsys):
    """As a user's id, as a key and as a value."""
    text = evil.replace("\x00", "")  # no argument of a process has one

    assert main(["late", "--json", "--where", f"{evil}={evil}", log]) == 0
    by_key = capsys.readouterr().out.splitlines()
    assert main(["late", "--json", "--user", text, "--where", "event=utterance", log]) == 0
    by_user = capsys.readouterr().out.splitlines()

    assert len(by_user) == (text == evil)
    assert len(by_key) <= 1


@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["tabs", "json"])
def test_a_query_shows_what_is_there_and_obeys_nothing(flags, log, capsys):
    """A line for each row, whatever is in it."""
    assert main(["query", *flags, log, QUERY]) == 0

    out = capsys.readouterr().out
    assert CONTROLS.findall(out.replace("\n", "").replace("\t", "")) == []
    assert len(out.splitlines()) == len(EVIL) + (not flags)


@pytest.mark.parametrize("name", ["x.json", "x.otlp.json", "x.parquet"])
def test_an_export_has_it_as_data(name, log, tmp_path):
    """In JSON, or in columns."""
    assert main(["export", log, "-o", name]) == 0

    content = (tmp_path / name).read_bytes()
    for line in content.splitlines() if name == "x.otlp.json" else ():
        assert json.loads(line)
    assert name == "x.parquet" or CONTROLS.findall(content.decode().replace("\n", "")) == []
