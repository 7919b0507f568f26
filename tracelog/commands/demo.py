"""`tracelog demo`: a live service, its lines, and the answer."""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Final

from tracelog.commands.arguments import describe


__all__ = ["HELP", "configure", "run"]

HELP: Final = "run a small chat service with one costly user, and tell who was handled late"
_EPILOG: Final = """\
examples:
  tracelog demo
  tracelog demo --seconds 10 --folder /tmp/demo
"""
_DEFAULT_FOLDER: Final = "tracelog-demo"
_NEEDS: Final = ("starlette", "uvicorn", "websockets", "duckdb")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=4.0,
        metavar="N",
        help="how long the users talk (default: 4)",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(_DEFAULT_FOLDER),
        metavar="PATH",
        help=f"where the log and its configuration are left (default: {_DEFAULT_FOLDER})",
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    for module in _NEEDS:
        _require(module)
    from tracelog.demo.run import run_demo  # noqa: PLC0415 -- needs the extras

    log = run_demo(args.folder, seconds=args.seconds)
    print(f"\n$ tracelog late {log}\n", flush=True)  # noqa: T201 -- what the demo shows
    late = (sys.executable, "-m", "tracelog", "late", str(log))
    return subprocess.run(late, check=False).returncode  # noqa: S603 -- our own command


def _seconds(text: str) -> float:
    """Read a number of seconds."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds, such as 10")

    return number


def _require(module: str) -> None:
    try:
        import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module!r} is needed for the demo and isn't installed.\n"
            f"  Try: {sys.executable} -m pip install 'tracelog[all]'"
        ) from error
