"""Secrets inside a text: what gives them away, and what is left of them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracelog.secret_texts import MASK, is_card, make_mask, may_hold_a_card


NAMES = ("password", "token", "authorization", "cookie", "apikey", "pw")
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
KEY = "-----BEGIN PRIVATE KEY-----"


def is_secret(name):
    letters = "".join(filter(str.isalpha, name)).lower()
    return letters.endswith(NAMES)


mask = make_mask(is_secret, NAMES)

# By what they are: the text, and what is left of it. § stands for the mask.
TEXTS = {
    "a database's password": ("postgresql://app:p4ss!w@db:5432/x", "postgresql://app:§@db:5432/x"),
    "a password and no user": ("redis://:s3cret@h/0", "redis://:§@h/0"),
    "an @ in a password": ("amqp://u:p@ss@h", "amqp://u:§@h"),
    "a / in a password": ("http://u:pa/ss@h/x", "http://u:§@h/x"),
    "two addresses": ("a://u:b1@h, c://v:d2@i", "a://u:§@h, c://v:§@i"),
    "a bearer token": ("sent Bearer tok-123456789.", "sent Bearer §"),
    "a bearer token in capitals": ("BEARER ABCDEF12345", "BEARER §"),
    "basic credentials": ("got Basic dXNlcjpwYXNz, no", "got Basic §, no"),
    "a header": (f"Authorization: Bearer {JWT}", "Authorization: §"),
    "a header of a short token": ("authorization: Token x y\nHost: h", "authorization: §\nHost: h"),
    "cookies": ("Set-Cookie: a=b; Path=/\r\nHost: h", "Set-Cookie: §\r\nHost: h"),
    "a header in quotes": ("-H 'Cookie: a=b; c=d' -v", "-H 'Cookie: §' -v"),
    "a web token": (f"<{JWT}>", "<§>"),
    "a web token in an address": (f"q=a%20{JWT}&x", "q=a%20§&x"),
    "a web token without a signature": ("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", "§"),
    "an access key": ("key AKIAIOSFODNN7EXAMPLE", "key §"),
    "a session's access key": ("ASIAIOSFODNN7EXAMPLE", "§"),
    "a key": (f"{KEY}\nMIIE\n-----END PRIVATE KEY-----\n.", f"{KEY}§-----END PRIVATE KEY-----\n."),
    "a key that was cut": (f"{KEY}\nMIIE", f"{KEY}§-----END PRIVATE KEY-----"),
    "a card": ("paid with 4111 1111 1111 1111.", "paid with §."),
    "a card with hyphens": ("5555-5555-5555-4444", "§"),
    "a card in one": ("378282246310005,", "§,"),
    "a card in three": ("3782 822463 10005", "§"),
    "a query": ("GET /cb?code=abc&access_token=tok-1 HTTP", "GET /cb?code=abc&access_token=§ HTTP"),
    "a query within a value": ("url=http://h?password=x", "url=http://h?password=§"),
    "a number behind a name": ("password2=a", "password2=§"),
    "a short name": ("pw=a;", "pw=§;"),
    "spaces": ("api_key = abc", "api_key = §"),
    "other assignments": ("token := a, password => b", "token := §, password => §"),
    "two words": ("token: Bearer abc", "token: §"),
    "quotes": ("password='a \\' b' c", "password='§' c"),
    "no closing quote": ("password='a b", "password='§"),
    "JSON": ('{"password": "a\\"b", "x": 1}', '{"password": "§", "x": 1}'),
    "JSON in JSON": ('{\\"token\\": \\"abc\\", 1}', '{\\"token\\": \\"§\\", 1}'),
    "a number in JSON": ('{"token": 12}', '{"token": "§"}'),
    "a list in JSON": ('{"token": [{"a": "]"}], "x": 1}', '{"token": "§", "x": 1}'),
    "a list that was cut": ("token=[(1, 2), '", "token=§"),
    "a dict": ("{'api-key': b'abc', 'x': 1}", "{'api-key': b'§', 'x': 1}"),
    "headers of ASGI": ("[(b'x-api-key', b'k'), (b'a', b'b')]", "[(b'x-api-key', b'§'), (b'a', b'b')]"),
    "headers": ("[('Cookie', 'k')]", "[('Cookie', '§')]"),
}  # fmt: skip
# What looks a little like it.
CLEAN = {
    "a thread": "thread 140213377718976",
    "nanoseconds": "at 1767322445123456789",
    "a trace": "trace 0af7651916cd43dd8448eb211c80319c",
    "an order": "order 4111111111111112",
    "a number of nobody's": "2999999999999999",
    "a digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "a port": "http://host:8080/a@b",
    "a port alone": "http://host:8080 a@b",
    "an IPv6 address": "http://[::1]:8080/a@b",
    "a phone": "phone 0049 30 1234567",
    "a fraction": "0.4111111111111111 or 4111111111111111.5",
    "a uuid": "41111111-1111-4111-1111-111111111111",
    "prose": "basic authentication failed, bearer is unknown",
    "names": "token_count=1 tokens: 2 authors=[x] cookiecutter='y'",
    "a list of names": "['password', 'x']",
    "nothing": "password=None, token: null, api_key = false",
    "nothing at all": "password=",
    "a name alone": "the token is missing",
    "no web token": "eyJhbGciOiJIUzI1NiJ9",
}


@pytest.mark.parametrize(("text", "left"), TEXTS.values(), ids=TEXTS)
def test_a_secret_is_masked_and_nothing_else(text, left):
    """What is around it stays."""
    assert mask(text) == left.replace("§", MASK)


@pytest.mark.parametrize("text", CLEAN.values(), ids=CLEAN)
def test_what_is_no_secret_stays(text):
    """Ids, times, digests, ports and prose are what a log is read for."""
    assert mask(text) == text


@given(
    st.lists(st.sampled_from([*(text for text, _ in TEXTS.values()), *CLEAN.values()])), st.text()
)
def test_what_is_masked_stays_as_it_is(texts, between):
    """Masking what is masked changes nothing, however secrets follow each other."""
    masked = mask(between.join(texts))

    assert mask(masked) == masked


# Beginnings of what a rule looks for, over and over.
HOSTILE = (
    *("eyJ", "eyJa.", "://a:b", "://a:@", "token=", "token:a", 'token="', "token=[", "token=[(", "token='"),
    *('password="\\', "-----BEGIN A-----", "4", "4111 ", "4111-1111-1111-", "a", "basic ", "basic a"),
    *("Cookie: ", "'cookie: ", "AKIA", "('token',", "a=b&", ":", "=", "@", "token=none ", 'token=\\"'),
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_long(piece):
    """64 KiB made to be slow take milliseconds, or they would hold the event loop."""
    text = (piece * 65_536)[:65_536]
    started = time.thread_time()

    mask(text)

    assert time.thread_time() - started < 0.5


@pytest.mark.parametrize(
    "number",
    [
        *("4111111111111111", "5555555555554444", "2221000000000009", "2720992593319364"),
        *("378282246310005", "30569309025904", "38520000023237", "3530111333300000"),
        *("6011111111111117", "6500000000000002", "6221260000000000"),
    ],
)
def test_cards_of_all_that_issue_them(number):
    """The right number is one, and with another last digit it is none."""
    assert is_card(number)
    assert not is_card(number[:-1] + str((int(number[-1]) + 1) % 10))
    assert may_hold_a_card(number)


def test_names_may_be_of_any_letters():
    """What a caller adds is in the caller's language."""
    add = make_mask(lambda name: name.endswith("пароль"), ["пароль"])

    assert add("мой_пароль: абв, x") == f"мой_пароль: {MASK}, x"


@pytest.mark.parametrize("separator", ["=", "==", "=>", ":", ":="])
@pytest.mark.parametrize("quote", ["", "'", '"', r"\""])
def test_a_pair_is_found_whatever_stands_between(quote, separator):
    """A quote, spaces and a digit between a secret's name and its separator hide nothing."""
    texts = [
        f"see {quote}dbToken{digit}{quote}{spaces}{separator}"
        for digit in ("", "2")
        for spaces in ("", " ", " \t")
    ]

    assert [mask(f"{text}s3cret") for text in texts] == [
        f"{text}{quote}{MASK}{quote}" if quote else f"{text}{MASK}" for text in texts
    ]
