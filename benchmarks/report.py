"""How long `tracelog report` takes, and in how much memory, on a log of about 1 GB.

    python benchmarks/report.py [--size MB] [--keep FILE]

The log is that of `benchmarks/late.py`. The peak should stay below 600 MB, whatever the log's size.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from late import generate, run
from rich.console import Console


def main() -> None:
    """Generate, measure, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--size", type=int, default=1000, metavar="MB")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="generate it once, and keep it")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = options.keep or Path(folder, "app.log")
        if not path.exists():
            generate(path, options.size, 0)
        page = Path(folder, "report.html")
        done = run([sys.executable, "-m", "tracelog", "report", str(path), "-o", str(page)])
        Console().print(
            f"{path.stat().st_size / 1e6:,.0f} MB of lines, {page.stat().st_size / 1e6:,.1f} MB of "
            f"page, {done.seconds:.1f} s, {done.megabytes:,.0f} MB at the peak"
        )


if __name__ == "__main__":
    main()
