"""What is wrong with a logging configuration: every mistake has its place and its way out."""

from __future__ import annotations

import datetime
import logging
import logging.config
import logging.handlers
import queue
import sys
import types
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tracelog import yamlfile
from tracelog.check import Problem, find_problems, refuse
from tracelog.errors import ConfigError
from tracelog.rules import classes, formatters, names, relays
from tracelog.rules.findings import clip, closest, did_you_mean, kind, listing, show


NEW = sys.version_info >= (3, 12)

STREAM = {"class": "logging.StreamHandler"}
FILE = {"class": "logging.FileHandler", "filename": "app.log"}
ROTATING = {"class": "logging.handlers.RotatingFileHandler", "filename": "app.log"}
TIMED = {"class": "logging.handlers.TimedRotatingFileHandler", "filename": "app.log"}
MEMORY = {"class": "logging.handlers.MemoryHandler", "capacity": 10, "target": "out"}
QUEUE = {"class": "logging.handlers.QueueHandler"}
SMTP = {
    "class": "logging.handlers.SMTPHandler",
    "mailhost": "localhost",
    "fromaddr": "a@example.org",
    "toaddrs": ["b@example.org"],
    "subject": "trouble",
}
HTTP = {"class": "logging.handlers.HTTPHandler", "host": "localhost", "url": "/"}
SOCKET = {"class": "logging.handlers.SocketHandler", "host": "localhost"}
SYSLOG = {"class": "logging.handlers.SysLogHandler"}


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def config(**sections):
    """Make a configuration that nothing is wrong with, and replace *sections* of it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(message)s"}},
        "filters": {"context": {"()": "test_check_names.ContextFilter"}},
        "handlers": {"out": {**STREAM, "formatter": "plain", "filters": ["context"]}},
        "root": {"level": "INFO", "handlers": ["out"]},
        **sections,
    }


def handler(entry):
    """Make a configuration with one handler more: `it`."""
    common = {"filters": ["context"], "formatter": "plain"}
    out = {**STREAM, **common}
    it = {**common, **entry} if isinstance(entry, dict) else entry
    return config(
        handlers={"out": out, "it": it}, root={"level": "INFO", "handlers": ["out", "it"]}
    )


def formatter(entry):
    """Make a configuration with one formatter, `plain`, and a filter that adds no field."""
    return config(
        formatters={"plain": entry}, filters={}, handlers={"out": {**STREAM, "formatter": "plain"}}
    )


def logger(entry):
    """Make a configuration with one logger more: `it`."""
    return config(loggers={"it": entry})


def without(*keys):
    return {key: value for key, value in config().items() if key not in keys}


def fatal(given):
    return [problem for problem in find_problems(given) if problem.fatal]


def advice(given):
    return [problem for problem in find_problems(given) if not problem.fatal]


@pytest.fixture(autouse=True)
def _names(monkeypatch):
    """A module of names for configurations to use: what an application has."""
    module = types.ModuleType("test_check_names")

    class ContextFilter(logging.Filter):
        __module__ = "tracelog.records"

    class OwnHandler(logging.FileHandler):
        """A handler that makes the directory of its file."""

        def __init__(self, filename, **more):
            super().__init__(filename, delay=True, **more)

    class Ours(logging.Handler):
        """A handler of tracelog's, which need not be one of the library's."""

        __module__ = "tracelog.handlers"

        def __init__(self, filename="app.log", maxBytes=0, backupCount=0, stream=None):
            super().__init__()

    class OneWord(logging.Formatter):
        def __init__(self, word):
            super().__init__()

    class Called:
        def __call__(self, record):
            return True

    class Unreadable(type(logging.Handler)):
        @property
        def __signature__(cls):
            raise RuntimeError("no")

    class Signed(logging.Handler, metaclass=Unreadable):
        pass

    def only_positional(first, /):
        return logging.StreamHandler()

    module.ContextFilter = ContextFilter
    module.OwnHandler = OwnHandler
    module.Ours = Ours
    module.OneWord = OneWord
    module.Called = Called
    module.Signed = Signed
    module.Other = type("Other", (), {})
    module.factory = lambda **more: logging.StreamHandler()
    module.only_positional = only_positional
    module.make_formatter = lambda *args: logging.Formatter()
    module.queue = queue.Queue()
    module.number = 7
    module.level = "DEBUG"
    module.entry = {"class": "logging.StreamHandler"}
    monkeypatch.setitem(sys.modules, "test_check_names", module)
    return module


MISTAKES = {
    # The whole.
    "nothing": (None, "", "empty", "tracelog init"),
    "a list": ([{"version": 1}], "", "mapping, got a list", "tracelog init"),
    "a text": ("logging.yaml", "", "mapping, got a text", "tracelog init"),
    "far too large": (config(x=list(range(30_000))), "", "larger", "aliases"),
    # Top level.
    "no version": (without("version"), "version", "missing", "version: 1"),
    "another version": (config(version=2), "version", "got 2", "version: 1"),
    "a text for a version": (config(version="1"), "version", "'1'", "version: 1"),
    "true for a version": (config(version=True), "version", "True", "version: 1"),
    "handler for handlers": (config(handler={}), "handler", "no such section", "'handlers'"),
    "a level at the top": (config(level="INFO"), "level", "no such section", "under root"),
    "a section of no kind": (config(zzz={}), "zzz", "no such section", "x-zzz"),
    "a number for a section": (config(**{}) | {5: {}}, "5", "no such section", "x-5"),
    "an empty section": (config(loggers=None), "loggers", "nothing", "indent"),
    "a list for a section": (config(loggers=["a"]), "loggers", "a list", "without a dash"),
    "a text for the root": (config(root="INFO"), "root", "a text: 'INFO'", "key: value"),
    "a text for a switch": (
        config(disable_existing_loggers="no"),
        "disable_existing_loggers",
        "'no'",
        "without quotes",
    ),
    "a number for a switch": (config(incremental=1), "incremental", "a number", "true or false"),
    "an empty switch": (config(incremental=None), "incremental", "got nothing", "true or false"),
    # Levels.
    "an unknown level": (logger({"level": "INFOO"}), "loggers.it.level", "'INFOO'", "INFO"),
    "a level in lower case": (logger({"level": "info"}), "loggers.it.level", "'info'", "INFO"),
    "a level like no other": (logger({"level": "qqqq"}), "loggers.it.level", "'qqqq'", "one of"),
    "a number in quotes": (logger({"level": "20"}), "loggers.it.level", "'20'", "20, without"),
    "a variable": (logger({"level": "$LEVEL"}), "loggers.it.level", "'$LEVEL'", "variables"),
    "off": (logger({"level": False}), "loggers.it.level", "got false", "YAML reads"),
    "a list of levels": (logger({"level": ["INFO"]}), "loggers.it.level", "a list", "INFO"),
    "a fraction": (handler({**STREAM, "level": 1.5}), "handlers.it.level", "1.5", "INFO"),
    "the root's level": (config(root={"level": "x", "handlers": ["out"]}), "root.level", "'x'", ""),
    # Loggers.
    "no settings": (logger(None), "loggers.it", "nothing", "remove it"),
    "a name that is a number": (config(loggers={5: {}}), "loggers.5", "a number", 'quote it: "5"'),
    "a misspelt key": (logger({"propogate": True}), "loggers.it.propogate", "no such", "'propagate'"),
    "a singular": (logger({"handler": ["out"]}), "loggers.it.handler", "no such", "'handlers'"),
    "no for propagate": (logger({"propagate": "no"}), "loggers.it.propagate", "'no'", "true"),
    "two for propagate": (logger({"propagate": 2}), "loggers.it.propagate", "2", "true"),
    "one handler": (logger({"handlers": "out"}), "loggers.it.handlers", "'out'", "[out]"),
    "a mapping of handlers": (logger({"handlers": {}}), "loggers.it.handlers", "a mapping", "[name"),
    "an unknown handler": (
        logger({"handlers": ["out", "uot"]}),
        "loggers.it.handlers[1]",
        "'uot'",
        "'out'",
    ),
    "a handler like no other": (
        logger({"handlers": ["zzz"]}),
        "loggers.it.handlers[0]",
        "'zzz'",
        "use one of out",
    ),
    "no handlers at all": (
        {**without("handlers"), "root": {"handlers": ["out"]}},
        "root.handlers[0]",
        "'out'",
        "describe it under handlers",
    ),
    "a number for a handler": (logger({"handlers": [3]}), "loggers.it.handlers[0]", "3", "text"),
    "an unknown filter": (
        logger({"filters": ["contxt"]}),
        "loggers.it.filters[0]",
        "'contxt'",
        "'context'",
    ),
    "two roots": (config(loggers={"": {"handlers": ["out"]}}), "loggers.", "replaces", "root"),
    # Handlers.
    "a list for a handler": (handler([{"class": "x"}]), "handlers.it", "a list", "key: value"),
    "no class": (handler({"level": "INFO"}), "handlers.it", "no class", "logging.StreamHandler"),
    "a misspelt class": (handler({"clas": "x"}), "handlers.it", "no class", "not 'clas'"),
    "an unknown class": (
        handler({"class": "logging.FielHandler"}),
        "handlers.it.class",
        "no 'FielHandler'",
        "logging.FileHandler",
    ),
    "a class of another module": (
        handler({"class": "logging.RotatingFileHandler"}),
        "handlers.it.class",
        "no 'RotatingFileHandler'",
        "logging.handlers.RotatingFileHandler",
    ),
    "a class without a module": (
        handler({"class": "StreamHandler"}),
        "handlers.it.class",
        "no module 'StreamHandler'",
        "logging.StreamHandler",
    ),
    "a missing module": (
        handler({"class": "no_such_package.there.Handler"}),
        "handlers.it.class",
        "no module 'no_such_package'",
        "installed",
    ),
    "a misspelt module": (
        handler({"class": "loging.Handler"}),
        "handlers.it.class",
        "no module 'loging'",
        "logging",
    ),
    "no dotted name": (handler({"class": "logging..X"}), "handlers.it.class", "dotted", "package"),
    "a number for a class": (handler({"class": 5}), "handlers.it.class", "5", "package.module"),
    "a formatter as a handler": (
        handler({"class": "logging.Formatter"}),
        "handlers.it.class",
        "isn't a class of handlers",
        "logging.StreamHandler",
    ),
    "a function as a class": (
        handler({"class": "logging.getLogger"}),
        "handlers.it.class",
        "isn't a class of handlers",
        '"()"',
    ),
    "a keyword of another class": (
        handler({**FILE, "max_bytes": 5}),
        "handlers.it.max_bytes",
        "takes no 'max_bytes'",
        "logging.handlers.RotatingFileHandler",
    ),
    "a misspelt keyword": (
        handler({**ROTATING, "max_bytes": 5}),
        "handlers.it.max_bytes",
        "takes no 'max_bytes'",
        "'maxBytes'",
    ),
    "a misspelt formatter": (
        handler({**STREAM, "formater": "plain"}),
        "handlers.it.formater",
        "takes no",
        "'formatter'",
    ),
    "a keyword like no other": (
        handler({**STREAM, "qqqq": 5}),
        "handlers.it.qqqq",
        "takes no",
        "one of stream, level",
    ),
    "no keyword": (handler({**STREAM, "a b": 5}), "handlers.it.a b", "isn't a keyword", "letters"),
    "a number for a keyword": (handler({**STREAM, 5: 5}), "handlers.it.5", "isn't a keyword", ""),
    "a keyword that is needed": (
        handler({"class": "logging.FileHandler"}),
        "handlers.it",
        "needs filename",
        "filename: …",
    ),
    "an unknown formatter": (
        handler({**STREAM, "formatter": "plian"}),
        "handlers.it.formatter",
        "'plian'",
        "'plain'",
    ),
    "a list of formatters": (
        handler({**STREAM, "formatter": ["plain"]}),
        "handlers.it.formatter",
        "a list",
        "a text",
    ),
    "one filter": (handler({**STREAM, "filters": "context"}), "handlers.it.filters", "", "[context]"),
    "a factory nobody has": (
        handler({"()": "test_check_names.nobody"}),
        "handlers.it.()",
        "no 'nobody'",
        "installed",
    ),
    "a factory that isn't one": (
        handler({"()": "test_check_names.number"}),
        "handlers.it.()",
        "not a class or a function",
        "package.module",
    ),
    "a factory and a class": (
        handler({"()": "logging.StreamHandler", "class": "logging.StreamHandler"}),
        "handlers.it.class",
        "takes no 'class'",
        "",
    ),
    "a factory that takes no keywords": (
        handler({"()": "test_check_names.only_positional"}),
        "handlers.it",
        "needs first",
        "",
    ),
    "a list of attributes": (handler({**STREAM, ".": ["a"]}), "handlers.it..", "attributes", "name"),
    "a number for an attribute": (handler({**STREAM, ".": {5: 1}}), "handlers.it..", "a text", ""),
    "the base of handlers": (handler({"class": "logging.Handler"}), "handlers.it.class", "nothing", "logging.StreamHandler"),
    "a text for a port": (handler({**SOCKET, "port": "9020"}), "handlers.it.port", "'9020'", "9020"),
    "a host and port in one": (handler({**SYSLOG, "address": "localhost:514"}), "handlers.it.address", "'localhost:514'", "[localhost, 514]"),
    # What handlers are given.
    "no directory": (handler({**FILE, "filename": "no/such.log"}), "handlers.it.filename", "no dir", "mkdir"),
    "a home": (handler({**FILE, "filename": "~/a.log"}), "handlers.it.filename", "~", "expanded"),
    "a directory": (handler({**FILE, "filename": "."}), "handlers.it.filename", "is a dir", "app.log"),
    "no path": (handler({**FILE, "filename": ""}), "handlers.it.filename", "''", "app.log"),
    "a number for a path": (handler({**FILE, "filename": 1}), "handlers.it.filename", "1", "app.log"),
    "a stream by name": (handler({**STREAM, "stream": "stderr"}), "handlers.it.stream", "'stderr'", "ext://sys.stderr"),
    "a number for a stream": (handler({**STREAM, "stream": 2}), "handlers.it.stream", "2", "ext://sys.stdout"),
    "a mode to read": (handler({**FILE, "mode": "r"}), "handlers.it.mode", "'r'", "append"),
    "an unknown encoding": (handler({**FILE, "encoding": "utf9"}), "handlers.it.encoding", "'utf9'", "utf-8"),
    "an encoding of bytes": (handler({**FILE, "encoding": "hex"}), "handlers.it.encoding", "'hex'", "utf-8"),
    "unknown errors": (handler({**FILE, "errors": "hide"}), "handlers.it.errors", "'hide'", "backslash"),
    "a size with a unit": (handler({**ROTATING, "maxBytes": "10 MB"}), "handlers.it.maxBytes", "'10 MB'", "10485760"),
    "a size that isn't one": (handler({**ROTATING, "maxBytes": "big"}), "handlers.it.maxBytes", "'big'", "0"),
    "true for a count": (handler({**ROTATING, "backupCount": True}), "handlers.it.backupCount", "True", "0"),
    "an unknown time": (handler({**TIMED, "when": "noon"}), "handlers.it.when", "'noon'", "midnight"),
    "no interval": (handler({**TIMED, "interval": 0}), "handlers.it.interval", "more than 0", "1"),
    "a text for an interval": (handler({**TIMED, "interval": "2"}), "handlers.it.interval", "'2'", "2"),
    "a number for a time": (handler({**TIMED, "atTime": 30}), "handlers.it.atTime", "30", "datetime.time"),
    "an unknown facility": (handler({**SYSLOG, "facility": "deamon"}), "handlers.it.facility", "'deamon'", "daemon"),
    "a facility like no other": (handler({**SYSLOG, "facility": "qq"}), "handlers.it.facility", "'qq'", "one of"),
    "a method": (handler({**HTTP, "method": "PUT"}), "handlers.it.method", "'PUT'", "POST"),
    "a number for a host": (handler({**SMTP, "mailhost": 25}), "handlers.it.mailhost", "25", "[localhost, 25]"),
    "a user alone": (handler({**SMTP, "credentials": "me"}), "handlers.it.credentials", "a text", "[user, password]"),
    # Relays.
    "an unknown target": (handler({**MEMORY, "target": "uot"}), "handlers.it.target", "'uot'", "'out'"),
    "itself for a target": (handler({**MEMORY, "target": "it"}), "handlers.it", "isn't built yet", "circles"),
    "no level to flush at": (handler({**MEMORY, "flushLevel": None}), "handlers.it.flushLevel", "nothing", "ERROR"),
    "a number for a queue": (handler({**QUEUE, "queue": 5}), "handlers.it.queue", "expected a queue", "queue"),
    # Formatters.
    "fmt for format": (formatter({"fmt": "x"}), "formatters.plain.fmt", "no such key", "'format'"),
    "an unfinished field": (formatter({"format": "%(message"}), "formatters.plain.format", "isn't a format", "%(message)s"),
    "an unfinished second field": (formatter({"format": "%(name)s %(message"}), "formatters.plain.format", "incomplete", ""),
    "a field of a wrong type": (formatter({"format": "%(levelname)d"}), "formatters.plain.format", "isn't a format", ""),
    "a percent sign": (formatter({"format": "%(message)s 100%"}), "formatters.plain.format", "incomplete", "twice"),
    "another style's field": (formatter({"format": "{message}"}), "formatters.plain.format", "'%' style", 'style: "{"'),
    "an unfinished brace": (formatter({"format": "{message", "style": "{"}), "formatters.plain.format", "isn't", "{message}"),
    "an unfinished dollar": (formatter({"format": "${message", "style": "$"}), "formatters.plain.format", "isn't", "$message"),
    "a misspelt field": (formatter({"format": "%(mesage)s"}), "formatters.plain.format", "'mesage'", "did you mean message?"),
    "an unknown style": (formatter({"style": "#"}), "formatters.plain.style", "'#'", '"%"'),
    "a list for a style": (formatter({"style": ["%"]}), "formatters.plain.style", "['%']", '"%"'),
    "a number for a format": (formatter({"format": 5}), "formatters.plain.format", "a number", "quote it"),
    "a date for a format": (
        formatter({"datefmt": datetime.date(2026, 1, 1)}),
        "formatters.plain.datefmt",
        "got date",
        "quote it",
    ),
    "a text for validate": (formatter({"validate": "no"}), "formatters.plain.validate", "'no'", "False"),
    "an unknown formatter's class": (
        formatter({"class": "logging.Formater"}),
        "formatters.plain.class",
        "no 'Formater'",
        "logging.Formatter",
    ),
    "a handler as a formatter": (
        formatter({"class": "logging.FileHandler"}),
        "formatters.plain.class",
        "isn't a class of formatters",
        "logging.Formatter",
    ),
    "a number as a formatter": (
        formatter({"class": "test_check_names.number"}),
        "formatters.plain.class",
        "isn't a class of formatters",
        "logging.Formatter",
    ),
    "a formatter's class itself": (
        formatter({"class": logging.Formatter}),
        "formatters.plain.class",
        "isn't a class of formatters",
        "logging.Formatter",
    ),
    "a formatter of its own kind": (
        formatter({"class": "test_check_names.OneWord"}),
        "formatters.plain.class",
        "doesn't take",
        '"()"',
    ),
    "a class's own keyword": (
        formatter({"class": "tracelog.JsonFormatter", "rename_fields": {"event": "msg"}}),
        "formatters.plain.rename_fields",
        "doesn't pass this on to a class",
        '"()": tracelog.JsonFormatter, in place of class',
    ),
    "another class's own keyword": (
        formatter({"class": "tracelog.ConsoleFormatter", "colors": True}),
        "formatters.plain.colors",
        "doesn't pass this on to a class",
        '"()": ',
    ),
    "a key that is no class's": (
        formatter({"class": "tracelog.ConsoleFormatter", "zone": "UTC"}),
        "formatters.plain.zone",
        "there is no such key",
        "one of format",
    ),
    "a made formatter's keyword": (
        formatter({"()": "logging.Formatter", "formt": "x"}),
        "formatters.plain.formt",
        "takes no 'formt'",
        "format",
    ),
    "a made formatter's format": (
        formatter({"()": "logging.Formatter", "format": "%(message"}),
        "formatters.plain.format",
        "isn't a format",
        "%(message)s",
    ),
    "a made formatter's fmt": (
        formatter({"()": "logging.Formatter", "fmt": "%(message"}),
        "formatters.plain.fmt",
        "isn't a format",
        "%(message)s",
    ),
    # Our formatters.
    "a format that isn't": (
        formatter({"()": "tracelog.Formatter", "format": "xml"}),
        "formatters.plain.format",
        "'xml' is none of auto, console, json",
        "format=auto",
    ),
    "an env_file that is gone": (
        formatter({"()": "tracelog.Formatter", "env_file": "gone.env"}),
        "formatters.plain",
        "gone.env: can't be read",
        "env_file=None",
    ),
    "exceptions that aren't known": (
        formatter({"()": "tracelog.JsonFormatter", "exceptions": "xml"}),
        "formatters.plain.exceptions",
        "expected 'structured' or 'text', got 'xml'",
        "exceptions: text",
    ),
    "a focus on no file": (
        config(filters={"context": {"()": "tracelog.Focus", "file": 3}}),
        "filters.context.file",
        "expected the path of a file, got 3",
        "file: focus.yaml",
    ),
    "our fmt that isn't a text": (
        formatter({"()": "tracelog.Formatter", "fmt": 3}),
        "formatters.plain.fmt",
        "expected a text, got a number: 3",
        "quote it",
    ),
    "our names that aren't a mapping": (
        formatter({"()": "tracelog.JsonFormatter", "rename_fields": ["event"]}),
        "formatters.plain.rename_fields",
        "expected a mapping, got a list",
        "{}",
    ),
    "a style of ours that isn't": (
        formatter({"()": "tracelog.JsonFormatter", "style": "%%"}),
        "formatters.plain.style",
        "there is no style '%%'",
        '"%"',
    ),
    "an option of python-json-logger's": (
        formatter({"()": "tracelog.JsonFormatter", "fmt": "%(", "style": "{"}),
        "formatters.plain",
        "is refused: ",
        "leave out",
    ),
    "a misspelt option of ours": (
        formatter({"()": "tracelog.Formatter", "procesors": []}),
        "formatters.plain.procesors",
        "there is no such option as 'procesors'",
        "did you mean 'processors'?",
    ),
    "a misspelt option of python-json-logger's": (
        formatter({"()": "tracelog.JsonFormatter", "json_indent": 1, "renam_fields": {}}),
        "formatters.plain.renam_fields",
        "there is no such option as 'renam_fields'",
        "did you mean 'rename_fields'?",
    ),
    "a misspelt option of the console's": (
        formatter({"()": "tracelog.ConsoleFormatter", "color": True}),
        "formatters.plain.color",
        "tracelog.console.ConsoleFormatter takes no 'color'",
        "did you mean 'colors'?",
    ),
    "a class whose module's name is as near": (
        formatter({"()": "tracelog.JsonFormater"}),
        "formatters.plain.()",
        "'tracelog' has no 'JsonFormater'",
        "did you mean tracelog.JsonFormatter?",
    ),
    "processors that aren't a list": (
        formatter({"()": "tracelog.JsonFormatter", "processors": 3}),
        "formatters.plain.processors",
        "expected a list",
        "processors: [",
    ),
    "secret keys that aren't a list": (
        formatter({"()": "tracelog.JsonFormatter", "secret_keys": "iban"}),
        "formatters.plain.secret_keys",
        "expected a list of names",
        "secret_keys: [",
    ),
    "a processor that is nowhere": (
        formatter({"()": "tracelog.ConsoleFormatter", "processors": ["test_check_names.nothing"]}),
        "formatters.plain.processors[0]",
        "no 'nothing'",
        "",
    ),
    "a processor's factory that is nowhere": (
        formatter({"()": "tracelog.Formatter", "processors": [{"()": "nowhere.at_all", "tag": 1}]}),
        "formatters.plain.processors[0].()",
        "no module 'nowhere'",
        "spelling",
    ),
    "a processor's argument, misspelt": (
        formatter(
            {
                "()": "tracelog.JsonFormatter",
                "processors": [{"()": "structlog.processors.TimeStamper", "fnt": "iso"}],
            }
        ),
        "formatters.plain.processors[0].fnt",
        "TimeStamper takes no 'fnt'",
        "fmt",
    ),
    "a processor that can't be called": (
        formatter({"()": "tracelog.Formatter", "processors": ["test_check_names.number"]}),
        "formatters.plain.processors[0]",
        "can't be called",
        "processors: [",
    ),
    # Filters.
    "a class for a filter": (
        config(filters={"context": {"class": "tracelog.ContextFilter"}}),
        "filters.context.class",
        "passes everything",
        '"()": tracelog.ContextFilter',
    ),
    "a filter's key": (config(filters={"context": {"nam": "app"}}), "filters.context.nam", "no such key", "'name'"),
    "a filter's name": (config(filters={"context": {"name": 5}}), "filters.context.name", "a number", "quote it"),
    "an option of a filter of ours": (
        config(filters={"context": {"()": "tracelog.FlightRecorder", "records": 0}}),
        "filters.context.records",
        "above 0",
        "records: 100",
    ),
    "a rule of a filter of ours": (
        config(filters={"context": {"()": "tracelog.Focus", "rules": [{"level": "DEBUG"}]}}),
        "filters.context.rules[0]",
        "for whom",
        "user-456",
    ),
    "an option that a filter of ours hasn't": (
        config(filters={"context": {"()": "tracelog.FlightRecorder", "recods": 5}}),
        "filters.context.recods",
        "takes no",
        "'records'",
    ),
    "a filter that filters nothing": (
        config(filters={"context": {"()": "test_check_names.Other"}}),
        "filters.context.()",
        "no filter method",
        "filter(record)",
    ),
    # References.
    "a missing name": (handler({**STREAM, "stream": "ext://sys.stdou"}), "handlers.it.stream", "no 'stdou'", "sys.stdout"),
    "a reference to nothing": (logger({"level": "cfg://levels.app"}), "loggers.it.level", "KeyError", "cfg://section"),
    "a reference to itself": (logger({"level": "cfg://loggers.it.level"}), "loggers.it.level", "back to itself", "value"),
    "a missing name in a list": (
        handler({"()": "test_check_names.factory", "parts": [{"a": "ext://os.nothing"}]}),
        "handlers.it.parts[0].a",
        "no 'nothing'",
        "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "where", "text", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_is_fatal_and_has_a_way_out(given, where, text, hint):
    """A mistake is found where it is, said in words, and something to write instead is offered."""
    found = {problem.where: problem for problem in fatal(given)}

    assert where in found
    assert text in found[where].text
    assert hint in found[where].hint


@pytest.mark.parametrize(("given", "where", "text", "hint"), MISTAKES.values(), ids=MISTAKES)
def test_every_mistake_is_refused(given, where, text, hint):
    """What is found is also raised."""
    with pytest.raises(ConfigError) as caught:
        refuse(given)

    assert caught.value.where.startswith("config")


SOUND = {
    "what the others start from": config(),
    "a number for a level": logger({"level": 15}),
    "no level": logger({"level": None}),
    "a registered level": logger({"level": "TRACE"}),
    "a level by reference": logger({"level": "ext://test_check_names.level"}),
    "a level from the configuration": config(
        levels={"app": "DEBUG"}, loggers={"it": {"level": "cfg://levels.app"}}
    ),
    "keys for anchors": config(**{"x-common": {"level": 1}, "_more": 5, ".hidden": []}),
    "one for propagate": logger({"propagate": 1, "level": "INFO"}),
    "an empty root": {**config(loggers={"root": {"handlers": ["out"]}}), "root": None},
    "a whole handler by reference": handler("ext://test_check_names.entry"),
    "any keyword for a factory": handler({"()": "test_check_names.factory", "a": 1, ".": {"b": 2}}),
    "a factory itself": handler({"()": logging.StreamHandler}),
    "a class without a readable signature": handler({"class": "test_check_names.Signed"}),
    "a class that makes directories": handler(
        {"class": "test_check_names.OwnHandler", "filename": "no/such/app.log"}
    ),
    "a module nobody imported yet": handler({"()": "wsgiref.handlers.CGIHandler"}),
    "a file": handler({**FILE, "mode": "at", "encoding": "utf-8", "errors": "strict"}),
    "a rotating file": handler({**ROTATING, "maxBytes": 10, "backupCount": 1}),
    "a file by day": handler({**TIMED, "when": "W0", "interval": 2, "atTime": datetime.time(3)}),
    "mail": handler({**SMTP, "mailhost": ["localhost", 25], "credentials": ["me", "secret"]}),
    "the system's log": handler({**SYSLOG, "facility": "daemon"}),
    "the system's log by number": handler({**SYSLOG, "facility": 3}),
    "a socket": handler({**SOCKET, "port": 9020}),
    "the system's log over there": handler({**SYSLOG, "address": ["localhost", 514]}),
    "the system's log by its socket": handler({**SYSLOG, "address": "/dev/log"}),
    "a server": handler({**HTTP, "method": "post"}),
    "a memory": handler({**MEMORY, "flushLevel": 40}),
    "a memory without a target": handler({"class": MEMORY["class"], "capacity": 1}),
    "a filter that is called": handler({**STREAM, "filters": ["context", print]}),
    "filters of ours": config(
        filters={
            "context": {"()": "tracelog.FlightRecorder", "level": "INFO", "records": 5},
            "focus": {"()": "tracelog.Focus", "rules": [{"user_id": "kim"}], "file": "no.yaml"},
        }
    ),
    "a filter by name": config(filters={"context": {"name": "app"}}),
    "a class that is called": config(filters={"context": {"()": "test_check_names.Called"}}),
    "a function that filters": config(filters={"context": {"()": "test_check_names.factory"}}),
    "no format": formatter({"format": None, "class": None}),
    "braces": formatter({"format": "{levelname:>8} {message}", "style": "{"}),
    "dollars": formatter({"format": "$levelname ${message}", "style": "$"}),
    "a field of its own": config(
        formatters={"plain": {"format": "{zone:>8} {zone.x} {zone[y]:s}", "style": "{"}}
    ),
    "a wide field": formatter({"format": "%(message)99999999s"}),
    "anything, unchecked": formatter({"format": "%(message", "validate": False}),
    "a function for a formatter": formatter({"class": "test_check_names.make_formatter"}),
    "a made formatter": formatter({"()": "logging.Formatter", "format": "%(message)s"}),
    "a made formatter's fmt": formatter({"()": "logging.Formatter", "fmt": "%(message)s"}),
    "our processors": formatter(
        {
            "()": "tracelog.JsonFormatter",
            "processors": ["test_check_names.factory", "ext://os.path.join", print],
            "rename_fields": {"event": "msg"},
            "fmt": ["asctime", "message"],
        }
    ),
    "levels only": {"version": 1, "incremental": True, "root": {"level": "INFO"}},
}  # fmt: skip


@pytest.mark.parametrize("given", SOUND.values(), ids=SOUND)
def test_what_dict_config_can_do_is_sound(given):
    """Nothing that logging.config documents is called a mistake."""
    refuse(given)

    assert fatal(given) == []


ADVICE = {
    "libraries silenced": (without("disable_existing_loggers"), "disable_existing_loggers", "silences", "false"),
    "a root without handlers": (config(root={"level": "INFO"}), "root", "no handlers", "handlers:"),
    "a root that propagates": (config(root={"handlers": ["out"], "propagate": False}), "root.propagate", "nothing", "remove"),
    "a handler nobody uses": (config(handlers={"out": STREAM, "more": STREAM}), "handlers.more", "nobody", "logger's handlers"),
    "a formatter nobody uses": (config(handlers={"out": STREAM}), "formatters.plain", "nobody", "handler's formatter"),
    "a filter nobody uses": (config(handlers={"out": STREAM}), "filters.context", "nobody", "handler's filters"),
    "no context": (config(handlers={"out": STREAM}), "handlers.out.filters", "context filter", "filters: [context]"),
    "no context, and none to list": (config(filters={}, handlers={"out": STREAM}), "handlers.out.filters", "context filter", "tracelog.ContextFilter"),
    "another filter": (config(filters={"app": {"name": "app"}}, handlers={"out": {**STREAM, "filters": ["app"]}}), "handlers.out.filters", "context filter", "tracelog.ContextFilter"),
    "no place to rotate to": (handler({**ROTATING, "maxBytes": 9}), "handlers.it.maxBytes", "rotate", "backupCount: 5"),
    "no reason to rotate": (handler({**ROTATING, "backupCount": 9}), "handlers.it.backupCount", "rotate", "maxBytes"),
    "more than levels": ({"version": 1, "incremental": True, "root": {"handlers": ["out"]}}, "root.handlers", "is ignored", "incremental: false"),
    "formatters beside levels": ({"version": 1, "incremental": True, "formatters": {"a": {}}}, "formatters", "is ignored", "incremental: false"),
    "a logger that says nothing": (logger({"propagate": False}), "loggers.it", "lost", "propagate: true"),
    "each line twice": (logger({"handlers": ["out"]}), "loggers.it.handlers", "root writes", "propagate: false"),
    "each line twice, further down": (
        config(loggers={"a": {"handlers": ["out"]}, "a.b.c": {"handlers": ["out"]}}),
        "loggers.a.b.c.handlers",
        "a writes",
        "propagate: false",
    ),
    "a directory for later": (handler({**FILE, "filename": "no/app.log", "delay": True}), "handlers.it.filename", "no directory", "mkdir"),
    "a focus on nobody": (config(filters={"context": {"()": "tracelog.Focus", "rules": []}}), "filters.context", "neither rules nor a file", "file: focus.yaml"),
    "a field of nobody's": (formatter({"format": "%(zone)s"}), "formatters.plain.format", "'zone'", "defaults: {zone: ...}"),
    "a field that a filter may set": (
        config(formatters={"plain": {"format": "%(mesage)s"}}),
        "formatters.plain.format",
        "'mesage'",
        "message",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "where", "text", "hint"), ADVICE.values(), ids=ADVICE)
def test_what_works_otherwise_than_meant_is_advice(given, where, text, hint):
    """Advice is found and isn't raised."""
    found = {problem.where: problem for problem in advice(given)}

    assert text in found[where].text
    assert hint in found[where].hint
    refuse(given)


QUIET = {
    "what the others start from": config(),
    "a handler behind a factory": config(
        handlers={
            "out": {**STREAM, "filters": ["context"], "formatter": "plain"},
            "tee": {"()": "test_check_names.factory", "to": ["out"], "filters": ["context"]},
        },
        root={"handlers": ["tee"]},
    ),
    "a handler behind a memory": config(
        handlers={
            "out": {**STREAM, "filters": ["context"], "formatter": "plain"},
            "it": {**MEMORY, "filters": ["context"]},
        },
        root={"handlers": ["it"]},
    ),
    "a handler that another part refers to": handler(
        {"()": "test_check_names.factory", "to": "cfg://handlers.out"}
    ),
    "a filter itself": config(
        filters={},
        handlers={"out": {**STREAM, "filters": [logging.Filter()], "formatter": "plain"}},
    )
    | {"handlers": {"out": {"class": "logging.NullHandler", "formatter": "plain"}}},
    "a logger that keeps to itself": logger({"handlers": ["out"], "propagate": False}),
    "a parent that keeps to itself": config(
        loggers={"a": {"handlers": ["out"], "propagate": 0}, "a.b": {"handlers": []}}
    ),
    "our own names": config(filters={"context": {"()": "tracelog.ContextFilter"}}),
    "a field that any filter may set": config(formatters={"plain": {"format": "%(zone)s"}}),
}


@pytest.mark.parametrize("given", QUIET.values(), ids=QUIET)
def test_what_is_as_it_should_be_gets_no_advice(given):
    """Good configurations are passed without a word."""
    assert advice(given) == []


def test_a_context_filter_may_be_the_object_itself(_names):
    """In a plain dict, a filter can stand where its name would."""
    given = config(
        filters={},
        handlers={"out": {**STREAM, "filters": [_names.ContextFilter()], "formatter": "plain"}},
    )

    assert find_problems(given) == []


def test_our_own_handlers_are_known_by_their_home():
    """The keywords of tracelog's handlers mean what they mean in the standard library."""
    given = handler({"class": "test_check_names.Ours", "filename": "no/such.log", "maxBytes": "1k"})

    assert {problem.where: problem.hint for problem in fatal(given)} == {
        "handlers.it.filename": f"mkdir -p {show(str(Path.cwd() / 'no'))}",
        "handlers.it.maxBytes": "1024",
    }


def test_a_path_may_be_a_path(tmp_path):
    """In a plain dict, a filename can be any path."""
    assert fatal(handler({**FILE, "filename": tmp_path / "app.log"})) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_file_that_cannot_be_written_is_found_before_it_is_opened(tmp_path, monkeypatch, there):
    """A file or directory without the permission to write is a mistake."""
    if there:
        (tmp_path / "app.log").touch()
    monkeypatch.setattr("os.access", lambda path, mode: False)

    [problem] = fatal(handler(FILE))

    assert "isn't writable" in problem.text


def test_checking_opens_and_builds_nothing(tmp_path, monkeypatch):
    """No file appears, and no handler is made."""
    monkeypatch.setattr(logging.Handler, "__init__", lambda *_: pytest.fail("built a handler"))

    assert fatal(handler(FILE)) == []
    assert list(tmp_path.iterdir()) == []


class TestRelays:
    """Handlers that pass on to others are built after them."""

    def test_a_chain_is_built_in_two_turns(self):
        """A relay may stand before what it writes to, once."""
        given = handler({**MEMORY, "target": "out"})

        assert fatal(given) == []

    def test_a_longer_chain_needs_the_right_order(self):
        """Two relays in the wrong order are more than dictConfig can sort out."""
        chain = {"a": {**MEMORY, "target": "b"}, "b": {**MEMORY, "target": "c"}, "c": STREAM}

        assert [problem.where for problem in fatal(config(handlers=chain, root={}))] == [
            "handlers.a"
        ]

    @pytest.fixture
    def _new(self, monkeypatch):
        """A dictConfig that builds queues, as 3.12 has it."""
        monkeypatch.setattr(relays, "_HANDLERS_REQUIRED", False)
        keys = ("queue", "listener", "handlers", "respect_handler_level")
        monkeypatch.setattr(relays, "QUEUE_KEYS", keys)
        monkeypatch.setattr("tracelog.rules.handlers.QUEUE_KEYS", keys)

    @pytest.mark.usefixtures("_new")
    @pytest.mark.parametrize(
        ("settings", "where", "text"),
        [
            ({"queue": "queue.Queu"}, "queue", "no 'Queu'"),
            ({"queue": {}}, "queue", 'factory under "()"'),
            ({"queue": {"()": "queue.Queu"}}, "queue.()", "no 'Queu'"),
            ({"listener": "logging.StreamHandler"}, "listener", "class of listeners"),
            ({"listener": 5}, "listener", "class of listeners"),
            ({"listener": logging.StreamHandler}, "listener", "class of listeners"),
            ({"listener": {}}, "listener", 'factory under "()"'),
            ({"listener": "logging.nothing"}, "listener", "no 'nothing'"),
            ({"handlers": None}, "handlers", "a list of handlers"),
            ({"handlers": "out"}, "handlers", "a list of handlers"),
            ({"handlers": ["uot"]}, "handlers[0]", "'uot'"),
            ({"handlers": ["it"]}, None, "isn't built yet"),
            ({"hendlers": ["out"]}, "hendlers", "takes no"),
        ],
    )
    def test_a_queue_has_its_own_keys(self, settings, where, text):
        """What a QueueHandler is built of is checked as well."""
        found = {problem.where: problem.text for problem in fatal(handler({**QUEUE, **settings}))}

        path = f"handlers.it.{where}" if where else "handlers.it"
        assert text in found[path]

    @pytest.mark.usefixtures("_new")
    @pytest.mark.parametrize(
        "settings",
        [
            {},
            {"queue": "queue.SimpleQueue", "handlers": ["out"], "respect_handler_level": True},
            {"queue": {"()": "queue.Queue", "maxsize": 5}},
            {"queue": "ext://test_check_names.queue"},
            {"listener": "logging.handlers.QueueListener"},
            {"listener": logging.handlers.QueueListener},
            {"listener": {"()": "test_check_names.factory"}},
        ],
    )
    def test_a_queue_of_any_documented_kind_is_sound(self, settings):
        """Queues and listeners can be named, made, or given."""
        assert fatal(handler({**QUEUE, **settings})) == []

    @pytest.mark.usefixtures("_new")
    def test_a_queue_needs_handlers_where_python_says_so(self, monkeypatch):
        """The first 3.12 builds no queue without a listener's handlers."""
        monkeypatch.setattr(relays, "_HANDLERS_REQUIRED", True)

        (problem,) = fatal(handler({**QUEUE}))

        assert problem.where == "handlers.it"
        assert fatal(handler({**QUEUE, "handlers": ["out"]})) == []

    @pytest.mark.parametrize(("queue", "count"), [("ext://test_check_names.queue", 0), ("x", 1)])
    def test_before_python_3_12_a_queue_is_a_queue(self, monkeypatch, queue, count):
        """An old dictConfig hands the queue over as it is."""
        monkeypatch.setattr(relays, "QUEUE_KEYS", ())
        monkeypatch.setattr("tracelog.rules.handlers.QUEUE_KEYS", ())

        assert len(fatal(handler({**QUEUE, "queue": queue}))) == count

    @pytest.mark.parametrize(
        ("by_name", "level", "hint"),
        [
            (False, "ERROR", "40"),
            (False, "x", "40"),
            (True, "EROR", "ERROR"),
            (True, "ERROR", None),
        ],
    )
    def test_a_level_to_flush_at(self, monkeypatch, by_name, level, hint):
        """An old dictConfig takes numbers only."""
        monkeypatch.setattr(relays, "_FLUSH_LEVEL_BY_NAME", by_name)

        found = fatal(handler({**MEMORY, "flushLevel": level}))

        assert [problem.hint for problem in found] == ([hint] if hint else [])


class TestVersions:
    """What an older Python doesn't read is said."""

    @pytest.mark.parametrize("known", [True, False])
    def test_defaults(self, monkeypatch, known):
        """Defaults of a formatter are read since 3.12."""
        monkeypatch.setattr(formatters, "_DEFAULTS", known)
        given = formatter({"format": "%(zone)s", "defaults": {"zone": "-"}})

        found = [problem.where for problem in fatal(given)]

        assert found == ([] if known else ["formatters.plain.defaults"])

    @pytest.mark.parametrize("known", [True, False])
    def test_a_class_itself(self, monkeypatch, known):
        """A handler's class may be an object since 3.12."""
        monkeypatch.setattr(classes, "CLASSES_AS_OBJECTS", known)

        found = fatal(handler({"class": logging.StreamHandler}))

        assert [problem.hint for problem in found] == ([] if known else ["logging.StreamHandler"])


class TestImports:
    """What a name stands for is imported, and whatever goes wrong then is told."""

    @pytest.fixture
    def make_module(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)

        def make(name, text):
            monkeypatch.delitem(sys.modules, name, raising=False)
            (tmp_path / f"{name}.py").write_text(text)

        return make

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("1 / 0", "ZeroDivisionError: division by zero"),
            ("def (", "SyntaxError"),
            ("import no_such_dependency", "No module named 'no_such_dependency'"),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("raise ModuleNotFoundError('bare')", "ModuleNotFoundError: bare"),
            ("def __getattr__(name): raise ImportError('an extra')", "ImportError: an extra"),
        ],
    )
    def test_a_module_that_fails(self, make_module, text, told):
        """The reason of a failed import is quoted."""
        make_module("tl_fails", text)

        [problem] = fatal(handler({"class": "tl_fails.Handler"}))

        assert "importing 'tl_fails" in problem.text
        assert told in problem.text
        assert "python -c 'import tl_fails" in problem.hint

    def test_a_module_that_is_still_being_imported(self, make_module):
        """A configuration that is checked while its own module is imported is a circle."""
        make_module(
            "tl_circle",
            "from tracelog.check import find_problems\n"
            "found = find_problems({'version': 1, 'handlers': {'a': {'class': 'tl_circle.Own'}}})\n",
        )

        import tl_circle

        [problem] = [each for each in tl_circle.found if each.fatal]
        assert "circular import" in problem.text
        assert "move Own" in problem.hint

    def test_a_broken_reference_is_reported_once(self):
        """What a reference stands for isn't looked at if it stands for nothing."""
        broken = "ext://sys.nothing_there"
        parts = {"class": broken, "formatter": broken, "filters": broken, "filename": broken}
        given = config(
            version=broken,
            disable_existing_loggers=broken,
            formatters={
                "a": {"class": broken},
                "b": {"()": broken},
                "c": {"style": broken, "format": broken},
                "d": {"format": "x", "style": broken},
                "e": {"()": "tracelog.Formatter", "format": broken, "processors": broken},
            },
            filters={"a": {"()": broken}, "b": {"name": broken}},
            handlers={
                "a": parts,
                "b": {"()": broken},
                "c": {**FILE, "filename": broken, ".": broken},
                "d": {**MEMORY, "target": broken, "flushLevel": broken},
                "e": {
                    **QUEUE,
                    "queue": broken,
                    **({"listener": broken, "handlers": []} if NEW else {}),
                },
                "f": {**QUEUE, "handlers": broken} if NEW else broken,
                "g": broken,
            },
            loggers={"a": {"level": broken, "handlers": broken, "propagate": broken}},
            root=broken,
        )

        found = fatal(given)

        places = [problem.where for problem in found]
        assert len(places) == len(set(places))
        assert all("nothing_there" in problem.text for problem in found)

    def test_a_section_that_is_a_broken_reference(self):
        """A section that stands for nothing has no entries."""
        given = config(handlers="ext://sys.nothing_there", root={})

        assert [problem.where for problem in fatal(given)] == ["handlers"]


class TestOrder:
    """Problems come in the order in which they were written, with their lines."""

    TEXT = """\
version: 1
loggers:
  app.chat: {level: LOUD}
handlers:
  out:
    class: logging.FileHandler
    max_bytes: 5
root: {level: QUIET, handlers: [uot]}
"""

    def test_lines(self):
        """Each problem has the line of its key, or of what lacks it."""
        document = yamlfile.parse(self.TEXT)

        found = find_problems(document.data, lines=document.lines)

        assert [(each.line, each.where) for each in found if each.fatal] == [
            (3, "loggers.app.chat.level"),
            (5, "handlers.out"),
            (7, "handlers.out.max_bytes"),
            (8, "root.level"),
            (8, "root.handlers[0]"),
        ]
        assert found[0].where == "disable_existing_loggers"
        assert found[0].line == 1

    def test_the_first_is_raised(self):
        """The error has the place of the first, and the number of the others."""
        document = yamlfile.parse(self.TEXT)

        with pytest.raises(ConfigError) as caught:
            refuse(document.data, source="logging.yaml", lines=document.lines)

        assert caught.value.where == "logging.yaml:3: loggers.app.chat.level"
        assert str(caught.value).startswith(
            "logging.yaml:3: loggers.app.chat.level: there is no level 'LOUD' "
            "(and 4 more problems: see `tracelog check`)\n  Try: one of "
        )

    def test_one_more(self):
        """One is one problem, not problems."""
        with pytest.raises(ConfigError, match=r"and 1 more problem:"):
            refuse(logger({"level": "LOUD", "propagate": "no"}))


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.b", 3, "is bad", "c"), "line 3: a.b: is bad\n  Try: c"),
        (Problem("a.b", None, "is bad", "c"), "a.b: is bad\n  Try: c"),
        (Problem("", None, "is bad", "c"), "config: is bad\n  Try: c"),
    ],
)
def test_a_problem_reads_as_one_sentence(problem, text):
    """A problem says where, what, and the way out."""
    assert str(problem) == text


def test_control_characters_are_escaped():
    """What a file holds can't reach the terminal that shows it."""
    evil = "a\x1b[2J\u202e\ud800"
    given = config(**{evil: {}}, loggers={evil: {evil: evil, "level": evil}})

    said = "".join(str(problem) for problem in find_problems(given))

    assert "\\x1b[2J\\u202e\\ud800" in said
    assert not {"\x1b", "\u202e", "\ud800"} & set(said)


class TestSize:
    """A small file can stand for an endless configuration."""

    def bomb(self, levels):
        value = ["lol"] * 9
        for _ in range(levels):
            value = [value] * 9
        return value

    def test_a_bomb_is_refused(self):
        """Nine to the ninth values are counted as far as it takes to refuse them."""
        [problem] = find_problems(config(filters={"f": {"name": self.bomb(9)}}))

        assert problem.fatal
        assert "larger or deeper" in problem.text

    def test_a_circle_is_refused(self):
        """A value that holds itself is endless."""
        circle = {}
        circle["again"] = circle

        assert [each.fatal for each in find_problems(config(filters=circle))] == [True]

    def test_a_bomb_inside_a_tuple_is_refused(self):
        """What Python can hold is counted, too."""
        assert len(find_problems(config(x=(self.bomb(9),)))) == 1

    def test_one_rule_finds_so_many(self):
        """A file that is wrong in each of its lines is cut short."""
        given = config(loggers={f"l{n}": {"level": "LOUD"} for n in range(2000)})

        assert len(find_problems(given)) == 500


class TestWords:
    """The words that findings are written in."""

    def test_anything_can_be_quoted(self):
        """A value that can't be written is named by its type."""

        class Shy:
            def __repr__(self):
                raise RuntimeError("no")

        assert show(10**5000).startswith("<int")
        assert show(Shy()).startswith("<Shy")
        assert kind(Shy()) == "Shy"

    def test_long_texts_are_clipped(self):
        """A sentence stays one."""
        assert clip("x" * 100) == "x" * 80 + "…"
        assert listing("abcdefghij") == "a, b, c, d, e, f, g, h, …"

    def test_suggestions(self):
        """Only a name that looks alike is suggested."""
        assert closest("x" * 101, ["x" * 100]) is None
        assert closest(5, ["a"]) is None
        assert closest("a", [5]) is None
        assert did_you_mean("a", []) == "remove it"
        assert did_you_mean("qqq", ["name"]) == "one of name"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=3)
    | st.sampled_from(["ext://sys.stdout", "cfg://handlers", "ext://", "logging.StreamHandler"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "version handlers formatters filters loggers root level class () . handlers format "
                "style propagate incremental target filename stream queue".split()
            )
            | st.text(max_size=3)
            | st.none()
            | st.integers(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=25,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(values)
@example({"version": 1, "handlers": {"a": {"class": "logging.NullHandler", "filters": [{}]}}})
@example({"version": 1, "formatters": {"a": {"format": "{0} {}", "style": "{"}}})
@example({"version": 1, "filters": {"a": {"()": []}}, "loggers": {"": {}, "root": {}}})
def test_no_value_makes_it_raise(value):
    """Whatever a file holds, it is told in problems."""
    for problem in find_problems(value):
        assert str(problem).isprintable() or "\n" in str(problem)


def mostly(usual, *others):
    return st.sampled_from([usual] * 5 + list(others))


def entry(required, optional):
    return st.fixed_dictionaries(required, optional=optional)


LEVELS = mostly("INFO", 10, "DEBUG", "info", None, True)
NAMES = st.lists(mostly("a", "b", "c"), max_size=2) | st.just("a")
FORMATTERS = entry(
    {},
    {
        "format": mostly("%(message)s", "{message}", "%(message", "%(x)s", 5, None),
        "style": mostly("%", "{", "$", "#"),
        "validate": mostly(True, False),
        "class": mostly("logging.Formatter", "logging.Filter"),
        "datefmt": mostly("%H", None, 5),
    },
)
HANDLER_KEYS = {
    "level": LEVELS,
    "formatter": mostly("a", "b", None),
    "filters": NAMES,
    ".": mostly({"mark": 1}, {}, None, 5),
}
HANDLERS = st.one_of(
    entry(
        {"class": mostly("logging.StreamHandler", "logging.NullHandler", "logging.Filter")},
        {**HANDLER_KEYS, "stream": mostly("ext://sys.stdout", None, "stdout")},
    ),
    entry(
        {"class": st.just("logging.FileHandler"), "filename": mostly("a.log", "no/a.log", 5, ".")},
        {
            **HANDLER_KEYS,
            "mode": mostly("a", "w", "r", "q", "ta"),
            "encoding": mostly("utf-8", "utf9", None, ""),
            "maxBytes": mostly(5),
        },
    ),
    entry(
        {"class": st.just("logging.handlers.RotatingFileHandler"), "filename": st.just("a.log")},
        {**HANDLER_KEYS, "maxBytes": mostly(5, "5", None), "backupCount": mostly(1, 0)},
    ),
    entry(
        {
            "class": st.just("logging.handlers.TimedRotatingFileHandler"),
            "filename": st.just("a.log"),
        },
        {"when": mostly("midnight", "w6", "d", "W7", "W", "x", 5), "interval": mostly(1, "x", 0)},
    ),
    entry(
        {"class": st.just("logging.handlers.MemoryHandler"), "capacity": mostly(5, "5")},
        {"target": mostly("b", "a", "c"), "flushLevel": mostly(40, "ERROR", "EROR", None)},
    ),
    entry(
        {"class": st.just("logging.handlers.QueueHandler")},
        {
            "queue": mostly("ext://test_check_names.queue", "queue.Queue", "x", {}, 5),
            "handlers": NAMES,
            "listener": mostly("logging.handlers.QueueListener", "logging.Filter", 5),
        },
    ),
    entry(
        {"()": mostly("logging.StreamHandler", "test_check_names.factory", "logging.x", 5)},
        {**HANDLER_KEYS, "stream": mostly("ext://sys.stdout"), "other": mostly(5)},
    ),
)
LOGGERS = entry(
    {}, {"level": LEVELS, "handlers": NAMES, "filters": NAMES, "propagate": mostly(True, 0, "no")}
)
CONFIGS = entry(
    {"version": mostly(1, 1.0, 2)},
    {
        "formatters": st.dictionaries(st.sampled_from("ab"), FORMATTERS, max_size=2),
        "filters": st.dictionaries(
            st.sampled_from("ab"),
            entry({}, {"name": mostly("app", 5), "()": mostly("logging.Filter", "x")}),
        ),
        "handlers": st.dictionaries(st.sampled_from("abc"), HANDLERS, max_size=3),
        "loggers": st.dictionaries(mostly("x", "x.y", "root", ""), LOGGERS, max_size=2),
        "root": LOGGERS,
        "disable_existing_loggers": st.booleans(),
        "incremental": mostly(False),
    },
)


@contextmanager
def private_logging() -> Iterator[None]:
    """Give the test a logging of its own, and close its handlers afterwards."""
    root = logging.RootLogger(logging.WARNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging, "root", root)
        patch.setattr(logging.Logger, "root", root)
        patch.setattr(logging.Logger, "manager", logging.Manager(root))
        patch.setattr(logging, "_handlers", weakref.WeakValueDictionary())
        patch.setattr(logging, "_handlerList", [])
        yield
        logging.shutdown(logging._handlerList)


@settings(
    max_examples=400,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(CONFIGS)
def test_what_is_called_sound_is_accepted_by_dict_config(given):
    """There is no configuration that passes the check and then fails."""
    if not fatal(given):
        with private_logging():
            logging.config.dictConfig(given)


@pytest.mark.parametrize("name", [name for name in SOUND if name not in {
    "mail", "a server", "the system's log", "the system's log by number",
    "the system's log by its socket", "the system's log over there",
    "a class without a readable signature", "a class that makes directories",
    "an empty root", "a module nobody imported yet",
}])  # fmt: skip
def test_sound_examples_are_accepted_by_dict_config(name):
    """The examples above aren't only called sound: they are."""
    with private_logging():
        logging.config.dictConfig(SOUND[name])


@pytest.mark.parametrize(
    "path",
    [
        "ConsoleFormatter",
        "ContextFilter",
        "FileHandler",
        "Formatter",
        "JsonFormatter",
        "StreamHandler",
    ],
)
def test_our_names_are_names(path):
    """What is suggested exists."""
    assert not isinstance(names.locate(f"tracelog.{path}"), names.Unresolved)


@pytest.mark.parametrize("cls", ["StreamHandler", "FileHandler", "RotatingFileHandler"])
@pytest.mark.parametrize("form", ["Formatter", "JsonFormatter", "ConsoleFormatter"])
def test_our_classes_are_sound(cls, form):
    """A configuration of tracelog's own parts gets neither problems nor advice."""
    given = {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": f"tracelog.{form}"}},
        "filters": {"context": {"()": "tracelog.ContextFilter"}},
        "handlers": {
            "out": {
                "class": f"tracelog.{cls}",
                "formatter": "lines",
                "filters": ["context"],
                **({} if cls == "StreamHandler" else {"filename": "app.log"}),
            }
        },
        "loggers": {"app": {"level": "TRACE"}},
        "root": {"level": "INFO", "handlers": ["out"]},
    }

    assert find_problems(given) == []
    assert len(fatal({**given, "handlers": {"out": {"class": f"tracelog.{cls}", "nmae": 1}}})) > 0


def test_what_a_factory_of_handlers_is_given_is_known_too():
    """Its keywords mean the same under `()` as under `class`."""
    made = {"()": "tracelog.RotatingFileHandler", "filename": "no/a.log", "maxBytes": "10 MB"}

    found = {problem.where: problem.hint for problem in fatal(handler(made))}

    assert found["handlers.it.maxBytes"] == "10485760"
    assert found["handlers.it.filename"].startswith("mkdir -p ")


@pytest.mark.parametrize("key", ["class", "()"])
def test_our_files_take_what_loggings_take(key):
    """As far as it means what they do anyway."""
    stock = {"mode": "a", "encoding": "utf-8", "delay": True, "errors": "replace"}
    ours = {key: "tracelog.RotatingFileHandler", "filename": "app.log", **stock}

    (problem,) = fatal(handler({**ours, "encoding": "latin-1"}))

    assert fatal(handler(ours)) == []
    assert (problem.where, problem.text) == (
        "handlers.it.encoding",
        "lines are written as UTF-8, not as 'latin-1'",
    )
    assert problem.hint == "encoding: utf-8, or leave it out"


def test_our_files_do_not_wait_for_their_directory():
    """The file is opened at once, delay or no delay."""
    ours = {"class": "tracelog.FileHandler", "filename": "no/app.log", "delay": True}

    assert [problem.where for problem in fatal(handler(ours))] == ["handlers.it.filename"]


def test_a_setting_that_makes_no_sense_is_named(monkeypatch):
    """The variable is what has to be mended, not the file that refers to it."""
    monkeypatch.setenv("LOG_LEVEL", "LOUD")

    (problem,) = fatal(config(root={"level": "ext://tracelog.settings.LOG_LEVEL"}))

    assert problem.text.startswith("LOG_LEVEL: 'LOUD' is no level")
    assert problem.hint == "INFO"


def test_what_is_refused_is_all_that_is_said():
    """Of a file that names what it may not, nothing else is looked at: that might import it."""
    config = {"version": 1, "handlers": {"out": {"class": "app.Handler"}}, "rot": 1}

    (problem,) = find_problems(config, allow=())

    assert "app.Handler" in problem.text
