"""`tracelog completion`: a script for a shell."""

from __future__ import annotations

import argparse

import pytest

from tracelog import cli
from tracelog.commands import completion
from tracelog.commands.shells import SHELLS


def make_whole():
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="store_true")
    commands = parser.add_subparsers()
    command = commands.add_parser("late", help="who was late")
    command.add_argument("files", nargs="+", metavar="FILE", help="a log")
    command.add_argument("--sort", choices=("a", "b"), help="100 %% of it")
    command.add_argument("--where", action="append", default=[], metavar="KEY=VALUE")
    return parser


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_written_from_what_is_declared(capsys, shell):
    """Names, helps, choices, and what is a file."""
    parser = argparse.ArgumentParser()
    completion.configure(parser)
    args = parser.parse_args([shell])
    args.make_whole = make_whole

    assert completion.run(args) == 0

    out = capsys.readouterr().out
    assert "late" in out
    assert "a b" in out
    assert "%%" not in out


def test_the_whole_command_line_is_in_it(capsys):
    """Each command, with its options."""
    assert cli.main(["completion", "zsh"]) == 0

    out = capsys.readouterr().out
    assert (
        "'*--map=[a key of ours, and what it is called there; may be repeated]:OUR=THEIRS:'" in out
    )
    assert "(bash zsh fish)" in out
    assert "'*:FILE:_files'" in out
    assert "'*:TRACE FILE:_files'" in out
    assert all(f"                {name})\n" in out for name in cli._COMMANDS)


def test_a_missing_shell_is_told_with_those_that_there_are(capsys):
    """Its place alone, `shell`, is no answer to what can be given."""
    with pytest.raises(SystemExit):
        cli.main(["completion"])

    assert "required: {bash,zsh,fish}" in capsys.readouterr().err
