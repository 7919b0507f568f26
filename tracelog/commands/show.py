"""`tracelog show`: one utterance whole."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tracelog.answers.entries import Entry
from tracelog.answers.finding import line_at
from tracelog.answers.shapes import about_shapes
from tracelog.answers.sources import Source, Spool, open_sources
from tracelog.answers.story import Story, tell
from tracelog.answers.traces import Trace, find_trace, last_late, trace_of
from tracelog.answers.translated import translated
from tracelog.commands.arguments import add_map, describe, make_count
from tracelog.errors import InputError


__all__ = ["HELP", "configure", "run"]

HELP: Final = "show one utterance whole: where its time went, who held it up, and its lines"

_USAGE: Final = """\
tracelog show [-h] [--lines N] [--json] [--map OUR=THEIRS] TRACE FILE [FILE ...]
       tracelog show [-h] [--lines N] [--json] [--map OUR=THEIRS] FILE:LINE [FILE ...]
       tracelog show [-h] [--lines N] [--json] [--map OUR=THEIRS] --last-late FILE [FILE ...]"""
_EPILOG: Final = """\
A trace is named by its id, or by as much of it as no other begins with. Give the files of all the
services that it went through: their lines are put in order, clocks that disagree are set right.

examples:
  tracelog show 4bf92f35 app.log                   a trace
  tracelog show app.log:1042                       the one that this line is of
  tracelog show --last-late app.log                the last one that was late
  tracelog show 4bf92f35 'chat/*.log' api.log      across services, rotated and packed files, too
  kubectl logs chat-0 | tracelog show 4bf92f35 -   from a pipe
  tracelog show 4bf92f35 --map user_id=uid old.log     a key of another name
  tracelog show --json 4bf92f35 app.log | jq .utterance.verdict.cause
"""
_PLACE: Final = re.compile(r"(?P<file>.+):(?P<line>[1-9]\d{0,11})", re.DOTALL | re.ASCII)
_MOST: Final = 9_999


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    parser.usage = _USAGE
    parser.add_argument(
        "words",
        nargs="+",
        metavar="TRACE FILE",
        help="a trace, or a line of a file; then logs, as for `late`; - for a pipe",
    )
    add_map(parser)
    parser.add_argument(
        "--last-late", action="store_true", help="the last one that was late, in place of a trace"
    )
    parser.add_argument(
        "--lines",
        type=make_count(1, _MOST),
        default=100,
        metavar="N",
        help="how many of its first lines, and of its last, are shown (default: 100)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")


def run(args: argparse.Namespace) -> int:
    """Find it, and show it."""
    with Spool() as spool:
        story = _story(args, spool)
    if args.json:
        from tracelog.answers import printing, story_page  # noqa: PLC0415 -- rich is for answers only

        printing.show_json([story_page.document(story)], (), is_sound=True)
    else:
        _show(story)
    return 0


def _story(args: argparse.Namespace, spool: Spool) -> Story:
    """Find out what is meant, and gather it."""
    if args.last_late:
        return _story_of_last_late(args, spool)

    meant, *names = args.words
    place = _PLACE.fullmatch(meant)
    if place and (Path(place["file"]).exists() or not names):
        return _story_of_line(place["file"], int(place["line"]), names, args, spool)

    if not names:
        raise _too_few(meant)

    sources = _opened(names, args, spool)
    return tell(sources, _trace(sources, meant, args.lines))


def _story_of_last_late(args: argparse.Namespace, spool: Spool) -> Story:
    """Gather the last one that was late."""
    sources = _opened(args.words, args, spool)
    chosen = last_late(sources)
    if chosen is None:
        files = ", ".join(source.name for source in sources)
        raise InputError(
            f"no utterance in {files} was late",
            hint=f"tracelog late {shlex.quote(sources[0].name)}",
        )

    return _told(sources, chosen, args.lines)


def _story_of_line(
    file: str, number: int, others: Sequence[str], args: argparse.Namespace, spool: Spool
) -> Story:
    """Gather the one that a line of *file* is of; the *others* may have more of it."""
    sources = _opened([file, *others], args, spool)
    its = next((source for source in sources if source.name == file), None)
    if its is None:
        raise InputError(
            f"{file!r} is more than one file, and a line is of one",
            hint=f"tracelog show {shlex.quote(sources[0].name)}:{number}",
        )

    return _told(sources, _line(its, number), args.lines)


def _opened(names: Sequence[str], args: argparse.Namespace, spool: Spool) -> tuple[Source, ...]:
    """Open what there is to read, in our shape."""
    sources = open_sources(names, spool, getattr(sys.stdin, "buffer", None))
    sources = translated(sources, spool, tuple(args.map))
    for sentence in about_shapes((source.name, source.shape) for source in sources):
        print(sentence, file=sys.stderr)  # noqa: T201 -- stdout is the answer's
    return sources


def _told(sources: Sequence[Source], chosen: Entry, most: int) -> Story:
    """Gather the story of a line."""
    return tell(sources, find_trace(sources, str(trace_of(chosen)), most), chosen)


def _trace(sources: Sequence[Source], meant: str, most: int) -> Trace:
    """Find a trace by its id; nothing is the beginning of all of them."""
    if not meant:
        raise InputError("'' is no trace", hint="tracelog show --last-late FILE")

    return find_trace(sources, meant, most)


def _line(source: Source, number: int) -> Entry:
    """Read the line that is meant.

    Raises:
        InputError: If there is none, or if it has no trace.
    """
    entry, typed = line_at(source, number), shlex.quote(source.name)
    if entry is None:
        raise InputError(f"{source.name!r} has fewer than {number:,} lines", hint=f"wc -l {typed}")

    if not trace_of(entry):
        what = "is no JSON" if entry.event is None else "has no trace_id"
        raise InputError(
            f"{source.name}:{number} {what}", hint=f"tracelog show --last-late {typed}"
        )

    return entry


def _too_few(meant: str) -> InputError:
    """Say what is missing."""
    if Path(meant).exists():
        return InputError(
            f"which utterance of {meant!r} is meant?",
            hint=f"tracelog show --last-late {shlex.quote(meant)}",
        )

    return InputError(
        f"there is no file to look for {meant!r} in",
        hint=f"tracelog show {shlex.quote(meant)} app.log",
    )


def _show(story: Story) -> None:
    """Show it to a person."""
    from tracelog.answers import printing, story_page  # noqa: PLC0415 -- the same
    from tracelog.answers.drawing import Drawing  # noqa: PLC0415
    from tracelog.layout import Layout  # noqa: PLC0415

    printing.show(partial(story_page.draw, story), ())
    names = [flow.source for flow in story.trace.flows]
    layout = Layout(colors=printing.has_colors(), terminal=sys.stdout.isatty())
    for line in story_page.draw_lines(story, Drawing(layout, names)):
        print(line)  # noqa: T201 -- this is what the command is for
