"""What a log is exported as, and how that is written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tracelog.answers.embedded import Embedded
from tracelog.answers.filters import Filters
from tracelog.answers.log import Log
from tracelog.answers.otlp import requests
from tracelog.answers.tracks import document, trace_events
from tracelog.answers.verdicts import holds, narrowed, utterances
from tracelog.answers.views import UTTERANCES, View
from tracelog.errors import InputError


__all__ = ["CHROME", "FORMATS", "OTLP", "PARQUET", "export", "format_of"]

PARQUET: Final = "parquet"
CHROME: Final = "chrome"
OTLP: Final = "otlp"
FORMATS: Final = {OTLP: (".otlp.json", ".otlp.jsonl"), CHROME: (".json",), PARQUET: (".parquet",)}


def format_of(path: Path) -> str:
    """Tell by its name what a file is to be.

    Raises:
        InputError: If the name tells nothing.
    """
    for name, suffixes in FORMATS.items():
        if path.name.lower().endswith(suffixes):
            return name

    raise InputError(
        f"{str(path)!r} doesn't say what it is to be",
        hint=f"-o {path}.parquet, .json (for Perfetto) or .otlp.json; or --format",
    )


def export(log: Log, filters: Filters, kind: str, path: Path, view: View = UTTERANCES) -> None:
    """Write what is left of *log* to *path*.

    Raises:
        InputError: If the log can't be read, or has no last time to count back from.
    """
    conditions = filters.conditions(Embedded(log))
    if kind == PARQUET:
        log.save(narrowed(view, conditions), path, **conditions.parameters)
    elif kind == CHROME:
        events = trace_events(holds(log, conditions), utterances(log, conditions))
        _write(path, document(events))
    else:
        _write(path, requests(utterances(log, conditions)))


def _write(path: Path, pieces: Iterable[str]) -> None:
    """Write piece by piece."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
