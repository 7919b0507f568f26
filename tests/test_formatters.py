"""`Formatter`: lines for eyes or lines for machines, as the environment asks."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest

from tracelog.errors import ConfigError
from tracelog.formatters import ConsoleFormatter, Formatter, JsonFormatter
from tracelog.handlers import StreamHandler


def make_record(msg="hello", **extra):
    record = logging.LogRecord("app", logging.INFO, "app.py", 7, msg, (), None, "handle")
    record.__dict__.update(extra)
    return record


def chosen(terminal, **options):
    formatter = Formatter(**options)
    formatter.on_terminal(terminal)
    return type(formatter.chosen)


@pytest.mark.parametrize(
    ("options", "on_terminal", "elsewhere"),
    [
        pytest.param({}, ConsoleFormatter, JsonFormatter, id="nothing set"),
        pytest.param({"format": "json"}, JsonFormatter, JsonFormatter, id="json"),
        pytest.param({"format": "console"}, ConsoleFormatter, ConsoleFormatter, id="console"),
        pytest.param({"environment": "dev"}, ConsoleFormatter, ConsoleFormatter, id="development"),
        pytest.param({"environment": "staging"}, JsonFormatter, JsonFormatter, id="elsewhere"),
    ],
)
def test_the_environment_decides(options, on_terminal, elsewhere):
    """And the terminal where the environment says nothing."""
    assert chosen(True, **options) is on_terminal
    assert chosen(False, **options) is elsewhere


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, JsonFormatter),
        ({"format": "console"}, ConsoleFormatter),
        ({"format": "%(message)s %(lineno)d"}, JsonFormatter),
    ],
)
def test_dict_config_may_name_it_as_a_class(options, expected):
    """It then gives `format`, `datefmt` and `style` by position, as to `logging.Formatter`."""
    draft = {"class": "tracelog.Formatter", **options}

    made = logging.config.DictConfigurator({}).configure_formatter(draft)

    assert type(made.chosen) is expected


def test_variables_decide_where_arguments_do_not(tmp_path, monkeypatch):
    """ENVIRONMENT and LOG_FORMAT, from the environment or from a file."""
    (tmp_path / "my.env").write_text("ENVIRONMENT=dev")

    by_file = chosen(False, env_file="my.env")
    monkeypatch.setenv("LOG_FORMAT", "json")
    by_environment = chosen(False, env_file="my.env")

    assert (by_file, by_environment) == (ConsoleFormatter, JsonFormatter)


def test_no_file_is_read_on_demand(tmp_path):
    """env_file=None."""
    (tmp_path / ".env").write_text("ENVIRONMENT=dev")

    assert chosen(False, env_file=None) is JsonFormatter


def test_until_it_is_told_lines_are_for_machines():
    """A handler that isn't ours says nothing about terminals."""
    line = Formatter().format(make_record(room="lobby"))

    assert json.loads(line)["room"] == "lobby"


class Terminal(io.StringIO):
    """Says that somebody reads it."""

    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "begin"), [(Terminal(), "\x1b["), (io.StringIO(), "{")])
def test_our_handlers_tell_it(stream, begin):
    """So one configuration fits a developer's terminal and a service's pipe."""
    handler = StreamHandler(stream)
    handler.setFormatter(Formatter())

    handler.handle(make_record())

    assert stream.getvalue().startswith(begin)


def test_format_and_encode_agree():
    """With and without the newline, in both forms."""
    for format in ("json", "console"):
        formatter = Formatter(format=format)
        record = make_record()

        assert formatter.encode(record) == f"{formatter.format(record)}\n".encode()


def test_processors_run_in_both_forms():
    """An iterator is read once, and serves both."""

    def add_region(logger, method, event):
        return {**event, "region": "eu"}

    for format in ("json", "console"):
        formatter = Formatter(format=format, processors=iter([add_region]))

        assert "region" in formatter.format(make_record())


def test_other_options_are_the_json_formatters():
    """As `JsonFormatter` takes them."""
    formatter = Formatter(format="json", static_fields={"region": "eu"})

    assert json.loads(formatter.format(make_record()))["region"] == "eu"


@pytest.mark.parametrize(
    "options", [{"format": "xml"}, {"processors": ["nowhere.to_be_found"]}, {"env_file": "gone"}]
)
def test_what_makes_no_sense_is_refused(options):
    """When the formatter is made."""
    with pytest.raises(ConfigError):
        Formatter(**options)


def test_secrets_are_masked_in_both_forms():
    """By the names of all, and by those of the caller's."""
    for format in ("console", "json"):
        formatter = Formatter(format=format, env_file=None, secret_keys=["iban"])

        line = formatter.format(make_record(iban="DE12", password="hunter2", room="lobby"))

        assert "lobby" in line
        assert "DE12" not in line
        assert "hunter2" not in line


@pytest.mark.parametrize("format", ["console", "json"])
def test_format_may_be_overridden(format):
    """A subclass writes the line, in both forms, under a handler that made a copy of it, too."""

    class Mine(Formatter):
        def __init__(self, mark):
            super().__init__(format=format)
            self.mark = mark

        def format(self, record):
            return self.mark + super().format(record)

    handler = StreamHandler(io.StringIO())
    mine = Mine("> ")
    handler.setFormatter(mine)
    handler.formatter.mark = "! "

    handler.handle(make_record())

    assert handler.stream.getvalue().startswith("! ")
    assert mine.encode(make_record()).startswith(b"> ")
    assert mine.line_of is None
