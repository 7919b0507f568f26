"""`tracelog check FILE`: every mistake of a configuration, line by line."""

from __future__ import annotations

import argparse

import pytest

from tracelog.commands import check


SOUND = """\
version: 1
disable_existing_loggers: false
filters:
  context: {"()": tracelog.ContextFilter}
handlers:
  out: {class: logging.StreamHandler, filters: [context]}
  err: {class: logging.StreamHandler, filters: [context]}
loggers:
  app: {level: DEBUG}
root: {level: INFO, handlers: [out, err]}
"""

WRONG = """\
version: 1
handlers:
  out: {class: logging.FileHandler, filename: app.log, max_bytes: 5}
root:
  level: INFOO
  handlers: [out]
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command over a text, and return its code and what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(text, *arguments):
        if text is not None:
            (tmp_path / "logging.yaml").write_text(text, encoding="utf-8")
        parser = argparse.ArgumentParser()
        check.configure(parser)
        code = check.run(parser.parse_args(list(arguments)))
        return code, *capsys.readouterr()

    return run


def test_a_sound_file(run):
    """A sound file is said to be sound, and what is in it."""
    assert run(SOUND) == (0, "logging.yaml is sound: 2 handlers, 2 loggers\n", "")


def test_advice(run):
    """Advice is printed, and the file is sound all the same."""
    code, out, err = run(SOUND.replace("disable_existing_loggers: false\n", ""))

    assert (code, err) == (0, "")
    assert out == (
        "logging.yaml:1: disable_existing_loggers: is missing, and then true: it silences "
        "uvicorn.error, asyncio and all other loggers that are in use already (advice)\n"
        "  Try: disable_existing_loggers: false\n"
        "logging.yaml is sound: 2 handlers, 2 loggers; 1 piece of advice\n"
    )


def test_mistakes(run):
    """Each mistake has its line, key, reason and way out; the last line counts them."""
    code, out, err = run(WRONG, "logging.yaml")

    assert (code, err) == (1, "")
    assert (
        "logging.yaml:3: handlers.out.max_bytes: logging.FileHandler takes no 'max_bytes'\n"
        "  Try: maxBytes is for class: logging.handlers.RotatingFileHandler\n"
        "logging.yaml:5: root.level: there is no level 'INFOO'\n"
        "  Try: INFO\n"
        "2 problems; 2 pieces of advice\n"
    ) in out


def test_one_mistake(run):
    """One problem is no problems."""
    code, out, _ = run(SOUND.replace("INFO", "INFOO"))

    assert code == 1
    assert out.endswith("\n1 problem\n")


def test_a_name_that_a_file_may_not_use(run, tmp_path):
    """It is refused as `configure_logging` would, unless LOG_CONFIG_ALLOW has it, as in .env."""
    text = SOUND.replace("tracelog.ContextFilter", "string.Formatter")

    code, out, _ = run(text)
    (tmp_path / ".env").write_text("LOG_CONFIG_ALLOW=string")
    _, allowed, _ = run(text)

    assert code == 1
    assert "logging.yaml:4: filters.context.(): 'string.Formatter' is outside" in out
    assert "outside" not in allowed


@pytest.mark.parametrize("place", ["environment", "file"])
def test_the_file_that_would_be_used_is_checked(run, tmp_path, monkeypatch, place):
    """That of LOG_CONFIG, which may be in .env: a sound logging.yaml beside it says nothing."""
    (tmp_path / "deploy.yaml").write_text(WRONG)
    if place == "file":
        (tmp_path / ".env").write_text("LOG_CONFIG=deploy.yaml")
    else:
        monkeypatch.setenv("LOG_CONFIG", "deploy.yaml")

    assert "deploy.yaml:5: root.level: " in run(SOUND)[1]
    assert run(SOUND, "logging.yaml")[0] == 0


def test_a_setting_that_makes_no_sense(run, monkeypatch):
    """Whatever is in the file, the service won't start."""
    monkeypatch.setenv("LOG_LEVEL", "LOUD")

    code, out, _ = run(SOUND)

    assert (code, out.splitlines()[-1]) == (1, "1 problem")
    assert out.startswith("LOG_LEVEL: 'LOUD' is no level")


def test_a_file_that_is_not_yaml(run):
    """A file that can be read, but not as YAML, has a problem."""
    code, out, err = run("version: 1\n  handlers: [")

    assert (code, err) == (1, "")
    assert out.startswith("logging.yaml:2: invalid YAML in line 2, column 11: ")
    assert out.endswith("\n1 problem\n")


def test_an_empty_file(run):
    """An empty file has a problem, too."""
    assert run("")[:2] == (
        1,
        "logging.yaml: the configuration is empty: expected a mapping\n"
        "  Try: start from the file that `tracelog init` writes\n"
        "1 problem\n",
    )


def test_a_file_that_is_not_there(run):
    """What can't be read is said to the other stream, with another code."""
    code, out, err = run(None)

    assert (code, out) == (2, "")
    assert "logging.yaml: can't be read: No such file or directory\n  Try: " in err


def test_control_characters_are_escaped(run):
    """A hostile file can't move the cursor of who checks it."""
    _, out, _ = run(SOUND + '"\\e[2J": 1\n')

    assert "logging.yaml:11: \\x1b[2J: there is no such section\n" in out


def test_help():
    """The summary is one line, for the list of commands."""
    assert "\n" not in check.HELP
