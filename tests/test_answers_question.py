"""A question, and what comes back, are values."""

from __future__ import annotations

from tracelog.answers.question import Found, Question, Read, Tally
from tracelog.answers.views import LINES


def test_a_question_asks_for_everything_by_default():
    """No conditions, one group of all rows, no lines to show."""
    question = Question(view=LINES, figures=("count(*)",))

    assert (question.groups, question.conditions, question.parameters) == (((),), (), {})
    assert question.lines is None


def test_nothing_was_looked_at_by_default():
    """An answer without a tally counts nothing."""
    assert Found(groups=()).tally == Read(names=()).tally == Tally()
    assert Tally() == Tally(lines=0, broken=0, rows=0, matched=0)
