"""`tracelog query`: a question of your own, in SQL."""

from __future__ import annotations

import argparse
import os
import sys
from itertools import islice
from typing import Final

from tracelog.answers.embedded import Embedded
from tracelog.answers.log import LINES, Log, Result
from tracelog.answers.tables import Tables
from tracelog.answers.views import VIEWS
from tracelog.commands.arguments import add_files, describe
from tracelog.commands.asking import opened_log
from tracelog.errors import InputError
from tracelog.escapes import printable


__all__ = ["HELP", "configure", "run"]

HELP: Final = "ask a log a question of your own, in SQL"

_MOST: Final = 1_000  # rows on a terminal
_VIEWS: Final = ", ".join(VIEWS)
_EPILOG: Final = f"""\
The views are {_VIEWS}; docs/views.md tells of every column, and so does
DESCRIBE. The SQL is DuckDB's, one SELECT; it can read the logs, write nothing and reach nobody.

examples:
  tracelog query app.log "FROM utterances WHERE late ORDER BY total_ms DESC LIMIT 10"
  tracelog query app.log "SELECT user_id, max(total_ms) FROM utterances GROUP BY ALL"
  tracelog query 'logs/*.log*' "SELECT place, sum(ms) FROM delays GROUP BY ALL ORDER BY 2 DESC"
  tracelog query app.log "SELECT line->>'room' AS room, count(*) FROM lines GROUP BY ALL"
  tracelog query app.log "DESCRIBE holds"
  tracelog query --json app.log "SELECT * FROM holds" | jq .place
"""  # noqa: S608 -- examples, which nobody runs


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    add_files(parser)
    parser.add_argument("sql", metavar="SQL", help="one SELECT, in DuckDB's SQL")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each row")


def run(args: argparse.Namespace) -> int:
    """Ask, and show what comes.

    Raises:
        InputError: If the files or the SQL can't be read, or stand in each other's place.
    """
    if os.path.isfile(args.sql):  # noqa: PTH113 -- `Path.is_file` raises at a long text
        raise InputError(f"{args.sql!r} is a file, no SQL", hint="tracelog query FILE SQL")

    with opened_log(args) as log:
        tables = Tables(log)
        result = tables.ask(args.sql)
        if args.json:
            _print_json(result)
        elif sys.stdout.isatty():
            _print_table(result)
        else:
            _print_tabbed(result)
        if tables.log is not log:
            _tell_what_is_left_out(tables.log)
    return 0


def _tell_what_is_left_out(log: Log) -> None:
    """Count and locate the lines that SQL can't read."""
    ((count,),) = log.rows(f"SELECT count(*) FROM {LINES} WHERE json IS NULL")  # noqa: S608
    if not count:  # it was damaged between two lines
        return

    places = ", ".join(map(printable, Embedded(log).broken(count)))
    sentence = f"Left out, as no JSON or too long to read: {count:,}, the first at {places}."
    print(sentence, file=sys.stderr)  # noqa: T201 -- stdout is the answer's


def _print_json(result: Result) -> None:
    """Write a line of JSON for each row."""
    from tracelog.answers import printing, rows  # noqa: PLC0415 -- rich is for answers only

    printing.show_json(rows.records(result.columns, result.rows), (), is_sound=True)


def _print_table(result: Result) -> None:
    """Draw the first rows: more than that, nobody reads on a terminal."""
    from tracelog.answers import printing, rows  # noqa: PLC0415 -- the same

    first = list(islice(result.rows, _MOST + 1))
    console = printing.make_console()
    console.print(rows.draw(result.columns, first[:_MOST], console))
    if len(first) > _MOST:
        console.print(f"The first {_MOST:,} rows: a LIMIT, a pipe or --json shows what you want.")


def _print_tabbed(result: Result) -> None:
    """Write a line for each row, for `cut`, `sort`, `awk`, and spreadsheets."""
    from tracelog.answers import rows  # noqa: PLC0415 -- the same

    for line in rows.tabbed(result.columns, result.rows):
        print(line)  # noqa: T201 -- what it is for
