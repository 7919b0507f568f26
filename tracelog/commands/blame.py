"""`tracelog blame`: the lines of code that made others late."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Final

from tracelog.answers.blame import blame
from tracelog.commands.arguments import TIMES, add_arguments, describe
from tracelog.commands.asking import filters_of, opened, show


__all__ = ["HELP", "configure", "run"]

HELP: Final = "show the lines of code that made others late: what to fix on Monday"

_EPILOG: Final = f"""\
What held the event loop comes first, with the delay of all whom it hit; then what late utterances
waited for: locks, threads, calls to others, queues; and their spans, without those within them.

{TIMES}
examples:
  tracelog blame app.log
  tracelog blame --since 1h --top 5 'logs/*.log*'
  tracelog blame --user user-456 app.log             whose fault it was that this user was late
  tracelog blame logs/                               a directory: rotated and packed files, too
  tracelog blame --map trace_id=request.id app.log   a key of ours that is called otherwise there
  tracelog blame --from clickhouse://kim@db/logs.lines
  tracelog blame --json app.log | jq .place          for programs
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Ask, and show the answer."""
    with opened(args) as asked:
        filters = filters_of(args)
        culprits, tally = blame(asked.engine, filters)
        from tracelog.answers import blame_table  # noqa: PLC0415 -- rich is for answers only

        show(
            partial(blame_table.draw, culprits, args.top),
            blame_table.records(culprits[: args.top]),
            blame_table.sentences(culprits, asked.read(tally, filters)),
            as_json=args.json,
            is_sound=bool(culprits) and not tally.broken,
        )
    return 0
