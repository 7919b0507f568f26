"""The arguments that several commands declare alike."""

from __future__ import annotations

import argparse
import subprocess
import sys

import pytest

from tracelog.commands.arguments import add_arguments, describe, output


def parse(*arguments, over=False):
    parser = argparse.ArgumentParser()
    describe(parser, "show what there is", "examples:\n  tracelog x")
    add_arguments(parser, over=over)
    return parser.parse_args(arguments)


def test_a_command_says_what_it_does_and_how(capsys):
    """In a sentence, and with examples as they are typed."""
    with pytest.raises(SystemExit):
        parse("--help")

    out = capsys.readouterr().out
    assert "\nShow what there is.\n" in out
    assert out.endswith("examples:\n  tracelog x\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--over", "soon"], "argument --over: 'soon' is no number of milliseconds, such as 250"),
        (["--over", "nan"], "argument --over: 'nan' is no number of milliseconds"),
        (["--top", "few"], "argument --top: 'few' is no number between 1 and 999,999"),
        (["--top", "0"], "argument --top: '0' is no number between 1 and 999,999"),
        (["--top", "1000000"], "argument --top: '1000000' is no number between 1 and 999,999"),
        (["--where", "room"], "argument --where: 'room' is no KEY=VALUE, such as room=lobby"),
        (["--map", "x="], "argument --map: 'x=' is no OUR=THEIRS, such as user_id=usr.id"),
        (["--where", "=x"], "argument --where: '=x' is no KEY=VALUE, such as room=lobby"),
    ],
)
def test_an_argument_that_makes_no_sense_is_said(capsys, arguments, problem):
    """Before anything is read."""
    with pytest.raises(SystemExit) as exit_:
        parse("a.log", *arguments, over=True)

    assert exit_.value.code == 2
    assert problem in capsys.readouterr().err


def test_a_value_may_be_empty():
    """A key that is there, and says nothing, can be asked for."""
    assert parse("a.log", "--where", "room=").where == [("room", "")]


def test_what_makes_sense_is_read():
    """A duration with its unit or without; a value may have anything in it."""
    args = parse(
        "a.log",
        *("--over", "250ms", "--where", "a=b=c", "--map", "user_id=uid", "--top", "7"),
        over=True,
    )

    assert (args.over, args.top, args.where) == (250.0, 7, [("a", "b=c")])
    assert args.map == [("user_id", "uid")]


def test_without_a_duration_there_is_nothing_to_be_over(capsys):
    """Only some commands have one."""
    with pytest.raises(SystemExit):
        parse("a.log", "--over", "250")

    assert "unrecognized arguments: --over 250" in capsys.readouterr().err


def test_what_answers_is_not_loaded():
    """Nothing of DuckDB's side is waited for by who doesn't ask it."""
    code = "import sys, tracelog.commands.show as _; sys.exit('tracelog.answers.embedded' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_a_pipe_is_no_file_to_write(tmp_path):
    """Elsewhere `-` is a pipe, and nobody wants a file of that name."""
    assert output(str(tmp_path)) == tmp_path
    with pytest.raises(argparse.ArgumentTypeError, match="'-' is no name of a file"):
        output("-")
