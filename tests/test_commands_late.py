"""`tracelog late`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard

import tracelog
from tracelog.cli import main
from tracelog.commands import late
from tracelog.errors import InputError


LINES = (
    '{"timestamp":"2026-11-22T10:10:09.000001Z","level":"info","logger":"app","event":"hello","trace_id":null}\n'
    "Traceback (most recent call last):\n"
    '{"timestamp":"2026-11-22T10:10:10.123456Z","level":"warning","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7",'
    '"connection_id":"c-7f3a","user_id":"user-456","utterance":41,"kind":"websocket","route":"/ws",'
    '"arrived_at":"2026-11-22T10:10:09.820000Z","socket_ms":290.1,"queue_ms":1.2,"total_ms":303.9,"late":true}\n'
    '{"timestamp":"2026-11-22T10:10:11.000000Z","level":"info","logger":"tracelog.utterance",'
    '"event":"utterance","trace_id":"5bf92f3577b34da6a3ce929d0e0e4736","span_id":"10f067aa0ba902b7",'
    '"user_id":"user-7","utterance":1,"kind":"http","arrived_at":"2026-11-22T10:10:10.995000Z","total_ms":5.0}\n'
)
TABLE = """\
2026-11-22 UTC, in ms

 time          user      connection  what    total  boxes                     why
 ─────────────────────────────────────────────────────────────────────────────────
 10:10:09.820  user-456  c-7f3a      /ws 41  303.9  SSSSSSSSSSSSSSSSSSSSSSS.  late
 10:10:10.995  user-7    -           http 1    5.0  .

S socket   Q queue   L loop   C code   A await   R send   . not known

2 utterances, 1 of them late, in 4 lines.
1 line is no JSON: {name}:2.
"""
NEXT = "The first one, whole: tracelog show 4bf92f3577b3 {name}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "app.log").write_text(LINES)
    (tmp_path / "empty.log").touch()


def run(*arguments):
    parser = argparse.ArgumentParser()
    late.configure(parser)
    return late.run(parser.parse_args(arguments))


def shown(capsys):
    """Return what was printed, without the blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


def start(*arguments, encoding, **options):
    """Run the real command in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "tracelog", "late", *arguments]
    home = str(Path(tracelog.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": home, "PYTHONIOENCODING": encoding}
    return subprocess.run(command, capture_output=True, check=False, env=environment, **options)


def test_the_slowest_are_shown(capsys):
    """In a file or a pipe the table is as wide as it needs to be."""
    assert run("app.log") == 0
    assert shown(capsys) == (TABLE + NEXT).format(name="app.log")


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstandard.compress)])
def test_packed_files_are_read_as_they_are(capsys, tmp_path, suffix, pack):
    """Rotated logs needn't be unpacked first."""
    (tmp_path / f"app.log.1{suffix}").write_bytes(pack(LINES.encode()))

    assert run(f"*{suffix}") == 0
    assert shown(capsys) == (
        TABLE.format(name=f"app.log.1{suffix}") + NEXT.format(name=f"'*{suffix}'")
    )


@pytest.mark.parametrize("trace_id", ["null", '"-x"', '"a\\u001bb"', '"a;b"', "7", '"$(x)"'])
def test_only_what_can_be_typed_is_told_to_type(capsys, tmp_path, trace_id):
    """A caller's own trace id may be anything."""
    lines = LINES.replace('"4bf92f3577b34da6a3ce929d0e0e4736"', trace_id)
    (tmp_path / "app.log").write_text(lines)

    run("app.log")

    assert "tracelog show" not in capsys.readouterr().out


def test_a_pipe_is_read():
    """`-` is standard input, here that of a real process."""
    done = start("-", encoding="utf-8", input=LINES.encode())

    text = "".join(f"{line.rstrip()}\n" for line in done.stdout.decode().splitlines())
    assert (done.returncode, done.stderr, text) == (0, b"", TABLE.format(name="stdin"))


def test_an_encoding_that_lacks_a_character_is_not_fatal(tmp_path):
    """A user called Zoë is shown in ASCII as well as may be."""
    (tmp_path / "app.log").write_text(LINES.replace("user-7", "Zoë"), encoding="utf-8")

    done = start("app.log", encoding="ascii")

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"Zo\\xeb" in done.stdout


def test_json_is_for_programs(capsys):
    """Standard output has nothing but JSON lines; what a person has to know is beside it."""
    assert run("app.log", "--json", "--top", "1") == 0

    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "time": "2026-11-22T10:10:09.820000Z",
        "user_id": "user-456",
        "connection_id": "c-7f3a",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "utterance": 41,
        "kind": "websocket",
        "route": "/ws",
        "total_ms": 303.9,
        "waited_ms": 291.3,
        "handled_ms": 12.6,
        "socket_ms": 290.1,
        "queue_ms": 1.2,
        "loop_ms": None,
        "code_ms": None,
        "await_ms": None,
        "send_ms": None,
        "late": True,
        "cause": None,
    }
    assert "1 line is no JSON: app.log:2." in err


def test_json_of_a_sound_log_is_silent_beside(capsys, tmp_path):
    """Nobody has to be told that all is well."""
    (tmp_path / "app.log").write_text(LINES.replace("Traceback (most recent call last):", "{}"))

    assert run("app.log", "--json", "--user", "user-7") == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["empty.log"], "Nothing to read: empty.log is empty.\n"),
        (["app.log", "--user", "nobody"], "None of 2 utterances in 4 lines matches.\n"),
        (["app.log", "--over", "303.9ms"], "None of 2 utterances in 4 lines matches.\n"),
        (
            ["app.log", "--since", "10:11", "--until", "10:12"],
            "None of 2 utterances in 4 lines matches.\n",
        ),
    ],
    ids=["empty", "user", "over", "since"],
)
def test_nothing_found_is_a_sentence_and_no_error(capsys, arguments, said):
    """An empty answer is an answer."""
    assert run(*arguments) == 0
    assert shown(capsys).startswith(said)


def test_a_time_ago_counts_from_the_last_line(capsys):
    """A log is read the morning after."""
    assert run("app.log", "--json", "--since", "500ms") == 0
    assert json.loads(capsys.readouterr().out)["user_id"] == "user-7"


def test_a_missing_file_is_an_input_error():
    """The command line turns it into a sentence."""
    with pytest.raises(InputError, match="'missing.log' doesn't exist"):
        run("missing.log")


def test_a_time_that_is_none_is_an_input_error():
    """Of a deploy as of a filter."""
    with pytest.raises(InputError, match="'' is no time"):
        run("app.log", "--compare", "")


@pytest.mark.parametrize("option", [("--group-by", "user"), ("--compare", "10:10")], ids=str)
def test_groups_have_their_own_order(option):
    """What orders single utterances is refused, with the way out."""
    with pytest.raises(
        InputError, match="'--sort' orders single utterances.*\n  Try: leave it out"
    ):
        run("app.log", "--sort", "loop", *option)


def test_what_to_sort_by_is_one_of_several(capsys):
    """A mistyped one is said, with those that there are."""
    with pytest.raises(SystemExit) as exit_:
        run("app.log", "--sort", "name")

    assert exit_.value.code == 2
    assert "argument --sort: invalid choice: 'name'" in capsys.readouterr().err


def test_a_box_is_sorted_by(capsys):
    """Those that don't have it aren't shown."""
    assert run("app.log", "--json", "--sort", "queue") == 0
    assert [json.loads(line)["user_id"] for line in capsys.readouterr().out.splitlines()] == [
        "user-456"
    ]


def test_any_key_of_the_line_is_a_filter(capsys):
    """All that are given have to hold."""
    assert run("app.log", "--json", "--where", "kind=http", "--where", "utterance=1") == 0
    assert json.loads(capsys.readouterr().out)["user_id"] == "user-7"


GROUPS = """\
by user, in ms

 user      count  late  p50  p95  p99  max  mean
 ───────────────────────────────────────────────────────────────────
 user-456      1     1  304  304  304  304  SSSSSSSSSSSSSSSSSSSSSSS.
 user-7        1     0  5.0  5.0  5.0  5.0  .

S socket   Q queue   L loop   C code   A await   R send   . not known

2 of 2 utterances, in 2 groups, in 4 lines.
1 line is no JSON: app.log:2.
"""


def test_groups_are_shown(capsys):
    """With percentiles, and a bar of what they spent on average."""
    assert run("app.log", "--group-by", "user") == 0
    assert shown(capsys) == GROUPS


def test_groups_are_json_for_programs(capsys):
    """At most as many as were asked for; what is wrong is said beside."""
    assert run("app.log", "--group-by", "user", "--json", "--top", "1") == 0

    out, err = capsys.readouterr()
    assert json.loads(out)["key"] == "user-456"
    assert "Shown: 1 of 2 groups; --top shows more." in err


def test_groups_of_a_sound_log_are_silent_beside(capsys, tmp_path):
    """Nobody has to be told that all is well."""
    (tmp_path / "app.log").write_text(LINES.replace("Traceback (most recent call last):", "{}"))

    assert run("app.log", "--json", "--group-by", "minute") == 0
    assert run("app.log", "--json", "--compare", "10:10:10") == 0
    assert capsys.readouterr().err == ""


def test_before_and_after_are_shown(capsys):
    """By route, if not by something else."""
    assert run("app.log", "--compare", "10:10:10") == 0
    assert " /ws       304      -    gone      1     -  100.0%     -  -\n" in shown(capsys)


def test_before_and_after_are_json_for_programs(capsys):
    """Both sides of each group."""
    assert run("app.log", "--compare", "10:10:10", "--group-by", "user", "--json") == 0

    new, gone = map(json.loads, capsys.readouterr().out.splitlines())
    assert (new["key"], new["before"], new["after"]["count"]) == ("user-7", None, 1)
    assert (gone["key"], gone["after"]) == ("user-456", None)


@pytest.mark.parametrize("option", [("--group-by", "user"), ("--compare", "2026-11-22")], ids=str)
def test_no_groups_are_a_sentence(capsys, option):
    """An empty answer is an answer."""
    assert run("app.log", *option, "--user", "nobody") == 0
    assert shown(capsys).startswith("0 of 2 utterances, in 0 groups, in 4 lines.\n")


def test_the_answer_loads_rich_and_duckdb_and_the_help_does_not():
    """A mistake is told at once, too."""
    script = (
        "import sys\nfrom tracelog.cli import main\n"
        "for arguments in (['late', '--help'], ['late', '--over', 'x', 'a'], ['late', 'missing']):\n"
        "    try: main(arguments)\n    except SystemExit: pass\n"
        "print(*{'_duckdb', 'rich', 'structlog', 'yaml'} & {*sys.modules}, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(Path(tracelog.__file__).parents[1])},
    )

    assert done.stderr.endswith("*/*.log*\n\n")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1", "TERM": "xterm"}, True),
        ({"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": "1"}, False),
    ],
    ids=["pipe", "forced", "no color"],
)
def test_colors_are_for_those_who_want_them(capsys, monkeypatch, environment, expected):
    """NO_COLOR and FORCE_COLOR are heeded, and a pipe has none."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    run("app.log")

    assert ("\x1b[1;31m" in capsys.readouterr().out) == expected


def test_a_width_that_was_asked_for_is_kept(capsys, monkeypatch):
    """COLUMNS counts without a terminal, too."""
    monkeypatch.setenv("COLUMNS", "40")

    run("app.log")

    assert " time          user      total  why\n" in shown(capsys)


def test_help_has_examples(capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run("--help")

    assert "tracelog late --over 250 --since 10m app.log" in capsys.readouterr().out


def test_standard_input_may_be_packed(capsys, monkeypatch):
    """`kubectl cp - | tracelog late -` needs no zcat."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(LINES.encode()))))

    assert run("-") == 0
    assert shown(capsys) == TABLE.format(name="stdin")


def test_of_a_table_no_file_is_named_to_look_into(make_table, capsys):
    """`tracelog show` reads files."""
    line = '{"event":"utterance","total_ms":5,"trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}\n'

    assert main(["late", "--from", make_table(line)]) == 0

    out = capsys.readouterr().out
    assert "1 utterance" in out
    assert "tracelog show" not in out
