"""What it costs a line that secrets are looked for: its time with and without.

python benchmarks/masking.py [--rounds 5]
"""

import argparse
import itertools
import json
import os
import tempfile
from dataclasses import replace

from side_by_side import CALLS, measure, table, timed


# What is logged, and the ratio that is the goal.
VALUES = {
    "the same values again": (lambda _: "lobby-7", 1.08),
    "a new short id each time": (lambda number: f"user-{number}", None),
    "a new path each time": (lambda number: f"/api/v1/rooms/{number}/messages", None),
    "a new time each time": (lambda number: f"2026-11-22T10:10:10.{number}Z", None),
    "a new text each time, no digits": (lambda number: f"{number:b}".translate(LETTERS), None),
}
LETTERS = str.maketrans("01", "ab")
MASKED, SHOWN = "masked", "shown"


def show_all():
    """Look for no secret from now on; before anything of tracelog's has asked."""
    from tracelog import redact
    from tracelog.plain import SCALARS

    redact.REDACTOR = replace(
        redact.REDACTOR,
        clean={"message handled"},
        passes=lambda values, _: SCALARS.issuperset(map(type, values.values())),
    )
    redact.make_redactor = lambda *_, **__: redact.REDACTOR


def one(how, what):
    if how == SHOWN:
        show_all()
    import tracelog

    make, _ = VALUES[what]
    with tempfile.TemporaryDirectory() as folder:
        tracelog.configure_logging(
            sink=os.path.join(folder, "lines.log"), level="INFO", env_file=None, format="json"
        )
        tracelog.bind_context(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", user_id="user-456")
        log = tracelog.get_logger("bench")
        # Made beforehand: making them isn't what is measured.
        values = itertools.cycle([make(number) for number in range(100_000, 100_000 + 4 * CALLS)])
        call = lambda: log.info("message handled", room=next(values), size=512, ms=1.25)  # noqa: E731
        for _ in range(CALLS):
            call()
        print(json.dumps(timed(call)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        one(*args.one.split(": "))
        return

    names = [f"{how}: {what}" for what in VALUES for how in (MASKED, SHOWN)]
    costs = measure(__file__, names, rounds=args.rounds)
    rows = [
        (what, f"{costs[f'{MASKED}: {what}'] / costs[f'{SHOWN}: {what}']:.3f}", goal or "")
        for what, (_, goal) in VALUES.items()
    ]
    table("Ratio of a line's time: masked to shown", ("what it has", "ratio", "at most"), rows)


if __name__ == "__main__":
    main()
