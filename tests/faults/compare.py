"""The contract's faults, against what people use today; the table of docs/reliability.md.

python tests/faults/compare.py [--stack NAME] [--fault NAME] [docs/reliability.md]
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from laboratory import Broken, Laboratory, judge, load_catalogue

from tracelog.testing import PROMISES


STACKS = ("ours", "jsonlogger", "structlog_formatter", "structlog_bytes", "loguru_json")
PACKAGES = ("structlog", "python-json-logger", "orjson", "loguru")
BEGIN, END = "<!-- compare.py: begin -->\n", "<!-- compare.py: end -->\n"


def verdict(fault, stack):
    """Tell how a stack breaks the promise, in a word; "ok" if it doesn't, "" if it can't be asked.

    Nobody shares an interpreter here: whoever dies of one fault is not to blame for the next.
    """
    if any(not hasattr(import_module(f"stacks.{stack}"), need) for need in fault.needs):
        return "", ""

    with tempfile.TemporaryDirectory() as folder:
        try:
            judge(fault, Laboratory([fault], stack, Path(folder, "lab")).run()[fault.id])
        except Broken as broken:
            return broken.how, str(broken)
    return "ok", ""


def compare(faults, stacks):
    jobs = [(fault, stack) for fault in faults for stack in stacks]
    with ThreadPoolExecutor(2) as pool:
        for (fault, stack), (how, why) in zip(jobs, pool.map(lambda job: verdict(*job), jobs)):
            print(f"{how or '-':8} {stack:20} {fault.id:28} {why[:200]}", flush=True)
            yield (fault.id, stack), how


def table(faults, stacks, verdicts):
    titles = [import_module(f"stacks.{stack}").TITLE for stack in stacks]
    yield f"| in spite of the fault: | {' | '.join(titles)} |"
    yield f"|---|{'---|' * len(stacks)}"
    yield f"| **kept, of those that apply** | {' | '.join(score(stack, verdicts) for stack in stacks)} |"
    for number, promise in PROMISES.items():
        yield f"| **{number}. {promise}** |{' |' * len(stacks)}"
        for fault in faults:
            if fault.promise == number:
                cells = [verdicts[fault.id, stack] for stack in stacks]
                marked = [cell if cell in ("", "ok") else f"**{cell}**" for cell in cells]
                what = fault.__doc__.splitlines()[0].removesuffix(".")
                yield f"| {what} | {' | '.join(marked)} |"


def score(stack, verdicts):
    counts = Counter(how for (_, each), how in verdicts.items() if each == stack and how)
    return f"{counts['ok']} of {counts.total()}"


def is_installed(stack):
    """Tell whether the stack can be judged here; loguru is no dependency, not even of the tests."""
    try:
        import_module(f"stacks.{stack}")
    except ImportError as error:
        print(f"{stack} is left out: {error}")
        return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", nargs="?", type=Path, help="whose table to write")
    parser.add_argument("--stack", action="append", choices=STACKS)
    parser.add_argument("--fault", action="append", help="one fault's name, or a part's")
    args = parser.parse_args()
    stacks = [stack for stack in args.stack or STACKS if is_installed(stack)]
    faults = [
        fault
        for fault in load_catalogue().values()
        if not args.fault or {fault.id, fault.part} & {*args.fault}
    ]
    verdicts = dict(compare(faults, stacks))
    packages = [package for package in PACKAGES if find_spec(package.replace("-", ""))]
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    rows = "\n".join([*table(faults, stacks, verdicts), "", f"With {versions}."])
    if args.page is None:
        print(rows)
        return

    page = args.page.read_text("utf-8")
    between = re.compile(f"(?<={re.escape(BEGIN)}).*(?={re.escape(END)})", re.DOTALL)
    args.page.write_text(between.sub(lambda _: f"\n{rows}\n\n", page), "utf-8")


if __name__ == "__main__":
    main()
