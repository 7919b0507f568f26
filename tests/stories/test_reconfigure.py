"""`configure_logging` may be called at any time, and nobody who logs meanwhile notices."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections import Counter
from pathlib import Path

import pytest

import tracelog


THREADS = 4
CALLS = 60


def make_config(path):
    return {
        "version": 1,
        "formatters": {"json": {"()": "tracelog.JsonFormatter"}},
        "filters": {"context": {"()": "tracelog.ContextFilter"}},
        "handlers": {
            "file": {
                "class": "tracelog.FileHandler",
                "filename": str(path),
                "formatter": "json",
                "filters": ["context"],
            }
        },
        "root": {"level": "INFO", "handlers": ["file"]},
    }


def read(*paths):
    lines = [line for path in paths for line in Path(path).read_text().splitlines()]
    return [json.loads(line) for line in lines]


def logging_threads(done):
    """Start threads that log, natively and not, until *done*; tell how much each of them logged."""
    counts = Counter()

    def run(name):
        native, foreign = tracelog.get_logger("busy.native"), logging.getLogger("busy.foreign")
        while not done.is_set():
            native.info("hello", by=name, number=counts[name])
            foreign.info("hello", extra={"by": name, "number": counts[name] + 1})
            counts[name] += 2

    threads = [threading.Thread(target=run, args=(name,)) for name in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads, counts


def test_threads_lose_and_double_nothing(tmp_path):
    """Every record is in one of the files, once, and in the order of its thread."""
    done = threading.Event()
    paths = [tmp_path / "a.log", tmp_path / "b.log"]
    tracelog.configure_logging(make_config(paths[0]))

    threads, counts = logging_threads(done)
    for number in range(CALLS):
        tracelog.configure_logging(make_config(paths[number % 2]))
    done.set()
    for thread in threads:
        thread.join()
    assert tracelog.flush(30)

    lines = read(*paths)
    seen = Counter((line["by"], line["number"]) for line in lines)
    assert seen == Counter((name, number) for name in counts for number in range(counts[name]))
    assert min(counts.values()) > 0


def test_threads_may_configure_too(tmp_path):
    """Calls that come together leave one configuration, whole."""
    path = tmp_path / "a.log"
    start = threading.Barrier(THREADS)

    def configure():
        start.wait()
        for _ in range(10):
            tracelog.configure_logging(make_config(path))

    threads = [threading.Thread(target=configure) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    logging.getLogger("app").info("hello")

    assert [line["event"] for line in read(path)] == ["hello"]


@pytest.mark.parametrize(
    "refused",
    [
        {"config": {"version": 1, "root": {"handlers": ["nobody"]}}},
        {"config": "gone.yaml"},
        {"sink": "gone/app.log"},
        {"processors": ["nowhere.to_be_found"]},
        {"level": "LOUD"},
    ],
    ids=lambda refused: next(iter(refused)),
)
def test_a_refused_configuration_leaves_the_working_one(tmp_path, refused):
    """Lines go on where they went."""
    path = tmp_path / "a.log"
    tracelog.configure_logging(make_config(path))

    with pytest.raises(tracelog.ConfigError):
        tracelog.configure_logging(**refused)
    logging.getLogger("app").info("hello")

    assert [line["event"] for line in read(path)] == ["hello"]


def test_loggers_that_were_used_before_follow(tmp_path):
    """Native or not, bound or not: the new level and the new file count for them at once."""
    bound = tracelog.get_logger("app", room="lobby").bind(user="kim")
    loggers = [bound, tracelog.get_logger("app"), logging.getLogger("app")]
    tracelog.configure_logging(sink=tmp_path / "a.log", format="json", level="ERROR")
    for logger in loggers:
        logger.info("too quiet")

    tracelog.configure_logging(sink=tmp_path / "b.log", format="json", level="INFO")
    for logger in loggers:
        logger.info("hello")

    assert read(tmp_path / "a.log") == []
    assert [line.get("user") for line in read(tmp_path / "b.log")] == ["kim", None, None]


def test_levels_of_the_environment_are_taken_back(monkeypatch):
    """LOG_LEVELS counts for the call that read it."""
    stream = io.StringIO()
    monkeypatch.setenv("LOG_LEVELS", "app.db=DEBUG,uvicorn=ERROR")
    tracelog.configure_logging(sink=stream, format="json")
    logging.getLogger("app.db").debug("shown")
    logging.getLogger("uvicorn.error").info("hidden")

    monkeypatch.delenv("LOG_LEVELS")
    tracelog.configure_logging(sink=stream, format="json")
    logging.getLogger("app.db").debug("hidden")
    logging.getLogger("uvicorn.error").info("shown")

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["logger"], line["event"]) for line in lines] == [
        ("app.db", "shown"),
        ("uvicorn.error", "shown"),
    ]
