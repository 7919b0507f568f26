"""A table of ClickHouse, opened for a command."""

from __future__ import annotations

import getpass
import io

import pytest

from tracelog.commands.tables import opened_table
from tracelog.errors import InputError


SECRET = "s3cret/p@ss"  # as tests/clickhouse_server.py has it


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def address(make_table):
    return make_table("{}\n").replace("//", "//kim@")


def test_a_table_has_a_name(make_table):
    """Without user and password."""
    text = make_table('{"timestamp":"2026-11-22T10:00:00Z"}\n')

    with opened_table(text) as (engine, name):
        assert str(engine.end()) == "2026-11-22 10:00:00+00:00"
    assert name == text.removeprefix("clickhouse://")


def test_a_password_is_in_the_address(address):
    """Where a character of it is special, it is quoted."""
    with opened_table(address.replace("kim@", "kim:s3cret%2Fp%40ss@")) as (engine, _):
        assert engine.end() is None


def test_a_password_is_in_the_environment(address, monkeypatch):
    """Where the shell's history doesn't have it."""
    monkeypatch.setenv("CLICKHOUSE_PASSWORD", SECRET)

    with opened_table(address) as (engine, _):
        assert engine.end() is None


def test_a_person_is_asked_for_the_password(address, monkeypatch):
    """On a terminal, if none is known."""
    asked = []
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda prompt: asked.append(prompt) or SECRET)

    with opened_table(address) as (engine, _):
        assert engine.end() is None
    assert asked == ["Password of 'kim': "]


def test_a_wrong_password_is_said(address, monkeypatch):
    """Without it, and without asking a script."""
    monkeypatch.setattr("sys.stdin", io.StringIO())

    for text in (address, address.replace("kim@", "kim:wr0ng@")):
        with (
            pytest.raises(InputError, match="the user 'kim' has another password") as caught,
            opened_table(text),
        ):
            pass
        assert "wr0ng" not in str(caught.value)
        assert "export CLICKHOUSE_PASSWORD=" in str(caught.value)
