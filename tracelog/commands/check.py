"""`tracelog check FILE`: what is wrong with a logging configuration."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from typing import Final

from tracelog import yamlfile
from tracelog.check import Problem, find_problems
from tracelog.commands.arguments import describe
from tracelog.errors import ConfigError
from tracelog.rules.draft import Draft
from tracelog.settings import read_settings
from tracelog.yamlfile import Document


__all__ = ["HELP", "configure", "run"]

HELP: Final = "check a logging configuration: every mistake, with its file, line and way out"

_EPILOG: Final = """\
The exit code is 0 if it is sound, 1 if it isn't, 2 if it can't be read; advice doesn't count.
What a file names has to be of logging, structlog, python-json-logger, rich or tracelog, or below
one of the packages in LOG_CONFIG_ALLOW, which may be in .env: LOG_CONFIG_ALLOW=my_app,vendor.logs

examples:
  tracelog check
  tracelog check deploy/logging.yaml
  tracelog check logging.yaml && uvicorn app:app --log-config logging.yaml
"""

_SOUND, _WRONG, _UNREADABLE = range(3)


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    describe(parser, HELP, _EPILOG)
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="the configuration (default: LOG_CONFIG, or logging.yaml)",
    )


def run(args: argparse.Namespace) -> int:
    """Check the file: 0 if it is sound, 1 if it isn't, 2 if it can't be read."""
    try:
        settings = read_settings()
    except ConfigError as error:
        _print(str(error), "1 problem")
        return _WRONG

    file = args.file or str(settings.config or "logging.yaml")
    try:
        text = yamlfile.read(file)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return _UNREADABLE

    try:
        document = yamlfile.parse(text, source=file)
    except ConfigError as error:
        _print(str(error), "1 problem")
        return _WRONG

    return _report(document, settings.allow)


def _report(document: Document, allow: Collection[str]) -> int:
    problems = find_problems(document.data, lines=document.lines, allow=allow)
    fatal = [problem for problem in problems if problem.fatal]
    for problem in problems:
        _print(_sentence(problem, document.source), f"  Try: {problem.hint}")
    advice = _count(len(problems) - len(fatal), "piece of advice", "pieces of advice")
    verdict = _count(len(fatal), "problem", "problems") if fatal else _sound(document)
    _print(f"{verdict}; {advice}" if len(problems) > len(fatal) else verdict)
    return _WRONG if fatal else _SOUND


def _sentence(problem: Problem, source: str) -> str:
    return f"{problem.place(source)}: {problem.text}{'' if problem.fatal else ' (advice)'}"


def _sound(document: Document) -> str:
    """Say what is in a sound configuration."""
    config = document.data if isinstance(document.data, dict) else {}
    draft = Draft(config)
    handlers = _count(len(draft.raw_entries("handlers")), "handler", "handlers")
    loggers = _count(len(list(draft.loggers())), "logger", "loggers")
    return f"{document.source} is sound: {handlers}, {loggers}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _print(*lines: str) -> None:
    for line in lines:
        print(line)  # noqa: T201 -- this is what the command is for
