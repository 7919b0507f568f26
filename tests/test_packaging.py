"""What is built has what it needs, and each setting has one home."""

from __future__ import annotations

import configparser
import importlib.metadata
import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest


ROOT = Path(__file__).parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".*_cache", ".git", ".hypothesis", ".tox", ".venv", "__pycache__", "*.egg-info", "build", "dist"
)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Wheel and sdist, built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(ROOT, folder / "tree", ignore=LEFT_OUT)
    script = (
        "import sys; from setuptools import build_meta as backend;"
        "print(backend.build_sdist('..')); print(backend.build_wheel('..'))"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder / "tree",
        env={**os.environ, "PYTHONSAFEPATH": ""},
        check=True,
        capture_output=True,
    )
    return folder


def test_the_wheel_has_the_data_that_the_code_reads(built):
    """The wheel has what `tracelog init` and `tracelog report` read, and the typing marker."""
    (wheel,) = built.glob("*.whl")

    names = zipfile.ZipFile(wheel).namelist()

    assert {"tracelog/logging.yaml", "tracelog/py.typed"} <= set(names)
    page = (ROOT / "tracelog" / "answers" / "page").iterdir()
    assert {f"tracelog/answers/page/{part.name}" for part in page} <= set(names)
    assert {name.split("/")[0] for name in names if "dist-info" not in name} == {"tracelog"}


def test_the_sdist_can_be_tested(built):
    """The source distribution has the tests and what they are started with."""
    (sdist,) = built.glob("*.tar.gz")

    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    wanted = {"logging.yaml", "setup.cfg", "tox.ini", "LICENSE", "README.md", "CHANGELOG.md"}
    assert wanted <= names
    assert {".ci/run", "examples/chat/app.py", "tests/conftest.py", "docs/lines.md"} <= names


def test_each_setting_has_one_home():
    """Nothing stands in two of pyproject.toml, setup.cfg and tox.ini."""
    setup_cfg = configparser.ConfigParser()
    setup_cfg.read(ROOT / "setup.cfg")
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    tox_ini = configparser.ConfigParser(interpolation=None)
    tox_ini.read(ROOT / "tox.ini")

    in_setup_cfg = {section.partition(":")[0].partition("-")[0] for section in setup_cfg}

    assert in_setup_cfg == {"DEFAULT", "mypy", "importlinter", "codespell"}
    assert not in_setup_cfg & set(pyproject["tool"])
    assert all(section == "tox" or section.startswith("testenv") for section in tox_ini.sections())


def test_the_version_stands_in_one_line():
    """The installed distribution has the version that the package tells."""
    import tracelog

    assert importlib.metadata.version("tracelog") == tracelog.__version__


def test_the_core_needs_what_was_agreed_and_no_more():
    """The core dependencies are the six, and colorama on Windows."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))

    names = [need.split(">=")[0] for need in pyproject["project"]["dependencies"]]

    assert names == [
        "colorama",
        "orjson",
        "python-dotenv",
        "python-json-logger",
        "PyYAML",
        "rich",
        "structlog",
    ]
