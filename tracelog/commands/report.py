"""`tracelog report`: a log as a page to look at."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from tracelog.answers.columns import page_data
from tracelog.answers.gathering import gather
from tracelog.answers.progress import Progress
from tracelog.answers.replacing import replacing
from tracelog.answers.report import make_page
from tracelog.commands.arguments import add_files, describe, output
from tracelog.commands.asking import opened_log, refuse_overwriting
from tracelog.escapes import printable


__all__ = ["HELP", "configure", "run"]

HELP: Final = "write a page to look at: who was late and when, what held the loop, each one's why"

_EPILOG: Final = """\
The page is one file and asks nobody for anything: open it in any browser, send it, keep it.

examples:
  tracelog report app.log                        writes report.html
  tracelog report app.log -o monday.html
  tracelog report logs/ -o week.html             a directory: rotated and packed files, too
  kubectl logs chat-0 | tracelog report -        from a pipe
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    add_files(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=output,
        default=Path("report.html"),
        metavar="PATH",
        help="where to write it (default: report.html)",
    )


def run(args: argparse.Namespace) -> int:
    """Gather, and write the page."""
    progress = Progress()
    with opened_log(args, progress) as log:
        refuse_overwriting(args.output, log.sources)
        names = [source.name for source in log.sources]
        # First, where it goes: it would be a pity to find out after all the work.
        with replacing(args.output, example="report.html") as partial:
            found = gather(log, progress.step)
            page = make_page(page_data(found, names))
            partial.write_bytes(page)
    late = f"{found.late:,} of {found.utterances:,} utterances late"
    size = f"{len(page) / 1e6:,.1f} MB"
    print(f"Wrote {printable(str(args.output))} ({size}): {late}.")  # noqa: T201 -- the answer
    return 0
