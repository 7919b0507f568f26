"""`tracelog init`: a commented logging.yaml to start from."""

from __future__ import annotations

import argparse
import sys
from importlib.resources import files
from pathlib import Path
from typing import Final

from tracelog.commands.arguments import describe
from tracelog.escapes import printable


__all__ = ["HELP", "configure", "run"]

HELP: Final = "write a logging.yaml to start from"
_EPILOG: Final = """\
examples:
  tracelog init
  tracelog init deploy/logging.yaml
"""

_WRITTEN, _REFUSED = 0, 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    parser.add_argument(
        "path",
        nargs="?",
        default="logging.yaml",
        metavar="PATH",
        help="where to write it (default: logging.yaml)",
    )
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")


def run(args: argparse.Namespace) -> int:
    """Write the file: 0 if it was written, 1 if not."""
    path = Path(args.path)
    name = printable(str(path))
    try:
        _write(path, force=args.force)
    except FileExistsError:
        if path.is_dir():
            return _refuse(f"{name} is a directory", f"tracelog init {name}/logging.yaml")

        return _refuse(f"{name} is there already", f"tracelog init --force {name}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return _refuse(f"{name} can't be written: {printable(str(reason))}", "another path")

    print(f"Wrote {name}. Edit it, then: tracelog check {name}")  # noqa: T201
    print(f"Use it with: uvicorn app:app --log-config {name}")  # noqa: T201
    print(f"or, in code: tracelog.configure_logging({str(path)!a})")  # noqa: T201
    return _WRITTEN


def _write(path: Path, *, force: bool) -> None:
    template = (files("tracelog") / "logging.yaml").read_bytes()
    # "x" refuses what is there in the same step in which it creates: nothing can come between.
    with path.open("wb" if force else "xb") as file:
        file.write(template)


def _refuse(problem: str, hint: str) -> int:
    print(f"{problem}\n  Try: {hint}", file=sys.stderr)  # noqa: T201
    return _REFUSED
