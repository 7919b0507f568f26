"""What every command that asks a log has in common: its arguments, and what it opens.

Neither DuckDB nor rich is loaded by importing this: `--help`, and a mistyped argument, answer at
once.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Final, NamedTuple

from tracelog.answers import keeping
from tracelog.answers.cache import Cache
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.progress import Progress
from tracelog.answers.question import Engine, Read, Tally
from tracelog.answers.shapes import OURS, Shape
from tracelog.answers.sources import Source, Spool, open_sources
from tracelog.answers.times import Moment
from tracelog.commands.tables import opened_table
from tracelog.errors import InputError
from tracelog.escapes import printable


__all__ = [
    "TIMES",
    "Asked",
    "about_shapes",
    "add_arguments",
    "add_files",
    "add_filters",
    "add_map",
    "describe",
    "filters_of",
    "moment",
    "never_over_a_log",
    "opened",
    "opened_log",
]

TIMES: Final = """\
A time is UTC: '2026-11-22T14:05:00Z', '2026-11-22 14:05', or '14:05' on the log's last day;
'10m' (ms, s, m, h, d) counts back from the log's last line.
"""
_DRAWING: Final = "tracelog.answers.printing"
_MOST: Final = 999_999  # that DuckDB keeps of a whole


class Asked(NamedTuple):
    """What a command asks.

    Attributes:
        engine: Whom.
        names: What the user calls what is read.
        is_ours: Whether all of it is here, and of our own shape.
    """

    engine: Engine
    names: tuple[str, ...]
    is_ours: bool = True

    def read(self, tally: Tally) -> Read:
        """Tell what was read, and look for the first few lines that are no JSON."""
        broken_at = self.engine.broken(tally.broken) if tally.broken else ()
        return Read(names=self.names, tally=tally, broken_at=broken_at)


def describe(parser: argparse.ArgumentParser, summary: str, epilog: str) -> None:
    """Say what a command does, and show examples."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description = f"{summary[0].upper()}{summary[1:]}."
    parser.epilog = epilog


def add_arguments(parser: argparse.ArgumentParser, *, over: bool = False) -> None:
    """Declare what to read, what to leave out, and how to show the rest."""
    add_files(parser, nargs="*")
    parser.add_argument(
        "--from",
        dest="table",
        metavar="URL",
        help="a table of ClickHouse instead of files: clickhouse://user@host/db.table",
    )
    if over:
        parser.add_argument(
            "--over", type=_milliseconds, metavar="MS", help="only what took longer"
        )
    add_filters(parser)
    parser.add_argument(
        "--top", type=_top, default=20, metavar="N", help="how many to show (default: 20)"
    )
    parser.add_argument("--json", action="store_true", help="a line of JSON for each")
    parser.add_argument(
        "--no-cache", action="store_true", help="neither use nor keep what makes questions faster"
    )


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Declare what to leave out."""
    parser.add_argument("--user", metavar="ID", help="only this user's")
    parser.add_argument("--since", metavar="TIME", help="only from then on")
    parser.add_argument("--until", metavar="TIME", help="only up to then")
    parser.add_argument(
        "--where",
        type=_pair,
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="only lines with this value under this key; may be repeated",
    )


def add_files(parser: argparse.ArgumentParser, nargs: str = "+") -> None:
    """Declare what to read, and what its keys are called."""
    parser.add_argument(
        "files",
        nargs=nargs,
        metavar="FILE",
        help="a log, plain, .gz or .zst; a directory; a glob; s3:// or https://; - for a pipe",
    )
    add_map(parser)


def add_map(parser: argparse.ArgumentParser) -> None:
    """Declare what keys are called, where that isn't known by itself."""
    parser.add_argument(
        "--map",
        type=_mapping,
        action="append",
        default=[],
        metavar="OUR=THEIRS",
        help="a key of ours, and what it is called there; may be repeated",
    )


def about_shapes(named: Iterable[tuple[str, Shape]]) -> Iterator[str]:
    """Say what shapes were recognised that aren't ours."""
    by_about: dict[str, list[str]] = {}
    for name, shape in named:
        if shape.about:
            by_about.setdefault(shape.about, []).append(printable(name))
    for about, names in by_about.items():
        first, *others = names
        more = f" and {len(others):,} more are" if others else " is"
        yield f"{first}{more} read as {about}."


def filters_of(args: argparse.Namespace) -> Filters:
    """Read the filters.

    Raises:
        InputError: If a time is none.
    """
    return Filters(
        over=getattr(args, "over", None),
        user=args.user,
        since=moment(args.since),
        until=moment(args.until),
        where=tuple(args.where),
    )


def moment(text: str | None) -> Moment | None:
    """Read a time; an empty one is none, too: a shell's unset variable doesn't ask for everything.

    Raises:
        InputError: If it is no time.
    """
    return None if text is None else Moment.parse(text)


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[Asked]:
    """Open what there is to read.

    Raises:
        InputError: If some of it isn't there.
    """
    if bool(args.files) == bool(args.table):
        raise InputError(
            "either files or '--from' a table has to be named, not both",
            hint="tracelog late app.log, or: tracelog late --from clickhouse://host/db.table",
        )

    if args.table and args.map:
        raise InputError("'--map' is for files: a table has columns", hint="leave it out")

    if args.table:
        with opened_table(args.table) as (table, name):
            yield Asked(table, (name,))
    else:
        with _opened_files(args) as asked:
            yield asked


@contextmanager
def _opened_files(args: argparse.Namespace) -> Iterator[Asked]:
    """Open files, and pipes; once they are answered, have kept what was read."""
    progress = Progress()
    with opened_log(args, progress) as log:
        engine = Embedded(log, None if args.no_cache else Cache.of_user())
        # What draws the answer is loaded while DuckDB finds it.
        Thread(target=import_module, args=(_DRAWING,), daemon=True).start()
        is_ours = all(each.shape == OURS and not each.is_remote for each in log.sources)
        yield Asked(engine, tuple(source.name for source in log.sources), is_ours)
        if engine.worth_keeping:
            keeping.start(args.files, args.map, engine.worth_keeping)


@contextmanager
def opened_log(args: argparse.Namespace, progress: Progress | None = None) -> Iterator[Log]:
    """Open the files there are to read.

    Raises:
        InputError: If some of it isn't there.
    """
    with Spool() as spool:
        sources = open_sources(args.files, spool, getattr(sys.stdin, "buffer", None))
        log = Log(sources, spool, tuple(args.map), progress)
        for sentence in about_shapes((source.name, source.shape) for source in log.sources):
            print(sentence, file=sys.stderr)  # noqa: T201 -- stdout is the answer's
        yield log


def never_over_a_log(output: Path, sources: Iterable[Source]) -> None:
    """Refuse to write over what is read.

    Raises:
        InputError: If that is what *output* is.
    """
    for source in sources:
        if output.exists() and not source.is_remote and output.samefile(source.path):
            raise InputError(
                f"{str(output)!r} is one of the logs to read", hint=f"-o other{output.suffix}"
            )


def _milliseconds(text: str) -> float:
    """Read a number of milliseconds."""
    try:
        number = float(text.removesuffix("ms"))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of milliseconds, such as 250")

    return number


def _pair(text: str) -> tuple[str, str]:
    """Read a key and a value."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE, such as room=lobby")

    return key, value


def _mapping(text: str) -> tuple[str, str]:
    """Read a key of ours and one of theirs."""
    ours, equals, theirs = text.partition("=")
    if not (ours and equals and theirs):
        raise argparse.ArgumentTypeError(f"{text!r} is no OUR=THEIRS, such as user_id=usr.id")

    return ours, theirs


def _top(text: str) -> int:
    """Read how many to show."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is no number between 1 and {_MOST:,}")

    return number
