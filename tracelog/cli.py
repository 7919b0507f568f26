"""The command line: a thin table of commands, each loaded only when it is used."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Container, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final

from tracelog.errors import TracelogError
from tracelog.escapes import printable


__all__ = ["main"]

# In the words of the modules' own HELP; loading them all to ask would cost a second.
_COMMANDS: Final = {
    "late": "show the slowest utterances of a log: whose, when, and where the time went",
    "show": "show one utterance whole: where its time went, who held it up, and its lines",
    "blame": "show the lines of code that made others late: what to fix on Monday",
    "stats": "show how much there is in a log, how it went over time, and what fills the disk",
    "tail": "show the lines of a log as they come, so that what is late stands out",
    "report": "write a page to look at: who was late and when, what held the loop, each one's why",
    "query": "ask a log a question of your own, in SQL",
    "export": "write a log as Parquet, as a trace for Perfetto, or as OpenTelemetry's spans",
    "schema": "print the table of ClickHouse that logs are shipped to",
    "check": "check a logging configuration: every mistake, with its file, line and way out",
    "init": "write a logging.yaml to start from",
    "completion": "print a script that lets bash, zsh or fish complete what you type",
    "demo": "run a small chat service with one costly user, and tell who was handled late",
}
_EPILOG: Final = """\
examples:
  tracelog late app.log
  tracelog show --last-late app.log
  tracelog tail app.log
  tracelog COMMAND --help
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 if all is well, 2 if the input can't be used."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        _forgive(stream)
    try:
        return _run(arguments)
    except (TracelogError, ImportError) as error:
        # A file that it names may be called anything.
        sentence = "\n".join(map(printable, str(error).split("\n")))
        print(f"tracelog: {sentence}", file=sys.stderr)  # noqa: T201 -- the way to tell a person
        return 2
    except KeyboardInterrupt:
        return 130  # as a shell reports it
    except BrokenPipeError:
        return _leave_pipe()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _leave_pipe()
        print(f"tracelog: {error.strerror}\n  Try: df -h", file=sys.stderr)  # noqa: T201 -- likewise
        return 2


def _run(arguments: list[str]) -> int:
    """Hand over to the command's module."""
    meant = next((word for word in arguments if not word.startswith("-")), None)
    args, unknown = _make_parser({meant}).parse_known_args(arguments)
    if unknown:  # argparse itself would show the usage of all, not the command's
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    code: int = args.run(args)
    sys.stdout.flush()  # here, where a closed pipe is expected
    return code


def _make_parser(meant: Container[str | None]) -> argparse.ArgumentParser:
    """Declare all commands, and the arguments of those that are meant."""
    parser = argparse.ArgumentParser(
        prog="tracelog",
        description="Which user's utterance was handled late, and why? Answered from the logs.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Command)
    for name, summary in _COMMANDS.items():
        command = commands.add_parser(name, help=summary)
        if name in meant:
            _configure(command, import_module(f"tracelog.commands.{name}"))
    return parser


def _configure(parser: argparse.ArgumentParser, module: Any) -> None:
    """Let a command's module declare its arguments."""
    module.configure(parser)
    parser.set_defaults(run=module.run, parser=parser, make_whole=partial(_make_parser, _COMMANDS))


class _Command(argparse.ArgumentParser):
    """A command; its options may stand between the rest: `show TRACE --json FILE`."""

    _is_asked = False  # it asks itself, for the options and for the rest

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Take the options from wherever they stand."""
        if self._is_asked:
            return super().parse_known_args(args, namespace)

        self._is_asked = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._is_asked = False


class _Version(argparse.Action):
    """Print the version, which is read only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_arguments: object) -> None:
        print(f"tracelog {import_module('tracelog').__version__}")  # noqa: T201
        parser.exit()


def _forgive(stream: Any) -> None:
    """Escape what a terminal's encoding lacks, instead of dying of it."""
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _leave_pipe() -> int:
    """End as quietly as the reader did; nothing may be flushed at exit into what takes no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
