"""Debugging of single users, switched on and off while the service runs."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import threading
from weakref import ref

import pytest

import tracelog
from tracelog import focus as module
from tracelog import gate
from tracelog.errors import ConfigError
from tracelog.focus import Focus


KIM = [{"user_id": "kim", "level": "DEBUG"}]
STOCK = logging.Logger.isEnabledFor


@pytest.fixture(autouse=True)
def _no_rules():
    """No rule is left behind, by a handler that is still configured."""
    yield
    tracelog.configure_logging(sink=io.StringIO())
    gc.collect()
    assert logging.Logger.isEnabledFor is STOCK


@pytest.fixture(autouse=True)
def threads(monkeypatch):
    """The functions that threads would have run; none is started."""
    started = []

    class Thread:
        def __init__(self, *, target, args, name, daemon):
            assert (name, daemon) == ("tracelog-focus", True)
            started.append(lambda: target(*args))

        def start(self):
            pass

    monkeypatch.setattr(module.threading, "Thread", Thread)
    return started


def is_on(user="kim"):
    with tracelog.bound_context(user_id=user):
        return logging.getLogger("app").isEnabledFor(logging.DEBUG)


@pytest.fixture(autouse=True)
def _at_info():
    logging.getLogger("app").setLevel("INFO")


def write(path, text):
    path.write_text(text)
    os.utime(path, ns=(0, next(_MOMENTS)))  # as if a while had passed


_MOMENTS = iter(range(1, 1_000))


def test_its_rules_apply_to_the_process():
    """While it is there; it needn't be asked about any record."""
    focus = Focus(rules=KIM)

    assert is_on("kim")
    assert not is_on("lee")
    assert focus.filter(logging.makeLogRecord({}))
    del focus
    gc.collect()
    assert not is_on("kim")


def test_it_comes_and_goes_with_a_configuration():
    """From YAML: on the handler that has it, and gone with that."""
    stream = io.StringIO()
    config = {
        "version": 1,
        "filters": {"focus": {"()": "tracelog.Focus", "rules": KIM}},
        "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
        "handlers": {
            "out": {
                "class": "tracelog.StreamHandler",
                "stream": stream,
                "formatter": "json",
                "filters": ["focus"],
            }
        },
        "root": {"level": "INFO", "handlers": ["out"]},
    }
    tracelog.configure_logging(config)
    for user in ("kim", "lee"):
        with tracelog.bound_context(user_id=user):
            tracelog.get_logger("app").debug("looked up")

    [line] = map(json.loads, stream.getvalue().splitlines())
    assert (line["level"], line["user_id"]) == ("debug", "kim")
    tracelog.configure_logging({**config, "filters": {"focus": {"name": ""}}})
    assert not is_on()


def test_its_rules_end_when_its_handler_is_replaced(tmp_path):
    """At once, though the handler may be collected much later; its file says nothing any more."""
    file = tmp_path / "focus.yaml"
    tracelog.configure_logging(sink=io.StringIO())
    focus = Focus(rules=KIM, file=file)
    logging.root.handlers[0].addFilter(focus)

    tracelog.configure_logging(sink=io.StringIO())
    write(file, "- user_id: kim")
    focus.look()

    assert not is_on()


def test_a_flight_recorder_lets_its_lines_pass():
    """Whoever debugs a user wants to see the lines when they are made."""
    stream = io.StringIO()
    tracelog.configure_logging(format="json", sink=stream, level="DEBUG")
    logging.root.handlers[0].addFilter(tracelog.FlightRecorder())
    logging.root.handlers[0].addFilter(Focus(rules=KIM))

    for user in ("kim", "lee"):
        with tracelog.utterance(user_id=user, budget_ms=60_000):
            tracelog.get_logger("app").debug("looked up")

    lines = list(map(json.loads, stream.getvalue().splitlines()))
    assert [(line["event"], line["user_id"]) for line in lines] == [
        ("looked up", "kim"),
        ("utterance", "kim"),
        ("utterance", "lee"),
    ]


def test_a_files_rules_come_and_go_with_it(tmp_path):
    """They are those of the last look, in addition to the configured ones."""
    file = tmp_path / "focus.yaml"
    focus = Focus(rules=KIM, file=file)
    assert [is_on("kim"), is_on("lee")] == [True, False]

    write(file, "- user_id: lee")
    focus.look()
    assert [is_on("kim"), is_on("lee")] == [True, True]

    file.unlink()
    focus.look()
    assert [is_on("kim"), is_on("lee")] == [True, False]


def test_a_file_that_has_not_changed_is_not_read(tmp_path, monkeypatch):
    """A look is one question to the system."""
    file = tmp_path / "focus.yaml"
    write(file, "- user_id: kim")
    focus = Focus(file=file)
    monkeypatch.delattr(module, "load")

    focus.look()

    assert is_on()


@pytest.mark.parametrize("text", ["- [", "user_id: lee"], ids=["no YAML", "no list"])
def test_a_broken_file_keeps_the_rules_of_before(tmp_path, caplog, text):
    """It is said once, with what is wrong; the next good one counts."""
    file = tmp_path / "focus.yaml"
    write(file, "- user_id: kim")
    focus = Focus(file=file)

    write(file, text)
    focus.look()
    focus.look()

    assert is_on("kim")
    [record] = caplog.records
    assert record.name == "tracelog.internal"
    assert str(file) in record.getMessage()
    write(file, "- user_id: lee")
    focus.look()
    assert [is_on("kim"), is_on("lee")] == [False, True]


def test_a_file_that_is_broken_at_first_is_said_later(tmp_path, caplog):
    """By the first look: the handlers that say it come into use after the filters are made."""
    file = tmp_path / "focus.yaml"
    write(file, "- [")
    focus = Focus(file=file)
    assert caplog.records == []

    focus.look()
    focus.look()

    assert len(caplog.records) == 1


def test_a_thread_looks_for_as_long_as_it_is_there(tmp_path, threads, monkeypatch):
    """Once a second; it keeps nothing alive, and ends by itself."""
    file = tmp_path / "focus.yaml"
    [focus] = [Focus(file=file)]
    alive = ref(focus)
    holder = [focus]
    del focus
    slept = []

    def sleep(seconds):
        slept.append(is_on())
        write(file, "- user_id: kim")
        if len(slept) == 2:
            holder.clear()

    monkeypatch.setattr(module.time, "sleep", sleep)
    [run] = threads

    run()

    assert slept == [False, True]
    assert alive() is None
    assert gate._owned == {}


def test_without_a_file_there_is_no_thread(threads):
    """There is nothing to look at."""
    focus = Focus(rules=KIM)
    focus.look()

    assert threads == []


def test_a_forked_child_looks_by_itself(tmp_path, threads):
    """Threads stay behind in the parent."""
    focus = Focus(file=tmp_path / "focus.yaml")
    before = len(threads)

    module._watch_all()

    assert len(threads) == before + 1
    assert focus in module._watched


def test_configured_rules_that_make_no_sense_are_refused():
    """They stand in the configuration, which is refused as a whole."""
    with pytest.raises(ConfigError) as error:
        Focus(rules=[{"level": "DEBUG"}])

    assert error.value.where == "rules[0]"


def test_a_file_that_is_no_path_is_refused():
    """By its name."""
    with pytest.raises(ConfigError, match="file: expected the path of a file, got 3"):
        Focus(file=3)


def test_the_real_thread_is_a_daemon(tmp_path, monkeypatch):
    """It looks by itself, and keeps no interpreter from ending."""
    monkeypatch.undo()
    monkeypatch.setattr(module, "_EVERY_S", 0.001)
    looked = threading.Event()

    class Looking(Focus):
        def look(self):
            super().look()
            if threading.current_thread().name == "tracelog-focus":
                looked.set()

    focus = Looking(file=tmp_path / "focus.yaml")

    assert looked.wait(30)
    assert [each.daemon for each in threading.enumerate() if each.name == "tracelog-focus"] == [
        True
    ]
    del focus
