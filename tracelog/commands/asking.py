"""What the commands that ask a log have in common: what they open, and how they answer.

Neither DuckDB nor rich is loaded by importing this: `--help`, and a mistyped argument, answer at
once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any, Final, NamedTuple

from tracelog.answers import keeping
from tracelog.answers.cache import Cache
from tracelog.answers.choices import choices
from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.progress import Progress
from tracelog.answers.question import Engine, Read, Tally
from tracelog.answers.shapes import OURS, about_shapes
from tracelog.answers.sources import Source, Spool, open_sources
from tracelog.answers.times import Moment
from tracelog.answers.views import UTTERANCES, View
from tracelog.errors import InputError


__all__ = [
    "Asked",
    "filters_of",
    "moment",
    "opened",
    "opened_log",
    "refuse_overwriting",
    "show",
]

_DRAWING: Final = "tracelog.answers.printing"


class Asked(NamedTuple):
    """What a command asks.

    Attributes:
        engine: What answers.
        names: Of the files, or of the table, as the user wrote them.
        is_ours: Whether all of it is here, and of our own shape.
    """

    engine: Engine
    names: tuple[str, ...]
    is_ours: bool = True

    def read(self, tally: Tally, filters: Filters, view: View = UTTERANCES) -> Read:
        """Tell what was read, and look for the first few lines that are no JSON.

        If *filters* left nothing, what *view* has instead is looked for, too.
        """
        broken_at = self.engine.broken(tally.broken) if tally.broken else ()
        is_none = tally.rows and not tally.matched
        instead = tuple(choices(self.engine, view, filters)) if is_none else ()
        return Read(names=self.names, tally=tally, broken_at=broken_at, instead=instead)


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
    """Read a time, if there is one.

    Raises:
        InputError: If it is no time, or empty: a shell's unset variable doesn't ask for everything.
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
        from tracelog.commands.tables import opened_table  # noqa: PLC0415 -- files are the rule

        with opened_table(args.table) as (table, name):
            yield Asked(table, (name,))
    else:
        with _opened_files(args) as asked:
            yield asked


@contextmanager
def _opened_files(args: argparse.Namespace) -> Iterator[Asked]:
    """Open files, and pipes; what was read is kept for the next question."""
    progress = Progress()
    with opened_log(args, progress) as log:
        engine = Embedded(log, None if args.no_cache else Cache.of_user())
        # What draws the answer is loaded while DuckDB finds it.
        Thread(target=import_module, args=(_DRAWING,), daemon=True).start()
        is_ours = all(each.shape == OURS and not each.is_remote for each in log.sources)
        yield Asked(engine, tuple(source.name for source in log.sources), is_ours)
        if engine.worth_keeping:
            keeping.start(args.files, args.map, engine.worth_keeping)


def show(
    draw: Callable[[int, bool], Iterable[Any]],
    records: Iterable[Mapping[str, Any]],
    said: Iterable[str],
    *,
    as_json: bool,
    is_sound: bool,
) -> None:
    """Print an answer.

    Args:
        draw: Draws it for a person, as `printing.show` has it drawn.
        records: The same for programs.
        said: What else a person has to know.
        as_json: Write the records.
        is_sound: Something was found, and every line read: with the records, nothing is *said*.
    """
    from tracelog.answers import printing  # noqa: PLC0415 -- rich is for answers only

    if as_json:
        printing.show_json(records, said, is_sound=is_sound)
    else:
        printing.show(draw, said)


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


def refuse_overwriting(output: Path, sources: Iterable[Source]) -> None:
    """Refuse to write over what is read.

    Raises:
        InputError: If that is what *output* is.
    """
    for source in sources:
        if output.exists() and not source.is_remote and output.samefile(source.path):
            raise InputError(
                f"{str(output)!r} is one of the logs to read", hint=f"-o other{output.suffix}"
            )
