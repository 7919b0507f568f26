"""The views, as data."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracelog import fields
from tracelog.answers.views import BOXES, UTTERANCES, VIEWS, document


ROOT = Path(__file__).parents[1]
OTHERS = {"route", "path", "method", "status"}  # of requests: their servers' and frameworks' words


def test_the_page_is_what_the_data_says():
    """docs/views.md is written by this module, and never by hand."""
    assert (ROOT / "docs" / "views.md").read_text("utf-8") == document()


@pytest.mark.parametrize("view", VIEWS.values(), ids=lambda view: view.name)
def test_every_column_is_documented(view):
    """By a name of its own, a sentence, and keys that a line may have."""
    known = {value for key, value in vars(fields).items() if key.isupper() and key != "LEADING"}

    assert len({column.name for column in view.columns}) == len(view.columns)
    assert all(column.about for column in view.columns)
    assert {key for column in view.columns for key in column.keys} <= known | OTHERS


def test_a_column_is_found_by_its_name():
    """The six boxes are columns of an utterance."""
    assert [UTTERANCES.column(box).name for box in BOXES] == list(BOXES)
