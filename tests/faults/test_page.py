"""docs/reliability.md says what the catalogue does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from compare import BEGIN, END
from laboratory import FAULTS, load_catalogue

from tracelog.testing import PROMISES


PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
TEXT = PAGE.read_text("utf-8")
LINK = re.compile(r"\[(?P<name>[^\]]+)\]\((?P<path>\.\./[^)#]+)\)")
ITEM = re.compile(r"^(?P<number>\d)\. (?P<text>.*?)(?=^\d\. |^\S(?<!\d))", re.MULTILINE | re.DOTALL)

load_catalogue()


@pytest.mark.parametrize("link", [match["path"] for match in LINK.finditer(TEXT)])
def test_every_link_leads_to_a_test(link):
    """What is said to be tested can be looked at."""
    assert (PAGE.parent / link).is_file()


@pytest.mark.parametrize("number", PROMISES)
def test_a_promise_names_all_that_it_stands_in_spite_of(number):
    """Its links are the parts of the catalogue that have a fault of it."""
    items = {match["number"]: match["text"] for match in ITEM.finditer(TEXT)}
    parts = {fault.part for fault in FAULTS.values() if fault.promise == number}

    assert {match["name"] for match in LINK.finditer(items[str(number)])} == parts


def test_the_table_has_every_fault():
    """`python tests/faults/compare.py docs/reliability.md` writes it."""
    table = TEXT.partition(BEGIN)[2].partition(END)[0]
    shown = re.findall(r"^\| (?P<promise>[^*|][^|]*) \|", table, re.MULTILINE)[1:]

    promised = {fault.__doc__.splitlines()[0].removesuffix(".") for fault in FAULTS.values()}
    assert set(shown) == promised
    assert len(shown) == len(promised)
