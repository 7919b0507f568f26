"""A question asked of what is kept of a view: in as many passes as that makes it quick.

Where lines are read once, whatever is asked of them, columns are there to be read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tracelog.answers.duckdb_question import HEAD, Quantiles, select
from tracelog.answers.duckdb_views import KEPT
from tracelog.answers.question import Lines, Question, Row


__all__ = ["rows_of_kept"]

Ask = Callable[..., list[Row]]


def rows_of_kept(question: Question, ask: Ask) -> list[Row]:
    """Give the rows that DuckDB would give of the lines.

    Args:
        question: The question.
        ask: Runs SQL over what is kept; it takes parameters by their names.
    """
    if question.lines and question.groups == ((),):
        return _with_lines(question, question.lines, ask)

    if question.lines or len(question.groups) == 1:
        return ask(select(question, KEPT), **question.parameters)

    return _in_parts(question, ask)


def _with_lines(question: Question, lines: Lines, ask: Ask) -> list[Row]:
    """Ask first which lines are wanted, because they are most of what is kept."""
    figures = (*question.figures, f"max({lines.by}, {lines.count})")
    counted = replace(question, figures=figures, lines=None)
    ((*row, largest),) = ask(select(counted, KEPT), **question.parameters)
    if not largest:
        return [(*row, None)]

    some = f"{KEPT} WHERE {lines.by} >= $floor"
    shown = ask(select(question, some), floor=largest[-1], **question.parameters)
    return [(*row, shown[0][-1])]


def _in_parts(question: Question, ask: Ask) -> list[Row]:
    """Ask for what can be summed up, and for quantiles of the rows that have their number.

    The first answer knows all groups.
    """
    start = HEAD + len(question.keys)
    known: dict[Row, dict[str, Any]] = {}

    def take(source: str, *figures: str, is_counted: bool = True) -> list[Row]:
        part = select(replace(question, figures=figures), source, is_counted=is_counted)
        rows = ask(part, **question.parameters)
        for row in rows:
            values = zip(figures, row[start:], strict=True)
            known.setdefault(_group(row, start), {}).update(values)
        return rows

    groups = take(KEPT, *(each for each in question.figures if not isinstance(each, Quantiles)))
    for figure in question.figures:
        if isinstance(figure, Quantiles):
            some = f"SELECT * FROM ({KEPT}) WHERE {figure.number} IS NOT NULL"  # noqa: S608
            take(some, figure, is_counted=False)
    return [(*row[:start], *map(known[_group(row, start)].get, question.figures)) for row in groups]


def _group(row: Row, start: int) -> Row:
    """Name the group that a row is of: its set, whether it is of matches, and its keys."""
    return (*row[:2], *row[HEAD:start])
