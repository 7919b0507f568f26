"""`tracelog export`: a log for other programs."""

from __future__ import annotations

import argparse
from typing import Final

from tracelog.answers.export import FORMATS, PARQUET, export, format_of
from tracelog.answers.replacing import replacing
from tracelog.answers.views import VIEWS
from tracelog.commands.arguments import TIMES, add_files, add_filters, describe, output
from tracelog.commands.asking import filters_of, opened_log, refuse_overwriting
from tracelog.errors import InputError
from tracelog.escapes import printable


__all__ = ["HELP", "configure", "run"]

HELP: Final = "write a log as Parquet, as a trace for Perfetto, or as OpenTelemetry's spans"

_EPILOG: Final = f"""\
The suffix tells the format:
  .parquet     a view, column by column: the utterances, unless --view says otherwise
  .json        Chrome's trace format: open it in ui.perfetto.dev, or chrome://tracing
  .otlp.json   OTLP: an ExportTraceServiceRequest a line, as the Collector's file receiver reads it

{TIMES}
examples:
  tracelog export app.log -o utterances.parquet
  tracelog export app.log -o delays.parquet --view delays
  tracelog export app.log -o trace.json --since 10m
  tracelog export 'logs/*.log*' -o late.otlp.json --where late=true
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    add_files(parser)
    parser.add_argument(
        "-o", "--output", type=output, required=True, metavar="PATH", help="where to write it"
    )
    parser.add_argument("--format", choices=FORMATS, help="whatever the suffix says")
    parser.add_argument(
        "--view", choices=VIEWS, help="which view Parquet has (default: utterances)"
    )
    add_filters(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file, whole or not at all."""
    kind = args.format or format_of(args.output)
    if args.view and kind != PARQUET:
        raise InputError("'--view' is for Parquet: a trace has its own", hint="leave it out")

    filters = filters_of(args)
    with opened_log(args) as log:
        refuse_overwriting(args.output, log.sources)
        with replacing(args.output, example="utterances.parquet") as partial:
            export(log, filters, kind, partial, VIEWS[args.view or "utterances"])
            size = partial.stat().st_size / 1e6
    print(f"Wrote {printable(str(args.output))} ({size:,.1f} MB).")  # noqa: T201 -- the answer
    return 0
