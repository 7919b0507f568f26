"""What a DEBUG line costs that is kept in an utterance on time, as ratios of the same one, written.

The first column is to be below 1: a service that keeps them has to be able to afford them all. The
others are lines that are off, because their logger is at INFO: nobody's, and while somebody else's
are on, by a rule.

python benchmarks/recorder.py [--rounds 5]
"""

import argparse
import json
import logging
import os

from side_by_side import measure, table, timed


CASES = ["written", "kept", "off", "off, but for another"]
WAYS = ["tracelog", "tracelog, no arguments", "logging"]
FILTERS = {"kept": ["recorder"], "off, but for another": ["focus"]}


def cost(case, way):
    """Tell what a line costs, in seconds a batch."""
    import tracelog

    config = {
        "version": 1,
        "filters": {
            "recorder": {"()": tracelog.FlightRecorder},
            "focus": {"()": tracelog.Focus, "rules": [{"user_id": "another"}]},
        },
        "formatters": {"json": {"()": tracelog.JsonFormatter}},
        "handlers": {
            "null": {
                "class": "tracelog.FileHandler",
                "filename": os.devnull,
                "formatter": "json",
                "filters": FILTERS.get(case, []),
            }
        },
        "root": {"level": "INFO" if case.startswith("off") else "DEBUG", "handlers": ["null"]},
    }
    tracelog.configure_logging(config)
    ours, theirs = tracelog.get_logger("app.chat"), logging.getLogger("app.chat")
    line = {
        "tracelog": lambda: ours.debug("message %s handled", 17, room="lobby", size=512),
        "tracelog, no arguments": lambda: ours.debug("handled", room="lobby", size=512),
        "logging": lambda: theirs.debug("message %s handled", 17, extra={"room": "lobby"}),
    }[way]

    with tracelog.utterance(user_id="user-456", budget_ms=60_000):
        return timed(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(cost(*args.one.split("/"))))
        return

    names = [f"{case}/{way}" for case in CASES for way in WAYS]
    costs = measure(__file__, names, rounds=args.rounds)
    rows = [
        (way, *(f"{costs[f'{case}/{way}'] / costs[f'written/{way}']:.2f}" for case in CASES[1:]))
        for way in WAYS
    ]
    table("Ratio of a line's time to that of a written one", ("by", *CASES[1:]), rows)


if __name__ == "__main__":
    main()
