"""`tracelog completion`: a script by which a shell completes commands, options and their values."""

from __future__ import annotations

import argparse
from typing import Any, Final

from tracelog.commands.arguments import describe
from tracelog.commands.shells import SHELLS, Command, Word


__all__ = ["HELP", "configure", "run"]

HELP: Final = "print a script that lets bash, zsh or fish complete what you type"

_EPILOG: Final = """\
examples:
  eval "$(tracelog completion bash)"                  in this shell, or in ~/.bashrc for all
  eval "$(tracelog completion zsh)"                   likewise, after compinit in ~/.zshrc
  tracelog completion fish > ~/.config/fish/completions/tracelog.fish
"""
_PATHS: Final = frozenset({"FILE", "PATH"})  # metavars of what names a file


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    shells = f"{{{','.join(SHELLS)}}}"  # argparse names what is lacking so
    parser.add_argument("shell", choices=tuple(SHELLS), metavar=shells, help="whose script")


def run(args: argparse.Namespace) -> int:
    """Print the script; `make_whole` makes the parser that all commands are declared in."""
    script = SHELLS[args.shell](_commands(args.make_whole()))
    print(script, end="")  # noqa: T201 -- what it is for
    return 0


def _commands(parser: argparse.ArgumentParser) -> list[Command]:
    """Read what is declared."""
    top: Any = next(each for each in _actions(parser) if isinstance(each.choices, dict))
    about = {each.dest: each.help or "" for each in top._get_subactions()}  # noqa: SLF001 -- below
    return [
        Command(name, about[name], tuple(map(_word, _actions(command))))
        for name, command in top.choices.items()
    ]


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """List what a parser knows: argparse has no public way to ask for it."""
    return parser._actions  # noqa: SLF001 -- the same


def _word(action: argparse.Action) -> Word:
    """Tell what may be typed for an option or an argument."""
    return Word(
        flags=tuple(action.option_strings),
        about=(action.help or "").replace("%%", "%"),
        value=str(action.metavar or action.dest) if action.nargs != 0 else "",
        choices=tuple(map(str, action.choices or ())),
        is_path=str(action.metavar).split()[-1] in _PATHS,  # `show` takes `TRACE FILE`
        is_repeated=action.nargs in ("+", "*") or isinstance(action.default, list),
    )
