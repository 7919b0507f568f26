"""`tracelog tail`: the lines of a log, as they come."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import FrameType
from typing import Final

from tracelog.answers.drawing import Drawing
from tracelog.answers.entries import Entry
from tracelog.answers.follow import Source, follow, wait
from tracelog.answers.frames import Frame
from tracelog.answers.live import Live
from tracelog.answers.screen import Screen
from tracelog.answers.shaped import Shaped
from tracelog.answers.shapes import about_shapes
from tracelog.commands.arguments import add_map, describe, make_count
from tracelog.escapes import printable
from tracelog.layout import Layout
from tracelog.terminal import wanted_colors


__all__ = ["HELP", "configure", "run"]

HELP: Final = "show the lines of a log as they come, so that what is late stands out"

_EPILOG: Final = """\
What is late, or held the event loop, is marked, its cause first. Files are followed through
rotation; one that isn't there yet is waited for. Ctrl-C ends it, and tells the totals. Of a burst,
a terminal is drawn only the last lines; all are counted.

examples:
  tracelog tail app.log
  tracelog tail --late-only logs/chat.log logs/api.log    only who was late, and what held the loop
  tracelog tail --user user-456 app.log                   one user's lines
  tracelog tail --lines 0 app.log | grep checkout         from now on; every line goes into a pipe
  tracelog tail logs/                                     all of a directory that are written to
  tracelog tail --map user_id=usr.id app.log              a key that is called otherwise there
  kubectl logs -f chat-0 | tracelog tail -                from a pipe
"""
_MOST: Final = 999_999


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="a log; a directory; a glob; - for a pipe"
    )
    add_map(parser)
    parser.add_argument(
        "--late-only", action="store_true", help="only late utterances, and holds of the event loop"
    )
    parser.add_argument("--user", metavar="ID", help="only this user's")
    parser.add_argument(
        "--lines",
        type=make_count(0, _MOST),
        default=10,
        metavar="N",
        help="how many of a file's last lines to begin with (default: 10)",
    )


def run(args: argparse.Namespace) -> int:
    """Follow until there is no more, or until a signal."""
    sources = follow(args.files, last=args.lines, stdin=getattr(sys.stdin, "buffer", None))
    for source in sources:
        if not source.is_there:
            _say(f"Waiting for {printable(source.name)}: there is no such file yet.")
    shaped = [Shaped(source, tuple(args.map)) for source in sources]
    live = _make_live(shaped, args, partial(wait, sources))
    with _first_signal() as seen, ExitStack() as stack:
        for source in sources:
            stack.callback(source.close)
        live.run(lambda: bool(seen))
    for sentence in about_shapes((each.name, each.shape) for each in shaped):
        _say(sentence)
    _say(live.counts.total(live.left_out))
    return 128 + seen[0] if seen else 0  # as a shell reports it


def _make_live(
    sources: Sequence[Source], args: argparse.Namespace, sleep: Callable[[float], None]
) -> Live:
    """Put the parts together, for a terminal or for a pipe."""
    terminal = sys.stdout.isatty()
    most = max(Frame.MOST, args.lines * len(sources))
    layout = Layout(colors=wanted_colors(os.environ), terminal=terminal)
    return Live(
        sources=sources,
        frame=Frame(most) if terminal else Frame(sys.maxsize, sys.maxsize),
        screen=Screen(
            sys.stdout,
            Drawing(layout, [each.name for each in sources]),
            terminal=terminal and os.environ.get("TERM") != "dumb",
        ),
        wanted=_make_filter(args.user, late_only=args.late_only),
        clock=time.monotonic,
        now=time.time,
        sleep=sleep,
    )


def _make_filter(user: str | None, *, late_only: bool) -> Callable[[Entry], bool]:
    """Decide which lines are shown."""

    def is_wanted(entry: Entry) -> bool:
        return (entry.stands_out or not late_only) and (user is None or entry.user == user)

    return is_wanted


@contextmanager
def _first_signal() -> Iterator[list[int]]:
    """Take the first Ctrl-C as the wish to end in good order; a second one ends at once."""
    seen: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        seen.append(number)
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        restore()


def _say(text: str) -> None:
    """Tell a person: standard output is the lines'."""
    print(text, file=sys.stderr)  # noqa: T201
