"""A ClickHouse that is asked in SQL."""

from __future__ import annotations

import socket
import sys
import threading

import pytest

from tracelog.answers.address import Address
from tracelog.answers.server import connect
from tracelog.errors import InputError


pytest.importorskip("clickhouse_connect")


@pytest.fixture
def address(clickhouse_port):
    return Address.parse(f"clickhouse://127.0.0.1:{clickhouse_port}/lines")


@pytest.fixture
def server(address):
    server = connect(address, "")
    yield server
    server.close()


def test_what_a_user_typed_arrives_as_it_is(server):
    """Whatever it is: it travels beside the SQL."""
    hostile = "'); DROP TABLE lines; --\t\n\\'\\n{x:String} %s\x1b[2J\u202e\U0001f600"

    rows = server.rows("SELECT {a:String}, {b:Float64}, {a:String} = ''", {"a": hostile, "b": 0.1})

    assert rows == [(hostile, 0.1, 0)]


def test_a_name_is_a_parameter_too(server):
    """Of a database, and of a table."""
    names = {"database": "system", "table": "one"}

    assert server.rows("SELECT * FROM {database:Identifier}.{table:Identifier}", names) == [(0,)]


def test_what_the_server_refuses_is_said(server, address):
    """In a sentence, without control characters, and with a way out."""
    with pytest.raises(InputError) as caught:
        server.rows("SELECT * FROM missing", {})

    text = str(caught.value)
    assert text.startswith(f"{address}: ")
    assert "missing" in text
    assert text.endswith("or: tracelog schema clickhouse | clickhouse-client")
    assert text.count("\n") == 1


def test_another_refusal_has_a_way_out_as_well(server):
    """One that nobody has thought of."""
    with pytest.raises(InputError, match="is it ClickHouse 24.8 or newer"):
        server.rows("SELECT throwIf(1, 'a\x1b[2Jb')", {})


def test_a_password_that_is_none_is_no_error(clickhouse_port):
    """Whoever connects may know another."""
    address = Address.parse(f"clickhouse://kim@127.0.0.1:{clickhouse_port}/lines")

    assert connect(address, "wrong") is None
    server = connect(address, "s3cret/p@ss")
    assert server.rows("SELECT 1", {}) == [(1,)]
    server.close()


def test_a_server_that_is_not_there_is_said():
    """With its name, and without the password."""
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        address = Address.parse(f"clickhouse://kim@127.0.0.1:{taken.getsockname()[1]}/lines")
        with pytest.raises(InputError, match="no ClickHouse answers there: Conn") as caught:
            connect(address, "refused")

    assert str(caught.value).startswith(f"{address}: ")
    assert "refused" not in str(caught.value).partition("there:")[0]


def test_what_answers_is_no_clickhouse():
    """Something else listens there."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address.parse(f"clickhouse://127.0.0.1:{taken.getsockname()[1]}/lines")
        thread = threading.Thread(target=_greet, args=(taken,), daemon=True)
        thread.start()
        with pytest.raises(InputError, match="is it ClickHouse 24.8 or newer"):
            connect(address, "")
        thread.join()


def _greet(server):
    connection, _ = server.accept()
    with connection:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 404 s3cret\r\nContent-Length: 2\r\n\r\nno")


def test_what_is_not_installed_is_named(monkeypatch):
    """With the extra that has it."""
    monkeypatch.setitem(sys.modules, "clickhouse_connect", None)

    with pytest.raises(ImportError, match=r"pip install 'tracelog\[clickhouse\]'"):
        connect(Address.parse("clickhouse://h/lines"), "")
