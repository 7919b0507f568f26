"""Texts without a secret: what is told at a glance tells no less than what looks."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tracelog.clean_texts import make_text_test
from tracelog.redact import make_redactor
from tracelog.secret_texts import MASK


REDACTOR = make_redactor()

# Pieces of which secrets are made, and what may be around them.
pieces = st.sampled_from(
    [
        *("Bearer ", "bearer ", "BASIC ", "eyJhbGciOi", ".eyJzdWIi", "AKIAIOSFODNN7EXAMPLE"),
        *("4111111111111111", "4111 1111 1111 1111", "3782-822463-10005", "411111", "1111111111"),
        *("password", "token", "api_key", "=", ":", "://", "@", ", ", "'", '"', "(", ")", " "),
        *("hunter2", "abc123def456", "-----BEGIN RSA PRIVATE KEY-----", "é", "\ud800", "x" * 190),
    ]
)


@given(text=st.lists(pieces | st.text(max_size=3), max_size=8).map("".join))
@example(text="bearer abc123def456")
@example(text="X4111111111111111")
@example(text=" 378282246310005")
def test_a_glance_finds_what_masking_finds(text):
    """The first time, and once it is remembered."""
    masked = REDACTOR.text(text)

    for _ in range(2):
        assert REDACTOR.is_clean(text) is (masked == text)


@pytest.fixture
def looked():
    """The texts that were looked into."""
    return []


@pytest.fixture
def clean():
    return set()


@pytest.fixture
def is_clean(looked, clean):
    def mask(text):
        looked.append(text)
        return text

    return make_text_test(mask, clean)


@pytest.mark.parametrize(
    "text",
    [
        "the quick brown fox jumps",
        "Of a sentence, only its capital",
        "/api/v1/rooms/123456/messages",
        "c-7f3a90d2 has left",
        "user-456 a écrit 12 lignes",
        "a long one, " * 100,
        "bearer of good news",
        "short=",
    ],
)
def test_what_has_nothing_telling_is_not_looked_into(is_clean, looked, text):
    """Most texts: prose, paths, ids."""
    assert is_clean(text)
    assert looked == [text] * text.endswith("=")


@pytest.mark.parametrize(
    "text",
    [
        "bearer abc123def456",
        "ab=cd",
        "GET /a/b/c/d/e/f",
        "41111111111111",
        "Half a \ud800 CHARACTER",
    ],
)
def test_what_may_tell_something_is_looked_into(is_clean, looked, text):
    """And then it is known, but for what is a rarity."""
    assert is_clean(text)
    assert looked == [text]


def test_what_recurs_is_remembered(is_clean, looked, clean):
    """Texts without digits, for whoever asks to look there first; of others the shape."""
    texts = ["a sentence without digits", "name: none, room: lobby", "room 7: 2 messages"]
    for _ in range(3):
        assert all(map(is_clean, texts))

    assert is_clean("room 8: 9 messages")
    assert looked == [texts[1], texts[2], texts[1], texts[1]]
    assert clean == set(texts[:2])


def test_long_texts_are_not_remembered(is_clean, looked, clean):
    """However many there are."""
    prose, pair = "x " * 150, "a=b " * 80

    assert is_clean(prose)
    assert is_clean(pair)
    assert is_clean(pair)
    assert looked == [pair, pair]
    assert clean == set()


def test_cards_are_known_one_by_one(looked):
    """Of their digits each counts."""
    is_clean = make_text_test(lambda text: MASK if text.endswith("1") else text, set())

    assert is_clean("4111 1111 1111 1112")
    assert not is_clean("4111 1111 1111 1111")


def test_what_is_too_long_is_for_others(is_clean, looked):
    """Whoever cuts it masks it."""
    assert not is_clean("x" * 70_000)
    assert looked == []


def test_what_fails_is_not_clean():
    """A value is never shown because something went wrong."""

    def fail(_text):
        raise MemoryError

    assert not make_text_test(fail, set())("some=thing")


def test_memory_is_bounded(is_clean, clean):
    """Whoever sends texts can't fill it."""
    letters = "abcdefghij"
    for number in range(2_500):
        assert is_clean("of its own: " + "".join(letters[int(digit)] for digit in str(number)))

    assert 0 < len(clean) <= 1_000
