"""Secrets: which names have them, and which values; what was found harmless is remembered."""

from __future__ import annotations

import datetime
import json
import logging
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracelog.errors import ConfigError
from tracelog.redact import REDACTOR, make_redactor
from tracelog.secret_texts import MASK


NEEDLE = "hunter2hunter2"
# Texts that have NEEDLE where a secret is.
TEXTS = (
    f"postgresql://app:{NEEDLE}@db:5432/x",
    f"sent Authorization: Bearer {NEEDLE}",
    f"GET /cb?code=abc&access_token={NEEDLE} HTTP/1.1",
    f'{{"client_secret": "{NEEDLE}"}}',
    f"-----BEGIN PRIVATE KEY-----\n{NEEDLE}\n-----END PRIVATE KEY-----",
    f"[(b'cookie', b'{NEEDLE}')]",
)


@dataclass
class Settings:
    """What an application logs when it starts."""

    password: str = NEEDLE
    urls: list[str] = field(default_factory=lambda: list(TEXTS))


class Account(NamedTuple):
    """Whose password has no key in JSON."""

    name: str
    password: str
    more: Any


@pytest.mark.parametrize(
    "name",
    [
        *("password", "Authorization", "api_key", "cookie", "secret", "X-Api-Key", "Set-Cookie"),
        *("db_password", "client_secret", "accessToken", "APIKey", "PASSWORD", "password1", "auth"),
        *(
            "aws.secret-access-key",
            "dbpassword",
            "userPwd",
            "b'authorization'",
            "x" * 300 + "token",
        ),
    ],
)
def test_these_are_names_of_secrets(name):
    """In any spelling, and whatever is before them."""
    assert REDACTOR.hides(name, "x")
    assert not REDACTOR.knows({"room": 1, name: 1})


@pytest.mark.parametrize(
    "name",
    [
        *("token_count", "author", "passenger", "secretary", "keyboard", "max_tokens", "oauth", ""),
        *("session_id", "key", "public_key", "tokenizer", "cookies_accepted", "room", "ö"),
    ],
)
def test_these_are_not(name):
    """A word that only contains one, or begins with it, is harmless."""
    assert not REDACTOR.hides(name, "x")
    assert REDACTOR.knows({name: 1})
    assert REDACTOR.knows({name: 1})


@pytest.mark.parametrize("name", [7, None, "n" * 201, f"password={NEEDLE}"])
def test_names_that_are_not_remembered(name):
    """They are looked at each time: what is no text, what is long, what has a secret in it."""
    assert not REDACTOR.knows({name: 1})
    assert not REDACTOR.hides(7, "x")


@pytest.mark.parametrize("value", [None, True, False])
def test_that_there_is_none_may_be_seen(value):
    """`api_key=None` is what one looks for in a log."""
    assert not REDACTOR.hides("api_key", value)


def test_headers_of_asgi_are_pairs_of_bytes():
    """A name may be bytes, and is in no mapping."""
    headers = [(b"x-api-key", b"k"), ["Cookie", "k"], (b"host", b"h"), ("token", 1, 2), "cookie"]

    masked = list(REDACTOR.elements(headers))

    assert masked == [(b"x-api-key", MASK), ("Cookie", MASK), *headers[2:]]


def test_elements_of_named_tuples_have_names():
    """They are masked by them."""
    account = Account("kim", NEEDLE, ("cookie", "c"))

    assert list(REDACTOR.elements(account)) == ["kim", MASK, ("cookie", MASK)]
    assert REDACTOR.tree(account) == ["kim", MASK, ("cookie", MASK)]


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        (4111111111111111, True),
        (4111111111111112, False),
        (1767322445123456, False),
        (10**40, False),
        (-1, False),
    ],
)
def test_numbers_that_are_cards(value, masked):
    """As text and as a number alike."""
    assert REDACTOR.number(value) == (MASK if masked else value)
    assert REDACTOR.tree(value) == (MASK if masked else value)
    assert REDACTOR.passes({"n": value}, "") is not masked


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("span_id", "4111111111111111", True),
        ("orderId", 4111111111111111, True),
        ("ID", "4111111111111111", True),
        ("span_id", "4111 1111 1111 1111", False),
        ("span_id", 41111111111111110, False),
        ("span_id", b"4111111111111111", False),
        ("paid_with", "4111111111111111", False),
        (7, "4111111111111111", False),
    ],
)
def test_ids_are_kept(name, value, kept):
    """One in ten of 16 digits looks like a card's number."""
    assert REDACTOR.keeps(name, value) is kept


def test_a_tree_with_nothing_to_mask_is_the_same():
    """No copy is made, and what can't be looked into is left alone."""
    tree = {"a": [1, ("b", None)], "c": Settings("", []), 7: datetime.date.min, "d": Settings}

    plain = {**tree, "c": None}

    assert REDACTOR.tree(plain) is plain
    assert REDACTOR.tree(tree)["c"] == {"password": MASK, "urls": []}


def test_a_tree_is_masked_at_any_depth():
    """By name, by pair and by text; ids stay; the caller's own objects stay as they are."""
    headers = [(b"authorization", b"x"), ("host", "h")]
    tree = {"user": {"Passwords": [NEEDLE]}, "h": headers, TEXTS[0]: (TEXTS[1],), "span_id": "4111111111111111"}  # fmt: skip

    masked = REDACTOR.tree([Settings(), tree])

    assert NEEDLE not in repr(masked)
    assert masked[0]["password"] == MASK
    assert masked[1]["user"] == {"Passwords": MASK}
    assert masked[1]["h"] == [(b"authorization", MASK), ("host", "h")]
    assert masked[1]["span_id"] == "4111111111111111"
    assert tree["h"][0] == (b"authorization", b"x")


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}])
def test_a_tree_has_a_bottom(wrap):
    """What is too deep, or holds itself, is masked."""
    value = NEEDLE
    for _ in range(100):
        value = wrap(value)

    assert NEEDLE not in repr(REDACTOR.tree(value))


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_clean_or_masked(text):
    """A text without a secret comes back as it is, however often, and one with it never does."""
    for _ in range(3):
        assert REDACTOR.text("room 7") == "room 7"
        assert NEEDLE not in REDACTOR.text(text)
        assert not REDACTOR.is_clean(text)
        assert not REDACTOR.passes({"note": text}, "")
        assert REDACTOR.passes({"note": "room 7", "n": 1, "x": 1.5, "y": None}, "")
    assert not REDACTOR.passes({"note": [1]}, "")
    assert not REDACTOR.passes({}, [1])


def test_texts_that_differ_in_digits_are_known_by_their_shape():
    """But for cards, where each digit counts."""
    assert all(REDACTOR.is_clean(f"2026-11-22T10:10:10.{number}Z") for number in range(100, 999))
    assert REDACTOR.is_clean("order 4111111111111112")
    assert not REDACTOR.is_clean("order 4111111111111111")
    assert REDACTOR.is_clean("order 4111111111111112")


def test_what_is_remembered_is_bounded():
    """However many texts and names there are."""
    redactor = make_redactor()

    for number in range(2_500):
        letters = "".join(chr(97 + int(digit)) for digit in str(number))
        assert redactor.is_clean(f"a text of its own, {letters}")
        assert redactor.knows({f"name_{number}": 1})

    assert len(redactor.clean) <= 1_000
    assert len(redactor.known) <= 1_000


@pytest.mark.parametrize("size", [300, 70_000])
def test_long_texts_are_looked_into_each_time(size):
    """Memory is for short ones; one that is going to be cut is masked by whoever cuts it."""
    text = "x " * (size // 2)

    assert REDACTOR.is_clean(text) is (size == 300)
    assert REDACTOR.text(text) == text
    assert NEEDLE not in REDACTOR.text(text + TEXTS[0])


def test_whatever_fails_masks(monkeypatch):
    """A value is never shown because something went wrong."""

    def fail(_text):
        raise MemoryError

    monkeypatch.setattr("tracelog.redact.make_mask", lambda *_args: fail)
    redactor = make_redactor()

    assert redactor.text("some=thing") == MASK
    assert not redactor.is_clean("some=thing")


def test_a_caller_s_own_names():
    """In any spelling; short ones have to be a word of their own."""
    redactor = make_redactor(["tax-number", "pan"])

    assert redactor.hides("userTaxNumber", "1")
    assert redactor.hides("card_pan", "1")
    assert not redactor.hides("timespan", "1")
    assert redactor.hides("password", "1")
    assert redactor.text("taxNumber=12, span=3") == f"taxNumber={MASK}, span=3"
    assert not REDACTOR.hides("tax_number", "1")


@pytest.mark.parametrize("keys", ["iban", 7, ["iban", ""], ["--"], [7]])
def test_names_that_are_none_are_refused(keys):
    """When a formatter is made, not when it writes."""
    with pytest.raises(ConfigError, match="secret_keys: .*\n  Try: secret_keys: \\["):
        make_redactor(keys)


leaves = st.sampled_from([*TEXTS, Settings(), {"api-key": NEEDLE}, (b"cookie", NEEDLE.encode())])
harmless = st.none() | st.integers() | st.text(max_size=20)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.tuples(harmless, inner).map(list)
        | st.dictionaries(st.text(max_size=5), inner | harmless, min_size=1, max_size=3)
        | inner.map(lambda value: {"secret": NEEDLE, "x": [value]})
    ),
    max_leaves=5,
)


@settings(max_examples=25)
@given(tree=trees, before=st.text(max_size=10))
@pytest.mark.parametrize("kind", ["json", "console", "indented", "serialized"])
def test_no_secret_gets_out(kind, tree, before):
    """Wherever in a line it stands, in every form of line."""
    formatter = FORMATTERS[kind]
    record = logging.LogRecord("app", 20, "", 0, f"{before} {TEXTS[1]}", (), None)
    record.__dict__.update({"field": [tree], "password": NEEDLE, "n": 1})

    line = formatter.format(record)

    assert NEEDLE not in line
    assert "aHVudGVyMmh1bnRlcjI" not in line  # as base64
    assert line.count(MASK) >= 2


def make_formatters():
    from tracelog.console import ConsoleFormatter
    from tracelog.json_formatter import JsonFormatter

    return {
        "json": JsonFormatter(),
        "console": ConsoleFormatter(env_file=None),
        "indented": JsonFormatter(json_indent=1),
        "serialized": JsonFormatter(
            json_serializer=lambda data, **_: json.dumps(data, default=repr)
        ),
    }


FORMATTERS = make_formatters()


@pytest.mark.parametrize(
    "text", ["bearer abcdefGhij", "AUTH BEARER 12345678", '("pwd", "hello you")']
)
def test_whatever_gives_a_secret_away_is_looked_at(text):
    """A text is harmless without a second look only if no rule can find anything in it."""
    assert not REDACTOR.is_clean(text)
