"""What a DEBUG line costs that is kept in an utterance on time, as ratios of the same one, written.

The columns are to be below 1: a service that keeps them has to be able to afford them all. A line
that is off, because its logger is at INFO, is what it would cost without a recorder.

python benchmarks/recorder.py [--rounds 5]
"""

import argparse
import json
import logging
import os

from side_by_side import measure, table, timed


CASES = ["written", "kept", "off"]
WAYS = ["tracelog", "logging"]


def cost(case, way):
    """Tell what a line costs, in seconds a batch."""
    import tracelog

    config = {
        "version": 1,
        "filters": {"recorder": {"()": tracelog.FlightRecorder}},
        "formatters": {"json": {"()": tracelog.JsonFormatter}},
        "handlers": {
            "null": {
                "class": "tracelog.FileHandler",
                "filename": os.devnull,
                "formatter": "json",
                "filters": ["recorder"] if case == "kept" else [],
            }
        },
        "root": {"level": "INFO" if case == "off" else "DEBUG", "handlers": ["null"]},
    }
    tracelog.configure_logging(config)
    if way == "tracelog":
        debug = tracelog.get_logger("app.chat").debug

        def line():
            debug("message %s handled", 17, room="lobby", size=512)
    else:
        debug = logging.getLogger("app.chat").debug

        def line():
            debug("message %s handled", 17, extra={"room": "lobby", "size": 512})

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
