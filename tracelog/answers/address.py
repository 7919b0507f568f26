"""Where a table of ClickHouse is: `clickhouse://user@host/db.table`, taken apart.

The password is in here and nowhere else: neither in what is shown nor in an error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from tracelog.errors import InputError


__all__ = ["NAME", "Address"]

NAME: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)  # of a database, or of a table

_EXAMPLE: Final = "clickhouse://user@host/logs.lines"
_SCHEMES: Final = {"clickhouse": False, "clickhouses": True}
_PORTS: Final = {False: 8123, True: 8443}
_YES: Final = {"1": True, "true": True, "0": False, "false": False}
_SECRET: Final = re.compile(r"(://[^:/@]*):.*@", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A table, and the way to it.

    Attributes:
        host: The server.
        port: Where it speaks HTTP.
        secure: Whether it does so under TLS.
        user: As whom to ask.
        password: None where the address has none.
        database: The table's database.
        table: The table's name.
    """

    host: str
    port: int
    secure: bool
    user: str
    password: str | None = field(repr=False)
    database: str
    table: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `clickhouse[s]://[user[:password]@]host[:port]/[db.]table[?secure=1]`.

        Raises:
            InputError: If *text* is nothing of the kind.
        """
        try:
            url = urlsplit(text)
            port = url.port
        except ValueError as error:  # a port that is no number, half a bracket
            raise _problem(text, "is no address") from error

        if url.scheme not in _SCHEMES or not url.hostname:
            raise _problem(text, "is no address of a ClickHouse")

        secure = _is_secure(url, text)
        database, table = _names(url, text)
        return cls(
            host=url.hostname,
            port=port or _PORTS[secure],
            secure=secure,
            user=unquote(url.username or "default"),
            password=None if url.password is None else unquote(url.password),
            database=database,
            table=table,
        )

    def __str__(self) -> str:
        """Write it for a person, without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}/{self.database}.{self.table}"


def _names(url: SplitResult, text: str) -> tuple[str, str]:
    """Read the names of the database and of the table."""
    names = unquote(url.path).removeprefix("/").split(".")
    if not all(map(NAME.fullmatch, names)) or len(names) > 2:  # noqa: PLR2004 -- db.table
        raise _problem(text, "names no table")

    return (names[0], names[1]) if len(names) > 1 else ("default", names[0])


def _is_secure(url: SplitResult, text: str) -> bool:
    """Tell whether TLS is asked for, in one way or the other."""
    options = parse_qs(url.query, keep_blank_values=True)
    asked = [_YES.get(value) for value in options.pop("secure", [])]
    if options or None in asked or url.fragment:
        raise _problem(text, "has an option that isn't known; there is '?secure=1'")

    return _SCHEMES[url.scheme] or True in asked


def _problem(text: str, what: str) -> InputError:
    """Say what is wrong, without saying the password."""
    shown = _SECRET.sub(r"\1:***@", text)
    return InputError(f"{shown!r} {what}", hint=_EXAMPLE)
