"""`tracelog late`: the slowest utterances of a log, one by one, in groups, or before and after."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from tracelog.answers.groups import GROUPS, compare, group
from tracelog.answers.slowest import SORTS, slowest
from tracelog.answers.sources import STDIN
from tracelog.answers.times import Moment
from tracelog.answers.utterances import Utterance
from tracelog.commands.arguments import TIMES, add_arguments, describe
from tracelog.commands.asking import Asked, filters_of, moment, opened, show
from tracelog.errors import InputError


__all__ = ["HELP", "configure", "run"]

HELP: Final = "show the slowest utterances of a log: whose, when, and where the time went"

_EPILOG: Final = f"""\
{TIMES}
examples:
  tracelog late app.log                          the 20 slowest
  tracelog late --over 250 --since 10m app.log   of the last ten minutes
  tracelog late --user user-456 'logs/*.log*'    one user's, rotated and packed files, too
  tracelog late --where room=lobby app.log       whatever was bound, and any key of the verdict
  tracelog late --sort loop app.log              those that waited longest for the event loop
  tracelog late --group-by where app.log         the places that most of them were late for
  tracelog late --compare 14:05 app.log          before and after a deploy: which routes got slower
  tracelog late logs/                            a directory: rotated and packed files, too
  tracelog late --map user_id=usr.id app.log     a key of ours that is called otherwise there
  kubectl logs chat-0 | tracelog late -          from a pipe
  tracelog late --from clickhouse://kim@db/logs.lines --since 10m
                                                 where logs outgrow a machine
  tracelog late --json app.log | jq .user_id     for programs
"""
_PREFIX: Final = 12  # of a trace id: what no other in a log begins with, as good as ever
_TYPED: Final = re.compile(r"(?!-)[\w ./:*?'~=,+@%-]{1,100}", re.ASCII)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    add_arguments(parser, over=True)
    parser.add_argument(
        "--sort", choices=SORTS, help="what to show most of, or in which order (default: total)"
    )
    parser.add_argument("--group-by", choices=GROUPS, help="count them, and their percentiles")
    parser.add_argument(
        "--compare", metavar="TIME", help="what got slower then (groups by route by default)"
    )


def run(args: argparse.Namespace) -> int:
    """Ask, and show the answer."""
    at = moment(args.compare)
    if args.sort and (at or args.group_by):
        raise InputError("'--sort' orders single utterances, not groups", hint="leave it out")

    with opened(args) as asked:
        if at:
            _show_changes(asked, args, at)
        elif args.group_by:
            _show_groups(asked, args)
        else:
            _show_slowest(asked, args)
    return 0


def _show_slowest(asked: Asked, args: argparse.Namespace) -> None:
    """Show them one by one."""
    filters = filters_of(args)
    answer = slowest(asked.engine, filters, top=args.top, by=args.sort or "total")
    from tracelog.answers import late_table  # noqa: PLC0415 -- rich is for answers only

    said = late_table.sentences(
        answer, asked.read(answer.tally, filters), is_filtered=filters.is_any
    )
    # `tracelog show` looks for lines of ours.
    more = _next(answer.rows, args.files) if asked.is_ours and not args.json else ()
    show(
        partial(late_table.draw, answer.rows),
        late_table.records(answer.rows),
        (*said, *more),
        as_json=args.json,
        is_sound=bool(answer.rows) and not answer.tally.broken,
    )


def _next(rows: Sequence[Utterance], files: Sequence[str]) -> Iterator[str]:
    """Say how to see the first one whole, if that is something to type; `show` reads files."""
    trace_id = rows[0].trace_id if rows and files else None
    typed = shlex.join([str(trace_id)[:_PREFIX], *files])
    if isinstance(trace_id, str) and STDIN not in files and _TYPED.fullmatch(typed):
        yield f"The first one, whole: tracelog show {typed}"


def _show_groups(asked: Asked, args: argparse.Namespace) -> None:
    """Show them in groups."""
    filters = filters_of(args)
    groups, tally = group(asked.engine, filters, args.group_by)
    from tracelog.answers import group_table  # noqa: PLC0415 -- the same

    shown = groups[: args.top]
    show(
        partial(group_table.draw_groups, shown, args.group_by),
        group_table.group_records(shown),
        group_table.sentences(groups, args.top, asked.read(tally, filters)),
        as_json=args.json,
        is_sound=bool(shown) and not tally.broken,
    )


def _show_changes(asked: Asked, args: argparse.Namespace, at: Moment) -> None:
    """Show groups before and after."""
    by = args.group_by or "route"
    filters = filters_of(args)
    changes, tally = compare(asked.engine, filters, by, at)
    from tracelog.answers import group_table  # noqa: PLC0415 -- the same

    shown = changes[: args.top]
    show(
        partial(group_table.draw_changes, shown, by),
        group_table.change_records(shown),
        group_table.sentences(changes, args.top, asked.read(tally, filters)),
        as_json=args.json,
        is_sound=bool(shown) and not tally.broken,
    )
