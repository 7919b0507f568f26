"""Where a table of ClickHouse is."""

from __future__ import annotations

import pytest

from tracelog.answers.address import Address
from tracelog.errors import InputError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clickhouse://db/lines", ("db", 8123, False, "default", None, "default", "lines")),
        ("clickhouse://kim@db/logs.lines", ("db", 8123, False, "kim", None, "logs", "lines")),
        ("clickhouses://db/a.b", ("db", 8443, True, "default", None, "a", "b")),
        ("clickhouse://db/a.b?secure=1", ("db", 8443, True, "default", None, "a", "b")),
        ("clickhouse://db/a.b?secure=0", ("db", 8123, False, "default", None, "a", "b")),
        ("clickhouse://k:p%40%2F@[::1]:9/a.b", ("::1", 9, False, "k", "p@/", "a", "b")),
        ("clickhouse://k:@db/a.b", ("db", 8123, False, "k", "", "a", "b")),
    ],
    ids=["short", "user", "tls", "option", "no tls", "quoted", "no password"],
)
def test_an_address_is_taken_apart(text, expected):
    """What is left out is as usual."""
    a = Address.parse(text)

    assert (a.host, a.port, a.secure, a.user, a.password, a.database, a.table) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("app.log", "'app.log' is no address of a ClickHouse"),
        ("clickhouse:///a.b", "'clickhouse:///a.b' is no address of a ClickHouse"),
        (
            "clickhouse://db:x/a.b",
            "'clickhouse://db:\\*\\*\\*@|'clickhouse://db:x/a.b' is no address",
        ),
        ("clickhouse://[db/a.b", "is no address"),
        ("clickhouse://db", "'clickhouse://db' names no table"),
        ("clickhouse://db/a.b.c", "names no table"),
        ("clickhouse://db/a.b;DROP", "names no table"),
        ("clickhouse://db/a.`b`", "names no table"),
        ("clickhouse://db/a.b?tls=1", "has an option that isn't known"),
        ("clickhouse://db/a.b?secure=maybe", "has an option that isn't known"),
        ("clickhouse://db/a.b#c", "has an option that isn't known"),
    ],
)
def test_what_is_no_address_is_said(text, problem):
    """With one to go by."""
    with pytest.raises(InputError, match=problem) as caught:
        Address.parse(text)

    assert str(caught.value).endswith("Try: clickhouse://user@host/logs.lines")


@pytest.mark.parametrize(
    "text",
    [
        "clickhouse://kim:s3cret@db",
        "clickhouse://kim:s3cret@db:x/a.b",
        "clickhouse://kim:s3cret/a@b@db/",
        "clickhouse://:s3cret@db/",
        "http://kim:s3cret@db/a.b",
    ],
)
def test_a_password_is_never_shown(text):
    """Not in an error, and not by a value that is printed."""
    with pytest.raises(InputError) as caught:
        Address.parse(text)

    assert "s3cret" not in str(caught.value)
    good = Address.parse("clickhouse://kim:s3cret@[::1]/a.b")
    assert (str(good), "s3cret" in repr(good)) == ("[::1]:8123/a.b", False)
