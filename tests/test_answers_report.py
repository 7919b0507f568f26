"""The page of a report: what stands in it, and how it is written."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog.answers.report import make_page
from tracelog.errors import InputError


BLOCK = re.compile(
    r'<(script|style)(?: type="([^"]*)")?(?: id="data")?>(.*?)</(?:script|style)>', re.DOTALL
)


def blocks(page):
    """Take the page apart as a browser does: an element ends at the first tag that ends it."""
    return [(name, kind, text) for name, kind, text in BLOCK.findall(page.decode())]


@settings(max_examples=30)
@given(st.dictionaries(st.text(), st.text()))
def test_data_comes_out_as_it_went_in(data):
    """Whatever it is, no part of it ends the element that it stands in."""
    page = make_page(data)

    (text,) = [text for _, kind, text in blocks(page) if kind == "application/json"]
    assert json.loads(text) == data
    assert text.isascii()
    assert not re.search("[<>&]", text)


@pytest.mark.parametrize(
    "text",
    [
        "</script><script>alert(1)</script>",
        "<!--<script>",
        "{{script}}",
        "\u2028",
        "\u202e",
        "\ud800",
    ],
    ids=ascii,
)
def test_hostile_text_is_data(text):
    """There are three blocks in a page, and its data is one of them."""
    found = blocks(make_page({"user": text}))

    assert [name for name, _, _ in found] == ["style", "script", "script"]
    assert json.loads(found[1][2]) == {"user": text}


def test_only_what_is_in_the_page_may_run():
    """The policy names the script and the style by their digests, and allows no request."""
    page = make_page({}).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    style, _, script = (text for _, _, text in blocks(page.encode()))

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))

    assert rules["default-src"] == "'none'"
    for name, text in (("script-src", script), ("style-src", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert rules["require-trusted-types-for"] == "'script'"


def test_it_needs_nothing_else():
    """No address, no import, no font: a page that was sent by mail works on a plane."""
    page = make_page({}).decode()

    assert not re.search(r"https?:|//[a-z]|@import|url\(|\bimport\b|fetch\(", page)
    assert re.findall(r'(?:src|href)="([^"]*)"', page) == ["data:,", "#utterances"]


def test_text_is_set_as_text_only():
    """The script has no way to make markup of it; the policy is the second lock."""
    page = make_page({}).decode()

    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(", page
    )
