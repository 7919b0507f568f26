"""The outputs that README and docs show, made by the real commands of the fleet's log.

    python tests/stories/pictures.py

writes them anew: `docs/late.svg`, the text below each command of `docs/three_in_the_morning.md`, and
`docs/views.md`, which is written from the data.
A test compares.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from rich.console import Console
from rich.text import Text

from tracelog.answers.views import document
from tracelog.cli import main


DOCS = Path(__file__).parents[2] / "docs"
PICTURE = "tracelog late 'logs/chat-*.jsonl' --sort time --top 12"
WIDTH = 140
SHOWN = re.compile(
    r"```sh\n(?P<command>tracelog [^\n]*)\n```\n\n```text\n(?P<text>.*?)```", re.DOTALL
)
LINES = 20_000


def write_logs(folder: Path) -> None:
    """Write the log that the documents are about: the fleet's, in `logs/`."""
    path = Path(__file__).with_name("fleet.py")
    spec = importlib.util.spec_from_file_location("fleet", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks for its module there
    spec.loader.exec_module(module)
    module.write_fleet(folder / "logs", lines=LINES)


def output(command: str, *, colors: bool = False) -> str:
    """Run a command of the documents here, and give what it prints."""
    environment = {"COLUMNS": str(WIDTH), **({"FORCE_COLOR": "1"} if colors else {"NO_COLOR": "1"})}
    environment |= {"TERM": "xterm-256color", "TZ": "UTC"}
    try:
        with patch.dict(os.environ, environment), redirect_stdout(Terminal()) as out:
            time.tzset()
            assert main(shlex.split(command)[1:]) == 0
    finally:
        time.tzset()
    return out.getvalue()


class Terminal(io.StringIO):
    """What a command prints to, in UTF-8."""

    encoding = "utf-8"


def picture() -> str:
    """Draw what `tracelog late` shows."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(output(PICTURE, colors=True)))
    return console.export_svg(title=PICTURE, unique_id="tracelog")


def texts(page: str) -> Iterator[tuple[str, str, str]]:
    """Give each command of a page, what is shown below it, and what it really prints."""
    for match in SHOWN.finditer(page):
        printed = output(match["command"])
        real = "\n".join(line.rstrip() for line in printed.splitlines())
        yield match["command"], match["text"], f"{real.strip()}\n"


def update() -> None:
    """Write all of them anew."""
    (DOCS / "views.md").write_text(document(), "utf-8")
    with TemporaryDirectory() as folder, chdir(folder):
        write_logs(Path(folder))
        (DOCS / "late.svg").write_text(picture(), "utf-8")
        path = DOCS / "three_in_the_morning.md"
        page = path.read_text("utf-8")
        for command, shown, real in texts(page):
            block = f"```sh\n{command}\n```\n\n```text\n"
            page = page.replace(f"{block}{shown}```", f"{block}{real}```")
        path.write_text(page, "utf-8")


if __name__ == "__main__":
    update()
