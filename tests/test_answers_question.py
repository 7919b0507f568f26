"""A question, and what comes back, are values."""

from __future__ import annotations

from tracelog.answers.question import Found, Question, Read, Tally
from tracelog.answers.views import LINES


def test_the_rows_of_each_set_have_its_own_keys():
    """In the set's order; of a set in which nothing matches, and of other sets, there are none."""
    question = Question(
        view=LINES, figures=("count(*)",), groups=((), ("user", "route"), ("route", "user"), ("a",))
    )
    rows = [
        (0b111, 3, "", None, None, None, 3),
        (0b001, 2, "", "kim", "/a", None, 2),
        (0b001, 0, "", "lee", "/b", None, 0),
        (0b110, 0, "", None, None, "x", 0),
    ]

    assert question.keys == ["user", "route", "a"]
    assert [*question.by_set(rows, 3)] == [
        ((3,),),
        (("kim", "/a", 2),),
        (("/a", "kim", 2),),
        (),
    ]


def test_without_sets_all_rows_are_one():
    """Its mask is that of no key."""
    assert [*Question(view=LINES, figures=("count(*)",)).by_set([(0, 1, 9)], 2)] == [((9,),)]


def test_nothing_was_looked_at_by_default():
    """An answer without a tally counts nothing."""
    assert Found(groups=()).tally == Read(names=()).tally == Tally()
    assert Tally() == Tally(lines=0, broken=0, rows=0, matched=0)
