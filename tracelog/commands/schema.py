"""`tracelog schema`: the table that logs are shipped to, where they outgrow a machine."""

from __future__ import annotations

import argparse
from typing import Final

from tracelog.answers.address import NAME
from tracelog.answers.clickhouse_table import create
from tracelog.commands.arguments import describe, make_count


__all__ = ["HELP", "configure", "run"]

HELP: Final = "print the table of ClickHouse that logs are shipped to"

_EPILOG: Final = """\
A shipper inserts each line as it is, into the column `line`; the server makes the others of it.

examples:
  tracelog schema clickhouse | clickhouse-client
  tracelog schema clickhouse --table logs.lines --days 90
  tracelog schema clickhouse --table logs.lines --cluster main   one on each shard, one for all
"""
_MOST: Final = 36_500  # days: a century


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    parser.add_argument(
        "of", choices=["clickhouse"], metavar="{clickhouse}", help="what the table is for"
    )
    parser.add_argument(
        "--table",
        type=_table,
        default=("default", "lines"),
        metavar="DB.TABLE",
        help="what to call it (default: default.lines)",
    )
    parser.add_argument(
        "--days",
        type=make_count(1, _MOST),
        default=30,
        metavar="N",
        help="how long lines stay (default: 30)",
    )
    parser.add_argument(
        "--cluster", type=_name, metavar="NAME", help="make it on each shard, and one for all"
    )


def run(args: argparse.Namespace) -> int:
    """Print it."""
    database, table = args.table
    print(create(database, table, days=args.days, cluster=args.cluster), end="")  # noqa: T201
    return 0


def _table(text: str) -> tuple[str, str]:
    """Read the names of a database and of a table in it."""
    database, dot, table = text.rpartition(".")
    return _name(database if dot else "default"), _name(table)


def _name(text: str) -> str:
    """Read a name that needs no quotes."""
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of letters, digits and '_'")

    return text
