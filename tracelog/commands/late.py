"""`tracelog late`: the slowest utterances of a log."""

from __future__ import annotations

import argparse
import math
import os
import sys
from typing import Final

from rich.console import Console

from tracelog.answers.log import Log
from tracelog.answers.queries import Answer, Question, slowest
from tracelog.answers.render import json_lines, make_table, sentences
from tracelog.answers.sources import Spool, open_sources
from tracelog.answers.times import Moment


__all__ = ["HELP", "configure", "run"]

HELP: Final = "show the slowest utterances of a log: whose, when, and where the time went"

_EPILOG: Final = """\
A time is UTC: '2026-11-22T14:05:00Z', '2026-11-22 14:05', or '14:05' on the log's last day;
'10m' (ms, s, m, h, d) counts back from the log's last line.

examples:
  tracelog late app.log                          the 20 slowest
  tracelog late --over 250 --since 10m app.log   of the last ten minutes
  tracelog late --user user-456 'logs/*.log*'    one user's, rotated and packed files, too
  kubectl logs chat-0 | tracelog late -          from a pipe
  tracelog late --json app.log | jq .user_id     for programs
"""
_MOST: Final = 999_999  # that DuckDB keeps of a whole
_UNBOUNDED: Final = 1_000  # columns, where there is no terminal to say how many


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = f"{HELP[0].upper()}{HELP[1:]}."
    parser.epilog = _EPILOG
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a log, plain, .gz or .zst; a glob; - for a pipe"
    )
    parser.add_argument("--over", type=_milliseconds, metavar="MS", help="only what took longer")
    parser.add_argument("--user", metavar="ID", help="only this user's")
    parser.add_argument("--since", metavar="TIME", help="only what arrived then or later")
    parser.add_argument("--until", metavar="TIME", help="only what arrived then or before")
    parser.add_argument(
        "--top", type=_top, default=20, metavar="N", help="how many to show (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="a line of JSON for each")


def run(args: argparse.Namespace) -> int:
    """Ask, and show the answer."""
    question = Question(
        top=args.top,
        over=args.over,
        user=args.user,
        since=Moment.parse(args.since) if args.since is not None else None,
        until=Moment.parse(args.until) if args.until is not None else None,
    )
    with Spool() as spool:
        sources = open_sources(args.files, spool, getattr(sys.stdin, "buffer", None))
        answer = slowest(Log(sources, spool), question)
    said = list(sentences(answer, [s.name for s in sources], is_filtered=question.is_filtered))
    (_print_json if args.json else _print_table)(answer, said)
    return 0


def _print_json(answer: Answer, said: list[str]) -> None:
    """Keep stdout for programs, and tell a person what they have to know."""
    for line in json_lines(answer.rows):
        print(line)  # noqa: T201 -- this is what the command is for
    if answer.broken or not answer.rows:
        print(*said, sep="\n", file=sys.stderr)  # noqa: T201


def _print_table(answer: Answer, said: list[str]) -> None:
    """Draw for the terminal there is, or for a file as wide as needed."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _UNBOUNDED
    if answer.rows:
        console.print(make_table(answer.rows, console.width))
    for sentence in said:
        console.print(sentence)


def _milliseconds(text: str) -> float:
    """Read a number of milliseconds."""
    try:
        number = float(text.removesuffix("ms"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds, such as 250")

    return number


def _top(text: str) -> int:
    """Read how many to show."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 1 and {_MOST:,}")

    return number
