"""`tracelog init`: a logging.yaml to start from."""

from __future__ import annotations

import argparse

import pytest

from tracelog.commands import init


TEMPLATE = b"# a template\r\nversion: 1\n"


@pytest.fixture(autouse=True)
def _template(tmp_path, monkeypatch):
    """A package with a template of known bytes, and an empty directory to work in."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "logging.yaml").write_bytes(TEMPLATE)
    monkeypatch.setattr(init, "files", lambda name: package)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def run(capsys):
    def run(*arguments):
        parser = argparse.ArgumentParser()
        init.configure(parser)
        code = init.run(parser.parse_args(list(arguments)))
        return code, *capsys.readouterr()

    return run


def test_the_file_is_written_as_it_is(run, tmp_path):
    """The template's bytes are copied, and three lines say what to do next."""
    code, out, err = run()

    assert (code, err) == (0, "")
    assert (tmp_path / "work" / "logging.yaml").read_bytes() == TEMPLATE
    assert out == (
        "Wrote logging.yaml. Edit it, then: tracelog check logging.yaml\n"
        "Use it with: uvicorn app:app --log-config logging.yaml\n"
        "or, in code: tracelog.configure_logging('logging.yaml')\n"
    )


def test_another_path(run, tmp_path):
    """The file can have any name."""
    assert run("etc.yaml")[0] == 0
    assert (tmp_path / "work" / "etc.yaml").read_bytes() == TEMPLATE


def test_a_file_that_is_there_stays(run, tmp_path):
    """Nothing is overwritten unless it is asked for."""
    path = tmp_path / "work" / "logging.yaml"
    path.write_text("mine")

    code, out, err = run()

    assert (code, out) == (1, "")
    assert err == "logging.yaml is there already\n  Try: tracelog init --force logging.yaml\n"
    assert path.read_text() == "mine"


def test_force(run, tmp_path):
    """With --force it is overwritten."""
    path = tmp_path / "work" / "logging.yaml"
    path.write_text("mine, and much longer than the template is")

    assert run("--force")[0] == 0
    assert path.read_bytes() == TEMPLATE


@pytest.mark.parametrize(
    ("path", "reason"),
    [("no/such.yaml", "No such file or directory"), ("a\0b", "embedded null byte")],
)
def test_a_path_that_cannot_be_written(run, path, reason):
    """The reason is told, with control characters escaped."""
    code, out, err = run(path)

    assert (code, out) == (1, "")
    assert f"can't be written: {reason}\n  Try: another path\n" in err
    assert "\0" not in err


def test_a_directory(run, tmp_path):
    """A directory isn't overwritten, whatever is forced: the way out is a file in it."""
    (tmp_path / "work" / "etc").mkdir()

    code, out, err = run("etc")

    assert (code, out) == (1, "")
    assert err == "etc is a directory\n  Try: tracelog init etc/logging.yaml\n"


def test_help():
    """The summary is one line, for the list of commands."""
    assert "\n" not in init.HELP
