"""The arguments that several commands declare alike.

It loads nothing of what answers: `show`, which needs no engine, would wait for it in vain.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final


__all__ = [
    "TIMES",
    "add_arguments",
    "add_files",
    "add_filters",
    "add_map",
    "describe",
    "make_count",
    "output",
]

TIMES: Final = """\
A time is UTC: '2026-11-22T14:05:00Z', '2026-11-22 14:05', or '14:05' on the log's last day;
'10m' (ms, s, m, h, d) counts back from the log's last line.
"""
_MOST: Final = 999_999  # that DuckDB keeps of a whole


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
        "--top",
        type=make_count(1, _MOST),
        default=20,
        metavar="N",
        help="how many to show (default: 20)",
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


def output(text: str) -> Path:
    """Read where a file is to be written, whole or not at all."""
    if text == "-":
        raise argparse.ArgumentTypeError("'-' is no name of a file, such as /tmp/out")

    return Path(text)


def make_count(least: int, most: int) -> Callable[[str], int]:
    """Build what reads a whole number from *least* to *most*."""

    def count(text: str) -> int:
        number = int(text) if text.isdecimal() else -1
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no number between {least} and {most:,}")

        return number

    return count


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
