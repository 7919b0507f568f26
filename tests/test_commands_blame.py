"""`tracelog blame`, from its arguments to its exit code."""

from __future__ import annotations

import argparse
import json

import pytest

from tracelog.commands import blame


HEAD = '{"timestamp":"2026-11-22T10:10:09.000001Z","event":"utterance","trace_id":"t1"'
LINES = (
    f'{HEAD},"user_id":"ann","total_ms":300,"late":true,"blocked_by":[{{"ms":250.0,'
    '"where":"app/reports.py:41 make_report","kind":"blocking call"}]}\n'
    f'{HEAD},"user_id":"bob","total_ms":300,"late":true,"awaits":[{{"ms":280.5,'
    '"where":"app/rooms.py:52 broadcast","what":"lock"}]}\n'
)
TABLES = """\
what held the event loop, and the delay of all whom that hit, in ms

 delay  hit  late  users  holds  longest  where                          kind           example
 ──────────────────────────────────────────────────────────────────────────────────────────────
   250    1     1      1      0      0.0  app/reports.py:41 make_report  blocking call  t1

what late utterances waited for, and their spans, in ms

 delay  late  users  longest  where                      what  sort  example
 ───────────────────────────────────────────────────────────────────────────
   280     1      1      280  app/rooms.py:52 broadcast  lock  lock  t1

1 place held the event loop; 1 thing made others wait, in 2 lines.
"""


@pytest.fixture(autouse=True)
def _here(tmp_path):
    (tmp_path / "app.log").write_text(LINES)
    (tmp_path / "empty.log").touch()
    (tmp_path / "broken.log").write_text(LINES + "oops\n")


def run(*arguments):
    parser = argparse.ArgumentParser()
    blame.configure(parser)
    return blame.run(parser.parse_args(arguments))


def shown(capsys):
    return "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())


def test_the_list_to_fix_is_shown(capsys):
    """Holds, and then waits."""
    assert run("app.log") == 0
    assert shown(capsys) == TABLES


def test_json_is_for_programs(capsys):
    """What cost most comes first."""
    assert run("app.log", "--json") == 0

    out, err = capsys.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert (first["sort"], first["delay_ms"], first["traces"]) == ("lock", 280.5, ["t1"])
    assert (second["sort"], second["place"]) == ("hold", "app/reports.py:41 make_report")
    assert err == ""


def test_what_is_wrong_is_said_beside_json(capsys):
    """At most as many as asked for are on standard output."""
    assert run("broken.log", "--json", "--top", "1") == 0

    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 1
    assert "1 line is no JSON: broken.log:3." in err


def test_nobody_to_blame_is_a_sentence(capsys):
    """And no error."""
    assert run("app.log", "--user", "nobody") == 0
    assert run("empty.log") == 0

    assert shown(capsys) == (
        "Nothing held the event loop, and nobody late waited, in 2 lines.\n"
        "No user_id is 'nobody'; there are 2, such as bob.\n"
        "Nothing to read: empty.log is empty.\n"
    )


def test_help_has_examples(capsys):
    """`--help` shows lines to paste."""
    with pytest.raises(SystemExit):
        run("--help")

    assert "tracelog blame --since 1h --top 5 'logs/*.log*'" in capsys.readouterr().out
