"""`configure_logging`: from settings, a file or a dict to a working configuration."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest
import yaml

import tracelog
from tracelog import installed
from tracelog.config import DEFAULT_CONFIG, configure_logging
from tracelog.console import ConsoleFormatter
from tracelog.errors import ConfigError
from tracelog.handlers import FileHandler, StreamHandler
from tracelog.json_formatter import JsonFormatter


@pytest.fixture(autouse=True)
def configured_anew():
    # Each test begins, and leaves the next one, with nothing to take back.
    yield
    installed.made.clear()
    installed._configured.clear()


@pytest.fixture(autouse=True)
def no_handlers():
    # What pytest attached to the root would see the lines as well.
    logging.root.handlers = [h for h in logging.root.handlers if "_pytest" in type(h).__module__]


CLOSED = io.StringIO()
CLOSED.close()


def add_region(logger, method, event):
    return {**event, "region": "eu"}


def make_config(root=("out",), **changes):
    return {
        "version": 1,
        "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
        "handlers": {
            "out": {
                "class": "tracelog.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "json",
            }
        },
        "root": {"level": "INFO", "handlers": list(root)},
        **changes,
    }


def handlers_of(name=None):
    return [h for h in logging.getLogger(name).handlers if "_pytest" not in type(h).__module__]


def logged(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


# Sources


def test_without_anything_a_service_is_configured(capfd):
    """JSON lines on stdout, INFO and above."""
    configure_logging()

    logging.getLogger("app").info("hello")
    logging.getLogger("app").debug("too quiet")

    [line] = capfd.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "hello"


def test_the_default_is_what_the_repository_shows():
    """What a person copies from the repository is what `configure_logging()` uses."""
    shown = Path(__file__).parent.parent / "logging.yaml"

    assert DEFAULT_CONFIG.read_text("ascii") == shown.read_text("ascii")


def test_the_default_works_with_the_standard_library(capfd):
    """uvicorn gives the file to dictConfig itself."""
    logging.config.dictConfig(yaml.safe_load(DEFAULT_CONFIG.read_text()))

    logging.getLogger("app").info("hello")

    assert json.loads(capfd.readouterr().out)["event"] == "hello"


@pytest.mark.parametrize("make", [str, Path, None], ids=["text", "path", "LOG_CONFIG"])
def test_a_file_may_be_named(tmp_path, monkeypatch, make, capfd):
    """As an argument, or in LOG_CONFIG."""
    path = tmp_path / "my.yaml"
    path.write_text(yaml.safe_dump(make_config(root=[])))
    if make is None:
        monkeypatch.setenv("LOG_CONFIG", str(path))

    configure_logging(make and make(path))

    assert handlers_of() == []


@pytest.mark.parametrize(
    ("text", "said"), [(None, "can't be read: No such file"), ("- [", r"invalid YAML in line 1")]
)
@pytest.mark.parametrize("place", ["LOG_CONFIG", ".env: LOG_CONFIG"])
def test_a_file_that_a_variable_names_is_named_with_it(tmp_path, monkeypatch, place, text, said):
    """The call that raises names no file: the variable is what has to be mended."""
    if text is not None:
        (tmp_path / "my.yaml").write_text(text)
    if place == "LOG_CONFIG":
        monkeypatch.setenv("LOG_CONFIG", "my.yaml")
    else:
        (tmp_path / ".env").write_text("LOG_CONFIG=my.yaml")

    with pytest.raises(ConfigError, match=rf"^{re.escape(place)}: my\.yaml.*: {said}"):
        configure_logging()


@pytest.fixture
def foreign_file(tmp_path, monkeypatch):
    """A file that names a class of the application's."""
    monkeypatch.setitem(sys.modules, "shop", types.SimpleNamespace(Quiet=logging.Filter))
    path = tmp_path / "shop.yaml"
    path.write_text('version: 1\nfilters: {quiet: {"()": shop.Quiet}}\n')
    return path


@pytest.mark.parametrize(
    ("variable", "allow"),
    [("", ["shop"]), ("", "shop"), ("other, shop", None), ("shop", ["other"])],
    ids=["argument", "text", "LOG_CONFIG_ALLOW", "both"],
)
def test_a_file_may_name_what_the_application_allows(foreign_file, monkeypatch, variable, allow):
    """As an argument, or in LOG_CONFIG_ALLOW."""
    monkeypatch.setenv("LOG_CONFIG_ALLOW", variable)

    configure_logging(foreign_file, allow=allow)


@pytest.mark.parametrize("as_dict", [False, True], ids=["file", "dict with allow"])
def test_a_file_may_not_name_anything_else(foreign_file, as_dict):
    """The error says how to add it; so does a dict that says what it may name."""
    config = yaml.safe_load(foreign_file.read_text()) if as_dict else foreign_file

    with pytest.raises(ConfigError) as error:
        configure_logging(config, allow=["other"])

    assert error.value.where.endswith("filters.quiet.()")
    assert "configure_logging(allow=['shop'])" in error.value.hint


def test_a_dict_may_be_given(capfd):
    """And stays as it was."""
    given = make_config()
    before = json.dumps(given)

    configure_logging(given, level="DEBUG", processors=[add_region])
    logging.debug("hello")

    assert json.loads(capfd.readouterr().out)["region"] == "eu"
    assert json.dumps(given) == before


def test_a_dict_without_a_root_is_no_error():
    """It changes the loggers that it names."""
    configure_logging({"version": 1, "loggers": {"app": {"level": "ERROR"}}})

    assert logging.getLogger("app").level == logging.ERROR
    assert logging.root.level == logging.WARNING


class Clinging(logging.Handler):
    """Can't be closed properly."""

    def close(self):
        super().close()
        raise RuntimeError("not my day")


def test_a_handler_that_cannot_be_closed_changes_nothing(monkeypatch):
    """It is somebody else's: the new configuration works, and says what happened."""
    handler = Clinging()
    configure_logging(make_config(["mine"], handlers={"mine": {"()": lambda: handler}}))
    stream = io.StringIO()

    configure_logging(sink=stream)

    [line] = logged(stream)
    assert line["logger"] == "tracelog.internal"
    assert line["event"].endswith("couldn't be closed")
    assert [type(h).__name__ for h in handlers_of()] == ["StreamHandler"]
    monkeypatch.setattr(Clinging, "close", logging.Handler.close)  # logging.shutdown does it again


# Overrides


def test_arguments_win_over_the_environment(monkeypatch):
    """Level, environment and format."""
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    monkeypatch.setenv("ENVIRONMENT", "production")

    configure_logging(level="debug", environment="development")

    [handler] = handlers_of()
    assert logging.root.level == logging.DEBUG
    assert isinstance(handler.formatter.chosen, ConsoleFormatter)


def test_the_environments_level_may_be_a_number(monkeypatch):
    """In the default configuration, and in the file that it is."""
    monkeypatch.setenv("LOG_LEVEL", "15")

    configure_logging()
    by_default = logging.root.level
    configure_logging(DEFAULT_CONFIG)

    assert (by_default, logging.root.level) == (15, 15)


def test_format_chooses_the_form():
    """Whatever the environment is."""
    configure_logging(environment="development", format="json")

    assert isinstance(handlers_of()[0].formatter.chosen, JsonFormatter)


def test_the_env_file_counts_for_all_of_it(tmp_path):
    """The level and the formatters read the same file."""
    (tmp_path / "my.env").write_text("LOG_LEVEL=ERROR\nENVIRONMENT=dev\nLOG_LEVELS=app=DEBUG")

    configure_logging(env_file=tmp_path / "my.env")

    assert logging.root.level == logging.ERROR
    assert logging.getLogger("app").level == logging.DEBUG
    assert isinstance(handlers_of()[0].formatter.chosen, ConsoleFormatter)


def test_no_env_file_is_read_on_demand(tmp_path):
    """env_file=None."""
    (tmp_path / ".env").write_text("LOG_LEVEL=ERROR\nENVIRONMENT=dev")

    configure_logging(env_file=None)

    assert logging.root.level == logging.INFO
    assert isinstance(handlers_of()[0].formatter.chosen, JsonFormatter)


@pytest.mark.parametrize("make", [str, Path])
def test_a_sink_may_be_a_path(tmp_path, make):
    """Lines go to the end of that file."""
    configure_logging(sink=make(tmp_path / "app.log"))

    logging.info("hello")

    assert isinstance(handlers_of()[0], FileHandler)
    assert json.loads((tmp_path / "app.log").read_text())["event"] == "hello"


def test_a_sink_may_be_a_stream():
    """A StringIO, say."""
    stream = io.StringIO()

    configure_logging(sink=stream)
    logging.info("hello")

    assert logged(stream)[0]["event"] == "hello"


@pytest.mark.parametrize(
    ("formatter", "key", "handler"),
    [
        pytest.param("tracelog.Formatter", "class", "tracelog.StreamHandler", id="names"),
        pytest.param("tracelog.Formatter", "()", "tracelog.StreamHandler", id="factories"),
        pytest.param(
            "tracelog.formatters.Formatter", "class", "tracelog.handlers.StreamHandler", id="paths"
        ),
        pytest.param(tracelog.Formatter, "()", tracelog.StreamHandler, id="classes"),
    ],
)
def test_overrides_reach_our_classes_however_they_are_named(formatter, key, handler):
    """By their names, by the paths of their modules, and as they are."""
    stream = io.StringIO()
    config = make_config(
        formatters={"f": {"()": formatter}}, handlers={"out": {key: handler, "formatter": "f"}}
    )

    configure_logging(config, format="json", sink=stream, processors=[add_region])
    logging.info("hello")

    assert logged(stream)[0]["region"] == "eu"


def test_overrides_leave_others_handlers_alone(tmp_path):
    """A sink is where our stream handlers write; a file that the file names stays."""
    stream = io.StringIO()
    config = make_config(
        root=["out", "file", "stock"],
        formatters={"json": {"()": "tracelog.JsonFormatter"}, "text": {"format": "%(message)s"}},
        handlers={
            "out": {"class": "tracelog.StreamHandler", "formatter": "json"},
            "file": {"class": "tracelog.FileHandler", "filename": "a.log", "formatter": "text"},
            "stock": {"class": "logging.FileHandler", "filename": "b.log", "formatter": "text"},
        },
    )

    configure_logging(config, sink=stream, processors=[add_region])
    logging.info("hello")

    assert len(logged(stream)) == 1
    assert Path("a.log").read_text() == Path("b.log").read_text() == "hello\n"


def test_processors_run_after_those_of_the_file(capfd):
    """Both run, on every event."""

    def add_zone(logger, method, event):
        return {**event, "zone": event["region"] + "-1"}

    formatters = {"json": {"()": "tracelog.JsonFormatter", "processors": [add_region]}}

    configure_logging(make_config(formatters=formatters), processors=[add_zone])
    logging.info("hello")

    assert json.loads(capfd.readouterr().out)["zone"] == "eu-1"


def test_secret_keys_are_added_to_those_of_the_file(capfd):
    """Both are masked, and so are those of everybody."""
    formatters = {"json": {"()": "tracelog.JsonFormatter", "secret_keys": ["iban"]}}

    configure_logging(make_config(formatters=formatters), secret_keys=["tax_number"])
    logging.info("hello", extra={"iban": "a1", "taxNumber": "a2", "token": "a3", "room": "a4"})

    line = json.loads(capfd.readouterr().out)
    masked = [key for key, value in line.items() if value == "[redacted]"]
    assert masked == ["iban", "taxNumber", "token"]


def test_log_levels_are_set(monkeypatch):
    """Beside what the file says of those loggers."""
    monkeypatch.setenv("LOG_LEVELS", "app=DEBUG,app.db=ERROR")
    config = make_config(loggers={"app": {"level": "INFO", "propagate": False}})

    configure_logging(config)

    app = logging.getLogger("app")
    assert (app.level, app.propagate) == (logging.DEBUG, False)
    assert logging.getLogger("app.db").level == logging.ERROR


def test_a_level_of_the_file_stays():
    """LOG_LEVEL is for files that ask for it."""
    configure_logging(make_config(root=[]) | {"root": {"level": "ERROR", "handlers": []}})

    assert logging.root.level == logging.ERROR


# Again


def test_a_second_call_takes_back_what_the_first_one_did(capfd):
    """Handlers, filters, levels and propagation of loggers that aren't configured any more."""

    def refuse(record):
        return False

    logger = logging.getLogger("app")
    configure_logging(
        make_config(
            filters={"refuse": {"()": lambda: refuse}},
            loggers={
                "app": {
                    "level": "ERROR",
                    "handlers": ["out"],
                    "propagate": False,
                    "filters": ["refuse"],
                }
            },
        )
    )

    configure_logging(make_config())

    logger.info("hello")
    assert (logger.handlers, logger.filters, logger.level, logger.propagate) == ([], [], 0, True)
    assert len(capfd.readouterr().out.splitlines()) == 1


def test_old_handlers_go_from_loggers_that_stay(capfd):
    """A logger that is still configured, but without a handler, has none: no line comes twice."""
    configure_logging(make_config(loggers={"app": {"handlers": ["out"]}}))

    configure_logging(make_config(loggers={"app": {"level": "INFO"}}))
    logging.getLogger("app").info("hello")

    assert len(capfd.readouterr().out.splitlines()) == 1


def test_log_levels_are_taken_back(monkeypatch):
    """And nothing else of that logger is touched."""
    logger = logging.getLogger("app.db")
    handler = logging.StreamHandler(io.StringIO())
    logger.addHandler(handler)
    logger.propagate = False
    monkeypatch.setenv("LOG_LEVELS", "app.db=DEBUG")
    configure_logging()
    monkeypatch.delenv("LOG_LEVELS")

    configure_logging()

    assert (logger.level, logger.propagate) == (logging.NOTSET, False)
    assert handlers_of("app.db") == [handler]


def test_a_root_that_is_not_configured_any_more_is_as_it_began():
    """At WARNING, as `logging` has it, and without our handlers."""
    configure_logging()

    configure_logging({"version": 1})

    assert (logging.root.level, handlers_of()) == (logging.WARNING, [])


def test_stock_handlers_make_way_and_tools_stay():
    """What basicConfig left goes; what a tool attached sees on."""

    class Tool(logging.Handler):
        pass

    tool = Tool()
    logging.root.addHandler(tool)
    logging.root.addHandler(logging.StreamHandler(io.StringIO()))

    configure_logging()

    assert [type(handler) for handler in handlers_of()] == [StreamHandler, Tool]


def test_what_dict_config_made_of_the_same_file_makes_way(capfd):
    """uvicorn gives logging.yaml to dictConfig, and the application calls us: one line each."""
    logging.config.dictConfig(yaml.safe_load(DEFAULT_CONFIG.read_text()))
    tool = StreamHandler(io.StringIO())
    logging.root.addHandler(tool)

    configure_logging()
    logging.getLogger("app").info("hello")

    assert len(capfd.readouterr().out.splitlines()) == 1
    assert tool in handlers_of()


def test_filters_of_others_stay():
    """Ours come and go."""

    def theirs(record):
        return True

    logging.root.addFilter(theirs)
    config = make_config(filters={"ours": {"()": "tracelog.ContextFilter"}})
    config["root"]["filters"] = ["ours"]

    configure_logging(config)
    both = len(logging.root.filters)
    configure_logging()

    assert both == 2
    assert logging.root.filters == [theirs]


def test_rules_for_single_users_go_with_their_handler():
    """What lowers levels for some flows isn't left to the garbage collector."""
    config = make_config(filters={"focus": {"()": "tracelog.Focus", "rules": [{"user_id": "kim"}]}})
    config["handlers"]["out"]["filters"] = ["focus"]
    tracelog.bind_context(user_id="kim")

    configure_logging(config)
    kept = handlers_of()  # as a cycle would
    while_it_was_there = logging.getLogger("app").isEnabledFor(logging.DEBUG)
    configure_logging()

    assert while_it_was_there
    assert not logging.getLogger("app").isEnabledFor(logging.DEBUG)
    del kept


def test_rules_of_a_refused_configuration_never_apply_after_it():
    """Nor are those left to the garbage collector."""
    config = make_config(filters={"focus": {"()": "tracelog.Focus", "rules": [{"user_id": "kim"}]}})
    config["handlers"]["out"] = {"class": "logging.FileHandler", "filename": "no/such/folder"}
    tracelog.bind_context(user_id="kim")
    configure_logging()

    with pytest.raises(ConfigError) as kept:
        configure_logging(config)

    assert not logging.getLogger("app").isEnabledFor(logging.DEBUG)
    del kept


def test_a_filter_may_be_given_as_it_is():
    """In a dict, beside the names of those that are made."""

    def mine(record):
        return True

    configure_logging(make_config() | {"root": {"handlers": [], "filters": [mine]}})

    assert logging.root.filters == [mine]


def test_handlers_have_their_names():
    """`logging.getHandlerByName` finds the one that is in use, after any number of calls."""
    configure_logging(make_config())
    configure_logging(make_config())

    assert logging._handlers["out"] is handlers_of()[0]


def test_loggers_that_were_used_before_follow(capfd):
    """Whoever made them, and whatever they remember."""
    loggers = [logging.getLogger("app"), tracelog.get_logger("app")]
    for logger in loggers:
        logger.debug("before")

    configure_logging(level="DEBUG")
    for logger in loggers:
        logger.debug("after")

    lines = capfd.readouterr().out.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["after", "after"]


# Disabling


def test_existing_loggers_stay_enabled_by_default():
    """Unlike with dictConfig, which silences uvicorn.error and asyncio."""
    logger = logging.getLogger("app")

    configure_logging(make_config())

    assert not logger.disabled


def test_existing_loggers_may_be_disabled_and_come_back():
    """Those that aren't configured, nor below one that is; the next call may enable them."""
    names = ["app", "app.chat", "other", "root.like"]
    for name in names:
        logging.getLogger(name)

    configure_logging(make_config(disable_existing_loggers=True, loggers={"app": {}}))
    disabled = [name for name in names if logging.getLogger(name).disabled]
    configure_logging(make_config())

    assert disabled == ["other", "root.like"]
    assert not any(logging.getLogger(name).disabled for name in names)


# Increments


def test_an_increment_changes_levels_only():
    """Handlers stay, and what it doesn't name stays as it is."""
    configure_logging(make_config(loggers={"app": {"level": "ERROR"}}))
    before = handlers_of()

    configure_logging(
        {
            "version": 1,
            "incremental": True,
            "handlers": {"out": {"level": "WARNING"}},
            "loggers": {"app.db": {"level": "DEBUG", "propagate": False}},
            "root": {"level": "ERROR", "handlers": []},
        }
    )

    database = logging.getLogger("app.db")
    assert handlers_of() == before
    assert before[0].level == logging.WARNING
    assert (logging.root.level, logging.getLogger("app").level) == (logging.ERROR, logging.ERROR)
    assert (database.level, database.propagate) == (logging.DEBUG, False)


def test_an_increment_may_name_a_handler_without_a_level():
    """Then there is nothing to change."""
    configure_logging(make_config())

    configure_logging({"version": 1, "incremental": True, "handlers": {"out": {}}})

    assert handlers_of()[0].level == logging.NOTSET


def test_an_increment_of_an_unknown_handler_is_refused():
    """The error names it."""
    with pytest.raises(ConfigError, match="nobody"):
        configure_logging(
            {"version": 1, "incremental": True, "handlers": {"nobody": {"level": "INFO"}}}
        )


# Refused


def state():
    return {
        name: (logger.level, list(logger.handlers), list(logger.filters), logger.propagate)
        for name, logger in [("", logging.root), *logging.root.manager.loggerDict.items()]
        if isinstance(logger, logging.Logger)
    }


class Refusing(logging.Handler):
    """Can't be made."""

    def __init__(self):
        raise RuntimeError("see below") from ValueError("at the bottom")


def refuse():
    raise RuntimeError("not my day")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param({"config": "gone.yaml"}, r"gone\.yaml: can't be read", id="no file"),
        pytest.param({"config": ["x"]}, "config: a configuration is a mapping", id="no mapping"),
        pytest.param({"config": {"version": 2}}, "config: version", id="version"),
        pytest.param({"level": "LOUD"}, "level: 'LOUD' is no level", id="level"),
        pytest.param({"format": "xml"}, "format: 'xml' is none of", id="format"),
        pytest.param({"env_file": "gone.env"}, r"gone\.env: can't be read", id="env file"),
        pytest.param(
            {"sink": "gone/app.log"}, r"^sink: 'gone/app.log' can't be opened: No such", id="sink"
        ),
        pytest.param(
            {"processors": ["nowhere.to_be_found"]},
            r"can't find 'nowhere\.to_be_found'",
            id="processor",
        ),
        pytest.param(
            {"config": make_config(handlers={"out": {"()": Refusing}})},
            r"config: handlers\.out: ValueError: at the bottom",
            id="handler",
        ),
        pytest.param(
            {"config": make_config(filters={"f": {"()": refuse}})},
            r"config: filters\.f: RuntimeError: not my day",
            id="filter",
        ),
        pytest.param(
            {"config": make_config(formatters={"json": {"()": refuse}})},
            r"config: formatters\.json: RuntimeError: not my day",
            id="formatter",
        ),
        pytest.param({"sink": 5}, "sink: expected a path or a text stream, got 5", id="no sink"),
        pytest.param({"sink": io.BytesIO()}, "sink: expected a path or a text stream", id="bytes"),
        pytest.param({"sink": CLOSED}, "sink: .* is closed", id="a closed sink"),
        pytest.param({"secret_keys": "iban"}, "secret_keys: expected a list, got 'iban'", id="key"),
        pytest.param({"processors": None}, "processors: expected a list, got None", id="none"),
        pytest.param({"allow": 5, "config": {}}, "allow: expected a list, got 5", id="allow"),
    ],
)
def test_a_refused_configuration_changes_nothing(arguments, message):
    """The one that was working still works, to the last handler."""
    configure_logging(make_config(loggers={"app": {"level": "ERROR"}}))
    before = state()

    with pytest.raises(ConfigError, match=message) as caught:
        configure_logging(**arguments)

    assert "\n  Try: " in str(caught.value)
    assert state() == before


def test_what_a_file_leaves_empty_is_the_default(tmp_path):
    """`root:`, `processors:` and so on, with nothing below, because it is commented out, say."""
    path = tmp_path / "my.yaml"
    path.write_text(
        "version: 1\nformatters:\n  f:\n    (): tracelog.Formatter\n    processors:\n"
        "    secret_keys:\nroot:\n"
    )

    configure_logging(path)

    assert not handlers_of()


def test_the_line_of_a_file_is_named(tmp_path):
    """File, line and path of the key."""
    path = tmp_path / "my.yaml"
    path.write_text("version: 1\nroot:\n  level: LOUD\n")

    with pytest.raises(ConfigError) as caught:
        configure_logging(path)

    assert caught.value.where == f"{path}:3: root.level"


# Handlers that write to handlers


def test_relays_are_built_after_what_they_write_to():
    """Whatever their names are."""
    stream = io.StringIO()
    config = make_config(
        root=["a_relay"],
        handlers={
            "a_relay": {"class": "logging.handlers.MemoryHandler", "capacity": 9, "target": "out"},
            "out": {"class": "tracelog.StreamHandler", "formatter": "json"},
        },
    )

    configure_logging(config, sink=stream)
    logging.info("hello")
    handlers_of()[0].flush()

    assert logged(stream)[0]["event"] == "hello"


def test_nothing_heavy_is_loaded():
    """A service that writes JSON waits for neither rich nor the answering side."""
    code = """
import sys, tracelog
tracelog.configure_logging(format="json")
print([name for name in ("rich", "_duckdb", "opentelemetry") if name in sys.modules])
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
