"""`JsonFormatter`: a record, as one line of JSON in our schema."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import orjson
from pythonjsonlogger.core import RESERVED_ATTRS, BaseJsonFormatter
from pythonjsonlogger.json import JsonEncoder

from tracelog.attribution import of_line
from tracelog.encode import DEL, MAX_LINE, NEWLINE, encode
from tracelog.errors import ConfigError
from tracelog.events import line_by, make_event_reader, timestamp_of
from tracelog.fields import (
    EVENT,
    EXCEPTION,
    LEADING,
    LEVEL,
    LOGGER,
    STACK,
    TIMESTAMP,
    name_beside,
)
from tracelog.processors import make_chain
from tracelog.records import (
    BASE_COUNT,
    LEVELS,
    SURPRISING,
    Bare,
    Event,
    exception_of,
    is_bare,
    message_of,
    stack_of,
    without_leading,
)
from tracelog.redact import REDACTOR, Redactor, make_redactor
from tracelog.tracebacks import exc_info_of


__all__ = ["JsonFormatter"]

# What python-json-logger calls our keys; `rename_fields` takes either.
_ALIASES: Final = {
    TIMESTAMP: "asctime",
    LEVEL: "levelname",
    LOGGER: "name",
    EVENT: "message",
    EXCEPTION: "exc_info",
    STACK: "stack_info",
}
# What a subclass may override, as python-json-logger's users do.
_HOOKS: Final = (
    "add_fields",
    "process_log_record",
    "serialize_log_record",
    "jsonify_log_record",
    "formatException",
    "formatStack",
    "formatTime",
    "format",
)


class JsonFormatter(BaseJsonFormatter):
    """One line of JSON for each record: a python-json-logger formatter that writes our schema.

    The options are python-json-logger's, with its meanings: `fmt`, `rename_fields`,
    `static_fields`, `defaults`, `reserved_attrs`, `timestamp`, `prefix`, `exc_info_as_array`,
    `stack_info_as_array`, `json_default`, `json_encoder`, `json_serializer`, `json_indent` and
    `json_ensure_ascii`. Fields may be named as we or as python-json-logger name them.

    Args:
        fmt: Attributes of the record to show beside our keys.
        datefmt: For `asctime`, if *fmt* names it.
        style: Of *fmt*.
        validate: Check *fmt*.
        processors: structlog processors, run on native and foreign events alike: callables, or as
            YAML names them: `dotted.name`, `ext://dotted.name`, `{"()": dotted.name, arg: 1}`.
        exceptions: "structured", a list with an entry for the exception and each of its causes, or
            "text", the traceback as the interpreter writes it.
        caller: Show where each record was made.
        secret_keys: More names whose values are masked, in any spelling, beside those that
            everybody has: passwords, tokens, cookies, keys.
        options: python-json-logger's.

    Raises:
        ConfigError: If a processor can't be found, a secret key isn't a name, or *exceptions* is
            neither of the two.
        ValueError: If another option makes no sense.
    """

    def __init__(  # noqa: PLR0913 -- logging's own four, and ours by keyword only
        self,
        fmt: str | Sequence[str] | None = None,
        datefmt: str | None = None,
        style: str = "%",
        validate: bool = True,  # noqa: FBT001, FBT002 -- logging's signature
        *,
        processors: Iterable[Any] = (),
        exceptions: str = "structured",
        caller: bool = False,
        secret_keys: Collection[str] = (),
        **options: Any,
    ) -> None:
        if exceptions not in ("structured", "text"):
            text = f"expected 'structured' or 'text', got {exceptions!r}"
            raise ConfigError("exceptions", text, hint="exceptions: text")

        self._json = {key: options.pop(key) for key in list(options) if key.startswith("json_")}
        super().__init__(fmt, datefmt, style, validate, **options)
        # Without a `fmt`, python-json-logger asks for `message`; our schema has it.
        self._asked = self._required_fields if fmt else []
        self._redactor = make_redactor(secret_keys) if secret_keys else REDACTOR
        encoder = self._json.get("json_encoder")
        if encoder is None and not self._json.get("json_default"):
            encoder = JsonEncoder
        self._encoder = _masking(encoder, self._redactor.tree)
        chain = make_chain(processors)
        self._as_text = exceptions == "text" or self.exc_info_as_array
        self._read = make_event_reader(chain=chain, caller=caller, exception=self._exception)
        self._formats_exceptions = type(self).formatException is not JsonFormatter.formatException
        overridden = any(getattr(type(self), h) is not getattr(JsonFormatter, h) for h in _HOOKS)
        self._encode = self._encode_any
        self.line_of: Callable[[Bare], bytes] | None = None
        self._optional = bool(fmt or options or self._json or overridden)
        self.whole = self._optional or caller  # it completes native events
        if self._optional:
            self._encode = self._encode_optional
        elif chain is None and not caller:
            self.line_of = _make_line_of(self._redactor)
            self._encode = self._encode_ordinary

    @property
    def encode(self) -> Callable[[logging.LogRecord], bytes]:
        """Makes the finished line of a record; empty if a processor dropped the event."""
        return self._encode

    def _encode_ordinary(self, record: logging.LogRecord) -> bytes:
        """Take the short way for a record of the standard library's that has nothing unusual."""
        if record.__class__ is logging.LogRecord and _is_ordinary(record):
            fields = dict(islice(record.__dict__.items(), BASE_COUNT, None))
            context = of_line(record.name)
            if SURPRISING.isdisjoint(fields) and is_bare(record.msg, fields, context):
                bare = (record.created, record.name, record.levelno, record.msg, fields, context)
                return self.line_of(bare) or self._encode_any(record)  # type: ignore[misc]
        return self._encode_any(record)

    def _encode_any(self, record: logging.LogRecord) -> bytes:
        event = self._read(record)
        return b"" if event is None else encode(event, None, self._redactor)

    def format(self, record: logging.LogRecord) -> str:
        """Make the line, without its newline; empty if a processor dropped the event."""
        if not self._optional:
            return self._encode(record).removesuffix(b"\n").decode()

        if isinstance(record, Event):
            record.complete()
        log_data: dict[str, Any] = {}
        self.add_fields(log_data, record, {})
        return self.serialize_log_record(self.process_log_record(log_data)) if log_data else ""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """Fill *log_data* with our schema, and with what the options ask for."""
        event = self._read(record)
        if event is None:
            return

        leading = {key: event.pop(key) for key in LEADING}
        if STACK in event:
            event[STACK] = self.formatStack(event[STACK])
        hidden = self.reserved_attrs.difference(RESERVED_ATTRS)
        shown = {key: value for key, value in event.items() if key not in hidden}
        requested = self._requested(record)
        more = {**self.defaults, **requested, **self.static_fields, **message_dict, **shown}
        # Before they are renamed, and before code of others sees them.
        whole = self._redactor.tree({**leading, **without_leading(more)})
        for key, value in whole.items():
            name = self._renamed(key, whole)
            log_data[name_beside(name, log_data) if name in log_data else name] = value
        if self.rename_fields_keep_missing:
            for name in self.rename_fields.values():
                log_data.setdefault(name, None)

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Write *log_data*, by the caller's own JSON encoder if the options name one."""
        default = self._json.get("json_default")
        if not self._json.keys() - {"json_default"}:
            return encode(log_data, default, self._redactor).decode().removesuffix("\n")

        mask = self._redactor.tree
        serialize = self._json.get("json_serializer", json.dumps)
        return str(
            serialize(
                mask(log_data),
                default=default and (lambda value: mask(default(value))),
                cls=self._encoder,
                indent=self._json.get("json_indent"),
                ensure_ascii=self._json.get("json_ensure_ascii", True),
            )
        )

    def _encode_optional(self, record: logging.LogRecord) -> bytes:
        try:
            return line_by(self.format, record)
        except Exception:  # noqa: BLE001 -- an option or an override of the user's failed
            return self._encode_any(record)

    def _requested(self, record: logging.LogRecord) -> dict[str, Any]:
        """Read the attributes that `fmt`, `timestamp` and `reserved_attrs` ask for."""
        record.message = message_of(record)
        if "asctime" in self._asked:
            record.asctime = self.formatTime(record, self.datefmt)
        attributes = record.__dict__
        unreserved = (key for key in RESERVED_ATTRS if key not in self.reserved_attrs)
        requested = {
            key: attributes.get(key)
            for key in (*self._asked, *unreserved)
            if key in self._asked or attributes.get(key)
        }
        for key, read in (("exc_info", self._exception), ("stack_info", stack_of)):
            if key in requested:
                requested[key] = read(record)
        if isinstance(self.timestamp, str):
            requested[self.timestamp] = timestamp_of(record.created)
        return requested

    def _renamed(self, key: str, whole: Mapping[str, Any]) -> str:
        """Find *key*'s name; a python-json-logger name means our key unless the line has both."""
        alias = _ALIASES.get(key, key)
        names = (key,) if alias in whole else (key, alias)
        return next((self.rename_fields[n] for n in names if n in self.rename_fields), key)

    def _exception(self, record: logging.LogRecord) -> Any:
        if not self._as_text:
            return exception_of(record)

        text = exception_of(record, as_text=True)
        exc_info = exc_info_of(record.exc_info)
        if exc_info is not None and self._formats_exceptions:
            text = self.formatException(exc_info)
        return text.splitlines() if text and self.exc_info_as_array else text


def _is_ordinary(record: logging.LogRecord) -> bool:
    return not (record.args or record.exc_info or record.exc_text or record.stack_info)


def _masking(encoder: Any, mask: Callable[[Any], Any]) -> Any:
    """Derive from a JSON encoder one that masks what it makes of values that JSON lacks."""
    if not hasattr(encoder, "default"):  # none at all, or none of json's
        return encoder

    def default(self: Any, value: Any) -> Any:
        return mask(encoder.default(self, value))

    return type(encoder.__name__, (encoder,), {"default": default})


def _make_line_of(redactor: Redactor) -> Callable[[Bare], bytes]:
    level_of, dumps, newline = LEVELS.get, orjson.dumps, NEWLINE
    own_keys = redactor is not REDACTOR  # of those of all, whoever made the event has seen to it

    def line_of(bare: Bare) -> bytes:
        """Make the line of a bare event, as nearly all are; of one of an unusual level, nothing.

        This is the hot path, hence one function, and no call that can be spared.
        """
        created, name, levelno, message, fields, context = bare
        event: dict[str, Any] = context.begun | fields  # type: ignore[operator]
        level = level_of(levelno)
        if level is None or (own_keys and not redactor.passes(event, message)):
            return b""

        event[TIMESTAMP] = timestamp_of(created)
        event[LEVEL] = level
        event[LOGGER] = name
        event[EVENT] = message
        try:
            line = dumps(event, None, newline)
        except TypeError:
            return encode(event, None, redactor)

        if line.isascii() and DEL not in line and len(line) <= MAX_LINE:
            return line

        return encode(event, None, redactor)

    return line_of
