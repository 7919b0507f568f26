"""`python -m tracelog`."""

from __future__ import annotations

import gc
import runpy
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import tracelog
from tracelog.__main__ import run


MAIN = Path(tracelog.__file__).with_name("__main__.py")
VERSION = f"tracelog {tracelog.__version__}\n"


def test_the_package_is_a_command():
    """It is the same command line as the installed script's."""
    done = subprocess.run(
        [sys.executable, "-m", "tracelog", "--version"], capture_output=True, text=True, check=True
    )

    assert (done.stdout, done.stderr) == (VERSION, "")


def test_the_installed_script_runs_the_same():
    """Of this very environment."""
    [script] = entry_points(group="console_scripts", name="tracelog")

    assert script.load() is run


def test_its_exit_code_is_the_commands(monkeypatch, capsys):
    """2, where the input can't be used."""
    monkeypatch.setattr("sys.argv", ["tracelog", "late", "nowhere.log"])

    with pytest.raises(SystemExit) as exit_:
        runpy.run_path(str(MAIN), run_name="__main__")

    gc.unfreeze()
    assert exit_.value.code == 2
    assert "nowhere.log" in capsys.readouterr().err
