"""structlog processors, named in YAML or given as they are."""

from __future__ import annotations

import logging
import re
import subprocess
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from tracelog.errors import ConfigError
from tracelog.fields import LEADING
from tracelog.processors import make_chain, resolve


EVENT = {
    "timestamp": "2023-11-14T22:13:20.250000Z",
    "level": "info",
    "logger": "app.chat",
    "event": "hello",
    "trace_id": None,
}


class Tagger:
    """Makes a processor, as a class that takes arguments does."""

    def __init__(self, tag="default"):
        self.tag = tag

    def __call__(self, logger, method, event):
        return {**event, "tag": self.tag}

    @staticmethod
    def shout(logger, method, event):
        return {**event, "event": event["event"].upper()}


class Outer:
    """Holds a class whose attribute is a processor."""

    Inner = Tagger


def add_region(logger, method, event):
    event["region"] = "eu"
    return event


def add_zone(logger, method, event):
    event["zone"] = f"{event['region']}-1"
    return event


def drop(logger, method, event):
    raise structlog.DropEvent


def fail(logger, method, event):
    event["touched"] = True
    raise RuntimeError("not my day")


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    # Tests are imported by file; YAML names modules.
    monkeypatch.setitem(sys.modules, "app_logs", sys.modules[__name__])


def run(*processors, event=EVENT, name="app.chat", method="info"):
    return make_chain(processors)(name, method, dict(event))


# Chains


def test_no_processors_are_no_chain():
    """Then there is nothing to call for every event; `processors:` in YAML may be left empty."""
    assert make_chain([]) is None
    assert make_chain(None) is None


def test_processors_run_in_their_order():
    """Each is given what the one before returned."""
    assert run(add_region, add_zone) == {**EVENT, "region": "eu", "zone": "eu-1"}


def test_processors_are_called_as_structlog_calls_them():
    """With the logger, the method's name, and the event."""
    calls = []

    def look(logger, method, event):
        calls.append((logger, method))
        return event

    run(look, name="app.seen", method="warning")
    seen = logging.getLogger("app.seen")
    run(look, name="app.seen", method="error")

    assert calls == [(None, "warning"), (seen, "error")]


def test_a_processor_may_drop_an_event():
    """structlog.DropEvent ends the chain; no event is left."""
    assert run(add_region, drop, fail) is None


@given(st.dictionaries(st.sampled_from([*LEADING, "room"]), st.integers()))
def test_five_keys_are_first_whatever_processors_do(given):
    """A processor may drop, reorder or replace keys: the leading ones are on every line."""

    def replace(logger, method, event):
        return given

    result = run(replace)

    assert tuple(result)[:5] == LEADING
    assert result == {**EVENT, **given}


def test_a_processor_may_return_another_mapping():
    """Ordered or immutable mappings are events as well."""

    def replace(logger, method, event):
        return [("event", "changed"), ("n", 1)]

    assert run(replace) == {**EVENT, "event": "changed", "n": 1}


def test_a_processor_that_raises_is_reported_once(caplog):
    """The event goes on without it, every time; the report isn't repeated."""
    chain = make_chain([fail, add_region])

    results = [chain("app.chat", "info", dict(EVENT)) for _ in range(3)]

    assert results == [{**EVENT, "touched": True, "region": "eu"}] * 3
    [report] = caplog.records
    assert report.name == "tracelog.internal"
    assert re.fullmatch(
        r"processor <function fail at 0x\w+> failed; its events go on without it",
        report.getMessage(),
    )
    assert report.exc_info[0] is RuntimeError


def test_a_processor_that_returns_no_event_is_one_that_failed(caplog):
    """A renderer's text isn't an event; the event goes on as it was."""
    chain = make_chain([structlog.processors.JSONRenderer(), add_region])

    assert chain("app.chat", "info", dict(EVENT)) == {**EVENT, "region": "eu"}
    assert len(caplog.records) == 1


def test_structlog_is_not_needed_to_run_processors():
    """Nobody raises DropEvent who hasn't loaded structlog, and any other error is a failure."""
    code = """
import logging, sys
logging.lastResort = None
from tracelog.processors import make_chain
def fail(logger, method, event):
    raise RuntimeError
event = dict.fromkeys(["timestamp", "level", "logger", "event", "trace_id"])
assert make_chain([fail])("app", "info", dict(event)) == event
print("structlog" in sys.modules)
"""

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


# Names


@pytest.mark.parametrize(
    ("item", "result"),
    [
        pytest.param(add_region, {"region": "eu"}, id="a function"),
        pytest.param(Tagger("mine"), {"tag": "mine"}, id="an object"),
        pytest.param(Tagger, {"tag": "default"}, id="a class"),
        pytest.param("app_logs.add_region", {"region": "eu"}, id="dotted name"),
        pytest.param("ext://app_logs.add_region", {"region": "eu"}, id="ext"),
        pytest.param("app_logs.Tagger", {"tag": "default"}, id="a class by name"),
        pytest.param("app_logs.Tagger.shout", {"event": "HELLO"}, id="a class's function"),
        pytest.param("app_logs.Outer.Inner.shout", {"event": "HELLO"}, id="deeper"),
        pytest.param({"()": "app_logs.Tagger", "tag": "x"}, {"tag": "x"}, id="factory"),
        pytest.param({"()": "ext://app_logs.Tagger"}, {"tag": "default"}, id="ext factory"),
        pytest.param({"()": Tagger, "tag": "x"}, {"tag": "x"}, id="factory object"),
    ],
)
def test_a_processor_is_found(item, result):
    """Callables, dotted names, names with ext:// and factories with arguments."""
    processor = resolve(item, where="processors[0]")

    assert {**EVENT, **result} == processor(None, "info", dict(EVENT))


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        pytest.param(
            "nowhere_to_be.found", "can't find 'nowhere_to_be.found': No module", id="module"
        ),
        pytest.param("app_logs.nothing", "can't find 'app_logs.nothing': module", id="attribute"),
        pytest.param(
            "app_logs.Tagger.nothing", "type object 'Tagger' has no attribute", id="inner"
        ),
        pytest.param("print", "'print' names no module; a dotted name is expected", id="no dot"),
        pytest.param("ext://", "'' names no module", id="empty"),
        pytest.param(
            "app_logs.EVENT", "'app_logs.EVENT' is no processor: it can't be called", id="data"
        ),
        pytest.param(42, "42 is no processor: it can't be called", id="number"),
        pytest.param({"tag": "x"}, "{'tag': 'x'} is no processor", id="dict without factory"),
        pytest.param({"()": "app_logs.Tagger", "tga": "x"}, "refused {'tga': 'x'}", id="argument"),
        pytest.param({"()": "app_logs.nothing"}, "can't find 'app_logs.nothing'", id="no factory"),
        pytest.param({"()": 42}, "42 refused {}: 'int' object is not callable", id="not callable"),
    ],
)
def test_what_cannot_be_found_is_refused(item, problem):
    """The error tells which of them it was, why, and how it is written."""
    with pytest.raises(ConfigError) as caught:
        make_chain([add_region, item])

    assert caught.value.where == "processors[1]"
    assert problem in str(caught.value)
    assert "Try: processors: [my_app.logs.add_region" in str(caught.value)


def test_what_a_processor_logs_is_not_processed():
    """It may log through the logger it serves: its own line passes as it is, once."""

    def chatty(logger, method, event):
        inner.append(chain("app.chat", "info", {**EVENT, "event": "from within"}))
        return {**event, "seen": True}

    inner = []
    chain = make_chain([chatty])

    assert chain("app.chat", "info", dict(EVENT)) == {**EVENT, "seen": True}
    assert chain("app.chat", "info", dict(EVENT)) == {**EVENT, "seen": True}
    assert inner == [{**EVENT, "event": "from within"}] * 2
