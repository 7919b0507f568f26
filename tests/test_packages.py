"""Whose a file is."""

from __future__ import annotations

import json
import sysconfig

import pytest

from tracelog import packages
from tracelog.packages import is_users, library_of, own_packages


STDLIB = sysconfig.get_path("stdlib")


@pytest.fixture
def install(tmp_path):
    """Install something, as pip does."""

    def install(name, *files, installer="pip", origin=True):
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        record = [*files, f"{info.name}/RECORD", "../../../bin/serve"]
        (info / "RECORD").write_text("".join(f"{each},sha256=x,1\n" for each in record))
        (info / "INSTALLER").write_text(f"{installer}\n")
        if origin:
            told = {"url": "file:///src", "dir_info": {}}
            (info / "direct_url.json").write_text(json.dumps(told))
        return info

    return install


def test_what_was_installed_from_a_folder_is_the_users(install, tmp_path):
    """Packages, and modules beside them."""
    install("my_app", "app/__init__.py", "app/chat/rooms.py", "app_settings.py")

    assert {"app", "app_settings"} <= own_packages([str(tmp_path)])


def test_tracelog_itself_is_not(install, tmp_path):
    """Though it be installed from a checkout, as README says."""
    install("tracelog", "tracelog/__init__.py")

    assert "tracelog" not in own_packages([str(tmp_path)])


def test_what_came_from_an_index_is_not(install, tmp_path):
    """It says nothing of an origin."""
    install("httpx", "httpx/__init__.py", origin=False)

    assert own_packages([str(tmp_path)]) == frozenset()


def test_what_conda_has_installed_is_not(install, tmp_path):
    """All of its packages say that they came from a folder: the one that they were built in."""
    install("numpy", "numpy/__init__.py", installer="conda")

    assert own_packages([str(tmp_path)]) == frozenset()


def test_what_is_half_there_is_no_error(install, tmp_path):
    """Somebody is installing it; or there is no such folder."""
    (install("half", "half.py") / "RECORD").unlink()
    (install("odd", "odd.py") / "INSTALLER").write_bytes(b"\xff")

    assert own_packages([str(tmp_path), str(tmp_path / "nowhere")]) == frozenset()


@pytest.mark.parametrize(
    ("file", "library", "users"),
    [
        ("/srv/app/views.py", None, True),
        ("/x/site-packages/asyncpg/connection.py", "asyncpg", False),
        ("/x/site-packages/own/views.py", None, True),
        ("/x/site-packages/own.py", None, True),
        ("/x/dist-packages/six.py", "six", False),
        ("/x/site-packages", None, True),
        (f"{STDLIB}/json/decoder.py", None, False),
        (f"{STDLIB}/site-packages/own/views.py", None, True),
        (f"{STDLIB}/site-packages/six.py", "six", False),
        ("<frozen importlib._bootstrap>", None, False),
    ],
)
def test_whose_a_file_is(monkeypatch, file, library, users):
    """The user's is what isn't Python's, nor an installed library's.

    Without a virtual environment, in a container say, packages lie in Python's own folder.
    """
    monkeypatch.setattr(packages, "_OWN", {"own"})

    assert (library_of.__wrapped__(file), is_users(file)) == (library, users)
