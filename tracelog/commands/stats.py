"""`tracelog stats`: how much there is in a log, how it went over time, what fills the disk."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Final

from tracelog.answers.stats import stats
from tracelog.answers.views import LINES
from tracelog.commands.arguments import TIMES, add_arguments, describe
from tracelog.commands.asking import filters_of, opened, show


__all__ = ["HELP", "configure", "run"]

HELP: Final = "show how much there is in a log, how it went over time, and what fills the disk"

_EPILOG: Final = f"""\
{TIMES}
examples:
  tracelog stats app.log
  tracelog stats --since 1h 'logs/*.log*'
  tracelog stats --where room=lobby app.log
  tracelog stats logs/                               a directory: rotated and packed files, too
  tracelog stats --map level=severity_text app.log   a key of ours that is called otherwise there
  tracelog stats --from clickhouse://kim@db/logs.lines
  tracelog stats --json app.log | jq 'select(.what == "logger")'
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Ask, and show the answer."""
    with opened(args) as asked:
        filters = filters_of(args)
        found = stats(asked.engine, filters)
        read = asked.read(found.tally, filters, LINES)
        from tracelog.answers import stats_page  # noqa: PLC0415 -- rich is for answers only

        show(
            partial(stats_page.draw, found, args.top),
            stats_page.records(found, read),
            stats_page.sentences(found, read),
            as_json=args.json,
            is_sound=bool(found.total.lines) and not found.tally.broken,
        )
    return 0
