"""A table of ClickHouse, opened for a command; the password may have to be asked for."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tracelog.answers.address import Address
from tracelog.answers.clickhouse import ClickHouse
from tracelog.answers.server import Server, connect
from tracelog.errors import InputError


__all__ = ["opened_table"]

_PASSWORD: Final = "CLICKHOUSE_PASSWORD"  # noqa: S105 -- where it is, not what


@contextmanager
def opened_table(text: str) -> Iterator[tuple[ClickHouse, str]]:
    """Open the table at an address, and tell what it is called.

    Raises:
        InputError: If it isn't there, or nobody knows the password.
    """
    address = Address.parse(text)
    server = _enter(address)
    try:
        yield ClickHouse(server, address), str(address)
    finally:
        server.close()


def _enter(address: Address) -> Server:
    """Try the password there is; if it doesn't do, ask the person, once."""
    given = address.password if address.password is not None else os.environ.get(_PASSWORD)
    server = connect(address, given or "")
    if not server and not given and sys.stdin.isatty():
        server = connect(address, getpass.getpass(f"Password of {address.user!r}: "))
    if not server:
        raise InputError(
            f"{address}: the user {address.user!r} has another password",
            hint=f"export {_PASSWORD}=…, or another user: clickhouse://user@host/db.table",
        )

    return server
