"""What a file may name, and what happens with everything else: it isn't even imported."""

from __future__ import annotations

import os
import sys
import types
from textwrap import dedent

import pytest

from tracelog.check import find_problems
from tracelog.config import DEFAULT_CONFIG
from tracelog.rules.allowed import refused_names
from tracelog.rules.draft import Draft
from tracelog.yamlfile import parse


def refused(text, *allow):
    """Where a file in YAML names what it may not, and what is said about it."""
    draft = Draft(parse(dedent(text)).data)
    return {".".join(found.path): found.text for found in refused_names(draft, allow)}


ALLOWED = """
    filters:
      context: {"()": tracelog.ContextFilter}
    formatters:
      old: {class: pythonjsonlogger.json.JsonFormatter, fmt: ext://structlog.dev.plain_traceback}
      new:
        "()": tracelog.JsonFormatter
        static_fields: {class: first.class, processors: none}
        processors: [structlog.stdlib.add_log_level, {"()": structlog.stdlib.ExtraAdder}]
    handlers:
      out: {class: logging.StreamHandler, stream: ext://sys.stderr}
      rich: {class: rich.logging.RichHandler}
      syslog: {class: logging.handlers.SysLogHandler, facility: ext://logging.DEBUG}
      relay: {class: logging.handlers.QueueHandler, queue: queue.Queue}
      copy: cfg://handlers.out
    root: {level: ext://tracelog.settings.LOG_LEVEL}
    """

# Each within a file, and where it is found.
REFUSED = {
    "a factory": ('filters: {f: {"()": os.system}}', "filters.f.()"),
    "a factory by reference": ('filters: {f: {"()": "ext://os.system"}}', "filters.f.()"),
    "a class": ("handlers: {h: {class: subprocess.Popen}}", "handlers.h.class"),
    "a formatter's class": ("formatters: {f: {class: app.Odd}}", "formatters.f.class"),
    "a reference": ("handlers: {h: {stream: ext://app.stream}}", "handlers.h.stream"),
    "a processor": ("formatters: {f: {processors: [app.add]}}", "formatters.f.processors.[0]"),
    "a processor by reference": (
        "formatters: {f: {processors: [ext://app.add]}}",
        "formatters.f.processors.[0]",
    ),
    "a processor's factory": (
        'formatters: {f: {processors: [{"()": app.make}]}}',
        "formatters.f.processors.[0].()",
    ),
    "a queue": ("handlers: {h: {queue: multiprocessing.Queue}}", "handlers.h.queue"),
    "a listener": ("handlers: {h: {listener: app.Listener}}", "handlers.h.listener"),
    "a factory anywhere": ('{x-mine: [{a: {"()": os.system}}]}', "x-mine.[0].a.()"),
    "a class behind cfg://": (
        "{_h: {class: app.Odd}, handlers: {h: cfg://_h}}",
        "handlers.h.class",
    ),
    "processors behind cfg://": (
        "{_p: [app.add], formatters: {f: {processors: cfg://_p}}}",
        "formatters.f.processors.[0]",
    ),
    "a factory behind cfg://": (
        '{_name: os.system, filters: {f: {"()": "cfg://_name"}}}',
        "filters.f.()",
    ),
    "a class by cfg://": (
        "{_name: app.Odd, handlers: {h: {class: cfg://_name}}}",
        "handlers.h.class",
    ),
    "a package that only begins alike": ("handlers: {h: {class: loggings.H}}", "handlers.h.class"),
    "a module that logging imports": ('filters: {f: {"()": logging.os.system}}', "filters.f.()"),
    "what imports by name": (
        'filters: {f: {"()": logging.config.BaseConfigurator.resolve}}',
        "filters.f.()",
    ),
    "a private part": ("handlers: {h: {stream: ext://logging._lock}}", "handlers.h.stream"),
    "a function as a value": (
        "handlers: {h: {class: logging.StreamHandler, .: {namer: ext://logging.getLogger}}}",
        "handlers.h...namer",
    ),
    "a function that is called": (
        'filters: {f: {"()": structlog.get_logger}}',
        "filters.f.()",
    ),
    "a function": ('filters: {f: {"()": tracelog.processors.resolve}}', "filters.f.()"),
    "what tracelog has of others": (
        "handlers: {h: {stream: ext://tracelog.import_module}}",
        "handlers.h.stream",
    ),
}


def test_a_sound_file_may_name_what_it_needs():
    """The packages that a configuration is made of, two streams and two queues."""
    assert refused(ALLOWED) == {}


def test_the_default_is_such_a_file():
    """What `tracelog init` writes names nothing else."""
    assert refused(DEFAULT_CONFIG.read_text("ascii")) == {}


@pytest.mark.parametrize(("text", "where"), REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(text, where):
    """Wherever it stands, and however it is written."""
    assert list(refused(text)) == [where]


def test_one_entry_finds_nothing_for_another_to_call():
    """As it could where a package is looked at by its name only: this runs a command."""
    text = """
    filters:
      find: {"()": logging.config._resolve, name: os.system}
      run: {"()": "cfg://filters.find", command: "true"}
    """

    assert list(refused(text)) == ["filters.find.()", "filters.run.()"]


@pytest.fixture
def app(monkeypatch):
    """A package of the application's, which imports `os` as all do."""
    module = types.ModuleType("app")
    module.os, module.make = os, dict
    monkeypatch.setitem(sys.modules, "app", module)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("allow", ["app", "app.make"])
def test_the_application_adds_its_own(allow):
    """A package, with functions and classes of whatever home, or a single name."""
    assert refused('filters: {f: {"()": app.make}}', allow) == {}


@pytest.mark.usefixtures("app")
def test_a_package_does_not_open_those_that_it_imports():
    """The way out names the package that it leads through."""
    problem = find_problems(parse('filters: {f: {"()": app.os.system}}').data, allow=["app"])[0]

    assert "'app.os.system' leads through 'os'" in problem.text
    assert "LOG_CONFIG_ALLOW=os," in problem.hint


def test_what_is_refused_is_not_imported():
    """Importing runs code; and no other rule, which would import it, gets to see the file."""
    name = "antigravity"  # opens a browser
    data = parse(f'version: 2\nhandlers: {{h: {{"()": {name}.fly}}}}').data

    problems = find_problems(data, lines={"handlers.h.()": 2}, allow=[])

    [problem] = problems
    assert str(problem) == (
        "line 2: handlers.h.(): 'antigravity.fly' is outside of the packages that a file may name\n"
        "  Try: LOG_CONFIG_ALLOW=antigravity, or configure_logging(allow=['antigravity']), "
        "if it is trusted"
    )
    assert name not in sys.modules


def test_a_name_that_leads_nowhere_is_for_the_other_rules():
    """They say which part is missing."""
    data = parse('version: 1\nfilters: {f: {"()": tracelog.ContextFitler}}').data

    [problem] = [each for each in find_problems(data, allow=[]) if each.fatal]

    assert "'tracelog' has no 'ContextFitler'" in problem.text


def test_hidden_characters_are_shown():
    """A hostile name can't move the cursor of who reads about it."""
    [said] = refused('filters: {f: {"()": "os\\e[2J"}}').values()

    assert "\x1b" not in said


def test_what_is_in_a_list_or_no_text_is_not_a_name():
    """Other rules refuse it, or it is somebody's own value."""
    assert refused('filters: {f: {"()": [os.system]}, g: {"()": 1, processors: os.system}}') == {}
