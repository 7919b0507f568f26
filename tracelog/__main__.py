"""The process that the command line runs in, be it `tracelog` or `python -m tracelog`."""

from __future__ import annotations

import gc
import sys

from tracelog.cli import main


def run() -> int:
    """Run the command that the arguments name, and return its exit code."""
    code = main()
    # All that is left to do is to end: to look for garbage first is a tenth of a short answer.
    gc.freeze()
    return code


if __name__ == "__main__":
    sys.exit(run())
