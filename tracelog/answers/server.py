"""A ClickHouse that is asked in SQL over HTTP, and whose refusals a person can act on.

Values travel beside the SQL as parameters, which the server fills in.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from tracelog.answers.address import Address
from tracelog.answers.question import Row
from tracelog.errors import InputError
from tracelog.escapes import printable


__all__ = ["Server", "connect"]

_MOST: Final = 400  # characters of what a server says
_SECONDS: Final = 10  # to answer the first time
_WAYS_OUT: Final = {  # by ClickHouse's number of the error
    "516": "another user in the address, or another CLICKHOUSE_PASSWORD",
    "497": "GRANT SELECT on the table to this user",
    "60": "another table in the address, or: tracelog schema clickhouse | clickhouse-client",
    "81": "another database in the address, or: tracelog schema clickhouse | clickhouse-client",
    "47": "a table as 'tracelog schema clickhouse' makes it",
}
_OTHERWISE: Final = "clickhouse-client with the same address; is it ClickHouse 24.8 or newer?"
_UNREACHABLE: Final = "its HTTP port, 8123, or 'clickhouses://' and 8443 for TLS"
_REFUSED: Final = "code: 516"
_REFUSAL: Final = re.compile(
    r"Code: (?P<code>\d+)\. DB::Exception: (?P<problem>.*?)( \(for url .*\))?$"
)
_NETWORK: Final = re.compile(r"(?:\[Errno -?\d+\]|\[SSL: \w+\]) ([^'\")(]+)")


class Server:
    """A client of clickhouse-connect.

    Attributes:
        name: What it is called in errors.
    """

    def __init__(self, client: Any, name: str) -> None:
        self.name = name
        self._client = client

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[Row]:
        """Run *sql*; its parameters are written `{name:Type}`.

        Raises:
            InputError: If the server doesn't answer, or has something against it.
        """
        errors = import_module("clickhouse_connect.driver.exceptions")
        try:
            found = self._client.query(sql, parameters=dict(parameters))
        except errors.Error as error:
            raise _problem(error, self.name) from None

        return [tuple(row) for row in found.result_rows]

    def close(self) -> None:
        """Hang up."""
        self._client.close()


def connect(address: Address, password: str) -> Server | None:
    """Find the server; None if it wants another password.

    Raises:
        ImportError: If clickhouse-connect isn't installed.
        InputError: If there is none.
    """
    driver = _import_driver()
    try:
        client = driver.get_client(
            host=address.host,
            port=address.port,
            secure=address.secure,
            username=address.user,
            password=password,
            connect_timeout=_SECONDS,
            autogenerate_session_id=False,  # a balancer may have several servers behind it
        )
    except driver.driver.exceptions.Error as error:
        if _REFUSED in str(error).lower():
            return None

        raise _problem(error, str(address), password) from None

    return Server(client, str(address))


def _problem(error: Exception, name: str, secret: str = "") -> InputError:
    """Say in a sentence what the server or the network said, but for the password."""
    said = " ".join(str(error).split())
    refusal, problem = _REFUSAL.search(said), _NETWORK.search(said)
    if refusal:
        text, way_out = refusal["problem"], _WAYS_OUT.get(refusal["code"], _OTHERWISE)
    elif problem:
        text, way_out = f"no ClickHouse answers there: {problem[1]}", _UNREACHABLE
    else:
        text, way_out = said, _OTHERWISE
    if secret:
        text = text.replace(secret, "***")
    return InputError(f"{name}: {printable(text)[:_MOST]}", hint=way_out)


def _import_driver() -> Any:
    """Import clickhouse-connect, which only this needs."""
    # It reports what it raises to its logger, too, and that to the terminal if nobody listens.
    logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())
    try:
        return import_module("clickhouse_connect")
    except ImportError as error:
        raise ImportError(
            "'clickhouse_connect' is needed here and isn't installed.\n"
            "  Try: pip install 'tracelog[clickhouse]'"
        ) from error
