"""Fuzz a target; needs atheris (`pip install atheris`).

python tests/fuzz/fuzz.py encode [--seconds 600]

What is found is written beside this file as `crash-*`. New inputs that reach new code are kept in
`tests/fuzz/seeds/<target>` only if they are added by hand: run with a copy to collect them.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import atheris


def main():
    with atheris.instrument_imports(include=["tracelog", "targets"]):
        from targets import TARGETS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    args = parser.parse_args()
    seeds = Path(__file__).parent / "seeds" / args.target
    with tempfile.TemporaryDirectory() as found:
        options = [f"-max_total_time={args.seconds}", "-max_len=4096", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *options, found, str(seeds)], TARGETS[args.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
